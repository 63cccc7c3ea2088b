"""A store that is not there yet, is removed or replaced while open, or cannot be written."""

import asyncio
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from bilancio.errors import NotAStore, StoreCorrupt, StoreError, StoreUnavailable
from bilancio.jobs import AsyncJobManager
from bilancio.jobs.store import open_store
from bilancio.jobs.store.sqlite.file import StoreFiles
from tests.jobs.store.kit import CONFIG, as_nobody

SERVER = """
import sys
from pathlib import Path
from bilancio.errors import StoreError
from bilancio.jobs import JobManager
with JobManager(sys.argv[1]) as manager:
    manager.create_job("try", {"sweep_type": "single"}, job_id="job-1")
    for line in sys.stdin:
        try:
            if line == "list\\n":
                print(manager.list_jobs().total, flush=True)
            else:
                print(manager.create_job("try", {"sweep_type": "single"}).job_id, flush=True)
        except StoreError as error:
            print("refused:", error, flush=True)
"""


@pytest.fixture
def path(isolated):
    return isolated / "place" / "store.db"


@pytest.fixture
def server(path):
    """A process that has the store open; ask it to `create` or `list`."""
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def ask(what):
        process.stdin.write(what + "\n")
        process.stdin.flush()
        return process.stdout.readline().strip()

    try:
        assert ask("list") == "1"
        yield ask
    finally:
        process.kill()
        process.communicate()


async def create(path, job_id="first-job"):
    async with AsyncJobManager(str(path)) as manager:
        await manager.create_job("try", CONFIG, job_id=job_id)


async def names(path):
    store = await open_store(str(path))
    try:
        return await store.job_ids()
    finally:
        await store.close()


def remove(path):
    for each in path.parent.glob(path.name + "*"):
        each.unlink()


def remove_log(path):
    path.with_name(path.name + "-wal").unlink()


def replace(path):
    copy = path.with_name("copy.db")
    shutil.copy(path, copy)
    copy.replace(path)


def move_folder(path):
    path.parent.rename(path.parent.with_name("elsewhere"))


async def test_a_question_makes_no_store(path):
    async with AsyncJobManager(str(path)) as manager:
        assert (await manager.list_jobs()).total == 0
        assert await manager.get_job("no-such-job") is None
        assert "no store yet: the first job creates it" in (await manager.doctor()).checked
    assert not path.parent.exists()


async def test_a_store_opened_before_it_exists_sees_what_others_store_there(path):
    early = await open_store(str(path))
    assert await early.job_ids() == []
    await create(path)
    assert await early.job_ids() == ["first-job"]
    await early.close()


@pytest.mark.parametrize("harm", [remove, remove_log, replace, move_folder])
def test_a_server_whose_store_is_removed_or_replaced_refuses_every_call(path, server, harm):
    harm(path)
    for what in ("create", "list", "create"):
        answer = server(what)
        assert answer.startswith("refused: The store"), answer
        assert "was removed or replaced after it was opened" in answer
    if harm is replace:
        assert contents(path) == ["job-1"]
    elif harm is not remove_log:
        assert not path.exists()


def contents(path):
    """Return the jobs that a fresh process finds in the store."""
    script = (
        "import sys\nfrom bilancio.jobs import JobManager\n"
        "with JobManager(sys.argv[1]) as manager:\n"
        "    print(*[job.job_id for job in manager.list_jobs().jobs])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True
    )
    return done.stdout.split()


async def test_a_job_is_not_accepted_when_the_file_vanishes_during_the_write(path, monkeypatch):
    await create(path)
    store = await open_store(str(path))
    removed = False

    async def write():
        nonlocal removed
        async with store.database.write("first-job") as transaction:
            await transaction.execute("recount", job_id="first-job")
            remove(path)
            removed = True

    with pytest.raises(StoreUnavailable, match="removed or replaced"):
        await write()
    assert removed
    await store.close()


