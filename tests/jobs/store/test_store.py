import asyncio
import sqlite3
import zlib

import numpy as np
import pytest

from bilancio.errors import (
    InvalidInput,
    LeaseLost,
    NotAStore,
    StoreConflict,
    StoreCorrupt,
    StoreTooNew,
    StoreUnavailable,
)
from bilancio.jobs import AsyncJobManager
from bilancio.jobs.models import InFlightBatch, JobStatus
from bilancio.jobs.store import FinishedBatch, open_store, packing
from bilancio.jobs.store.sqlite.migrate import migrations
from tests.jobs.store.kit import CONFIG, SQLITE, record, rows


async def test_a_chunk_comes_back_bit_by_bit(store, lease):
    table = np.array([(0.1, 3), (np.nan, 4)], [("delta_total", "f8"), ("n_defaults", "i4")])
    await record(store, lease, packing.split(np.array([5, 6]), table))
    indices, metrics = packing.join(await store.chunks("my-job"), "my-job")
    assert indices.tolist() == [5, 6]
    assert metrics.tobytes() == table.tobytes()


async def test_a_batch_with_failures_is_split_and_counted_in_one_transaction(store, lease):
    table = np.array([(1.0,)] * 4, [("x", float)])
    chunks = packing.split(np.array([0, 1, 3, 4]), table)
    assert [(chunk.first_index, chunk.last_index) for chunk in chunks] == [(0, 1), (3, 4)]
    await record(store, lease, chunks, {2: "ValueError: no"})
    job = await store.job("my-job")
    assert (job.completed_runs, job.failed_runs) == (4, 1)
    assert await store.failed_runs("my-job") == {2: "ValueError: no"}
    assert await store.recorded("my-job") == [(0, 1), (3, 4)]


async def test_a_retry_that_succeeds_replaces_the_failed_run(store, lease):
    await record(store, lease, [], {2: "ValueError: no"})
    await record(store, lease, rows(2, 2))
    job = await store.job("my-job")
    assert (job.completed_runs, job.failed_runs) == (1, 0)
    assert await store.failed_runs("my-job") == {}


async def test_a_run_that_fails_again_is_counted_once(store, lease):
    await record(store, lease, [], {2: "ValueError: no"})
    await record(store, lease, [], {2: "ValueError: again"})
    assert (await store.job("my-job")).failed_runs == 1
    assert await store.failed_runs("my-job") == {2: "ValueError: again"}


async def test_batches_are_recorded_together_each_with_its_event(store, lease):
    await record(store, lease, [], dict.fromkeys([1, 2, 40], "no"))
    two_of_three = FinishedBatch(
        chunks=[*rows(0, 1), *rows(3, 5)], failures={2: "again"}, details={"n": 1}, compute_s=0.5
    )
    whole = FinishedBatch(chunks=rows(6, 9), details={"n": 2}, compute_s=0.25)
    await store.record(lease, [two_of_three, whole], lease_s=30, in_flight=[InFlightBatch(7, 8, 0)])
    job = await store.job("my-job")
    assert (job.completed_runs, job.failed_runs, len(job.in_flight)) == (9, 2, 1)
    assert job.compute_s == pytest.approx(0.1 + 0.5 + 0.25)
    assert await store.failed_runs("my-job") == {2: "again", 40: "no"}
    assert await store.recorded("my-job") == [(0, 1), (3, 5), (6, 9)]
    events = (await store.events("my-job"))[3:]
    assert [each.details for each in events] == [{"n": 1, "retried": 2}, {"n": 2}]
    assert len({each.timestamp for each in events}) == 1


async def test_batches_of_which_one_is_refused_are_refused_together(store, lease):
    await record(store, lease, rows(3, 5), {8: "no"})
    batches = [FinishedBatch(chunks=rows(*each), compute_s=1) for each in ((8, 9), (5, 6), (0, 1))]
    with pytest.raises(StoreConflict, match="recorded already"):
        await store.record(lease, batches, lease_s=30)
    assert await store.recorded("my-job") == [(3, 5)]
    assert await store.failed_runs("my-job") == {8: "no"}
    assert len(await store.events("my-job")) == 3


@pytest.mark.parametrize(("first", "last"), [(0, 3), (3, 3), (5, 9), (0, 20), (4, 6)])
async def test_ranges_of_runs_never_overlap(store, lease, first, last):
    await record(store, lease, rows(3, 5))
    with pytest.raises(StoreConflict, match="recorded already"):
        await record(store, lease, rows(first, last))
    assert (await store.job("my-job")).completed_runs == 3
    assert len(await store.events("my-job")) == 3


async def test_the_first_worker_is_told_when_another_took_over(store, lease, clock):
    clock.forward(31)
    second, _ = await store.claim("my-job", "worker-b", lease_s=30, executor="local")
    for late in (
        record(store, lease, rows(0, 9)),
        store.renew(lease, 30),
        store.end(lease, JobStatus.COMPLETED, summary={}),
    ):
        with pytest.raises(LeaseLost, match="worker-a no longer holds job my-job"):
            await late
    assert await store.recorded("my-job") == []
    await record(store, second, rows(0, 9))
    assert (await store.job("my-job")).completed_runs == 10


