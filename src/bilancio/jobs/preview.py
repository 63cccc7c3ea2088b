"""What a sweep would be, before it is stored: from its fields, or from another job's."""

from collections.abc import Mapping
from typing import Any

from bilancio.errors import InvalidInput, Problem, invalid
from bilancio.executors import registry as executors
from bilancio.experiments import registry
from bilancio.experiments.changing import changed
from bilancio.experiments.grid_sweep import GridSweep
from bilancio.experiments.presets import filled
from bilancio.experiments.sweep_config import UNOFFERED_FIELDS, SweepConfig
from bilancio.jobs.estimate import estimate
from bilancio.jobs.lookup import find
from bilancio.jobs.models import Config, Estimate, View
from bilancio.jobs.session import Session
from bilancio.settings import Settings
from bilancio.text import MORE_SEEDS

MOST_RUNS = 10**9  # of one job; what is recorded of them takes tens of gigabytes


class Preview(View):
    """A sweep that could be stored, and what it would take.

    Attributes
    ----------
    like
        Name of the job that the configuration comes from; else empty.
    reading
        How that name was read where it was not written exactly; else empty.
    left_out
        What of that job's configuration the sweep type cannot have, in a sentence; else empty.
    cells, seeds
        What runs are made of, each in every arm; None where a plug-in counts otherwise. Of a
        search the cells that are known from the start.
    runs
        All of them; of a search, or with a precision, the most.
    warnings
        What may not be meant as it was asked, a sentence each.
    """

    config: Config
    like: str = ""
    reading: str = ""
    left_out: str = ""
    cells: int | None
    seeds: int | None
    arms: tuple[str, ...]
    runs: int
    estimate: Estimate
    warnings: tuple[str, ...]


async def preview(
    session: Session,
    config: SweepConfig | Mapping[str, Any] | None = None,
    *,
    like: str | None = None,
) -> Preview:
    """Return what a sweep would be; nothing is stored, and nothing computed.

    Parameters
    ----------
    config
        The sweep; with *like* what differs from that job, None removing a field.
    like
        Name of a job, in any spelling, whose configuration is taken.

    Raises
    ------
    InvalidInput, JobNotFound, ExecutorUnavailable
    """
    checked, source, reading, left_out = await asked_sweep(session, config, like)
    executors.check_name(settings_to_create(session, checked).executor)
    grid = checked.layout if isinstance(checked, GridSweep) else None
    return Preview(
        config=checked,
        like=source,
        reading=reading,
        cells=None if grid is None else grid.n_cells,
        seeds=None if grid is None else grid.n_seeds,
        arms=checked.arms,
        runs=checked.total_runs,
        estimate=await estimate(session, checked),
        left_out=left_out,
        warnings=(*filter(None, [left_out]), *warnings_of(checked)),
    )


def settings_to_create(session: Session, config: SweepConfig) -> Settings:
    """Return the settings that a job is created with.

    Raises
    ------
    InvalidInput
        Two places to compute are asked for.
    """
    if config.cloud and computes_elsewhere(session.executor):
        allowed = f"{executors.MODAL}, or nothing, because cloud is true"
        raise invalid("executor", session.executor, allowed)
    return session.settings_for(config)


def computes_elsewhere(executor: str) -> bool:
    """Return whether an executor that was asked for leaves no sense in `cloud`."""
    return executor not in {"", executors.MODAL}


async def asked_sweep(
    session: Session, config: SweepConfig | Mapping[str, Any] | None, like: str | None
) -> tuple[SweepConfig, str, str, str]:
    """Return the sweep asked for, the job it comes from, how that was read, and what it lacks.

    Raises
    ------
    InvalidInput, JobNotFound
    """
    if like is None:
        return _refused_if_too_large(checked_config(config)), "", "", ""
    found = await find(session, like)
    job = found.job
    changes = _changes(config)
    left = {*UNOFFERED_FIELDS, *(["cloud"] if computes_elsewhere(session.executor) else [])}
    before = {name: value for name, value in job.config.asked().items() if name not in left}
    sweep_type = changes.get("sweep_type") or job.config.sweep_type
    model = registry.config_model(sweep_type)
    kept = {name: value for name, value in before.items() if name in model.model_fields}
    if issubclass(model, GridSweep) and model.presets:
        # A preset takes the place of what the other job asked.
        changes = filled(model, changes, changes=True)
    asked = {**changed(model, kept, changes), "sweep_type": sweep_type}
    strangers = [name for name in before if name not in kept]
    left_out = f"{sweep_type} sweeps have no {', '.join(strangers)}, which {job.job_id} has."
    sweep = _refused_if_too_large(registry.configuration(asked))
    return sweep, job.job_id, found.reading, left_out if strangers else ""


def _refused_if_too_large(sweep: SweepConfig) -> SweepConfig:
    """Return a sweep whose plan, results and tables can be streamed; grids have a lower limit."""
    if sweep.total_runs > MOST_RUNS:
        got, allowed = f"{sweep.total_runs:,} runs", f"at most {MOST_RUNS:,} runs in one job"
        raise InvalidInput([Problem(f"{sweep.sweep_type} sweep", got, allowed)])
    return sweep


def checked_config(config: SweepConfig | Mapping[str, Any] | None) -> SweepConfig:
    """Return *config* as the model of its sweep type.

    Raises
    ------
    InvalidInput
        One sentence for each field that is wrong.
    """
    registry.refresh()
    if isinstance(config, SweepConfig):
        return config
    allowed = "the parameters of a sweep by name"
    if config is None:
        raise InvalidInput([Problem("config", "nothing", allowed)])
    if not isinstance(config, Mapping):
        raise invalid("config", config, allowed)
    return registry.configuration(config)


def warnings_of(config: SweepConfig) -> tuple[str, ...]:
    """Return what may not be meant as it was asked, a sentence each."""
    single_seed = isinstance(config, GridSweep) and config.n_seeds == 1
    advice = f"One seed gives no interval; n_replicates {MORE_SEEDS} does."
    return (*config.remarks, *([advice] if single_seed else []))


def _changes(config: SweepConfig | Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Return what is to differ from another job's sweep."""
    registry.refresh()
    if config is None:
        return {}
    if isinstance(config, SweepConfig):
        return config.asked() | {"sweep_type": config.sweep_type}
    if not isinstance(config, Mapping):
        raise invalid("config", config, "what differs, by the names of fields")
    return {str(name): value for name, value in config.items()}
