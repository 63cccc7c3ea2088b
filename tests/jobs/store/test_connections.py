"""How connections are set, and how writers, readers and checkpoints of processes meet."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing

import pytest

from bilancio.errors import StoreCorrupt, StoreUnavailable
from bilancio.jobs import AsyncJobManager
from bilancio.jobs.store import open_store
from bilancio.jobs.store.sqlite import database as module
from bilancio.jobs.store.sqlite import explained
from tests.jobs.store.kit import CONFIG

LONG = "x" * 9_000
WRITER = """
import asyncio, sys
from bilancio.jobs.store import open_store
async def main():
    store = await open_store(sys.argv[1])
    async with store.database.write("first-job") as transaction:
        await transaction.execute("recount", job_id="first-job")
        await transaction._connection.commit()
        print("writing", flush=True)
        sys.stdin.readline()
    await store.close()
    print("done", flush=True)
asyncio.run(main())
"""
CHECKPOINT = """
import asyncio, sys
from bilancio.jobs.store import open_store
from bilancio.jobs.store.sqlite import database
async def slow(connection):
    print("checkpointing", flush=True)
    sys.stdin.readline()
    await connection.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)")
database._checkpoint = slow
database.CHECKPOINT_BYTES = 1
async def main():
    store = await open_store(sys.argv[1])
    await store.cancel("first-job", "")
    print("done", flush=True)
    sys.stdin.readline()
