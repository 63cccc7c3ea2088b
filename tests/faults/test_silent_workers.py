"""Workers that are stopped and woken, and clocks that jump."""

from datetime import UTC, datetime, timedelta

import psutil
import pytest

from bilancio.jobs import AsyncJobManager
from bilancio.jobs.store.sqlite.file_lock import FileLock
from tests.faults.kit import (
    NAME,
    assert_sound,
    carried_on,
    last_seen,
    outcome,
    until_gone,
    until_recorded,
)

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(120)]

DAY = timedelta(days=1)


@pytest.fixture
def gate(isolated):
    return isolated / "gate"


@pytest.fixture
def config(gate):
    return {"sweep_type": "gated", "n": 1_000, "gate": 500, "file": str(gate)}


@pytest.fixture
async def worker(manager, config):
    await manager.create_job("try", config, job_id=NAME)
    await manager.start_sweep(NAME)
    process = await until_recorded(manager, 1)
    yield process
    if process.is_running():
        process.kill()


async def stop(worker, manager):
    """Stop the worker while it does not write: nobody can take the store's lock from it."""
    lock = FileLock((await manager.store()).database.path.with_name("store.lock"))
    try:
        while True:
            worker.suspend()
            while worker.status() != psutil.STATUS_STOPPED:
                pass
            if lock.try_acquire(exclusive=True):
                return
            worker.resume()
    finally:
        lock.close()


@pytest.fixture
def short_lease(monkeypatch):
    monkeypatch.setenv("BILANCIO_LEASE_S", "1")


@pytest.mark.usefixtures("short_lease")
@pytest.mark.parametrize("woken", ["during", "after"])
async def test_a_worker_woken_after_its_lease_writes_nothing_and_leaves(
    worker, woken, manager, gate, expected
):
    """It is woken while its successor computes, or when the job has ended."""
    await stop(worker, manager)
    stalled = await last_seen(manager)
    assert stalled.state == "stalled"
    assert (await manager.start_sweep(NAME)).action == "recovered"
    if woken == "after":
        gate.touch()
        await last_seen(manager)
    worker.resume()
    await until_gone(worker)
    gate.touch()
    job = await last_seen(manager)
    assert job.attempts == 2
    assert "no longer holds job" in (job.folder / "worker.log").read_text()
    await assert_sound(manager)
    assert await outcome(manager) == await expected(job.config.as_dict())


@pytest.fixture(params=[-DAY, DAY], ids=["back", "forward"])
async def mistaken(request):
    """A manager whose clock was set back or forward by a day."""
    async with AsyncJobManager(clock=lambda: datetime.now(UTC) + request.param) as manager:
        yield manager


async def test_a_living_worker_keeps_its_job_when_the_clock_jumps_a_day(worker, mistaken, gate):
    assert (await mistaken.get_job(NAME)).state == "running"
    assert (await mistaken.start_sweep(NAME)).action == "already running"
    gate.touch()
    assert (await last_seen(mistaken)).status == "completed"
    await assert_sound(mistaken)


async def test_a_dead_worker_is_seen_and_replaced_when_the_clock_jumps_a_day(
    worker, mistaken, gate, config, expected
):
    worker.kill()
    await until_gone(worker)
    assert (await mistaken.get_job(NAME)).state == "stalled"
    assert (await mistaken.start_sweep(NAME)).action == "recovered"
    gate.touch()
    await carried_on(mistaken, config)
    await assert_sound(mistaken)
    assert await outcome(mistaken) == await expected(config)


@pytest.mark.usefixtures("short_lease")
async def test_a_stopped_worker_is_seen_and_replaced_when_the_clock_jumps_a_day(
    worker, mistaken, gate, config
):
    await stop(worker, mistaken)
    assert (await last_seen(mistaken)).state == "stalled"
    assert (await mistaken.start_sweep(NAME)).action == "recovered"
    gate.touch()
    assert (await carried_on(mistaken, config)).status == "completed"
    await assert_sound(mistaken)
