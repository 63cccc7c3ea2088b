"""Each await of each call of the store, cancelled: all of the call happens, or nothing."""

import asyncio
import inspect
import itertools
import shutil
import sqlite3
import tempfile
import threading
import types
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import psycopg
import pytest

from bilancio.jobs import JobConfig, JobStatus
from bilancio.jobs.models import Lease
from bilancio.jobs.store import FinishedBatch, ReadJob, open_store, packing
from bilancio.jobs.store.editing import Edit
from bilancio.jobs.store.store import JobStore
from tests.faults.kit import can_write_at_once

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(120)]

CONFIG = JobConfig(sweep_type="ring", n_agents=10, n_replicates=100)
LEASE = Lease(job_id="leased-job", worker_id="worker-a", fence=1)
PACKED, CRC = packing.pack(packing.one_row({"x": 1.0}))
CHUNKS = packing.split(np.array([7, 8]), np.array([(1.0,), (2.0,)], [("x", float)]))
BATCH = FinishedBatch(chunks=CHUNKS, failures={3: "no"}, compute_s=1)
ROW = {
    "job_id": "imported-job",
    "created_at": "2026-03-01T12:00:00.000000Z",
    "status": "pending",
    "description": "",
    "notes": "",
    "tags": "[]",
    "words": "",
    "sweep_type": "ring",
    "config": "{}",
    "config_hash": "",
    "varied": "",
    "engine": "",
    "out_dir": "/",
    "total_runs": 2,
    "completed_runs": 0,
    "failed_runs": 0,
    "work": 1.0,
    "manual": 0,
    "attempts": 0,
    "started_at": None,
    "completed_at": None,
    "error": None,
    "summary": None,
    "executor": "local",
    "provenance": "{}",
    "unread": None,
    "owner": None,
}
UNREAD = ROW | {"job_id": "unread-job", "unread": "/unread-job/job_manifest.json"}


def read_whole(_):
    return ReadJob(UNREAD | {"completed_runs": 2, "unread": None}, CHUNKS, {3: "no"})


def added(store, name, **more):
    described = {"description": "try", "notes": "", "tags": (), "engine": "e", "out_dir": "/"}
    return store.add(name, CONFIG, **described, executor="local", **more)


async def deleted(store):
    return await store.delete(await store.job("idle-job"))


async def replaced(store):
    read = ReadJob(ROW | {"job_id": "idle-job"}, (), {})
    return await store.replace_job(await store.job("idle-job"), read)


async def backed_up(store):
    with tempfile.TemporaryDirectory() as folder:
        return await store.backup(Path(folder) / "copy.db")


async def notice_to(store, target):
    """Return the notice of the job that has ended."""
    return next(each for each in await store.notices() if each.target == target)


async def delivered(store):
    return await store.notice_delivered(await notice_to(store, "lab"), "200 OK")


async def failed(store):
    return await store.notice_failed(await notice_to(store, "lab"), "503", None)


