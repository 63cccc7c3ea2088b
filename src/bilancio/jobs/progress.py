"""How far a job is: counts, rate, time left, events; and watching it."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import NamedTuple

from bilancio import text
from bilancio.jobs.lookup import find, load, with_stall
from bilancio.jobs.models import ASIDES, EventType, Job, JobEvent, Listing, View
from bilancio.jobs.paging import check_whole
from bilancio.jobs.session import Session

POLL_S = 0.25
# Whether a job still runs is asked more often, so that its end is seen after a hundredth of the
# time waited, or after LOOK_S.
LOOK_S = 0.03
LOOKS = 100
MEASURED_S = 0.5  # a rate over a shorter time says little
WINDOW = 100  # the latest events, from which the rate is measured
# A job is idle when no run has finished for a minute and for the time of so many usual batches.
STANDSTILL_S = 60.0
STANDSTILL_BATCHES = 10
PROGRESS, WAITING, WRITING = EventType.PROGRESS, "waiting", "writing"


class Progress(View):
    """How far a job is.

    Attributes
    ----------
    reading
        How the name was read where it was not written exactly; else empty.
    done_runs
        Runs that have finished, with results or an error.
    rate
        Runs finished a second lately; None unless the job is running and that was measured.
    eta_s
        Seconds left at that rate; None where there is none, or where results decide how many runs
        there will be.
    idle_s
        Seconds since the last run finished, or since the start, where that is so long that the
        job is idle: over a minute, and far longer than usual. None otherwise.
    waiting
        Why nothing computes at the moment; empty as long as something does.
    writing
        Whether no run is left to compute, so that what is left is the summary and the files.
    elapsed_s
        Seconds since it was last started, resumed, extended or taken over, to its end if it has
        ended.
    means
        Mean metrics of the latest batch.
    repetition
        Why the failed runs would fail again, in a sentence; empty where that is open.
    """

    job: Job
    reading: str = ""
    done_runs: int
    rate: float | None
    eta_s: float | None
    idle_s: float | None = None
    waiting: str = ""
    writing: bool = False
    elapsed_s: float | None
    means: dict[str, float | None]
    repetition: str = ""

    def __str__(self) -> str:
        return text.progress(self.job, self.eta_s, self.idle_s, self.waiting, writing=self.writing)


async def progress(session: Session, name: str) -> Progress:
    """Return how far a job is."""
    found = await find(session, name)
    return _told(session, await _look(session, found.job), found.reading)


async def watch(
    session: Session, name: str, timeout_s: float = math.inf
) -> AsyncIterator[Progress]:
    """Yield a job's progress whenever it has changed, until it ends, stalls, or time is up."""
    found = await find(session, name)
    seen = await _look(session, found.job)
    began = time.monotonic()
    deadline, last = began + timeout_s, None
    while True:
        now = _told(session, seen, found.reading)
        idle = now.idle_s and now.idle_s // STANDSTILL_S
        mark = (seen.job.state, now.done_runs, idle, now.waiting, now.writing)
        if mark != last:
            yield now
        last = mark
        left = deadline - time.monotonic()
        if seen.job.state != "running" or left <= 0:
            return
        look_s = max(LOOK_S, (time.monotonic() - began) / LOOKS)
        seen = await _later(session, seen, min(POLL_S, left), look_s)


class _Seen(NamedTuple):
    """A job, and what its progress is told from.

    Attributes
    ----------
    pulse
        Of the job before it was read, so that what changes meanwhile is seen by the next look;
        empty where that is not known, which has the next look read all again.
    latest
        Its latest events, but for those that change nothing of its runs.
    start
        The event of its latest start.
    repetition
        Why its failed runs would fail again.
    """

    job: Job
    pulse: tuple[object, ...]
    latest: Sequence[JobEvent]
    start: JobEvent | None
    repetition: str


async def _later(session: Session, seen: _Seen, wait_s: float, look_s: float) -> _Seen:
    """Wait for *wait_s* seconds, or until another has the job; return what is to be seen then.

    As long as nothing changes each look, every *look_s* seconds, costs one statement.
    """
    store, until = await session.store(), time.monotonic() + wait_s
    status_and_fence = slice(2)
    while True:
        pulse = await store.pulse(seen.job.job_id)
        left = until - time.monotonic()
        if left <= 0 or pulse[status_and_fence] != seen.pulse[status_and_fence]:
            break
        await asyncio.sleep(min(look_s, left))
    if pulse == seen.pulse and not (job := await with_stall(session, seen.job)).stalled:
        return seen._replace(job=job)
    return await _look(session, await load(session, seen.job.job_id), pulse)


