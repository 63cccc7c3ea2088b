"""Single runs of a job, chosen and ordered by their parameters and metrics."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bilancio.analysis.measures import Measure
from bilancio.experiments.answers import AnswerTable, Subject
from bilancio.experiments.questions import Question
from bilancio.experiments.reduction import Cells, ObservedCells, as_numbers
from bilancio.experiments.reporting import asked, observations_of
from bilancio.experiments.single_runs import Chosen, SingleRuns
from bilancio.experiments.standard import (
    StandardExperiment,
    subject_of,
    subject_of_observations,
)
from bilancio.jobs.models import Job
from bilancio.jobs.recorded import columns, recorded_runs, rows_between
from bilancio.jobs.run_columns import manual_columns
from bilancio.jobs.store import JobStore, packing
from bilancio.jobs.threads import in_thread
from bilancio.jobs.versions import experiment_of
from bilancio.model.metrics import Metric

READ_ONE_BY_ONE = 1_000  # runs whose rows are read alone; of more all columns are
RUN_ID = "run_id"

Values = NDArray[np.float64]


class Listed(NamedTuple):
    """Runs that were asked for: a page of them, how many there are, and that in a sentence."""

    runs: SingleRuns
    table: AnswerTable
    total: int
    said: str


async def listed(store: JobStore, job: Job, question: Question, rows: slice) -> Listed:
    """Return the runs of a job that are asked for.

    Only the metrics by which runs are chosen are read of all runs, unless very many are shown.

    Raises
    ------
    InvalidInput
        The question names what there is not.
    ExperimentFailed, JobDamaged
    """
    if job.manual:
        return await _recorded_manually(store, job, question, rows)
    experiment = experiment_of(job)
    if not isinstance(experiment, StandardExperiment):
        return await _observed(store, job, question, rows)
    recorded = await recorded_runs(store, job, experiment)
    assert recorded is not None, "whoever asks has looked"
    with asked(job.config, "parameters"):
        cells = await in_thread(Cells, experiment, job.config, recorded)
        subject = subject_of(experiment, job.config, recorded, cells)
    declared = {metric.name: metric for metric in experiment.metrics}
    names = [name for name in recorded.names if name not in cells.columns]
    metrics = [declared.get(name) or Metric(name) for name in names]
    runs = SingleRuns(subject, metrics, cells.there, question)
    wanted = [name for name in runs.wanted if name in recorded.names]
    async for dense in columns(store, job, experiment, wanted):
        for name, column in dense.items():
            runs.take(name, cells.cube(name, column))
    chosen = await in_thread(runs.chosen, rows)
    numbers = cells.runs(chosen.seed, chosen.cell)
    if len(chosen.seed) <= READ_ONE_BY_ONE:
        values = await _one_by_one(store, job, experiment, numbers, runs.shown)
    else:
        values = await _by_columns(store, job, experiment, (cells, chosen), runs.shown)
    places = np.arange(len(chosen.arm))
    return _told(runs, chosen, values, numbers[places, chosen.arm])


def _told(
    runs: SingleRuns, chosen: Chosen, values: dict[str, Values], numbers: NDArray[np.int64] | None
) -> Listed:
    table = runs.table(chosen, values, numbers)
    return Listed(runs, table, chosen.total, runs.said(table, chosen.total))


async def _one_by_one(
    store: JobStore,
    job: Job,
    experiment: StandardExperiment,
    numbers: NDArray[np.int64],
    names: tuple[str, ...],
) -> dict[str, Values]:
    """Return metrics of a few runs, each read alone: float64 (n, n_arms)."""
    values = {name: np.full(numbers.shape, np.nan) for name in names}
    for row, start in enumerate(numbers.tolist()):
        there = [number for number in start if number >= 0]
        if not there:
            continue
        indices, metrics = await rows_between(store, job, min(there), max(there))
        known = {index: place for place, index in enumerate(indices.tolist())}
        at = [known.get(number, -1) for number in start]
        for name in names:
            if name in (metrics.dtype.names or ()) and len(metrics):
                column = as_numbers(experiment, name, metrics[name])
                values[name][row] = [column[place] if place >= 0 else np.nan for place in at]
    return values


async def _by_columns(
    store: JobStore,
    job: Job,
    experiment: StandardExperiment,
    where: tuple[Cells, Chosen],
    names: tuple[str, ...],
) -> dict[str, Values]:
    """Return metrics of many runs: float64 (n, n_arms)."""
    cells, chosen = where
    n_arms = cells.there.shape[2]
    values = {name: np.full((len(chosen.seed), n_arms), np.nan) for name in names}
    async for dense in columns(store, job, experiment, names):
        for name, column in dense.items():
            values[name] = cells.cube(name, column)[chosen.seed, chosen.cell]
    return values


async def _observed(store: JobStore, job: Job, question: Question, rows: slice) -> Listed:
    """Return observations of an experiment of its own kind, all of whose runs are loaded."""
    experiment = experiment_of(job)
    stored = await store.chunks(job.job_id)

    def found() -> Listed:
        seen = observations_of(experiment, job.config, *packing.join(stored, job.job_id))
        cells = ObservedCells(seen)
        cubes = {name: cells.cube(seen.columns[name]) for name in seen.measures}
        subject = subject_of_observations(seen, cells)
        return _in_memory(SingleRuns(subject, (), cells.recorded, question), cubes, rows)

    return await in_thread(found)


async def _recorded_manually(store: JobStore, job: Job, question: Question, rows: slice) -> Listed:
    """Return runs that were recorded manually, which have ids and metrics."""
    stored = await store.chunks(job.job_id)

    def found() -> Listed:
        known = manual_columns(job, stored)
        ids = known[RUN_ID].values
        numeric: dict[str, Values] = {}
        for name, column in known.items():
            if column.words is None and column.values.dtype.kind in "fiub":
                values = column.values.astype(np.float64)
                missing = column.missing
                numeric[name] = values if missing is None else np.where(missing, np.nan, values)
        subject = _manual_subject(ids, list(numeric))
        there = np.ones((1, len(ids), 1), bool)
        runs = SingleRuns(subject, (), there, question, seeded=False)
        cubes = {name: values.reshape(1, -1, 1) for name, values in numeric.items()}
        return _in_memory(runs, cubes, rows)

    return await in_thread(found)


def _in_memory(runs: SingleRuns, cubes: dict[str, Any], rows: slice) -> Listed:
    for name in runs.wanted:
        runs.take(name, cubes[name])
    chosen = runs.chosen(rows)
    values = {name: cubes[name][chosen.seed, chosen.cell] for name in runs.shown}
    return _told(runs, chosen, values, None)


class _ManualCells:
    """Runs recorded manually, each a cell that its id names."""

    def __init__(self, ids: NDArray[Any]) -> None:
        self.columns = {RUN_ID: ids.astype(np.str_)}
        self.designs = np.full(len(ids), "")
        self.recorded = np.ones((1, len(ids), 1), bool)
        self.sampled = self.probes = self.one_armed = np.zeros(len(ids), bool)


def _manual_subject(ids: NDArray[Any], names: list[str]) -> Subject:
    return Subject(
        cells=_ManualCells(ids),
        arms=("",),
        parameters=(RUN_ID,),
        measures=tuple(Measure(name=name, numerator={name: 1.0}) for name in names),
        primary=names[0] if names else "",
        verdict_words=None,
        ranges={},
        seeds=np.zeros(1, np.int64),
    )
