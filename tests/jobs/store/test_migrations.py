"""Stores of earlier versions: migrated once, whole or not at all, and readable afterwards."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from bilancio.errors import StoreError
from bilancio.jobs.models import EventType
from bilancio.jobs.store import integrity, open_store
from bilancio.jobs.store.sqlite.migrate import latest_version, migrations
from tests.jobs.store.kit import as_nobody

OLD = Path(__file__).parents[2] / "assets" / "0.1" / "store.db"
OPEN = """
import asyncio, sys
from bilancio.jobs.store import open_store
async def main():
    print("ready", flush=True)
    sys.stdin.readline()
    store = await open_store(sys.argv[1])
    print(len((await store.jobs(limit=100)).jobs), flush=True)
    await store.close()
asyncio.run(main())
"""


@pytest.fixture
def old(isolated):
    """A copy of a store that version 0.1 wrote."""
    return Path(shutil.copyfile(OLD, isolated / "old.db"))


def version(path):
    with closing(sqlite3.connect(path)) as raw:
        return raw.execute("PRAGMA user_version").fetchone()[0]


def rows(path):
    """Return the rows of 0.1's columns."""
    with closing(sqlite3.connect(path)) as raw:
        tables = ("jobs", "events", "chunks", "failed_runs")
        with closing(sqlite3.connect(OLD)) as before:
            columns = {
                name: [row[1] for row in before.execute(f"PRAGMA table_info({name})")]
                for name in tables
            }
        return {
            name: raw.execute(f"SELECT {', '.join(columns[name])} FROM {name}").fetchall()
            for name in tables
        }


def opening(path, **environment):
    return subprocess.Popen(
        [sys.executable, "-c", OPEN, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
    )


def test_migrations_are_numbered_without_gaps():
    assert [number for number, _ in migrations()] == list(range(1, latest_version() + 1))


async def test_a_store_of_0_1_is_migrated_and_all_of_it_is_readable(old):
    before = rows(old)
    assert version(old) == 1
    store = await open_store(str(old))
    try:
        found = await store.jobs(limit=100)
        assert (len(found.jobs), found.damaged) == (len(before["jobs"]), {})
        assert await integrity.damage(store) == {}
        assert (await integrity.chunks(store)).faults == {}
        assert await store.integrity_errors() == []
        for job in found.jobs:
            assert len(await store.events(job.job_id))
    finally:
        await store.close()
    assert version(old) == latest_version()
    assert rows(old) == before


async def test_jobs_of_0_1_have_the_hash_that_their_sweep_has_today(old):
    store = await open_store(str(old))
    try:
        for job in (await store.jobs(limit=100)).jobs:
            assert job.config_hash == job.config.digest()
        assert (await store.job("half-done-job")).completed_runs == 356
    finally:
        await store.close()


async def test_a_migration_keeps_events_that_are_damaged(old):
    with closing(sqlite3.connect(old)) as raw, raw:
        raw.execute("PRAGMA ignore_check_constraints = ON")
        raw.execute("UPDATE events SET details = '{' WHERE job_id = 'half-done-job' AND seq = 2")
        raw.execute("UPDATE events SET event_type = 'dreamed' WHERE seq = 3")
    before = rows(old)
    store = await open_store(str(old))
    try:
        assert "half-done-job" in await integrity.damage(store)
        events = await store.events("half-done-job")
        assert {2, 3}.isdisjoint(each.seq for each in events)
    finally:
        await store.close()
    assert (version(old), rows(old)) == (latest_version(), before)


def test_a_migrated_store_takes_every_type_of_event_and_no_other(old):
    opened = opening(old)
    opened.communicate("\n")
    insert = "INSERT INTO events VALUES ('half-done-job', 1000, ?, '2026-01-01', '{}')"
    with closing(sqlite3.connect(old)) as raw:
        for kind in EventType:
            with raw:
                raw.execute(insert, (kind.value,))
                raw.execute("DELETE FROM events WHERE seq = 1000")
        with pytest.raises(sqlite3.IntegrityError, match="CHECK"):
            raw.execute(insert, ("dreamed",))


def test_two_processes_that_open_an_old_store_at_once_migrate_it_once(old):
    processes = [opening(old) for _ in range(2)]
    for each in processes:
        assert each.stdout.readline() == "ready\n"
    for each in processes:
        each.stdin.write("\n")
        each.stdin.flush()
    answers = [each.communicate()[0] for each in processes]
    assert [each.returncode for each in processes] == [0, 0]
    assert len(set(answers)) == 1
    assert version(old) == latest_version()


def test_a_migration_that_is_killed_half_way_leaves_the_old_store_and_is_done_again(old):
    before = rows(old)
    killed = opening(old, BILANCIO_CRASH_AT="migration")
    killed.communicate("\n")
    assert killed.returncode == -signal.SIGKILL
    assert (version(old), rows(old)) == (1, before)
    again = opening(old)
    again.communicate("\n")
    assert again.returncode == 0
    assert (version(old), rows(old)) == (latest_version(), before)


async def test_an_old_store_that_cannot_be_written_says_so_and_stays(common):
    old = Path(shutil.copyfile(OLD, common / "old.db"))
    old.chmod(0o444)
    common.chmod(0o555)
    with as_nobody(), pytest.raises(StoreError, match="cannot be migrated because it cannot be"):
        await open_store(str(old))
    common.chmod(0o755)
    old.chmod(0o644)
    assert version(old) == 1
