"""The file of a store becomes smaller when jobs are deleted, whoever else uses it."""

import asyncio
import sqlite3

import numpy as np
import pytest

from bilancio.jobs import AsyncJobManager
from bilancio.jobs.models import Lease
from bilancio.jobs.store import integrity, open_store, packing
from bilancio.jobs.worker.lock_file import WorkerLock
from tests.jobs.store.kit import CONFIG, SQLITE, record

MIB = 1 << 20
N_CHUNKS, CHUNK_ROWS = 12, 65_536  # half a MiB each


async def filled(store, name, isolated):
    """Add a job with 6 MiB of results that do not compress; return its lease."""
    about = {"description": "large", "notes": "", "tags": (), "engine": "e1", "out_dir": isolated}
    await store.add(name, CONFIG, executor="local", **about)
    lease, _ = await store.claim(name, "worker-a", lease_s=3000, executor="local")
    for number in range(N_CHUNKS):
        indices = np.arange(CHUNK_ROWS) + number * CHUNK_ROWS
        values = np.random.default_rng(number).random(CHUNK_ROWS)
        rows = np.rec.fromarrays([values], dtype=[("delta_total", float)])
        await record(store, lease, packing.split(indices, rows))
    return lease


async def deleted(store, name):
    await store.cancel(name, "")
    assert await store.delete(await store.job(name))


def size(isolated):
    return (isolated / "store.db").stat().st_size


def as_earlier_versions_made_it(path):
    with sqlite3.connect(path) as raw:
        raw.execute("PRAGMA auto_vacuum = NONE")
    raw.execute("VACUUM")
    raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    raw.close()


@pytest.fixture
async def both(store, isolated):
    """Two jobs, of which the first is in the middle of the file."""
    await filled(store, "large-job", isolated)
    await filled(store, "other-job", isolated)
    return [(chunk.first_index, chunk.crc32) for chunk in await store.chunks("other-job")]


@SQLITE
async def test_a_deleted_job_gives_its_room_back(store, both, isolated):
    before = size(isolated)
    await deleted(store, "large-job")
    assert before - size(isolated) > 5 * MIB
    assert [(chunk.first_index, chunk.crc32) for chunk in await store.chunks("other-job")] == both
    assert await store.integrity_errors() == []
    assert (await integrity.chunks(store)).faults == {}


@SQLITE
async def test_a_deletion_writes_no_log_of_what_it_deletes(store, both, isolated):
    await deleted(store, "large-job")
    assert (isolated / "store.db-wal").stat().st_size < MIB


@SQLITE
async def test_others_read_and_write_while_room_is_given_back(store, both, isolated, clock):
    second = await open_store(str(isolated / "store.db"), clock)
    lease = Lease(job_id="other-job", worker_id="worker-a", fence=1)

    async def renewed():
        for _ in range(50):
            await second.renew(lease, 3000)
            assert len(await second.chunks("other-job")) == N_CHUNKS

    before = size(isolated)
    await asyncio.gather(deleted(store, "large-job"), renewed())
    await second.close()
    await deleted(store, "other-job")
    assert size(isolated) < before / 20


@SQLITE
async def test_what_one_deletion_has_no_time_for_the_next_one_gives_back(
    store, both, isolated, monkeypatch
):
    with monkeypatch.context() as patch:
        patch.setattr("bilancio.jobs.store.sqlite.database.GIVE_BACK_S", 0)
        await deleted(store, "large-job")
    assert size(isolated) > 12 * MIB - CHUNK_ROWS
    await deleted(store, "other-job")
    assert size(isolated) < MIB


@SQLITE
async def test_a_store_of_an_earlier_version_gives_back_what_is_free_in_it(
    store, both, isolated, clock
):
    await store.close()
    as_earlier_versions_made_it(isolated / "store.db")
    again = await open_store(str(isolated / "store.db"), clock)
    before = size(isolated)
    await deleted(again, "large-job")
    assert before - size(isolated) > 5 * MIB
    assert (await again.space()).stepwise
    assert [(chunk.first_index, chunk.crc32) for chunk in await again.chunks("other-job")] == both
    await again.close()


async def test_a_large_store_of_an_earlier_version_is_written_anew_when_the_doctor_is_asked_to(
    isolated, clock, monkeypatch
):
    monkeypatch.setattr("bilancio.jobs.store.sqlite.database.LITTLE_BYTES", 0)
    monkeypatch.setattr("bilancio.jobs.maintenance.checks.store.MUCH_FREE", MIB)
    path = isolated / "store.db"
    async with AsyncJobManager(str(path), clock=clock) as manager:
        await filled(await manager.store(), "large-job", isolated)
    as_earlier_versions_made_it(path)
    async with AsyncJobManager(str(path), clock=clock) as manager:
        store = await manager.store()
        await deleted(store, "large-job")
        await store.close()
    before = size(isolated)
    assert before > 5 * MIB
    async with AsyncJobManager(str(path), clock=clock) as manager:
        lock = WorkerLock((await manager.store()).worker_lock("busy-job", 1))
        assert lock.acquire()
        (repair,) = [
            each.repair
            for each in (await manager.doctor(repair=True)).findings
            if "MiB of the store's file hold nothing" in each.message
        ]
        assert "when no job runs" in repair
        assert size(isolated) == before
        lock.release()
        assert any("hold nothing" in each for each in (await manager.doctor(repair=True)).repaired)
        assert size(isolated) < MIB
        assert not any("hold nothing" in each.message for each in (await manager.doctor()).findings)