async def test_two_workers_never_hold_the_same_job(store, lease):
    assert await store.claim("my-job", "worker-b", lease_s=30, executor="local") is None
    assert await store.holds(lease)


async def test_a_worker_known_to_be_dead_loses_its_lease_before_it_runs_out(store, lease):
    claimed = await store.claim(
        "my-job", "worker-b", lease_s=30, executor="local", dead_fence=lease.fence
    )
    assert claimed is not None
    assert not await store.holds(lease)


async def test_cancelling_fences_the_worker_off(store, lease):
    assert await store.cancel("my-job", "enough")
    with pytest.raises(LeaseLost):
        await record(store, lease, rows(0, 9))


@SQLITE
async def test_a_flipped_bit_in_a_chunk_is_noticed(store, lease, isolated):
    await record(store, lease, rows(0, 9))
    with sqlite3.connect(isolated / "store.db") as raw:
        (stored,) = raw.execute("SELECT metrics FROM chunks").fetchone()
        flipped = stored[:-1] + bytes([stored[-1] ^ 1])
        raw.execute("UPDATE chunks SET metrics = ?", (flipped,))
    raw.close()
    with pytest.raises(StoreCorrupt, match=r"Job my-job is damaged.*checksum of runs 0–9"):
        packing.join(await store.chunks("my-job"), "my-job")


async def test_a_cancelled_write_leaves_nothing_behind(store, job):
    """Cancelled after every number of steps of the loop, the write is whole or absent."""
    for steps in range(1, 40):
        writing = asyncio.ensure_future(store.cancel(job.job_id, "x" * steps))
        for _ in range(steps):
            await asyncio.sleep(0)
        writing.cancel()
        await asyncio.wait({writing})
        events = await store.events(job.job_id)
        stored = await store.job(job.job_id)
        assert (stored.status is JobStatus.CANCELLED) == (len(events) > 1)
        if stored.status is JobStatus.CANCELLED:
            break
        assert await store.start_manually("no-such-job") is False


async def test_an_error_in_a_transaction_rolls_all_of_it_back(store, lease):
    with pytest.raises(AttributeError):
        await record(store, lease, rows(0, 9), {3: object()})
    assert await store.recorded("my-job") == []
    assert (await store.job("my-job")).completed_runs == 0


async def test_a_file_that_is_no_database_is_left_as_it_is(isolated):
    file = isolated / "notes.txt"
    file.write_text("my notes, not a store at all")
    with pytest.raises(NotAStore, match="is not a SQLite database; it was left as it is"):
        await open_store(str(file))
    assert file.read_text() == "my notes, not a store at all"


async def test_the_database_of_another_program_is_left_as_it_is(isolated):
    file = isolated / "other.db"
    with sqlite3.connect(file) as other:
        other.execute("CREATE TABLE songs (title)")
    other.close()
    before = file.read_bytes()
    with pytest.raises(NotAStore, match="database of another program"):
        await open_store(str(file))
    assert file.read_bytes() == before


async def test_the_store_of_a_newer_version_is_refused(isolated):
    async with AsyncJobManager(str(isolated / "s.db")) as manager:
        await manager.create_job("try", CONFIG)
    with sqlite3.connect(isolated / "s.db") as raw:
        raw.execute("PRAGMA user_version = 999")
    raw.close()
    before = (isolated / "s.db").read_bytes()
    with pytest.raises(StoreTooNew, match=r"newer bilancio wrote it \(schema 999"):
        await open_store(str(isolated / "s.db"))
    assert (isolated / "s.db").read_bytes() == before


async def test_a_store_in_a_place_that_is_none_is_refused(isolated):
    (isolated / "file").write_text("")
    with pytest.raises(NotAStore, match="not a file in a folder"):
        await open_store(str(isolated / "file" / "s.db"))
    with pytest.raises(NotAStore, match="it is not a file"):
        await open_store(str(isolated))


@pytest.mark.parametrize(
    "url",
    ["sqlite://", "mysql://host/db", ":memory:", "sqlite:///:memory:", "host=db dbname=lab"],
)
async def test_an_address_of_no_known_kind_is_refused(url):
    with pytest.raises(InvalidInput, match=r"BILANCIO_DATABASE_URL: got .*; allowed: sqlite:///"):
        await open_store(url)


async def test_two_processes_that_open_a_new_store_at_once_make_it_once(address):
    stores = await asyncio.gather(*(open_store(address) for _ in range(8)))
    for store in stores:
        assert await store.job_ids() == []
        await store.close()


async def test_many_writers_on_one_store_lose_nothing(address):
    async def create(number):
        async with AsyncJobManager(address) as manager:
            for each in range(5):
                await manager.create_job("try", CONFIG, job_id=f"job-{number}-{each}")

    await asyncio.gather(*(create(number) for number in range(8)))
    async with AsyncJobManager(address) as manager:
        assert (await manager.list_jobs(limit=100)).total == 40


