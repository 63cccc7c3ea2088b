"""The store of a living worker vanishes, and a worker's lease is seen from another machine."""

import shutil
from datetime import timedelta

import pytest

from bilancio import machine
from bilancio.errors import StoreUnavailable
from bilancio.jobs import AsyncJobManager, JobStatus
from tests.faults.kit import NAME, carried_on, last_seen, until_gone, until_recorded

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(120)]


@pytest.fixture
def gate(isolated):
    return isolated / "gate"


@pytest.fixture
def config(gate):
    return {"sweep_type": "gated", "n": 400, "gate": 200, "file": str(gate)}


def remove(path):
    for each in path.parent.glob(path.name + "*"):
        each.unlink()


def replace(path):
    copy = path.with_name("copy.db")
    shutil.copy(path, copy)
    copy.replace(path)


@pytest.mark.parametrize("harm", [remove, replace])
async def test_a_worker_whose_store_is_gone_leaves_with_a_sentence(harm, manager, config):
    await manager.create_job("try", config, job_id=NAME)
    await manager.start_sweep(NAME)
    worker = await until_recorded(manager, 1)
    job = await manager.exact(NAME)
    harm((await manager.store()).database.path)
    await until_gone(worker)
    log = (job.folder / "worker.log").read_text()
    assert "was removed or replaced after it was opened" in log
    assert "Traceback" not in log.split("was removed or replaced")[-1]
    with pytest.raises(StoreUnavailable, match="removed or replaced"):
        await manager.exact(NAME)


async def test_a_job_of_a_replaced_store_is_resumed_from_what_is_there(manager, config, gate):
    await manager.create_job("try", config, job_id=NAME)
    await manager.start_sweep(NAME)
    worker = await until_recorded(manager, 1)
    replace((await manager.store()).database.path)
    await until_gone(worker)
    gate.touch()
    async with AsyncJobManager() as fresh:
        job = await carried_on(fresh, config)
        assert (job.status, job.completed_runs) == (JobStatus.COMPLETED, 400)


async def test_a_living_worker_renews_its_lease_for_readers_of_other_machines(
    manager, config, gate, monkeypatch
):
    """They see only the lease, and never call the job stalled while its worker lives."""
    monkeypatch.setenv("BILANCIO_LEASE_S", "2")
    async with AsyncJobManager() as here:
        await here.create_job("try", config, job_id=NAME)
        await here.start_sweep(NAME)
        worker = await until_recorded(here, 1)
    monkeypatch.setattr(machine, "host", lambda: "elsewhere")
    async with AsyncJobManager() as there:
        job = await there.exact(NAME)
        until = job.holder.expires_at + timedelta(seconds=2)
        while job.holder.expires_at < until:
            job = await there.exact(NAME)
            assert job.state == "running"
        worker.kill()
        await until_gone(worker)
        assert (await last_seen(there)).state == "stalled"
        gate.touch()
