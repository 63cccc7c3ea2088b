"""Flipped bits, lost logs, cut files, and files that cannot be written."""

import os
import shutil
import sqlite3
import tempfile
from pathlib import Path

import pytest

from bilancio.errors import StoreCorrupt, StoreUnavailable
from bilancio.jobs import AsyncJobManager, JobStatus
from bilancio.jobs.store import open_store
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

CONFIG = {"sweep_type": "trivial", "n": 2_000}
NOBODY = 65534


async def test_flipped_bits_are_named_by_their_runs_and_hurt_no_other_job(manager):
    for name in ("whole-job", "hurt-job"):
        await manager.create_job("try", CONFIG, job_id=name)
        await manager.run_job(name)
    path = (await manager.store()).database.path
    with sqlite3.connect(path) as raw:
        where = "WHERE job_id = 'hurt-job' ORDER BY first_index LIMIT 1 OFFSET 1"
        first, last, stored = raw.execute(
            f"SELECT first_index, last_index, metrics FROM chunks {where}"
        ).fetchone()
        flipped = bytearray(stored)
        flipped[len(stored) // 2] ^= 16
        raw.execute(
            "UPDATE chunks SET metrics = ? WHERE job_id = 'hurt-job' AND first_index = ?",
            (bytes(flipped), first),
        )
    raw.close()
    with pytest.raises(
        StoreCorrupt, match=f"Job hurt-job is damaged.*checksum of runs {first}–{last}"
    ):
        await manager.results("hurt-job")
    with pytest.raises(StoreCorrupt, match=f"Job hurt-job.*runs {first}–{last}"):
        await manager.runs("hurt-job", offset=first, limit=5)
    assert (await manager.runs("hurt-job", limit=5))[4]["value"] == 8
    assert (await manager.results("whole-job")).summary["completed_runs"] == 2_000
    assert (await manager.progress("hurt-job")).done_runs == 2_000


async def test_a_job_whose_log_was_deleted_is_consistent_and_completes(isolated, expected):
    gate = isolated / "gate"
    config = {"sweep_type": "gated", "n": 400, "gate": 200, "file": str(gate)}
    async with AsyncJobManager() as manager:
        await manager.create_job("try", config, job_id=NAME)
    async with AsyncJobManager() as manager:
        await manager.start_sweep(NAME)
        worker = await until_recorded(manager, 1)
        path = (await manager.store()).database.path
        worker.kill()
        await until_gone(worker)
        shutil.copy(path, path.with_name("kept.db"))
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        path.with_name(name).unlink(missing_ok=True)
    path.with_name("kept.db").rename(path)
    async with AsyncJobManager() as manager:
        await assert_sound(manager)
        assert (await last_seen(manager)).completed_runs == 0
        gate.touch()
        await carried_on(manager, config)
        await assert_sound(manager)
        assert await outcome(manager) == await expected(config)


async def completed_store(path):
    async with AsyncJobManager(str(path)) as manager:
        for number in range(20):
            await manager.create_job("x" * 5_000, CONFIG, job_id=f"job-{number}")


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
async def test_a_file_that_was_cut_is_refused_and_left_as_it_is(kept, isolated):
    path = isolated / "cut.db"
    await completed_store(path)
    os.truncate(path, int(path.stat().st_size * kept))
    before = path.read_bytes()
    with pytest.raises(StoreCorrupt, match=r"damaged.*Restore it from a backup"):
        await open_store(str(path))
    assert path.read_bytes() == before


@pytest.fixture
def common():
    """A folder that others than root may enter."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def as_nobody():
    """Give up the right to write everywhere, which root has."""
    if os.geteuid() == 0:
        os.seteuid(NOBODY)
        yield
        os.seteuid(0)
    else:
        yield


@pytest.fixture
async def readable(common):
    path = common / "store.db"
    await completed_store(path)
    for each in (*common.iterdir(), common):
        each.chmod(0o555 if each.is_dir() else 0o444)
    yield path
    common.chmod(0o755)


async def test_a_store_that_can_only_be_read_answers_and_takes_nothing(readable, as_nobody):
    before = readable.read_bytes()
    async with AsyncJobManager(str(readable)) as manager:
        assert (await manager.list_jobs()).total == 20
        assert (await manager.exact("job-7")).status is JobStatus.PENDING
        with pytest.raises(StoreUnavailable, match=r"cannot be written|[Pp]ermission"):
            await manager.cancel_job("job-7")
    assert readable.read_bytes() == before


@pytest.fixture
def closed(common):
    """A folder that nobody but root may write to."""
    common.chmod(0o555)
    yield common
    common.chmod(0o755)


async def test_a_folder_that_cannot_be_written_takes_no_store(closed, as_nobody):
    store = await open_store(str(closed / "sub" / "store.db"))
    assert await store.job_ids() == []
    with pytest.raises(StoreUnavailable, match=r"denied\. Grant permission, or set BILANCIO_"):
        await store.recount("any-job")
    await store.close()
