"""What a job has found, as one reads it: headline, summary, table, single runs."""

import asyncio
import logging
import math
from typing import Any

import numpy as np

from bilancio import text
from bilancio.errors import (
    BilancioError,
    ExperimentFailed,
    InvalidInput,
    OutputError,
    Problem,
    invalid,
)
from bilancio.experiments import registry
from bilancio.experiments.answers import Answer, AnswerTable
from bilancio.experiments.protocol import (
    Experiment,
    TableOfSearches,
    metrics_of,
    searching,
)
from bilancio.experiments.questions import RUNS, Question
from bilancio.experiments.reporting import headline_of, parameters_of, searches_of
from bilancio.jobs.artifacts import tables
from bilancio.jobs.artifacts.folder import MANIFEST
from bilancio.jobs.artifacts.formats import formats_of
from bilancio.jobs.artifacts.manifest import runs_in_tables
from bilancio.jobs.failures import repetition, told
from bilancio.jobs.findings import findings
from bilancio.jobs.listed_runs import listed
from bilancio.jobs.lookup import find_with_runs
from bilancio.jobs.models import Job, JobStatus, Listing
from bilancio.jobs.paging import MAX_ROWS, check_page, cut
from bilancio.jobs.ranges import indices_of, missing, page
from bilancio.jobs.recorded import searched_rows
from bilancio.jobs.run_columns import STATUSES
from bilancio.jobs.session import Session
from bilancio.jobs.store import JobStore, packing
from bilancio.jobs.threads import in_thread
from bilancio.jobs.versions import experiment_of, version_remarks
from bilancio.jobs.views import Results, Table
from bilancio.text import error_text

log = logging.getLogger(__name__)

SHOWN_FAILURES = 5
FOREIGN = (Exception, SystemExit)  # what the code of a plug-in may raise


async def results(
    session: Session, name: str, question: Question, *, limit: int | None, offset: int
) -> Results:
    """Return the results of a job so far; see `AsyncJobManager.results`.

    Where no grouping is asked for, designs other than a grid are told apart in the table: the
    probes of a search say nothing of an average.
    """
    shown = cut(limit, offset)
    named = await find_with_runs(session, name)
    job, store = named.job, await session.store()
    if job.status.ended and job.out_dir.is_dir() and not (job.folder / MANIFEST).exists():
        await _restore_files(session, job)
    failed = await store.failed_runs(job.job_id, limit=SHOWN_FAILURES)
    found: dict[str, Any] = {
        "job": job,
        "reading": named.reading,
        "summary": job.summary or {},
        "table": None,
        "files": tables.present(job),
        "runs_in_tables": await asyncio.to_thread(runs_in_tables, job),
        "failures": await asyncio.to_thread(told, job, failed),
        "repetition": await repetition(store, job),
    }
    there = job.completed_runs > 0 if job.manual else bool(await store.recorded(job.job_id))
    if question.of == RUNS and there:
        return Results(**found | await _single(store, job, question, shown))
    if job.manual or not there:
        _refuse_question(job, question)
        said = _manual_headline(job) if job.manual else _stored_headline(job)
        return Results(**found, headline=f"{said}{await _left_out(store, job)}")
    found |= await _computed(store, job, question, shown)
    if found["runs_in_tables"] is not None:
        said = text.first_runs_only(found["runs_in_tables"], job.completed_runs)
        found["warnings"] = (*found["warnings"], said)
    return Results(**found)


async def _single(store: JobStore, job: Job, question: Question, shown: slice) -> dict[str, Any]:
    """Return single runs as results hold them."""
    found = await listed(store, job, question, shown)
    table = found.table
    return {
        "headline": f"{found.said} {text.standing(job)}",
        "of": RUNS,
        "measures": found.runs.asked.measures,
        "known": found.runs.known,
        "read": dict(found.runs.read),
        "table": Table(
            columns=table.columns, rows=table.rows, total_rows=found.total, n_keys=table.n_keys
        ),
    }


async def _left_out(store: JobStore, job: Job) -> str:
    """Say which damaged tables beside the manifest of an imported job were not read."""
    created = await store.events(job.job_id, limit=1)
    names = [name for event in created for name in event.details.get("left_out", ())]
    return f" Damaged, and left out when it was imported: {', '.join(names)}." if names else ""


def _refuse_question(job: Job, question: Question) -> None:
    """Refuse to group, or to choose columns of, results that have no table."""
    if not question.asks:
        return
    if job.manual:
        allowed = "nothing: the runs of a manually started job have no parameters to group by"
    elif job.status is JobStatus.COMPLETED:
        allowed = "nothing: the results of the job's single runs are not here"
    else:
        allowed = "nothing, before the first runs are recorded"
    field = question.asks[0]
    value = getattr(question, field)
    raise invalid(field, ", ".join(value) if isinstance(value, tuple) else value, allowed)


