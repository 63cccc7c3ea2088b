"""Checks of jobs that are under way."""

from collections.abc import AsyncIterator

from bilancio.jobs.maintenance.checks.base import Checked, Examined, Issue, count, warning
from bilancio.jobs.models import Job, JobStatus
from bilancio.jobs.store import JobStore

PAGE = 500


async def check_stalled(examined: Examined) -> AsyncIterator[Checked | Issue]:
    """Look whether each running job has a worker."""
    running = 0
    async for job in _running(examined.store):
        running += 1
        if (await examined.with_stall(examined.store, job)).stalled:
            yield warning(
                f"Job {job.job_id} has stalled at {job.completed_runs:,} of {job.total_runs:,} "
                "runs: its worker is gone.",
                f"bilancio jobs resume {job.job_id}, or bilancio worker --recover for all.",
                job_id=job.job_id,
            )
    yield Checked(f"{count(running, 'running job')} and their workers")


async def _running(store: JobStore) -> AsyncIterator[Job]:
    offset = 0
    while True:
        jobs, total = await store.jobs(status=JobStatus.RUNNING, limit=PAGE, offset=offset)
        for job in jobs:
            yield job
        offset += PAGE
        if offset >= total:
            return
