"""Resume every job whose worker is gone."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from bilancio.errors import BilancioError, invalid
from bilancio.jobs.maintenance.reports import Recovery
from bilancio.jobs.models import Job, JobStatus

if TYPE_CHECKING:  # the manager loads this module when it is asked to recover
    from bilancio.jobs.manager import AsyncJobManager

PAGE = 200
MOST_AT_ONCE = 64
GONE = "Its new worker has died as well; worker.log says why."


async def recover(
    manager: "AsyncJobManager", *, at_once: int, tell: Callable[[Recovery], None]
) -> list[Recovery]:
    """Resume each stalled job and wait for its end; see `AsyncJobManager.recover`."""
    if not 1 <= at_once <= MOST_AT_ONCE:
        raise invalid("jobs", at_once, f"whole numbers from 1 to {MOST_AT_ONCE}")
    turns = asyncio.Semaphore(at_once)

    async def one(job: Job) -> Recovery:
        async with turns:
            return await _recover(manager, job, tell)

    return list(await asyncio.gather(*map(one, await _stalled(manager))))


async def _stalled(manager: "AsyncJobManager") -> list[Job]:
    """Return the stalled jobs, the oldest first."""
    found: list[Job] = []
    offset = 0
    while True:
        page = await manager.list_jobs(status=JobStatus.RUNNING, limit=PAGE, offset=offset)
        found += [job for job in page.jobs if job.stalled]
        offset += PAGE
        if offset >= page.total:
            return found[::-1]


async def _recover(
    manager: "AsyncJobManager", job: Job, tell: Callable[[Recovery], None]
) -> Recovery:
    """Carry one job to its end; where that fails, the reason is reported and others proceed."""
    try:
        started = await manager.start_sweep(job.job_id)
        tell(_as_it_is(started.job, started.action))
        last = started.job
        async for progress in manager.watch(job.job_id):
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
