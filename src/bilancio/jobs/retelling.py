"""Single runs told again: which one, simulated anew, and what happened in its other arms."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bilancio.errors import InvalidInput, Problem, invalid
from bilancio.experiments.answers import ratio
from bilancio.experiments.configs import RingSettings
from bilancio.experiments.decorated_sweep import DecoratedSweep
from bilancio.experiments.reduction import column_of, metric_of
from bilancio.experiments.standard import StandardExperiment
from bilancio.jobs.failures import place, varied
from bilancio.jobs.lookup import find_with_runs
from bilancio.jobs.models import Job
from bilancio.jobs.paging import check_whole
from bilancio.jobs.recorded import columns, recorded_runs
from bilancio.jobs.results import index_of, rows_of
from bilancio.jobs.session import Session
from bilancio.jobs.store import JobStore
from bilancio.jobs.telling import RunStory, ToldRun
from bilancio.jobs.threads import in_thread
from bilancio.jobs.versions import experiment_of, version_remarks
from bilancio.model import Parameters, simulate, warm_up
from bilancio.model.telling import agent_name, check_agents, told_days, totals, who_defaults
from bilancio.text import capitalised, number, plural
from bilancio.validation import validated

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
    found = await find_with_runs(session, name)
    job, store = found.job, await session.store()
    chosen = await _chosen(store, job, run)
    rows = await rows_of(store, job, np.array(_start_of(job, chosen.number)))
    rows.sort(key=lambda row: row["index"] != chosen.number)
    runs = []
    for row in rows:
        traced = row["index"] == chosen.number or chosen.with_arms
        parameters = _parameters(job, row) if traced and row["status"] != "failed" else None
        runs.append(await in_thread(_told, job, row, parameters, asked, notify))
    if not any(each.trace for each in runs) and (asked.days or asked.agents):
        field, got = ("day", asked.days) if asked.days else ("agent", asked.agents)
        allowed = "nothing: there is no trace of this run's days"
        raise invalid(field, ", ".join(map(str, got)), allowed)
    _refuse_late(runs, asked.days)
    metrics = _primary_metrics(job, runs)
    return RunStory(
        job=job,
        reading=found.reading,
        headline=_headline(job, rows[0], chosen, runs, metrics),
        chosen=chosen.why,
        cell=varied(job, rows[0]),
        metrics=metrics,
        runs=tuple(runs),
    )


# -- which run -----------------------------------------------------------------------------------


async def _chosen(store: JobStore, job: Job, run: str | int) -> _Chosen:
    word = _spoken(run) if isinstance(run, str) else run
    if word in {WORST, BEST} and not job.manual:
        return await _extreme(store, job, str(word))
    if word == FAILED and not job.manual:
        first = await store.failed_runs(job.job_id, limit=1)
        if not first:
            raise invalid("run", run, "a job in which runs have failed")
        return _Chosen(next(iter(first)), "the first that failed")
    return _Chosen(index_of(job, run, f"{WORST}, {BEST}, {FAILED}, "))


def _spoken(run: str) -> str:
    """Return a word for a run without what is said around it: `the worst one`."""
    word = run.strip().lower().removeprefix("the ")
    word = word.removesuffix(" one").removesuffix(" run").removeprefix("first ")
    return {"lowest": WORST, "highest": BEST, "failure": FAILED}.get(word, word)


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
    metrics = {metric_of(each) for each in measure.columns} & {*recorded.names}
    runs: dict[str, NDArray[np.float64]] = {}
    async for dense in columns(store, job, experiment, sorted(metrics)):
        for metric, column in dense.items():
            cube = layout.cube(column)
            runs |= {column_of(metric, arm, arms): cube[:, :, at] for at, arm in enumerate(arms)}
    values = ratio(*measure.per_seed(runs))
    if not np.isfinite(values).any():
        why = "there are no results to choose by" if values.size else "all runs are a search's"
        raise invalid("run", word, f"an index or an id: {why}")
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


def _call(job: Job, row: Row) -> str:
    """Return the call in Python that computes a run; empty where it is no call of a function."""
    return job.config.call_of(row) if isinstance(job.config, DecoratedSweep) else ""


def _told(
    job: Job,
    row: Row,
    parameters: Parameters | None,
    asked: _Filter,
    notify: Callable[[str], None],
) -> ToldRun:
    """Return a run as it is told; with *parameters*, simulated again."""
    about = {name: row.get(name) for name in ("run_id", "index", "arm", "seed", "status", "error")}
    known, at = {*about, "job_id", "cell", "design"}, list(row).index("status")
    values = {name: value for name, value in row.items() if name not in known}
    metrics = {name: values[name] for name in list(row)[at:] if name in values}
    given = {name: value for name, value in values.items() if name not in metrics}
    if parameters is None:
        return ToldRun(**about, given=given, metrics=metrics, call=_call(job, row))
    check_agents(asked.agents, parameters)
    warm_up(notify, traced=True)
    found = simulate(trace=True, **parameters.model_dump())
    assert found.trace is not None, "a traced run has a trace"
    outcome = found.outcome
    events = found.trace.event_rows  # read twice: all at once would take ten times the trace
    return ToldRun(
        **about,
        given=given,
        metrics=metrics,
        as_recorded=_same(outcome, row),
        totals=totals(events()),
        days=tuple(told_days(events(), days=asked.days, agents=asked.agents, limit=asked.limit)),
        n_days=len(found.trace.balances) - 1,
        outcome=outcome,
        parameters=parameters,
        trace=found.trace,
    )


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
    return tuple(name for each in given if (name := agent_name(each)))


def _refuse_late(runs: Sequence[ToldRun], days: Sequence[int]) -> None:
    """Refuse days on which no run that is told was going on."""
    n_days = max((each.n_days for each in runs), default=0)
    if late := [day for day in days if day >= n_days]:
        got = ", ".join(map(str, late))
        allowed = f"whole numbers from 0 to {n_days - 1}, the days of this run"
        raise InvalidInput([Problem("day", got, allowed)])


def _primary_metrics(job: Job, runs: Sequence[ToldRun]) -> tuple[str, ...]:
    """Return the metrics that the primary measure is made of; none where no run has any."""
    experiment = experiment_of(job)
    names = next((list(each.metrics) for each in runs if each.metrics), [])
    if not names or not isinstance(experiment, StandardExperiment):
        return ()
    primary = experiment.primary_measure(names)
    found = next((each for each in experiment.measures(names) if each.name == primary), None)
    return () if found is None else tuple(dict.fromkeys(map(metric_of, found.columns)))


def _headline(
    job: Job, row: Row, chosen: _Chosen, runs: Sequence[ToldRun], metrics: Sequence[str]
) -> str:
    """Say which run it is, what came of it, and whether it is what was recorded."""
    why = f" ({chosen.why})" if chosen.why else ""
    told = [f"Run {chosen.number:,} of {job.job_id}{why}: {place(job, row)}."]
    sentences = (_said(each, metrics, alone=len(runs) == 1) for each in runs)
    told += [f"{each}." for each in sentences if each]
    told += [f"{each}." for each in [_apart(runs)] if each]
    if row["status"] == "failed":
        told.append(f"It failed: {row['error']}")
    elif row["status"] == "pending":
        told.append("It has not been recorded yet.")
    if any(each.as_recorded is False for each in runs):
        told.append("Simulated again it is NOT the same as recorded.")
        told += version_remarks(job, experiment_of(job).version)
    return " ".join(told)


def _apart(runs: Sequence[ToldRun]) -> str:
    """Say who defaults in one of two arms alone; nothing where not both were simulated."""
    sides = [(run.arm, run.totals.defaulting) for run in runs if run.totals is not None]
    if len(sides) != 2:  # noqa: PLR2004 - a pair
        return ""
    parts = []
    for (arm, mine), (_, others) in (sides, reversed(sides)):
        alone = [name for name in mine if name not in others]
        parts += [f"in {arm} alone {who_defaults(alone)}"] if alone else []
    same = "the same agents default in both" if any(names for _, names in sides) else ""
    return capitalised("; ".join(parts) or same)


def _said(run: ToldRun, metrics: Sequence[str], *, alone: bool) -> str:
    """Say what came of a run."""
    known = [f"{name} {number(run.metrics.get(name))}" for name in metrics if name in run.metrics]
    happened = "" if run.totals is None else run.totals.sentence or "nothing happened"
    said = "; ".join(filter(None, [*known, happened]))
    return f"{run.arm}: {said}" if said and not alone else said
