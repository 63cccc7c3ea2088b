"""What a notice says of a job's end: name, state, headline, runs, how long."""

import zlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bilancio import text
from bilancio.errors import BilancioError, JobDamaged, JobNotFound
from bilancio.experiments import registry
from bilancio.experiments.reporting import headline_of
from bilancio.jobs.clock import to_text
from bilancio.jobs.models import Job, JobEvent, JobStatus
from bilancio.jobs.store import JobStore
from bilancio.jobs.store.rows import Notice
from bilancio.notify.message import Message
from bilancio.printable import escaped, shortened

MAX_HEADLINE, MAX_DESCRIPTION = 600, 300  # characters


async def message_of(store: JobStore, notice: Notice) -> Message:
    """Return what a notice says: of its job as it was at that end, whatever has become of it.

    Raises
    ------
    JobNotFound, JobDamaged
        The job is deleted, or cannot be read.
    """
    job = await store.job(notice.job_id)
    events = await store.events(notice.job_id, after=notice.seq - 1, limit=1)
    if job is None:
        raise JobNotFound(notice.job_id)
    if [event.seq for event in events] != [notice.seq]:
        raise JobDamaged(notice.job_id, f"its event {notice.seq} cannot be read")
    (event,) = events
    start = await store.last_start(job.job_id)
    began = start.timestamp if start and start.seq < event.seq else job.started_at
    return end_message(as_it_ended(job, notice, event), event, began)


def as_it_ended(job: Job, notice: Notice, event: JobEvent) -> Job:
    """Return a job as it was when *event* ended it."""
    return job.model_copy(
        update={
            "status": JobStatus(event.event_type.value),
            "stalled": False,
            "total_runs": notice.total_runs,
            "completed_runs": notice.completed_runs,
            "failed_runs": notice.failed_runs,
            "completed_at": event.timestamp,
            "error": event.details.get("error"),
            "summary": event.details.get("summary"),
        }
    )


def end_message(job: Job, event: JobEvent, began: datetime | None) -> Message:
    """Return the message of the end of a job that began at that moment."""
    seconds = None if began is None else max((event.timestamp - began).total_seconds(), 0.0)
    took = "" if seconds is None else f" in {text.duration(seconds)}"
    said = _headline(job)
    about = _line(job.description, MAX_DESCRIPTION)
    lines = [f"{job.job_id} {job.status}: {text.counts(job)}{took}.", said, about]
    return Message(
        id=message_id(job, event.seq),
        what=f"job.{job.status}",
        moment=event.timestamp,
        title=f"{job.job_id} {job.status}",
        text="\n".join(filter(None, lines)),
        facts=_facts(job, said, seconds),
    )


def message_id(job: Job, seq: int) -> str:
    """Return what identifies an event among all that are told; a deleted job's name may return."""
    return f"{job.job_id}_{seq}_{zlib.crc32(to_text(job.created_at).encode()):08x}"


def _facts(job: Job, headline: str, seconds: float | None) -> Mapping[str, Any]:
    return {
        "job_id": job.job_id,
        "status": job.status.value,
        "description": job.description,
        "headline": headline,
        **job.counts,
        "seconds": seconds,
    }


def _headline(job: Job) -> str:
    """Say in a line what a job has found, or why it has failed."""
    said = ""
    if job.status is JobStatus.FAILED:
        said = job.error or ""
    elif job.status is JobStatus.COMPLETED and job.summary and not job.manual:
        try:
            experiment = registry.experiment(job.config.sweep_type)
        except BilancioError:  # a plug-in that is not installed here
            return ""
        said = headline_of(experiment, job.config, job.summary)
    return _line(said, MAX_HEADLINE)


def _line(said: str, limit: int) -> str:
    return shortened(escaped(" ".join(said.split()), one_line=True), limit)