CALLS = {
    "notices": lambda store: store.notices(),
    "next_notice": lambda store: store.next_notice(["mail"]),
    "claim_notices": lambda store: store.claim_notices("another", ["mail"], lease_s=90),
    "notice_delivered": delivered,
    "notice_failed": failed,
    "repost": lambda store: store.repost("told-job"),
    "ended_since": lambda store: store.ended_since(datetime.min.replace(tzinfo=UTC), "anna"),
    "note_waiting": lambda store: store.note_waiting(LEASE, "no workers", 9),
    "note_writing": lambda store: store.note_writing(LEASE, 9),
    "backup": backed_up,
    "count_jobs": lambda store: store.count_jobs(),
    "edit": lambda store: store.edit("idle-job", Edit(notes="other words", add_tags=["new"])),
    "holders": lambda store: store.holders(),
    "sweep_types": lambda store: store.sweep_types(),
    "varied": lambda store: store.varied(),
    "count_events": lambda store: store.count_events("leased-job"),
    "ended_jobs": lambda store: store.ended_jobs(),
    "integrity_errors": lambda store: store.integrity_errors(),
    "note_speed": lambda store: store.note_speed(LEASE, speed=1.0),
    "recount": lambda store: store.recount("idle-job"),
    "add": lambda store: added(store, "new-job", request_key="r"),
    "cancel": lambda store: store.cancel("leased-job", "enough"),
    "chunks": lambda store: store.chunks("leased-job"),
    "claim": lambda store: store.claim("idle-job", "w", lease_s=9, executor="local"),
    "confirm": lambda store: store.confirm(LEASE, pid=1, host="h", provenance={}, lease_s=9),
    "delete": deleted,
    "end": lambda store: store.end(LEASE, JobStatus.FAILED, error="no"),
    "end_manually": lambda store: store.end_manually("manual-job", JobStatus.FAILED, error="no"),
    "events": lambda store: store.events("leased-job"),
    "failed_runs": lambda store: store.failed_runs("leased-job"),
    "holds": lambda store: store.holds(LEASE),
    "import_jobs": lambda store: store.import_jobs([ReadJob(ROW, CHUNKS, {3: "no"})]),
    "job": lambda store: store.job("manual-job"),
    "job_ids": lambda store: store.job_ids(),
    "jobs": lambda store: store.jobs(),
    "last_start": lambda store: store.last_start("leased-job"),
    "note_engine": lambda store: store.note_engine(LEASE, "another-1"),
    "note_in_flight": lambda store: store.note_in_flight(LEASE, []),
    "note_process": lambda store: store.note_process(LEASE, 1),
    "pulse": lambda store: store.pulse("leased-job"),
    "record": lambda store: store.record(LEASE, [BATCH], lease_s=9),
    "record_manually": lambda store: store.record_manually("manual-job", "r", PACKED, CRC, {}),
    "read_runs": lambda store: store.read_runs("unread-job"),
    "recorded": lambda store: store.recorded("leased-job"),
    "replace_job": replaced,
    "renew": lambda store: store.renew(LEASE, 9),
    "space": lambda store: store.space(),
    "write_anew": lambda store: store.write_anew(),
    "speeds": lambda store: store.speeds("ring", "h", "e"),
    "unknown": lambda store: store.unknown(["leased-job", "other-job"]),
    "start_manually": lambda store: store.start_manually("idle-job"),
}


def public_calls():
    """Return those that wait for something: only a server has anything to tell of itself."""
    return {
        name
        for name, each in inspect.getmembers(JobStore, inspect.iscoroutinefunction)
        if not name.startswith("_") and name not in {"close", "server"}
    }


def test_every_call_of_the_store_is_among_those_that_are_cancelled():
    assert public_calls() <= CALLS.keys()


@types.coroutine
def cancelling(work, number, *, again):
    """Await *work* in a task that is cancelled at its await *number*, and *again* at all others."""
    steps, task = work.__await__(), asyncio.current_task()
    resume = steps.send, None
    for at in itertools.count(1):
        try:
            waiting_for = resume[0](resume[1])
        except StopIteration as done:
            return done.value
        if at == number or (again and at > number):
            task.cancel()
        try:
            resume = steps.send, (yield waiting_for)
        except BaseException as error:  # noqa: BLE001 - it is handed on
            resume = steps.throw, error


async def cancelled_at(work, number, *, again):
    """Tell whether *work* was broken off at its await *number*."""

    async def wrapped():
        return await cancelling(work, number, again=again)

    task = asyncio.ensure_future(wrapped())
    await asyncio.wait({task})
    return task.cancelled()


def now():
    return datetime(2026, 3, 1, 12, tzinfo=UTC)


def content(path):
    with sqlite3.connect(path) as raw:
        tables = ("jobs", "events", "chunks", "failed_runs", "outbox")
        found = [raw.execute(f"SELECT * FROM {name}").fetchall() for name in tables]
    raw.close()
    return found


async def fill(store):
    for name in ("leased-job", "manual-job", "idle-job"):
        await added(store, name)
    await store.claim("leased-job", "worker-a", lease_s=30, executor="local")
    await store.start_manually("manual-job")
    await store.import_jobs([ReadJob(UNREAD, (), {})])


async def post(store):
    """Have a job end that tells three: one notice waits, one is taken, one was given up."""
    await added(store, "told-job", notify=("lab", "mail", "gone"))
    await store.start_manually("told-job")
    await store.end_manually("told-job", JobStatus.COMPLETED, summary={})
    await store.claim_notices("courier", ["lab", "gone"], lease_s=90)
    await store.notice_failed(await notice_to(store, "gone"), "410", None)


@pytest.fixture
async def template(isolated):
    store = await open_store(str(isolated / "template.db"), now)
    await fill(store)
    await post(store)
    await store.close()
    return isolated / "template.db"