async def wait(session: Session, name: str, timeout_s: float = math.inf) -> Job:
    """Wait until the job has ended or stalled, or time is up; return it as it is then."""
    async for step in watch(session, name, timeout_s):
        job = step.job
    return job


async def events(
    session: Session, name: str, *, after: int = 0, limit: int = -1, last: bool = False
) -> Listing[JobEvent]:
    """Return a job's events in order: those past number *after*, or the *last* few.

    Parameters
    ----------
    limit
        How many at most; -1 for all.

    Raises
    ------
    JobNotFound, InvalidInput
    """
    check_whole("after", after, low=0)
    check_whole("limit", limit, low=-1)
    found = await find(session, name)
    store = await session.store()
    listed = await store.events(found.job.job_id, after=after, limit=limit, last=last)
    total = await store.count_events(found.job.job_id)
    return Listing(listed, job=found.job, reading=found.reading, total=total)


async def _look(session: Session, job: Job, pulse: tuple[object, ...] = ()) -> _Seen:
    """Return what the progress of *job* is told from, which was read after its *pulse*."""
    store = await session.store()
    events = await store.events(job.job_id, limit=WINDOW, last=True)
    repetition = ""
    if job.failed_runs and not job.unread:
        from bilancio.jobs import failures  # numpy, which the status of other jobs does without

        repetition = await failures.repetition(store, job)
    return _Seen(
        job=job,
        pulse=pulse,
        latest=[event for event in events if event.event_type not in ASIDES],
        start=await store.last_start(job.job_id),
        repetition=repetition,
    )


def _told(session: Session, seen: _Seen, reading: str) -> Progress:
    """Return how far a job is, by the clock of this moment."""
    job, latest, start = seen.job, seen.latest, seen.start
    details = latest[-1].details if latest else {}
    elapsed = None
    if job.started_at is not None:
        began = job.started_at if start is None else start.timestamp  # an import brings no events
        elapsed = ((job.completed_at or session.clock()) - began).total_seconds()
    pace, waiting, writing = _Pace(None, None, None), "", False
    if job.state == "running":
        writing = not job.manual and (_left(job, start) == 0 or bool(details.get(WRITING)))
        waiting = details.get(WAITING, "")
    if job.state == "running" and not writing:
        pace = _pace(job, start, latest, session.clock())
    return Progress(
        job=job,
        reading=reading,
        done_runs=job.completed_runs + job.failed_runs,
        rate=pace.rate,
        eta_s=pace.eta_s,
        idle_s=pace.idle_s,
        waiting=waiting,
        writing=writing,
        elapsed_s=elapsed,
        means=details.get("means") or details.get("metrics") or {},
        repetition=seen.repetition,
    )


class _Pace(NamedTuple):
    """What the latest batches of a running job say of its speed."""

    rate: float | None
    eta_s: float | None
    idle_s: float | None


def _pace(job: Job, start: JobEvent | None, latest: Sequence[JobEvent], now: datetime) -> _Pace:
    """Return rate and time left from the *latest* events, or how long no run has finished.

    The first batch counts as the moment from which the others are timed: how long it took itself
    is unknown, for what comes before it is not computing. So do those recorded together with it.
    """
    if start is None:
        return _Pace(None, None, None)
    batches = [each for each in latest if each.seq > start.seq and _is_batch(each)]
    idle_s = (now - (batches[-1] if batches else start).timestamp).total_seconds()
    since_s = (batches[-1].timestamp - batches[0].timestamp).total_seconds() if batches else 0.0
    usual_s = since_s / (len(batches) - 1) if len(batches) > 1 else 0.0
    if idle_s >= max(STANDSTILL_S, STANDSTILL_BATCHES * usual_s):
        return _Pace(None, None, idle_s)
    if since_s < MEASURED_S:
        return _Pace(None, None, None)
    timed = [each for each in batches if each.timestamp > batches[0].timestamp]
    rate = sum(map(_finished, timed)) / since_s
    if job.total_is_bound or not rate:
        return _Pace(rate, None, None)
    return _Pace(rate, max(_left(job, start) / rate - idle_s, 0.0), None)


def _left(job: Job, start: JobEvent | None) -> int:
    """Return how many runs are still to finish; those that had failed before the start are."""
    failed_before = 0 if start is None else start.details.get("failed_runs", 0)
    failed_now = max(job.failed_runs - failed_before, 0)
    return max(job.total_runs - job.completed_runs - failed_now, 0)


def _is_batch(event: JobEvent) -> bool:
    return event.event_type == PROGRESS and not event.details.keys() & {WAITING, WRITING}


def _finished(batch: JobEvent) -> int:
    """Return how many runs a progress event covers: one, where a caller recorded it."""
    completed, failed = batch.details.get("completed", 1), batch.details.get("failed", 0)
    return int(completed + failed)