async def _computed(store: JobStore, job: Job, question: Question, shown: slice) -> dict[str, Any]:
    """Return summary, headline and tables; a plug-in that cannot make one costs only that one."""
    try:
        experiment = experiment_of(job)
    except InvalidInput as error:
        if question.asks:
            raise
        said = f"{text.standing(job)} There is no table: {error}"
        return {"summary": job.summary or job.counts, "headline": said}
    fault, made, searched = "", Answer(), None
    try:
        found = await findings(store, job, question, summed=job.summary is None)
        summary, made = job.summary or job.counts | found.summary, found.answer
        searched = await _searched(store, job)
    except ExperimentFailed as error:
        fault = error.reason
    except BilancioError:
        raise
    except FOREIGN as error:
        log.exception("the tables of job %s failed", job.job_id)
        fault = error_text(error)
    if fault:
        summary = job.summary or job.counts | (await findings(store, job)).summary
    said = made.said or headline_of(experiment, job.config, summary)
    said = f"{said} {text.standing(job)}"
    if fault:
        said += f" The experiment could not make its table: {fault}."
    tables_made = {
        "table": shown_table(made.table, shown),
        "contrasts": shown_table(made.contrasts, shown),
        "effects": shown_table(made.effects, slice(None)),
        "frontier": shown_table(searched, shown),
    }
    return {
        "summary": summary,
        "headline": said,
        "primary": made.primary,
        "verdicts": dict(made.verdicts),
        "plan": made.plan,
        "meanings": dict(made.meanings),
        "group_by": made.asked.group_by,
        "measures": made.asked.measures,
        "read": dict(made.read),
        "warnings": (
            *job.config.remarks,
            *version_remarks(job, experiment.version),
            *made.warnings,
        ),
        **tables_made,
    }


async def _searched(store: JobStore, job: Job) -> TableOfSearches | None:
    """Return what each search has found; None where the sweep has none."""
    experiment = experiment_of(job)
    search = searching(experiment, job.config)
    if search is None:
        return None
    known = await searched_rows(store, job)
    return await in_thread(searches_of, search, job.config, *known)


def shown_table(table: AnswerTable | TableOfSearches | None, rows: slice) -> Table | None:
    """Return rows of a table as callers see them."""
    if table is None:
        return None
    return Table(
        columns=table.columns,
        rows=table.rows[rows],
        total_rows=len(table.rows),
        n_keys=table.n_keys,
        title=table.title if isinstance(table, AnswerTable) else "",
    )


async def runs(
    session: Session, name: str, *, status: str | None, limit: int | None, offset: int
) -> Listing[dict[str, Any]]:
    """Return single runs; see `AsyncJobManager.runs`."""
    check_page(MAX_ROWS if limit is None else limit, offset)
    check_status(status)
    found = await find_with_runs(session, name)
    store = await session.store()
    total = _count(found.job, status)
    rows = await _page(store, found.job, status, limit=limit or total, offset=offset)
    return Listing(rows, job=found.job, reading=found.reading, total=total)


def check_status(status: str | None) -> None:
    """Refuse what is not the status of a run.

    Raises
    ------
    InvalidInput
    """
    if status is not None and status not in STATUSES:
        raise InvalidInput([Problem("status", repr(status), ", ".join(STATUSES))])


async def _page(
    store: JobStore, job: Job, status: str | None, *, limit: int, offset: int
) -> list[dict[str, Any]]:
    if offset >= _count(job, status):
        return []
    if job.manual:
        return await _manual_runs(store, job, limit=limit, offset=offset)
    failed = await store.failed_runs(job.job_id)
    wanted = await run_indices(store, job, status, failed, limit=limit, offset=offset)
    if not len(wanted):
        return []
    stored = []
    if status in {None, "completed"}:  # others have no results
        stored = await store.chunks(job.job_id, int(wanted[0]), int(wanted[-1]))
    experiment = experiment_of(job)
    return await asyncio.to_thread(_run_rows, job, experiment, wanted, stored, failed)


def _count(job: Job, status: str | None) -> int:
    """Return how many runs of this status a job has; all of a manual job are completed."""
    match status:
        case "completed":
            return job.completed_runs
        case "failed":
            return job.failed_runs
        case "pending":
            left = job.total_runs - job.completed_runs - job.failed_runs
            return 0 if job.manual else max(left, 0)
        case _:
            return job.completed_runs if job.manual else job.total_runs


async def run_of(session: Session, name: str, which: str | int) -> dict[str, Any]:
    """Return one run by its index or its id; see `AsyncJobManager.run_of`."""
    job, store = (await find_with_runs(session, name)).job, await session.store()
    (row,) = await rows_of(store, job, np.array([index_of(job, which)]))
    return row


