"""Checks of jobs: whether running ones have a worker, and all of them their experiment."""

from collections import defaultdict
from collections.abc import AsyncIterator

from bilancio.errors import InvalidInput
from bilancio.experiments import registry
from bilancio.jobs.lookup import with_stall
from bilancio.jobs.maintenance.checks.base import (
    Checked,
    Issue,
    cut,
    info,
    warning,
)
from bilancio.jobs.models import Job, JobStatus
from bilancio.jobs.session import Session
from bilancio.jobs.store import Criteria, JobStore
from bilancio.text import plural

PAGE = 500


async def check_stalled(session: Session) -> AsyncIterator[Checked | Issue]:
    """Look whether each running job has a worker."""
    running = 0
    async for job in _jobs(await session.store(), JobStatus.RUNNING):
        running += 1
        if (await with_stall(session, job)).stalled:
            yield warning(
                f"Job {job.job_id} has stalled at {job.completed_runs:,} of {job.total_runs:,} "
                "runs: its worker is gone.",
                f"bilancio jobs resume {job.job_id}, or bilancio worker --recover for all.",
                job_id=job.job_id,
            )
    yield Checked(f"{plural(running, 'running job')} and their workers")


async def check_experiments(session: Session) -> AsyncIterator[Checked | Issue]:
    """Look whether the experiment of each job is installed."""
    try:
        known = set(registry.sweep_types())
    except InvalidInput:  # a plug-in that does not load, which is a finding of its own
        return
    missing = defaultdict(list)
    unfinished = set()
    async for job in _jobs(await session.store()):
        if job.config.sweep_type not in known and not job.manual:
            missing[job.config.sweep_type].append(job.job_id)
            if job.status is not JobStatus.COMPLETED:
                unfinished.add(job.config.sweep_type)
    for sweep_type, jobs in missing.items():
        # One store serves many projects, each with simulations of its own.
        said = warning if sweep_type in unfinished else info
        yield said(
            f"{plural(len(jobs), 'job')} of sweep type {sweep_type!r} ({', '.join(cut(jobs, 3))}) "
            "can be neither resumed nor verified here: no experiment of this name is found.",
            "Work in the folder of its project, install it, or name it in pyproject.toml, "
            "BILANCIO_EXPERIMENTS or BILANCIO_PLUGINS.",
        )


async def _jobs(store: JobStore, status: JobStatus | None = None) -> AsyncIterator[Job]:
    offset = 0
    while True:
        page = await store.jobs(Criteria(status=status), limit=PAGE, offset=offset)
        for job in page.jobs:
            yield job
        offset += PAGE
        if offset >= page.total:
            return