@pytest.mark.parametrize("beside", ["workers", "store.lock"])
async def test_an_empty_file_beside_what_a_store_leaves_is_refused(path, beside):
    await create(path)
    remove(path)
    path.touch()
    for each in ("workers", "store.lock"):
        other = path.with_name(each)
        if each == beside:
            other.mkdir() if each == "workers" else other.touch()
        elif other.exists():
            other.unlink()
    with pytest.raises(StoreCorrupt, match=rf"its file is empty, but {beside} beside it shows"):
        await open_store(str(path))
    assert path.stat().st_size == 0


@pytest.mark.parametrize("state", ["empty", "missing"])
async def test_a_log_without_its_file_is_refused_and_kept(path, state):
    await create(path)
    remove(path)
    log = path.with_name(path.name + "-wal")
    log.write_bytes(b"x" * 100)
    if state == "empty":
        path.touch()
    with pytest.raises(StoreCorrupt, match=rf"its file is {state}, but the log store.db-wal"):
        await open_store(str(path))
    assert log.read_bytes() == b"x" * 100


def test_a_store_that_another_process_makes_between_two_looks_is_opened(path):
    class Slow(StoreFiles):
        """Files of a store that appears, log and all, right after they were looked at first."""

        def has_content(self):
            found = super().has_content()
            if not found:
                path.parent.mkdir()
                connection = sqlite3.connect(path)
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("CREATE TABLE made (name)")
                self.made.append(connection)
            return found

    Slow.made = []
    files = Slow(path)
    assert files.exists()
    assert files.log_size() > 0
    Slow.made.pop().close()


async def test_an_empty_file_alone_becomes_a_store(path):
    path.parent.mkdir()
    path.touch()
    await create(path)
    assert await names(path) == ["first-job"]


@pytest.mark.parametrize("kept", [1, 15, 16, 50, 100])
async def test_a_store_cut_to_a_few_bytes_is_refused(path, kept):
    await create(path)
    os.truncate(path, kept)
    with pytest.raises(StoreError, match=r"damaged|not a SQLite database"):
        await open_store(str(path))
    assert path.stat().st_size == kept


def test_a_kill_while_a_store_is_made_leaves_nothing_half_made(path):
    command = [sys.executable, "-c", SERVER, str(path)]
    killed = subprocess.run(
        command, env=os.environ | {"BILANCIO_CRASH_AT": "migration"}, check=False, input=b""
    )
    assert killed.returncode == -signal.SIGKILL
    assert not path.exists()
    assert subprocess.run(command, check=False, input=b"").returncode == 0
    assert contents(path) == ["job-1"]
    assert not [each.name for each in path.parent.iterdir() if each.name.startswith(".")]


def listing(folder):
    return {each.name: each.stat().st_mtime_ns for each in folder.iterdir()}


@pytest.mark.parametrize("neighbours", ["none", "log"])
async def test_a_store_in_a_folder_that_cannot_be_written_answers_questions(common, neighbours):
    path = common / "store.db"
    await create(path)
    path.with_name("store.lock").unlink()
    busy = await open_store(str(path)) if neighbours == "log" else None
    for each in common.iterdir():
        each.chmod(0o444)
    common.chmod(0o555)
    before = listing(common)
    with as_nobody():
        store = await open_store(str(path))
        assert await store.job_ids() == ["first-job"]
        assert (await store.job("first-job")).description == "try"
        assert await store.integrity_errors() == []
        with pytest.raises(StoreUnavailable, match=r"[Pp]ermission"):
            await store.cancel("first-job", "")
        await store.close()
    assert listing(common) == before
    if busy is not None:
        await busy.close()