def index_of(job: Job, which: str | int, words: str = "") -> int:
    """Return the index of a run that is given by its index or its id.

    Parameters
    ----------
    words
        What else a caller takes, to be told.

    Raises
    ------
    InvalidInput
    """
    which, known = str(which), job.run_ids
    if job.manual:
        raise invalid("run", which, "runs of a job that was carried out by a worker")
    allowed = f"{words}an index from 0 to {len(known) - 1}, or a run's id such as {known[0]}"
    try:
        index = int(which) if which.isdecimal() else int(which[-7:], 16)
    except ValueError:
        raise invalid("run", which, allowed) from None
    if index >= len(known) or (not which.isdecimal() and known[index] != which):
        raise invalid("run", which, allowed)
    return index


async def rows_of(store: JobStore, job: Job, wanted: Any) -> list[dict[str, Any]]:
    """Return some runs, neighbours, as `AsyncJobManager.runs` does."""
    failed = await store.failed_runs(job.job_id)
    stored = await store.chunks(job.job_id, int(wanted[0]), int(wanted[-1]))
    experiment = experiment_of(job)
    return await asyncio.to_thread(_run_rows, job, experiment, wanted, stored, failed)


async def run_indices(
    store: JobStore,
    job: Job,
    status: str | None,
    failed: dict[int, str],
    *,
    limit: int,
    offset: int,
) -> Any:
    """Return the indices of a page of the runs of a status, or of all."""
    if status is None and (job.total_is_bound or not job.config.adaptive):
        return np.arange(min(offset, job.total_runs), min(offset + limit, job.total_runs))
    if status == "failed":
        return np.array(sorted(failed), np.int64)[offset : offset + limit]
    if status == "pending" and job.config.adaptive and not job.total_is_bound:
        return np.empty(0, np.int64)  # what was reserved and not needed is not to be done
    listed = await store.recorded(job.job_id)
    if status == "pending":
        ended = sorted([*listed, *((index, index) for index in failed)])
        listed = missing(ended, len(job.run_ids))
    return indices_of(page(listed, offset, limit))


def _run_rows(
    job: Job, experiment: Any, wanted: Any, stored: list[Any], failed: dict[int, str]
) -> list[dict[str, Any]]:
    parameters = parameters_of(experiment, job.config, wanted)
    indices, metrics = packing.join(stored, job.job_id)
    places = np.searchsorted(indices, wanted)
    rows = []
    for position, (index, place) in enumerate(zip(wanted.tolist(), places.tolist(), strict=True)):
        row: dict[str, Any] = {"job_id": job.job_id, "run_id": job.run_ids[index], "index": index}
        row |= {name: _known(column[position].item()) for name, column in parameters.items()}
        if place < len(indices) and indices[place] == index:
            row["status"] = "completed"
            row |= readable(experiment, metrics[place])
        elif index in failed:
            row |= {"status": "failed", "error": failed[index]}
        elif job.status is JobStatus.COMPLETED:  # imported without the metrics of its runs
            row["status"] = "completed"
        else:
            row["status"] = "pending"
        rows.append(row)
    return rows


async def _manual_runs(
    store: JobStore, job: Job, *, limit: int, offset: int
) -> list[dict[str, Any]]:
    stored = await store.chunks(job.job_id, offset, offset + limit - 1)
    experiment = registry.experiment(job.config.sweep_type)
    return [
        {
            "job_id": job.job_id,
            "run_id": chunk.run_id,
            "index": chunk.first_index,
            "status": "completed",
            **readable(experiment, packing.unpack(chunk, job.job_id)[0]),
        }
        for chunk in stored
    ]


def readable(experiment: Experiment, row: np.void) -> dict[str, Any]:
    """Return one run's metrics as JSON holds them: words for codes, None where there is none."""
    metrics = metrics_of(experiment, row.dtype)
    return {metric.name: metric.readable(row[metric.name].item()) for metric in metrics}


def _known(value: Any) -> Any:
    """Return None for NaN and infinity: κ of a probe not planned yet, a rate of nothing."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


async def _restore_files(session: Session, job: Job) -> None:
    """Write the files again where they are missing; a question is answered without them, too."""
    store = await session.store()
    try:
        await tables.write_files(store, job, formats=formats_of(session.settings))
    except (OutputError, OSError):
        return


def _manual_headline(job: Job) -> str:
    return f"{text.runs(job.completed_runs)} recorded manually. {text.standing(job)}"


def _stored_headline(job: Job) -> str:
    """Say what an imported job's own summary says, or that there is nothing yet."""
    if job.summary and job.status is JobStatus.COMPLETED:
        try:
            experiment = experiment_of(job)
        except InvalidInput as error:
            return f"{text.standing(job)} {error}"
        return (
            f"{headline_of(experiment, job.config, job.summary)} {text.standing(job)} "
            "The results of its single runs are not here; they can be recomputed."
        )
    return f"No run has been recorded yet. {text.standing(job)}"