@SQLITE
async def test_the_log_is_checkpointed_when_it_grows(store, lease, isolated):
    big = np.zeros(2**17, [("a", float), ("b", float), ("c", float)])
    for each in range(4):
        table = big[: 2**17]
        packed, crc32 = packing.pack(table)
        assert zlib.crc32(packed) == crc32
        indices = np.arange(each * 2**17, (each + 1) * 2**17)
        await record(store, lease, packing.split(indices, table))
    assert (isolated / "store.db-wal").stat().st_size < 4 << 20
    assert (isolated / "store.db").stat().st_size > 12 << 20


async def test_a_closed_store_says_so(store):
    await store.close()
    await store.close()
    with pytest.raises(StoreUnavailable, match="it was closed"):
        await store.job_ids()


async def test_of_chunks_with_differing_columns_the_common_ones_are_read(store, lease):
    few = np.array([(1.0,), (2.0,)], [("delta_total", float)])
    many = np.array([(7, 3.0), (8, 4.0)], [("n_defaults", "i4"), ("delta_total", float)])
    await record(store, lease, packing.split(np.array([0, 1]), many))
    await record(store, lease, packing.split(np.array([2, 3]), few))
    await record(store, lease, packing.split(np.array([4, 5]), many))
    indices, metrics = packing.join(await store.chunks("my-job"), "my-job")
    assert indices.tolist() == [0, 1, 2, 3, 4, 5]
    assert metrics.dtype.names == ("delta_total",)
    assert metrics["delta_total"].tolist() == [3, 4, 1, 2, 3, 4]


async def test_the_speeds_of_the_latest_jobs_are_told_newest_first(store, isolated, clock):
    """Jobs that measured their start-up alone come last."""
    for number in range(5):
        await store.add(
            f"job-{number}", CONFIG, description="try", notes="", tags=(), engine="e1",
            out_dir=isolated, executor="local",
        )  # fmt: skip
        lease, _ = await store.claim(f"job-{number}", "w", lease_s=30, executor="local")
        await store.confirm(lease, pid=1, host="here", provenance={}, lease_s=30)
        if number:
            await store.note_speed(lease, startup_s=number / 10)
        if 0 < number < 4:
            await store.note_speed(lease, speed=float(number))
    assert await store.speeds("ring", "here", "e1", limit=2) == [(3.0, 0.3), (2.0, 0.2)]
    rest = await store.speeds("ring", "here", "e1")
    assert rest[2:] == [(1.0, 0.1), (None, 0.4)]
    assert await store.speeds("ring", "there", "e1") == []
    assert await store.speeds("ring", "here", "e2") == []
    assert await store.speeds("balanced", "here", "e1") == []


async def test_a_worker_that_lost_its_lease_notes_no_speed(store, lease, clock):
    await store.confirm(lease, pid=1, host="here", provenance={}, lease_s=30)
    clock.forward(31)
    await store.claim("my-job", "worker-b", lease_s=30, executor="local")
    with pytest.raises(LeaseLost):
        await store.note_speed(lease, speed=1.0)
    assert await store.speeds("ring", "here", "e1") == []


async def test_a_store_of_an_earlier_schema_is_migrated_when_it_is_opened(isolated):
    """Its jobs are there afterwards, and take what the new schema holds."""
    file = isolated / "old.db"
    with sqlite3.connect(file) as raw:
        for number, script in migrations()[:1]:
            raw.executescript(script)
            raw.execute(f"PRAGMA user_version = {number}")
        raw.execute("PRAGMA application_id = 0x42494C41")
        raw.execute(
            "INSERT INTO jobs (job_id, created_at, status, description, notes, tags, sweep_type,"
            " config, config_hash, engine, out_dir, total_runs, work)"
            " VALUES ('old-job', '2026-01-01T00:00:00.000000Z', 'pending', 'd', '', '[]', 'ring',"
            " json('{\"sweep_type\": \"ring\"}'), 'x', 'e1', '/tmp', 1, 1.0)"
        )
    raw.close()
    store = await open_store(str(file))
    assert (await store.job("old-job")).total_runs == 1
    lease, _ = await store.claim("old-job", "w", lease_s=30, executor="local")
    await store.note_speed(lease, speed=0.5)
    await store.close()


async def test_whole_numbers_and_fractions_of_one_column_are_read_as_they_were_stored(store, lease):
    """A plug-in returned whole numbers in one batch, truth values or fractions in the others."""
    whole = np.array([(7,), (8,)], [("x", "i8")])
    parts = np.array([(0.25,), (np.nan,)], [("x", "f8")])
    truth = np.array([(True,), (False,)], [("x", "?")])
    for first, table in zip((0, 2, 4, 6), (whole, parts, truth, whole), strict=True):
        await record(store, lease, packing.split(np.array([first, first + 1]), table))
    _, metrics = packing.join(await store.chunks("my-job"), "my-job")
    assert str(metrics["x"].tolist()) == "[7.0, 8.0, 0.25, nan, 1.0, 0.0, 7.0, 8.0]"
