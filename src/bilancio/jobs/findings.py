"""What the recorded runs of a job say: its summary, and answers to questions."""

from dataclasses import replace
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

from bilancio.errors import InvalidInput, Problem
from bilancio.experiments import registry
from bilancio.experiments.answering import Answering
from bilancio.experiments.answers import Answer, AnswerTable
from bilancio.experiments.comparing import Comparing, Side
from bilancio.experiments.protocol import Experiment
from bilancio.experiments.questions import Question
from bilancio.experiments.reduction import Cells, ObservedCells
from bilancio.experiments.reporting import asked, observations_of, summary_of
from bilancio.experiments.standard import (
    StandardExperiment,
    Summing,
    subject_of,
    subject_of_observations,
)
from bilancio.jobs.models import Job
from bilancio.jobs.recorded import DENSE_BYTES, FEWER_BYTES, columns, recorded_runs
from bilancio.jobs.store import JobStore, packing
from bilancio.jobs.threads import in_thread


class Findings(NamedTuple):
    """A job's summary without its counts, and the answer to a question where one was asked."""

    summary: dict[str, Any]
    answer: Answer


NOTHING = Findings({}, Answer())


async def findings(
    store: JobStore, job: Job, question: Question | None = None, *, summed: bool = True
) -> Findings:
    """Return what the runs of *job* recorded so far say.

    Parameters
    ----------
    question
        None where the summary alone is wanted.
    summed
        Whether the summary is wanted.

    Raises
    ------
    InvalidInput
        The question names what there is not.
    ExperimentFailed
        The experiment raised something.
    """
    experiment = registry.experiment(job.config.sweep_type)
    if isinstance(experiment, StandardExperiment):
        return await _of_columns(store, job, experiment, question, summed=summed)
    return await _of_observations(store, job, experiment, question, summed=summed)


async def _of_columns(
    store: JobStore,
    job: Job,
    experiment: StandardExperiment,
    question: Question | None,
    *,
    summed: bool,
) -> Findings:
    recorded = await recorded_runs(store, job, experiment)
    if recorded is None:
        return NOTHING
    with asked(job.config, "parameters"):
        cells = await in_thread(Cells, experiment, job.config, recorded)
        subject = subject_of(experiment, job.config, recorded, cells)
    summing = Summing(experiment, job.config, recorded, cells) if summed else None
    answering = None if question is None else Answering(subject, question)

    def take(dense: dict[str, Any]) -> None:
        for name, column in dense.items():
            if summing is not None:
                summing.take(name, column)
            if answering is not None and name in answering.wanted:
                answering.take(name, cells.cube(name, column))

    wanted = [*(summing.wanted if summing else ()), *(answering.wanted if answering else ())]
    known = [name for name in dict.fromkeys(wanted) if name in recorded.names]
    held = FEWER_BYTES if question is None else DENSE_BYTES
    async for dense in columns(store, job, experiment, known, held):
        await in_thread(take, dense)
    return Findings(
        {} if summing is None else summing.summary(),
        Answer() if answering is None else answering.answer(),
    )


class Compared(NamedTuple):
    """How two jobs differ over the cells and seeds that both have.

    Attributes
    ----------
    table
        Differences by group.
    overall
        The difference in one row.
    measure
        The measure that sentences are about.
    of_ranges
        Whether the interval of `overall` is of the mean over ranges.
    comparing
        What says which cells, seeds and parameters they share.
    """

    table: AnswerTable
    overall: AnswerTable
    measure: str
    of_ranges: bool
    comparing: Comparing


async def compared(store: JobStore, job: Job, other: Job, question: Question) -> Compared:
    """Return how two jobs differ over the cells and seeds that both have.

    Raises
    ------
    InvalidInput
        They have nothing in common, or the question names what there is not.
    """
    sides = [await _side(store, each) for each in (job, other)]
    comparing = Comparing(sides[0].side, sides[1].side, question)
    alone = replace(question, group_by=())
    overall = Comparing(sides[0].side.copy(), sides[1].side.copy(), alone)
    wanted = list(dict.fromkeys(name for side in comparing.sides for name in side.wanted))
    # Runs that are paired cell by cell are held until both sides are there: a metric at a time.
    paired = len(comparing.of_ranges) or len(overall.of_ranges)
    for names in ([name] for name in wanted) if paired else (wanted,):
        for place, each in enumerate(sides):
            known = [name for name in names if name in each.names]
            async for dense in columns(store, each.job, each.experiment, known):
                for name, column in dense.items():
                    cube = each.cells.cube(name, column)
                    for asking in (comparing, overall):
                        await in_thread(asking.sides[place].take, name, cube)
        for asking in (comparing, overall):
            await in_thread(asking.settle)
    primary = sides[0].side.subject.primary
    measure = primary if primary in comparing.shown else comparing.shown[0]
    of_ranges = len(overall.of_ranges) > 0
    return Compared(comparing.table(), overall.table(), measure, of_ranges, comparing)


class _JobSide(NamedTuple):
    """A job as one side of a comparison."""

    side: Side
    job: Job
    experiment: StandardExperiment
    cells: Cells
    names: tuple[str, ...]


async def _side(store: JobStore, job: Job) -> _JobSide:
    experiment = registry.experiment(job.config.sweep_type)
    recorded = None
    if isinstance(experiment, StandardExperiment) and not job.manual:
        recorded = await recorded_runs(store, job, experiment)
    if recorded is None or not isinstance(experiment, StandardExperiment):
        got, allowed = f"{job.job_id}, without runs to compare", "jobs with results"
        raise InvalidInput([Problem("jobs", got, allowed)])
    with asked(job.config, "parameters"):
        cells = await in_thread(Cells, experiment, job.config, recorded)
        subject = subject_of(experiment, job.config, recorded, cells)
    return _JobSide(
        Side(subject, fixed_values(job), job.config.sweep_type),
        job,
        experiment,
        cells,
        recorded.names,
    )


def fixed_values(job: Job) -> dict[str, Any]:
    """Return the single values of a job's configuration, as its cells would hold them."""
    values = {name: getattr(job.config, name) for name in type(job.config).model_fields}
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Decimal):
            found[name] = float(value)
        elif isinstance(value, StrEnum):
            found[name] = value.value
        elif isinstance(value, bool | int | float | str):
            found[name] = value
    return found


async def _of_observations(
    store: JobStore,
    job: Job,
    experiment: Experiment,
    question: Question | None,
    *,
    summed: bool,
) -> Findings:
    """Return what an experiment of its own kind says of its runs, which are all loaded."""
    stored = await store.chunks(job.job_id)
    if not stored:
        return NOTHING

    def found() -> Findings:
        indices, metrics = packing.join(stored, job.job_id)
        summary = summary_of(experiment, job.config, indices, metrics) if summed else {}
        if question is None:
            return Findings(summary, Answer())
        seen = observations_of(experiment, job.config, indices, metrics)
        cells = ObservedCells(seen)
        answering = Answering(subject_of_observations(seen, cells), question)
        for name in answering.wanted:
            answering.take(name, cells.cube(seen.columns[name]))
        return Findings(summary, answering.answer())

    return await in_thread(found)