async def test_a_file_that_cannot_be_written_answers_questions(common):
    path = common / "store.db"
    await create(path)
    path.chmod(0o444)
    common.chmod(0o777)
    path.with_name("store.lock").chmod(0o666)
    with as_nobody():
        store = await open_store(str(path))
        assert await store.job_ids() == ["first-job"]
        with pytest.raises(StoreUnavailable, match=r"cannot be written. Check the permissions"):
            await store.cancel("first-job", "")
        await store.close()


async def test_a_store_that_can_be_written_again_is_written_without_a_restart(common):
    path = common / "store.db"
    await create(path)
    path.with_name("store.lock").unlink()
    common.chmod(0o555)
    path.chmod(0o444)
    with as_nobody():
        store = await open_store(str(path))
        with pytest.raises(StoreUnavailable):
            await store.cancel("first-job", "")
    common.chmod(0o777)
    path.chmod(0o666)
    with as_nobody():
        assert await store.cancel("first-job", "")
        await store.close()


async def test_a_store_that_is_read_by_nobody_is_refused_in_a_sentence(common):
    path = common / "store.db"
    await create(path)
    path.chmod(0)
    with as_nobody(), pytest.raises(StoreUnavailable, match=r"cannot be opened\. Check"):
        await open_store(str(path))


@pytest.mark.parametrize(
    "url", ["/proc/self/nowhere/s.db", "/dev/null/s.db", "x" * 300 + "/s.db", "a/" + "y" * 300]
)
async def test_a_place_where_no_store_can_be_is_a_sentence_at_the_first_write(
    url, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    async with AsyncJobManager(url) as manager:
        with pytest.raises(StoreError, match=r"The store .* cannot be used"):
            await manager.create_job("try", CONFIG)


@pytest.mark.parametrize("kind", ["fifo", "device", "folder"])
async def test_what_is_not_a_file_is_refused_and_left_as_it_is(isolated, kind):
    path = isolated / "odd"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to("/dev/null")
    with pytest.raises(NotAStore, match="it is not a file"):
        await open_store(str(path))
    assert path.is_fifo() or path.is_dir() or Path("/dev/null").is_char_device()


async def test_a_store_behind_a_link_is_the_same_store(path, isolated):
    """Log, lock and workers lie beside the file itself, whatever it is called."""
    link = isolated / "elsewhere" / "link.db"
    link.parent.mkdir()
    path.parent.mkdir()
    link.symlink_to(path)
    await create(link)
    assert await names(path) == ["first-job"]
    assert [each.name for each in link.parent.iterdir()] == ["link.db"]
    first, second = await open_store(str(link)), await open_store(str(path))
    assert first.worker_lock("x", 1) == second.worker_lock("x", 1)
    await first.close()
    await second.close()


async def test_opening_a_store_twice_keeps_its_log_from_other_programs(path):
    """A file that is opened beside SQLite and closed again costs SQLite all its locks on it."""
    await create(path)
    first = await open_store(str(path))
    second = await open_store(str(path))
    assert await first.cancel("first-job", "")
    script = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('SELECT 1 FROM jobs')"
    command = [sys.executable, "-c", script, str(path)]
    await asyncio.to_thread(subprocess.run, command, check=True)
    for store in (first, second):
        assert (await store.job("first-job")).status == "cancelled"
        await store.recount("first-job")
        await store.close()


async def test_a_lock_file_that_is_removed_still_keeps_processes_apart(path):
    await create(path)
    early = await open_store(str(path))
    path.with_name("store.lock").unlink()
    late = await open_store(str(path))
    async with late.database.write("my-job"):
        assert not early.database._lock.try_acquire(exclusive=True)
    assert early.database._lock.try_acquire(exclusive=True)
    early.database._lock.release()
    await early.close()
    await late.close()


@pytest.mark.parametrize("url", ["~nosuchuser/s.db", "a\0b.db", "a\udcffb.db", "sqlite:///"])
async def test_a_path_that_no_file_can_have_is_refused(url):
    with pytest.raises(ValueError, match="BILANCIO_DATABASE_URL: got"):
        await open_store(url)
