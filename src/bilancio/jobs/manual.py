"""Jobs whose runs the caller executes: started, recorded and ended by hand."""

import asyncio
import contextlib
import json
import math
from collections.abc import Mapping
from typing import Any

from bilancio.errors import BilancioError, InvalidInput, JobStateError, Problem, invalid
from bilancio.jobs.artifacts.folder import make_folder
from bilancio.jobs.lookup import exact, load
from bilancio.jobs.models import Job, JobStatus
from bilancio.jobs.session import Session

MAX_RUN_ID = 10_000


async def start_job(session: Session, job_id: str) -> Job:
    """Mark the start of a job whose runs the caller executes; see `record_progress`."""
    job = await exact(session, job_id)
    if not await (await session.store()).start_by_hand(job.job_id):
        advice = "Only a pending job can be."
        raise JobStateError(job.job_id, job.state, "started by hand", advice)
    return await _changed(session, job.job_id)


async def record_progress(
    session: Session, job_id: str, run_id: str, metrics: Mapping[str, float]
) -> None:
    """Store the numeric *metrics* of one run of a job that was started by hand.

    Raises
    ------
    InvalidInput
        A metric is not a finite number.
    RunAlreadyRecorded
        The run was recorded with other metrics.
    JobStateError
        The job was not started by hand, or has ended.
    """
    job = await exact(session, job_id)
    numbers = _numbers(metrics)
    if not run_id or len(run_id) > MAX_RUN_ID:
        raise invalid("run_id", run_id, "a text that names the run")
    from bilancio.jobs.store import packing  # numpy, which other calls do not need

    packed, crc32 = packing.pack(packing.one_row(numbers))
    store = await session.store()
    if not await store.record_by_hand(job.job_id, run_id, packed, crc32, numbers):
        advice = "Only a manually started job accepts recorded runs."
        raise JobStateError(job.job_id, job.state, "recorded to", advice)


async def complete_job(
    session: Session, job_id: str, summary: Mapping[str, Any] | None = None
) -> Job:
    """End a job that was started by hand as completed."""
    return await _end(session, job_id, JobStatus.COMPLETED, summary=dict(summary or {}))


async def fail_job(session: Session, job_id: str, error: str) -> Job:
    """End a job that was started by hand as failed."""
    return await _end(session, job_id, JobStatus.FAILED, error=str(error))


async def note_on_disk(session: Session, job: Job) -> None:
    """Bring the manifest up to date; the store is the truth, so a full disk is not an error."""
    from bilancio.jobs.artifacts import tables  # numpy, which other calls do not need

    with contextlib.suppress(BilancioError):
        await asyncio.to_thread(make_folder, job.folder)
        by_hand = job.manual and job.status.ended
        write = tables.write_files if by_hand else tables.write_job_manifest
        await write(await session.store(), job)


async def _end(session: Session, job_id: str, status: JobStatus, **how: Any) -> Job:
    job = await exact(session, job_id)
    try:
        json.dumps(how, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise invalid("summary", error, "values that JSON holds, no NaN") from None
    if not await (await session.store()).end_by_hand(job.job_id, status, **how):
        advice = "Only a manually started job can be."
        raise JobStateError(job.job_id, job.state, f"marked {status}", advice)
    return await _changed(session, job.job_id)


async def _changed(session: Session, job_id: str) -> Job:
    """Return the job as it is after a change, its manifest brought up to date."""
    job = await load(session, job_id)
    await note_on_disk(session, job)
    return job


def _numbers(metrics: Mapping[str, float]) -> dict[str, float]:
    problems = []
    found: dict[str, float] = {}
    for name, value in metrics.items():
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if not math.isfinite(number):
            problems.append(Problem(f"metrics.{name}", str(value), "finite numbers"))
        found[name] = number
    if not metrics:
        problems.append(Problem("metrics", "none", "at least one number by name"))
    if problems:
        raise InvalidInput(problems)
    return found
