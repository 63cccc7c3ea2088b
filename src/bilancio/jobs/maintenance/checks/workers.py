"""Checks of the locks that workers hold."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from bilancio.jobs.maintenance.checks.base import Checked, Fix, Issue, info, warning
from bilancio.jobs.session import Session
from bilancio.jobs.worker.lock_file import WorkerState, remove_stale, worker_state


async def check_locks(session: Session) -> AsyncIterator[Checked | Issue]:
    """Look for locks without a worker, and for workers that are stopped or hang."""
    for lock in (await session.store()).worker_locks():
        job_id = lock.name.split(".")[0]
        match await asyncio.to_thread(worker_state, lock):
            case WorkerState.DEAD:
                yield info(
                    f"Stale lock left by a dead worker of job {job_id} ({lock.name}).",
                    "Run `bilancio doctor --repair` to remove it; it does no harm.",
                    job_id=job_id,
                    fix=_remove(lock),
                )
            case WorkerState.UNRESPONSIVE:
                yield warning(
                    f"A worker of job {job_id} is stopped or hangs.",
                    "Let it continue, or end its process; its job can be resumed meanwhile.",
                    job_id=job_id,
                )
            case WorkerState.ALIVE | WorkerState.STARTING:
                pass


def _remove(lock: Path) -> Fix:
    async def remove() -> None:
        await asyncio.to_thread(remove_stale, [lock])

    return remove
