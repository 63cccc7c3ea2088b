"""Jobs whose runs the caller executes: started, recorded and ended manually."""

import contextlib
from collections.abc import Mapping
from typing import Any

from bilancio.errors import InvalidInput, JobStateError, Problem, invalid, shown
from bilancio.jobs.artifacts.current import bring_up_to_date
from bilancio.jobs.lookup import exact, load
from bilancio.jobs.models import Job, JobStatus
from bilancio.jobs.notices.courier import hand_over
from bilancio.jobs.session import Session
from bilancio.jobs.store.base import as_json
from bilancio.jobs.texts import MAX_ERROR, MAX_KEY, check_name, check_texts

MAX_METRICS, MAX_METRIC_NAME = 1_000, 200
MAX_SUMMARY = 1 << 20
#: Columns of a run's row that are not metrics.
TAKEN_NAMES = ("job_id", "run_id", "index", "status", "error")


async def start_job(session: Session, job_id: str) -> Job:
    """Mark the start of a job whose runs the caller executes; see `record_progress`."""
    job = await exact(session, job_id)
    if not await (await session.store()).start_manually(job.job_id):
        raise await _start_refusal(session, job.job_id)
    return await _changed(session, job.job_id)


async def record_progress(
    session: Session, job_id: str, run_id: str, metrics: Mapping[str, float]
) -> None:
    """Store the numeric *metrics* of one run of a manually started job.

    NaN and infinity are stored as they are, and shown as null.

    Raises
    ------
    InvalidInput
        A metric is not a number, or *run_id* is not text that can be stored.
    RunAlreadyRecorded
        The run was recorded with other metrics.
    JobStateError
        The job was not started manually, or has ended.
    """
    job = await exact(session, job_id)
    numbers = _numbers(metrics)
    check_name("run_id", run_id, most=MAX_KEY)
    from bilancio.jobs.store import packing  # numpy, which other calls do not need

    packed, crc32 = packing.pack(packing.one_row(numbers))
    store = await session.store()
    if not await store.record_manually(job.job_id, run_id, packed, crc32, numbers):
        raise await _refusal(session, job.job_id, "recorded to")


async def complete_job(
    session: Session, job_id: str, summary: Mapping[str, Any] | None = None
) -> Job:
    """End a manually started job as completed.

    Parameters
    ----------
    summary
        What was found, as JSON holds it; NaN and infinity are stored as null.

    Raises
    ------
    InvalidInput
        The summary is not a mapping, holds what JSON does not, or is larger than 1 MiB.
    JobStateError
        The job was not started manually, or has ended.
    """
    found = {} if summary is None else summary
    if not isinstance(found, Mapping):
        raise invalid("summary", found, "values by name")
    written = as_json("summary", found)
    if len(written) > MAX_SUMMARY:
        got = f"{len(written):,} characters of JSON"
        raise InvalidInput([Problem("summary", got, f"at most {MAX_SUMMARY:,}")])
    return await _end(session, job_id, JobStatus.COMPLETED, summary=found)


async def fail_job(session: Session, job_id: str, error: str | BaseException) -> Job:
    """End a manually started job as failed.

    Parameters
    ----------
    error
        What went wrong: a sentence, or the exception itself.

    Raises
    ------
    InvalidInput
        The error is not text that can be stored whole.
    JobStateError
        The job was not started manually, or has ended.
    """
    if isinstance(error, BaseException):
        error = f"{type(error).__name__}: {error}"
    check_texts({"error": error}, most=MAX_ERROR)
    told = error.strip() or "no reason was given"
    return await _end(session, job_id, JobStatus.FAILED, error=told)


async def _end(session: Session, job_id: str, status: JobStatus, **how: Any) -> Job:
    job = await exact(session, job_id)
    if not await (await session.store()).end_manually(job.job_id, status, **how):
        raise await _refusal(session, job.job_id, f"marked {status}")
    ended = await _changed(session, job.job_id)
    await hand_over(await session.store(), session.settings)
    return ended


async def _refusal(session: Session, job_id: str, asked: str) -> JobStateError:
    """Return why runs of a job are not recorded manually, by the state that it is in now."""
    job = await load(session, job_id)
    match job.state:
        case "pending":
            advice = "It has not been started manually."
        case "running" | "stalled" if not job.manual:
            advice = "A worker computes its runs."
        case "running":
            advice = "It was started manually a moment ago."
        case "failed" | "cancelled" if job.manual:
            advice = "It has ended; it can be started manually again."
        case _:
            advice = "It has ended, and its results stay."
    return JobStateError(job.job_id, job.state, asked, advice)


async def _start_refusal(session: Session, job_id: str) -> JobStateError:
    """Return why a job is not started manually."""
    job = await load(session, job_id)
    match job.state:
        case "running" if job.manual:
            advice = "It has been started manually already, and accepts recorded runs."
        case "completed":
            advice = "It has ended, and its results stay."
        case "cancelled" if not job.attempts:
            advice = "It was cancelled before it began."
        case _:
            advice = "A worker computes its runs, and recorded ones would not mix with them."
    return JobStateError(job.job_id, job.state, "started manually", advice)


async def _changed(session: Session, job_id: str) -> Job:
    """Return the job as it is after a change, its manifest brought up to date."""
    job = await load(session, job_id)
    await bring_up_to_date(await session.store(), job)
    return job


def _numbers(metrics: object) -> dict[str, float]:
    """Return metrics as doubles; what is not a number stays NaN or infinite."""
    if not isinstance(metrics, Mapping) or not metrics:
        raise invalid("metrics", metrics, "at least one number by name")
    if len(metrics) > MAX_METRICS:
        got = f"{len(metrics):,} metrics"
        raise InvalidInput([Problem("metrics", got, f"at most {MAX_METRICS:,} numbers by name")])
    return {_metric_name(name): _number(name, value) for name, value in metrics.items()}


def _metric_name(name: object) -> str:
    check_name("metrics", name, most=MAX_METRIC_NAME)
    if name in TAKEN_NAMES:
        raise invalid("metrics", name, f"other names than {', '.join(TAKEN_NAMES)}")
    return str(name)


def _number(name: object, value: Any) -> float:
    if not isinstance(value, str | bytes):
        with contextlib.suppress(TypeError, ValueError, OverflowError):
            return float(value)
    raise InvalidInput([Problem(f"metrics.{name}"[:60], shown(value), "a number")])
