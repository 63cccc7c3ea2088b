"""Another program keeps the database to itself for a while."""

import asyncio
import subprocess
import sys

import pytest

from bilancio.errors import StoreUnavailable
from bilancio.jobs import AsyncJobManager, JobStatus
from bilancio.jobs.store.sqlite import database as sqlite
from tests.faults.kit import NAME, assert_sound, last_seen, until_recorded

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(120)]

HOLDS = """
import select, sqlite3, sys
other = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
other.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
select.select([sys.stdin], [], [], float(sys.argv[2]))
other.execute("ROLLBACK")
"""
SMALL = {"sweep_type": "trivial", "n": 10}


@pytest.fixture
def exclusive():
    """Return a function that has another process lock the database for some seconds."""
    holders = []

    def hold(path, seconds):
        holder = subprocess.Popen(
            [sys.executable, "-c", HOLDS, str(path), str(seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        holders.append(holder)
        assert holder.stdout.readline() == b"held\n"
        return holder

    yield hold
    for holder in holders:
        holder.communicate()


@pytest.mark.parametrize("seconds", [1, 20])
async def test_nobody_fails_while_another_program_locks_the_store(
    seconds, manager, exclusive, isolated
):
    gate = isolated / "gate"
    config = {"sweep_type": "gated", "n": 400, "gate": 200, "file": str(gate)}
    await manager.create_job("try", config, job_id=NAME)
    await manager.start_sweep(NAME)
    await until_recorded(manager, 1)
    path = (await manager.store()).database.path
    holder = exclusive(path, seconds)
    gate.touch()
    async with AsyncJobManager() as other:
        written = asyncio.gather(
            manager.create_job("try", SMALL), other.create_job("try", SMALL, request_key="k")
        )
        assert (await manager.get_job(NAME)).status is JobStatus.RUNNING
        assert (await other.list_jobs()).total == 1
        assert holder.poll() is None
        assert {job.status for job in await written} == {JobStatus.PENDING}
    assert (await last_seen(manager)).status is JobStatus.COMPLETED
    await assert_sound(manager)


async def test_a_lock_beyond_the_limit_is_said_in_a_sentence(manager, exclusive, monkeypatch):
    await manager.create_job("try", SMALL)
    monkeypatch.setattr(sqlite, "BUSY_S", 1.0)
    exclusive((await manager.store()).database.path, 60).stdin.flush()
    with pytest.raises(StoreUnavailable, match=r"another program keeps it locked\. Try"):
        await manager.create_job("try", SMALL)
    assert (await manager.list_jobs()).total == 1
