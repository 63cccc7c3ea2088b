"""Checks of the store: its file, the chunks of results, the counters of jobs."""

from collections.abc import AsyncIterator
from typing import Any

from bilancio.experiments.sweep_config import UncheckedSweep
from bilancio.jobs.artifacts import tables
from bilancio.jobs.maintenance.checks.base import (
    RESTORE,
    Checked,
    Examined,
    Fix,
    Issue,
    count,
    cut,
    error,
    warning,
)
from bilancio.jobs.maintenance.delete import KEPT_MANIFEST
from bilancio.jobs.models import JobStatus
from bilancio.jobs.store import JobStore, integrity

ORDERLY = {"pending": {"created"}, "running": {"started", "resumed", "recovered"}}


async def check_file(examined: Examined) -> AsyncIterator[Checked | Issue]:
    """Have SQLite check the store's file, page by page."""
    complaints = await examined.store.database.check()
    yield Checked("the store's file, page by page")
    for complaint in cut(complaints):
        yield error(f"The store's file is damaged: {complaint}.", f"{RESTORE}.")


async def check_chunks(examined: Examined) -> AsyncIterator[Checked | Issue]:
    """Read every chunk of results and compare it with its checksum."""
    seen = await integrity.chunks(examined.store)
    yield Checked(f"{count(seen.chunks, 'chunk')} of {count(seen.runs, 'run')}, with checksums")
    for job_id, faults in seen.faults.items():
        yield error(
            f"{count(len(faults), 'chunk')} of job {job_id} cannot be read: "
            f"{'; '.join(cut(faults, 3))}.",
            await _repair_of_chunks(examined.store, job_id),
            job_id=job_id,
        )


async def check_counters(examined: Examined) -> AsyncIterator[Checked | Issue]:
    """Compare the counters and states of jobs with their chunks, failed runs and events."""
    store = examined.store
    total = len(await store.job_ids())
    yield Checked(f"{count(total, 'job')} against their chunks, failed runs and events")
    for row in await store.database.read("contradictions"):
        faults, recountable = _contradictions(row)
        job_id = row["job_id"]
        if not faults:
            job = await store.job(job_id)
            if job is None or job.config.searches or isinstance(job.config, UncheckedSweep):
                continue  # a search needs fewer runs than it reserves
            faults = [f"it is completed with {row['completed_runs']:,} of {row['total_runs']:,}"]
        message = f"Job {job_id} contradicts itself: {'; '.join(faults)}."
        if recountable and row["status"] != JobStatus.COMPLETED:
            repair = "Run `bilancio doctor --repair` to recount."
            yield warning(message, repair, job_id=job_id, fix=_recount(store, job_id))
        else:
            yield error(message, f"{RESTORE}, or run the job's sweep again.", job_id=job_id)


async def _repair_of_chunks(store: JobStore, job_id: str) -> str:
    job = await store.job(job_id)
    if job is not None and (job.folder / tables.RUNS).is_file():
        return (
            f"{RESTORE}. Or import the runs from {tables.RUNS}: bilancio jobs delete {job_id} "
            f"--keep-files, then bilancio jobs import {job.folder / KEPT_MANIFEST}."
        )
    return f"{RESTORE}, or delete the job and run its sweep again."


def _contradictions(row: Any) -> tuple[list[str], bool]:
    """Return what does not fit together in a job, and whether recounting repairs it."""
    faults = []
    without_runs = row["imported"] and not row["stored_runs"]
    if row["completed_runs"] != row["stored_runs"] and not without_runs:
        faults.append(f"it counts {row['completed_runs']:,} runs and holds {row['stored_runs']:,}")
    if row["failed_runs"] != row["stored_failures"]:
        faults.append(
            f"it counts {row['failed_runs']:,} failed runs and holds {row['stored_failures']:,}"
        )
    recountable = bool(faults)
    if row["told_runs"] != row["stored_runs"] and not row["imported"]:
        faults.append(f"its events add up to {row['told_runs']:,} runs, not {row['stored_runs']:,}")
        recountable = False
    if not row["n_events"] == row["stored_events"] == row["last_event"]:
        faults.append(f"it has {row['stored_events']:,} of {row['n_events']:,} events")
        recountable = False
    if row["last_change"] not in ORDERLY.get(row["status"], {row["status"]}):
        faults.append(f"it is {row['status']}, and its last event is {row['last_change']}")
        recountable = False
    return faults, recountable


def _recount(store: JobStore, job_id: str) -> Fix:
    async def recount() -> None:
        async with store.database.write() as transaction:
            await transaction.execute("recount", job_id=job_id)

    return recount