asyncio.run(main())
"""


class Other:
    """Another process, which waits for a line before it continues."""

    def __init__(self, script, path, **environment):
        self.process = subprocess.Popen(
            [sys.executable, "-c", script, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | environment,
        )

    def heard(self):
        return self.process.stdout.readline().strip()

    def proceed(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def end(self):
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def other(path):
    processes = []

    def start(script, **environment):
        processes.append(Other(script, path, **environment))
        return processes[-1]

    yield start
    for each in processes:
        each.end()


@pytest.fixture
async def path(isolated):
    path = isolated / "store.db"
    async with AsyncJobManager(str(path)) as manager:
        await manager.create_job("try", CONFIG, job_id="first-job")
    return path


@pytest.fixture
async def store(path):
    store = await open_store(str(path))
    yield store
    await store.close()


def log_size(path):
    return path.with_name(path.name + "-wal").stat().st_size


@pytest.mark.parametrize(
    ("pragma", "value"),
    [
        ("journal_mode", "wal"),
        ("synchronous", 2),
        ("foreign_keys", 1),
        ("wal_autocheckpoint", 0),
        ("busy_timeout", 1000),
        ("auto_vacuum", 2),
        ("secure_delete", 2),
    ],
)
async def test_both_connections_are_set_as_the_store_needs_it(store, pragma, value):
    for connection in (store.database._writer, store.database._reader):
        rows = list(await connection.execute_fetchall(f"PRAGMA {pragma}"))
        assert rows[0][0] == value


async def test_the_connection_that_reads_cannot_write(store):
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        await store.database._reader.execute("DELETE FROM jobs")


async def test_a_transaction_holds_the_write_lock_from_its_beginning(store, path):
    """Nothing was written yet, and no other writer can come between."""
    async with store.database.write("first-job"):
        with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as raw:
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                raw.execute("BEGIN IMMEDIATE")
            assert raw.execute("SELECT count(*) FROM jobs").fetchone() == (1,)


async def test_a_checkpoint_waits_for_the_writers_of_other_processes(
    store, path, other, monkeypatch
):
    monkeypatch.setattr(module, "CHECKPOINT_BYTES", 1)
    writer = other(WRITER)
    assert writer.heard() == "writing"
    await store.cancel("first-job", LONG)
    assert log_size(path) > len(LONG)
    writer.proceed()
    assert writer.heard() == "done"
    await store.recount("first-job")
    assert log_size(path) == 0


async def test_writers_wait_for_the_checkpoint_of_another_process(store, other):
    checkpoint = other(CHECKPOINT)
    assert checkpoint.heard() == "checkpointing"
    writing = asyncio.ensure_future(store.recount("first-job"))
    _, waiting = await asyncio.wait({writing}, timeout=0.3)
    assert waiting == {writing}
    assert (await store.job("first-job")).status == "cancelled"
    checkpoint.proceed()
    assert checkpoint.heard() == "done"
    await writing


async def test_a_close_waits_for_the_writers_of_other_processes(path, other):
    """A last close checkpoints as well."""
    writer = other(WRITER)
    store = await open_store(str(path))
    assert writer.heard() == "writing"
    closing = asyncio.ensure_future(store.close())
    _, waiting = await asyncio.wait({closing}, timeout=0.3)
    assert waiting == {closing}
    writer.proceed()
    assert writer.heard() == "done"
    await closing


async def test_a_write_does_not_wait_for_ever_for_a_checkpoint(store, other, monkeypatch):
    monkeypatch.setattr(module, "BUSY_S", 0.1)
    assert other(CHECKPOINT).heard() == "checkpointing"
    with pytest.raises(StoreUnavailable, match=r"its lock was held for 0 s\. Try again"):
        await store.recount("first-job")


async def test_a_killed_writer_keeps_no_lock(store, other):
    writer = other(WRITER)
    assert writer.heard() == "writing"
    writer.process.send_signal(signal.SIGKILL)
    writer.process.wait()
    await store.cancel("first-job", "")
    assert (await store.job("first-job")).status == "cancelled"


async def test_a_full_database_is_said_in_a_sentence_and_stays_whole(store):
    connection = store.database._writer
    pages = next(iter(await connection.execute_fetchall("PRAGMA page_count")))[0]
    await connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreUnavailable, match=r"the disk is full\. Free some space"):
        await store.cancel("first-job", "x" * 100_000)
    assert (await store.job("first-job")).status == "pending"
    await connection.execute("PRAGMA max_page_count = 100000")
    assert await store.cancel("first-job", "")


async def test_another_program_that_keeps_the_database_locked_is_named(store, path, monkeypatch):
    monkeypatch.setattr(module, "BUSY_S", 0.1)
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        raw.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match=r"another program keeps it locked\. Try again"):
            await store.cancel("first-job", "")
    assert await store.cancel("first-job", "")


async def test_a_page_that_is_damaged_is_said_in_a_sentence(path):
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (size - 4096))
    async with AsyncJobManager(str(path)) as manager:
        with pytest.raises(StoreCorrupt, match=r"the file is damaged .*Restore it from a backup"):
            await manager.list_jobs()


SENTENCES = {
    sqlite3.SQLITE_BUSY: "another program keeps it locked",
    sqlite3.SQLITE_LOCKED: "another program keeps it locked",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_READONLY: "it cannot be written",
    sqlite3.SQLITE_PERM: "it cannot be written",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened",
    sqlite3.SQLITE_IOERR: "the disk reported an error",
    sqlite3.SQLITE_IOERR_WRITE: "the disk reported an error",
    sqlite3.SQLITE_NOMEM: "not enough memory",
    sqlite3.SQLITE_TOOBIG: "larger than a row can hold",
    sqlite3.SQLITE_INTERNAL: "SQLite reported: boom",
}


@pytest.mark.parametrize(("code", "sentence"), SENTENCES.items())
def test_each_kind_of_error_has_its_sentence(code, sentence):
    error = sqlite3.OperationalError("boom")
    error.sqlite_errorcode = code
    assert sentence in str(explained.sentence("here", error))
    with pytest.raises(StoreUnavailable, match="The store here"), explained.explained("here"):
        raise error


@pytest.mark.parametrize("code", [sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB])
def test_a_damaged_file_has_its_own_kind_of_error(code):
    error = sqlite3.DatabaseError("boom")
    error.sqlite_errorcode = code
    with pytest.raises(StoreCorrupt, match=r"damaged \(boom\)"), explained.explained("here"):
        raise error


async def test_a_close_in_the_middle_of_calls_lets_each_end_or_says_that_it_was_closed(path):
    """Closed after every number of steps of the loop, no connection is left open."""
    for steps in range(40):
        threads = set(threading.enumerate())
        store = await open_store(str(path))
        calls = (store.job_ids(), store.recount("first-job"), store.jobs(), store.cancel("x", ""))
        tasks = [asyncio.ensure_future(call) for call in calls]
        for _ in range(steps):
            await asyncio.sleep(0)
        await store.close()
        for answer in await asyncio.gather(*tasks, return_exceptions=True):
            assert not isinstance(answer, Exception) or "it was closed" in str(answer)
        for thread in set(threading.enumerate()) - threads:
            await asyncio.to_thread(thread.join, 10)
            assert not thread.is_alive() or thread.name.startswith("asyncio")