@pytest.mark.parametrize("again", [False, True], ids=["once", "again and again"])
@pytest.mark.parametrize("call", sorted(CALLS.keys() & public_calls()))
async def test_a_call_cancelled_at_any_await_happens_whole_or_not_at_all(call, again, template):
    before = content(template)
    path = shutil.copy(template, template.with_name("after.db"))
    store = await open_store(str(path), now, read_whole=read_whole)
    await CALLS[call](store)
    await store.close()
    after = content(path)
    for number in itertools.count(1):
        path = shutil.copy(template, template.with_name(f"{number}.db"))
        store = await open_store(str(path), now, read_whole=read_whole)
        try:
            cancelled = await cancelled_at(CALLS[call](store), number, again=again)
            assert can_write_at_once(path)
            assert content(path) in (before, after)
            assert "leased-job" in await store.job_ids()
            assert isinstance(await store.cancel("idle-job", ""), bool)
        finally:
            await store.close()
        if not cancelled:
            assert number > 1
            break


ON_A_SERVER = [("again and again", "record")] + [
    ("once", each) for each in ("add", "claim", "delete", "end", "import_jobs", "record")
]
TABLES = ("jobs", "chunks", "failed_runs", "events")


class Rows:
    """The rows of a store on a server, as they were first."""

    def __init__(self, url):
        self._raw = psycopg.connect(url, autocommit=True, options="-c search_path=bilancio")
        self.first = self.now()

    def now(self):
        return [self._raw.execute(f"TABLE {name} ORDER BY 1, 2").fetchall() for name in TABLES]

    def restore(self):
        self._raw.execute("DELETE FROM jobs")
        for name, rows in zip(TABLES, self.first, strict=True):
            for row in rows:
                values = ", ".join(["%s"] * len(row))
                self._raw.execute(f"INSERT INTO {name} VALUES ({values})", row)

    def until_nothing_is_locked(self):
        """Wait until the server has noticed that a connection was closed in its midst."""
        self._raw.execute("SELECT 1 FROM jobs FOR UPDATE")

    def close(self):
        self._raw.close()


@pytest.fixture
async def rows_on_a_server(postgres_url):
    store = await open_store(postgres_url, now)
    await fill(store)
    await store.close()
    rows = Rows(postgres_url)
    yield rows
    rows.close()


@pytest.mark.parametrize(("again", "call"), ON_A_SERVER, ids=map(" ".join, ON_A_SERVER))
async def test_a_call_of_a_server_cancelled_at_any_await_happens_whole_or_not_at_all(
    again, call, postgres_url, rows_on_a_server
):
    store = await open_store(postgres_url, now, read_whole=read_whole)
    await CALLS[call](store)
    await store.close()
    after = rows_on_a_server.now()
    for number in itertools.count(1):
        rows_on_a_server.restore()
        store = await open_store(postgres_url, now, read_whole=read_whole)
        try:
            cancelled = await cancelled_at(CALLS[call](store), number, again=again != "once")
            rows_on_a_server.until_nothing_is_locked()
            assert rows_on_a_server.now() in (rows_on_a_server.first, after)
            assert "leased-job" in await store.job_ids()
        finally:
            await store.close()
        if not cancelled:
            assert number > 1
            break


async def opened_and_closed(path):
    await (await open_store(str(path), now)).close()


async def test_an_opening_cancelled_at_any_await_leaves_no_thread_and_no_lock(template):
    for number in itertools.count(1):
        threads = set(threading.enumerate())
        cancelled = await cancelled_at(opened_and_closed(template), number, again=False)
        if not cancelled:
            break
        assert can_write_at_once(template)
        for thread in set(threading.enumerate()) - threads:
            await asyncio.to_thread(thread.join, 10)
            assert not thread.is_alive() or thread.name.startswith("asyncio")


async def made(path):
    store = await open_store(str(path), now)
    try:
        await added(store, "first-job")
    finally:
        await store.close()


async def test_making_a_store_cancelled_at_any_await_leaves_none_or_a_whole_one(isolated):
    for number in itertools.count(1):
        path = isolated / str(number) / "new.db"
        threads = set(threading.enumerate())
        cancelled = await cancelled_at(made(path), number, again=False)
        if path.exists():
            assert can_write_at_once(path)
            assert [row[0] for row in content(path)[0]] in ([], ["first-job"])
        for thread in set(threading.enumerate()) - threads:
            await asyncio.to_thread(thread.join, 10)
            assert not thread.is_alive() or thread.name.startswith("asyncio")
        if not cancelled:
            break
    assert [row[0] for row in content(path)[0]] == ["first-job"]
