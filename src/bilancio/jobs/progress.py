"""How far a job is: counts, rate, time left, events; and watching it."""

import asyncio
import math
import time
from collections.abc import AsyncIterator

from bilancio.jobs.lookup import find, load
from bilancio.jobs.models import Job, JobEvent, JobStatus, Listing, Progress
from bilancio.jobs.session import Session
from bilancio.jobs.store import JobStore

POLL_S = 0.25
MEASURED_S = 0.5  # a rate over a shorter time says little


async def progress(session: Session, name: str) -> Progress:
    """Return how far a job is."""
    found = await find(session, name)
    return await _progress(session, found.job, found.reading)


async def watch(
    session: Session, name: str, timeout_s: float = math.inf
) -> AsyncIterator[Progress]:
    """Yield a job's progress whenever it has changed, until it ends, stalls, or time is up."""
    found = await find(session, name)
    job, reading = found.job, found.reading
    deadline, last = time.monotonic() + timeout_s, None
    while True:
        now = await _progress(session, job, reading)
        mark = (job.state, now.done_runs)
        if mark != last:
            yield now
        last = mark
        left = deadline - time.monotonic()
        if job.state != "running" or left <= 0:
            return
        await asyncio.sleep(min(POLL_S, left))
        job = await load(session, job.job_id)


async def wait(session: Session, name: str, timeout_s: float = math.inf) -> Job:
    """Wait until the job has ended or stalled, or time is up; return it as it is then."""
    async for step in watch(session, name, timeout_s):
        job = step.job
    return job


async def events(
    session: Session, name: str, *, after: int = 0, limit: int = -1, last: bool = False
) -> Listing[JobEvent]:
    """Return a job's events in order: those past number *after*, or the *last* few."""
    found = await find(session, name)
    store = await session.store()
    listed = await store.events(found.job.job_id, after=after, limit=limit, last=last)
    return Listing(listed, job=found.job, reading=found.reading)


async def _progress(session: Session, job: Job, reading: str) -> Progress:
    done = job.completed_runs + job.failed_runs
    rate = eta = elapsed = None
    if job.started_at is not None:
        elapsed = ((job.completed_at or session.clock()) - job.started_at).total_seconds()
    store = await session.store()
    start = await store.last_start(job.job_id) if job.status is JobStatus.RUNNING else None
    if start is not None and not job.stalled:
        rate = await _rate(session, store, job, start)
        eta = (job.total_runs - done) / rate if rate else None
    latest = await store.events(job.job_id, limit=1, last=True)
    details = latest[0].details if latest else {}
    return Progress(
        job=job,
        reading=reading,
        done_runs=done,
        rate=rate,
        eta_s=eta,
        elapsed_s=elapsed,
        means=details.get("means") or details.get("metrics") or {},
    )


async def _rate(session: Session, store: JobStore, job: Job, start: JobEvent) -> float | None:
    """Return the runs recorded a second since the first batch: starting up is not work."""
    first = await store.events(job.job_id, after=start.seq, limit=1)
    if not first:
        return None
    before = start.details.get("completed_runs", 0) + first[0].details.get("completed", 0)
    since = (session.clock() - first[0].timestamp).total_seconds()
    new = job.completed_runs - before
    return new / since if new > 0 and since >= MEASURED_S else None
