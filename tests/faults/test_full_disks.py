"""No room to write: the job fails with the reason or stalls, and goes on when there is room."""

import asyncio
import contextlib
import resource
import subprocess
import sys

import pytest

from bilancio.errors import StoreUnavailable
from bilancio.jobs import AsyncJobManager
from bilancio.jobs.store.sqlite import database as sqlite
from tests.faults.kit import (
    NAME,
    assert_sound,
    carried_on,
    finished,
    last_seen,
    outcome,
    started,
)
from tests.night import nightly

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(120)]

CONFIG = {"sweep_type": "trivial", "n": 250_000}
KIB = 1024


@pytest.fixture
def no_file_beyond():
    """Return a function that lets no file of this process and its children grow further."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def limit(size):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))

    yield limit
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size", [200 * KIB, *nightly(40 * KIB, 4_100 * KIB)])
async def test_a_job_without_room_fails_or_stalls_and_completes_when_there_is_room(
    size, no_file_beyond, expected
):
    whole = await expected(CONFIG)
    no_file_beyond(size)
    starting = started(CONFIG)
    no_file_beyond(resource.RLIM_INFINITY)
    complaint = finished(starting)[2]
    async with AsyncJobManager() as manager:
        if (await manager.list_jobs()).total:
            job = await last_seen(manager)
            assert job.state in {"pending", "failed", "stalled"}
            if job.state == "failed":
                assert "disk" in job.error or "File too large" in job.error
        else:
            assert "StoreUnavailable" in complaint
        await assert_sound(manager)
        await carried_on(manager, CONFIG)
        await assert_sound(manager)
        assert await outcome(manager) == whole


async def test_a_write_is_stored_although_the_log_cannot_be_checkpointed(
    isolated, no_file_beyond, monkeypatch
):
    """The write came first; that its log stays long is no failure of it."""
    monkeypatch.setattr(sqlite, "CHECKPOINT_BYTES", 1)
    path, long = isolated / "s.db", "x" * 9_000
    async with AsyncJobManager(str(path)) as manager:
        for number in range(20):
            await manager.create_job(long, {"sweep_type": "trivial"}, job_id=f"job-{number}")
        no_file_beyond(path.stat().st_size)
        await manager.create_job(long, {"sweep_type": "trivial"}, job_id="last-job")
        no_file_beyond(resource.RLIM_INFINITY)
        assert await manager.get_job("last-job")
        await manager.create_job(long, {"sweep_type": "trivial"})
        assert path.with_name("s.db-wal").stat().st_size == 0
        await assert_sound(manager)


@pytest.fixture
def tiny_disk(isolated):
    """A disk of three megabytes, and a function that makes it larger."""
    folder = isolated / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o"]
    done = subprocess.run([*mount, "size=3m", "none", folder], capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"no disk of its own can be mounted here: {done.stderr.decode().strip()}")

    def enlarge():
        subprocess.run([*mount, "remount,size=100m", "none", folder], check=True)

    yield folder, enlarge
    subprocess.run(["umount", "--lazy", folder], check=True)


async def test_a_job_on_a_full_disk_fails_or_stalls_and_completes_when_there_is_room(
    tiny_disk, monkeypatch, expected
):
    whole = await expected(CONFIG)
    folder, enlarge = tiny_disk
    monkeypatch.setenv("BILANCIO_DATABASE_URL", str(folder / "s.db"))
    monkeypatch.setenv("BILANCIO_OUT_DIR", str(folder / "out"))
    finished(started(CONFIG))
    async with AsyncJobManager() as manager:
        job = await last_seen(manager)
        assert job.state in {"failed", "stalled"}
        if job.state == "failed":
            assert "disk is full" in job.error or "No space left" in job.error
        enlarge()
        await assert_sound(manager)
        await carried_on(manager, CONFIG)
        await assert_sound(manager)
        assert await outcome(manager) == whole


async def test_a_full_disk_is_said_in_a_sentence_and_changes_nothing(tiny_disk):
    folder, enlarge = tiny_disk
    async with AsyncJobManager(str(folder / "s.db"), out_dir=folder / "out") as manager:
        await manager.create_job("try", {"sweep_type": "trivial"}, job_id=NAME)
        fill(folder / "ballast")
        with pytest.raises(StoreUnavailable, match=r"the disk is full\. Free some space and"):
            await creating_without_end(manager)
        total = (await manager.list_jobs(limit=1000)).total
        enlarge()
        await manager.create_job("try", {"sweep_type": "trivial"})
        assert (await manager.list_jobs(limit=1000)).total == total + 1
        await assert_sound(manager)


@pytest.mark.parametrize("killed", [False, True], ids=["closed", "killed"])
async def test_questions_are_answered_on_a_full_disk(tiny_disk, killed):
    """A store that was closed has no log, and there is no room to make one."""
    folder, _ = tiny_disk
    script = (
        "import os, sys\nfrom bilancio.jobs import JobManager\n"
        "with JobManager(sys.argv[1], out_dir=sys.argv[2]) as manager:\n"
        "    manager.create_job('try', {'sweep_type': 'single'}, job_id='first-job')\n"
        f"    {killed} and os._exit(0)\n"
    )
    command = [sys.executable, "-c", script, str(folder / "s.db"), str(folder / "out")]
    await asyncio.to_thread(subprocess.run, command, check=True)
    fill(folder / "ballast")
    async with AsyncJobManager(str(folder / "s.db"), out_dir=folder / "out") as manager:
        assert (await manager.list_jobs()).total == 1
        assert (await manager.exact("first-job")).status == "pending"
        with pytest.raises(StoreUnavailable):
            await creating_without_end(manager)
        assert (await manager.list_jobs()).total >= 1


def fill(path):
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(4 * KIB)):
            pass


async def creating_without_end(manager):
    while True:
        await manager.create_job("x" * 9_000, {"sweep_type": "trivial"})
