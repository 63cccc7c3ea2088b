"""Resume every job whose worker is gone."""

import asyncio
from collections.abc import Callable

from bilancio.errors import BilancioError, invalid
from bilancio.jobs.launch import start_sweep
from bilancio.jobs.maintenance.reports import Recovery
from bilancio.jobs.models import Job
from bilancio.jobs.progress import watch
from bilancio.jobs.search import STALLED, list_jobs
from bilancio.jobs.session import Session

PAGE = 200
MOST_AT_ONCE = 64
GONE = "Its new worker has died as well; worker.log says why."


async def recover(
    session: Session, *, at_once: int = 1, tell: Callable[[Recovery], None] = lambda _: None
) -> list[Recovery]:
    """Resume every stalled job, each in a worker process of its own, and wait for its end.

    Parameters
    ----------
    at_once
        How many run at the same time; each uses all cores.
    tell
        Is called with each job when it has been taken over, and when it has ended.

    Raises
    ------
    InvalidInput
        *at_once* is not a number from 1 to 64.
    """
    if not 1 <= at_once <= MOST_AT_ONCE:
        raise invalid("jobs", at_once, f"whole numbers from 1 to {MOST_AT_ONCE}")
    turns = asyncio.Semaphore(at_once)

    async def one(job: Job) -> Recovery:
        async with turns:
            return await _recover(session, job, tell)

    return list(await asyncio.gather(*map(one, await _stalled(session))))


async def _stalled(session: Session) -> list[Job]:
    """Return the stalled jobs, the oldest first."""
    found: list[Job] = []
    offset = 0
    while True:
        page = await list_jobs(session, status=STALLED, limit=PAGE, offset=offset)
        found += page.jobs
        offset += PAGE
        if offset >= page.total:
            return found[::-1]


async def _recover(session: Session, job: Job, tell: Callable[[Recovery], None]) -> Recovery:
    """Carry one job to its end; where that fails, the reason is reported and others proceed."""
    try:
        started = await start_sweep(session, job.job_id)
        tell(_as_it_is(started.job, started.action))
        last = started.job
        async for progress in watch(session, job.job_id):
            last = progress.job
        done = _as_it_is(last, started.action)
    except BilancioError as error:
        done = _as_it_is(job, "refused", str(error))
    tell(done)
    return done


def _as_it_is(job: Job, action: str, reason: str | None = None) -> Recovery:
    if reason is None:
        reason = GONE if job.stalled else job.error
    return Recovery(
        job_id=job.job_id,
        action=action,
        state=job.state,
        completed_runs=job.completed_runs,
        total_runs=job.total_runs,
        reason=reason,
    )
