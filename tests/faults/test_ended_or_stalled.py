"""A reader that looks while a worker leaves."""

import pytest

from bilancio.jobs import JobStatus
from bilancio.jobs.models import Lease
from bilancio.jobs.store.store import JobStore
from tests.faults.kit import NAME

pytestmark = [pytest.mark.faults, pytest.mark.timeout(60)]


async def test_a_job_that_ends_while_somebody_looks_is_never_called_stalled(manager, monkeypatch):
    """The row was read before the worker ended the job, its sign of life when it had left."""
    await manager.create_job("try", {"sweep_type": "trivial", "n": 10}, job_id=NAME)
    store = await manager.store()
    lease, _ = await store.claim(NAME, "w", lease_s=30, executor="local", pid=2**30)
    running = await store.job(NAME)
    await store.end(Lease(**lease.model_dump()), JobStatus.FAILED, error="no")
    ended, rows = JobStore.job, [running]

    async def late(self, job_id):
        return rows.pop() if rows else await ended(self, job_id)

    monkeypatch.setattr(JobStore, "job", late)
    assert (await manager.exact(NAME)).state == "failed"
