"""How long a sweep will take, and what it costs where that is asked for."""

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from bilancio import machine
from bilancio.errors import StoreError
from bilancio.executors import modal_account
from bilancio.executors.modal_account import BATCH_S
from bilancio.executors.names import MODAL
from bilancio.experiments import registry
from bilancio.experiments.protocol import preparation_s
from bilancio.experiments.sweep_config import SweepConfig
from bilancio.jobs.artifacts.manifest import TABLED_RUNS
from bilancio.jobs.models import Estimate, Job
from bilancio.jobs.session import Session
from bilancio.jobs.store.rows import Speed
from bilancio.settings import DEFAULT_EXECUTOR

# Of the experiments that bilancio brings, seconds of one core per unit of cost, which is one agent
# of a plain ring; and seconds of a worker's start: what a shared core of 2024 needs.
SHIPPED_SPEED = 1.2e-7
SHIPPED_STARTUP_S = 0.5
# Of an app whose image is built, and of each container, which is paid for; not measured by us.
APP_STARTUP_S = 15.0
CONTAINER_STARTUP_S = 10.0
WRITING_S = 1.5e-5  # for a run's rows in the tables, which are written by one core at the end


async def estimate(
    session: Session,
    sweep: SweepConfig | Mapping[str, Any] | Job,
    *,
    n_replicates: int | None = None,
) -> Estimate:
    """Return what a sweep will take, without running anything of it.

    The start of the worker is part of it, the writing of the tables, and the compilation of the
    engine where that is still to be done. Where nothing was measured on this machine, or the store
    cannot be read, the estimate is rough, and unknown for an experiment of somebody else's.
    One for Modal is by the speed of this machine and the price table that is shipped.

    Parameters
    ----------
    sweep
        A configuration, or a job, of which only the runs that are missing count.
    n_replicates
        The number of seeds that the job is extended to.

    Raises
    ------
    InvalidInput
        The configuration is wrong.
    """
    if isinstance(sweep, Job):
        config = sweep.config
    else:
        config = sweep if isinstance(sweep, SweepConfig) else registry.configuration(sweep)
    if n_replicates is not None:
        config = config.grown(n_replicates)
    left = max(config.total_runs - (sweep.completed_runs if isinstance(sweep, Job) else 0), 0)
    experiment = registry.experiment(config.sweep_type)
    measured = await _measured(session, config.sweep_type, experiment.version)
    speeds = [each.speed for each in measured if each.speed is not None]
    speed = _speed(config.sweep_type, speeds) if left else 0.0
    core_s = None if speed is None else speed * config.cost * left / max(config.total_runs, 1)
    rough = core_s is not None and not speeds
    writing_s = WRITING_S * min(config.total_runs, TABLED_RUNS) if left else 0.0
    settings = session.settings_for(config)
    if settings.executor == MODAL:
        return _on_modal(left, core_s, writing_s, settings.modal_containers, rough=rough)
    startups = [each.startup_s for each in measured if each.startup_s is not None]
    startup_s = statistics.median(startups or [SHIPPED_STARTUP_S]) + preparation_s(experiment)
    beside_s = startup_s + writing_s if left else 0.0
    workers = settings.workers or machine.cores()
    return Estimate(
        runs=left,
        seconds=None if core_s is None else beside_s + core_s / max(min(workers, left), 1),
        workers=workers,
        rough=rough,
        elsewhere=settings.executor != DEFAULT_EXECUTOR,
    )


def _speed(sweep_type: str, measured: Sequence[float]) -> float | None:
    """Return seconds of one core per unit of cost; None where nothing tells."""
    if measured:
        return statistics.median(measured)
    return SHIPPED_SPEED if sweep_type in registry.built_in() else None


def _on_modal(
    left: int, core_s: float | None, writing_s: float, most: int, *, rough: bool
) -> Estimate:
    """Return an estimate for up to *most* containers, of which there are no more than batches."""
    prices = modal_account.prices()
    if core_s is None:
        workers = max(min(most, left), 1)
        return Estimate(
            runs=left, seconds=None, workers=workers, rough=rough, prices_of=prices.date
        )
    containers = max(min(most, left, math.ceil(core_s / BATCH_S)), 1)
    return Estimate(
        runs=left,
        seconds=APP_STARTUP_S + core_s / containers + writing_s if left else 0.0,
        workers=containers,
        rough=rough,
        dollars=prices.of_containers(core_s + containers * CONTAINER_STARTUP_S) if left else 0.0,
        prices_of=prices.date,
    )


async def _measured(session: Session, sweep_type: str, engine: str) -> list[Speed]:
    """Return what the latest jobs of this kind have measured on this machine."""
    store = await session.store()
    try:
        return await store.speeds(sweep_type, store.host, engine)
    except StoreError:
        return []
