"""Single runs told again: which one, simulated anew, and what happened in its other arms."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bilancio.errors import InvalidInput, Problem, invalid
from bilancio.experiments.answers import ratio
from bilancio.experiments.configs import RingSettings
from bilancio.experiments.reduction import column_of
from bilancio.experiments.standard import StandardExperiment
from bilancio.jobs.failures import place, varied
from bilancio.jobs.lookup import find
from bilancio.jobs.models import Job
from bilancio.jobs.paging import check_whole
from bilancio.jobs.recorded import columns, recorded_runs
from bilancio.jobs.results import index_of, rows_of
from bilancio.jobs.session import Session
from bilancio.jobs.store import JobStore
from bilancio.jobs.telling import RunStory, ToldRun
from bilancio.jobs.threads import in_thread
from bilancio.jobs.versions import experiment_of, version_remarks
from bilancio.model import METRICS, BalancedParameters, Parameters, Run, simulate, warm_up
from bilancio.model.telling import told_days, totals
from bilancio.model.trace import DESKS
from bilancio.text import number, plural
from bilancio.validation import nearest, validated

WORST, BEST, FAILED = "worst", "best", "failed"
MOST_EVENTS = 10_000  # told of a day

Days = Sequence[int]
Row = dict[str, Any]


class _Chosen(NamedTuple):
    """A run, why it was chosen, and whether its other arms are told, too."""

    number: int
    why: str = ""
    with_arms: bool = False


class _Filter(NamedTuple):
    """What of a run is told: empty filters let all pass."""

    days: tuple[int, ...]
    agents: tuple[str, ...]
    limit: int


async def story(
    session: Session,
    name: str,
    run: str | int,
    *,
    day: int | Days | None,
    agent: str | int | Sequence[str | int] | None,
    limit: int,
    notify: Callable[[str], None],
) -> RunStory:
    """Tell what happened in one run; see `stories.run_story`."""
    check_whole("limit", limit, low=0, high=MOST_EVENTS)
    asked = _Filter(_days(day), _agents(agent), limit)
    found = await find(session, name)
    job, store = found.job, await session.store()
    chosen = await _chosen(store, job, run)
    rows = await rows_of(store, job, np.array(_start_of(job, chosen.number)))
    rows.sort(key=lambda row: row["index"] != chosen.number)
    runs = []
    for row in rows:
        traced = row["index"] == chosen.number or chosen.with_arms
        parameters = _parameters(job, row) if traced and row["status"] != "failed" else None
        runs.append(await in_thread(_told, row, parameters, asked, notify))
    if not any(each.trace for each in runs) and (asked.days or asked.agents):
        field, got = ("day", asked.days) if asked.days else ("agent", asked.agents)
        allowed = "nothing: there is no trace of this run's days"
        raise invalid(field, ", ".join(map(str, got)), allowed)
    _refuse_late(runs, asked.days)
    return RunStory(
        job=job,
        reading=found.reading,
        headline=_headline(job, rows[0], chosen, runs),
        chosen=chosen.why,
        cell=varied(job, rows[0]),
        runs=tuple(runs),
    )


# -- which run -----------------------------------------------------------------------------------


async def _chosen(store: JobStore, job: Job, run: str | int) -> _Chosen:
    word = run.strip().lower() if isinstance(run, str) else run
    if word in {WORST, BEST} and not job.manual:
        return await _extreme(store, job, str(word))
    if word == FAILED and not job.manual:
        first = await store.failed_runs(job.job_id, limit=1)
        if not first:
            raise invalid("run", run, "a job in which runs have failed")
        return _Chosen(next(iter(first)), "the first that failed")
    return _Chosen(index_of(job, run, f"{WORST}, {BEST}, {FAILED}, "))


async def _extreme(store: JobStore, job: Job, word: str) -> _Chosen:
    """Return the run with the worst or best primary measure."""
    experiment = experiment_of(job)
    recorded = None
    if isinstance(experiment, StandardExperiment):
        recorded = await recorded_runs(store, job, experiment)
    if not isinstance(experiment, StandardExperiment) or recorded is None:
        raise invalid("run", word, "an index or an id: there are no results to choose by")
    layout, arms = experiment.layout(job.config), job.config.arms
    name = experiment.primary_measure(recorded.names)
    (measure,) = (each for each in experiment.measures(recorded.names) if each.name == name)
    metrics = {each.partition("@")[0] for each in measure.columns} & {*recorded.names}
    runs: dict[str, NDArray[np.float64]] = {}
    async for dense in columns(store, job, experiment, sorted(metrics)):
        for metric, column in dense.items():
            cube = layout.cube(column)
            runs |= {column_of(metric, arm, arms): cube[:, :, at] for at, arm in enumerate(arms)}
    values = ratio(*measure.per_seed(runs))
    if not np.isfinite(values).any():
        raise invalid("run", word, "an index or an id: there are no results to choose by")
    highest = (word == BEST) != (name == experiment.default_rate)
    extreme = np.nanmax(values) if highest else np.nanmin(values)
    seeds, cells = np.nonzero(values == extreme)
    index = layout.index(seeds, cells, min(len(arms) - 1, 1)).min()
    what = "pair" if len(arms) > 1 else "run"
    n_known = int(np.isfinite(values).sum())
    others = f", as in {len(seeds) - 1:,} more" if len(seeds) > 1 else ""
    why = f"{'highest' if highest else 'lowest'} {name} of {plural(n_known, what)}"
    return _Chosen(int(index), f"{why}, {number(float(extreme)) or '0'}{others}", len(arms) > 1)


def _start_of(job: Job, index: int) -> list[int]:
    """Return the runs in all arms under the seed and in the cell of a run."""
    n_arms = len(job.config.arms)
    if index >= job.config.paired_runs:
        return [index]
    first = index - index % n_arms
    return list(range(first, first + n_arms))


# -- what happened in it -------------------------------------------------------------------------


def _parameters(job: Job, row: Mapping[str, Any]) -> Parameters | None:
    """Return the parameters of a run that can be traced; None of any other."""
    config = job.config
    if not isinstance(config, RingSettings):
        return None
    if row.get("kappa") is None:
        raise invalid("run", row["run_id"], "a run that its search has planned")
    model = config.parameter_model()
    own = {name: row[name] for name in model.model_fields if name in row}
    return validated(model, config.run_of(own))


def _told(
    row: Row, parameters: Parameters | None, asked: _Filter, notify: Callable[[str], None]
) -> ToldRun:
    """Return a run as it is told; with *parameters*, simulated again."""
    about = {name: row.get(name) for name in ("run_id", "index", "arm", "seed", "status", "error")}
    known = {*about, "job_id", "cell", "design"}
    values = {name: value for name, value in row.items() if name not in known}
    if parameters is None:
        return ToldRun(**about, values=values)
    _refuse_unknown(asked.agents, parameters)
    warm_up(notify, traced=True)
    found = simulate(trace=True, **parameters.model_dump())
    assert found.trace is not None, "a traced run has a trace"
    outcome = _outcome(found)
    events = list(found.trace.event_rows())
    return ToldRun(
        **about,
        values=values,
        as_recorded=_same(outcome, row),
        totals=totals(events),
        days=tuple(told_days(events, days=asked.days, agents=asked.agents, limit=asked.limit)),
        n_days=len(found.trace.balances) - 1,
        outcome=outcome,
        parameters=parameters,
        trace=found.trace,
    )


def _outcome(found: Run) -> dict[str, Any]:
    """Return what a run found, by name; without what a plain ring has nothing of."""
    dealers = isinstance(found.parameters, BalancedParameters)
    names = [metric.name for metric in METRICS if dealers or not metric.dealers]
    return {name: getattr(found, name) for name in names}


def _same(outcome: Mapping[str, Any], recorded: Mapping[str, Any]) -> bool | None:
    """Return whether a run found what is recorded of it; None where nothing is."""
    if recorded.get("status") != "completed":
        return None
    return all(outcome[name] == recorded[name] for name in outcome if name in recorded)


# -- what is asked for ---------------------------------------------------------------------------


def _days(day: int | Days | None) -> tuple[int, ...]:
    given = () if day is None else (day,) if isinstance(day, int | str) else tuple(day)
    for each in given:
        check_whole("day", each, low=0)
    return given


def _agents(agent: str | int | Sequence[str | int] | None) -> tuple[str, ...]:
    """Return names of agents; a number, or `h7`, stands for a trader."""
    given = () if agent is None else (agent,) if isinstance(agent, int | str) else tuple(agent)
    names = [str(each).strip() for each in given]
    return tuple(re.sub(r"^[hH]?(\d+)$", r"H\1", name) for name in names if name)


def _refuse_unknown(agents: Collection[str], parameters: Parameters) -> None:
    n = parameters.n_agents
    desks = DESKS if isinstance(parameters, BalancedParameters) else ()
    known = {f"H{i}" for i in range(1, n + 1)} | set(desks)
    for name in agents:
        if name not in known:
            allowed = ", ".join([f"H1 to H{n}", *desks])
            raise invalid("agent", name, allowed, nearest(name, known))


def _refuse_late(runs: Sequence[ToldRun], days: Sequence[int]) -> None:
    """Refuse days on which no run that is told was going on."""
    n_days = max((each.n_days for each in runs), default=0)
    if late := [day for day in days if day >= n_days]:
        got = ", ".join(f"'{day}'" for day in late)
        allowed = f"whole numbers from 0 to {n_days - 1}, the days of this run"
        raise InvalidInput([Problem("day", got, allowed)])


def _headline(job: Job, row: Row, chosen: _Chosen, runs: Sequence[ToldRun]) -> str:
    """Say which run it is, what came of it, and whether it is what was recorded."""
    why = f" ({chosen.why})" if chosen.why else ""
    said = f"Run {chosen.number:,} of {job.job_id}{why}: {place(job, row)}."
    told = [
        f" {each.arm if len(runs) > 1 else 'In all'}: {each.totals.sentence or 'nothing happened'}."
        for each in runs
        if each.totals is not None
    ]
    if row["status"] == "failed":
        told.append(f" It failed: {row['error']}")
    elif row["status"] == "pending":
        told.append(" It has not been recorded yet.")
    if any(each.as_recorded is False for each in runs):
        version = experiment_of(job).version
        told.append(" Simulated again it is NOT the same as recorded.")
        told += [f" {each}" for each in version_remarks(job, version)]
    return said + "".join(told)
