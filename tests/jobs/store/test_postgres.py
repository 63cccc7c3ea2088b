"""What a store on a PostgreSQL server does besides what both databases do."""

import asyncio
import contextlib
import threading
import time
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from bilancio.errors import (
    InvalidInput,
    LeaseLost,
    NotAStore,
    StoreError,
    StoreTooNew,
    StoreUnavailable,
    StoreUnreachable,
)
from bilancio.jobs import AsyncJobManager
from bilancio.jobs.models import JobStatus
from bilancio.jobs.store import FinishedBatch, open_store
from bilancio.jobs.store.postgres import database as module
from bilancio.jobs.store.postgres.address import address_of
from bilancio.jobs.store.postgres.migrate import latest_version
from tests.jobs.store.kit import CONFIG, record, rows
from tests.jobs.store.proxy import Proxy
from tests.postgres import PASSWORD, database_of

pytestmark = pytest.mark.parametrize("address", ["postgresql"], indirect=True)

RUNS = {"description": "try", "notes": "", "tags": (), "engine": "e1", "executor": "local"}


def asked(url, statement):
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(statement).fetchall()


def schemas(url):
    found = asked(url, "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_'")
    return {name for (name,) in found} - {"information_schema", "public"}


# -- what is there --------------------------------------------------------------------------


async def test_a_question_makes_no_store_and_finds_no_job(address, empty_database):
    store = await open_store(empty_database)
    assert (await store.jobs()).total == 0
    assert await store.job("my-job") is None
    assert await store.unknown(["a-b", "c-d"]) == ["a-b", "c-d"]
    assert schemas(empty_database) == set()
    await store.close()


async def test_the_first_write_makes_the_store_and_an_open_reader_sees_it(
    address, empty_database, isolated
):
    reader, writer = await open_store(empty_database), await open_store(empty_database)
    assert await reader.job_ids() == []
    await writer.add("my-job", CONFIG, out_dir=isolated, **RUNS)
    assert await reader.job_ids() == ["my-job"]
    assert schemas(empty_database) == {"bilancio"}
    for store in (reader, writer):
        await store.close()


async def test_processes_that_write_a_new_store_at_once_make_it_once(
    address, empty_database, isolated
):
    stores = [await open_store(empty_database) for _ in range(6)]
    for number, store in enumerate(stores):
        stores[number] = (store, store.add(f"job-{number}", CONFIG, out_dir=isolated, **RUNS))
    await asyncio.gather(*(adding for _, adding in stores))
    assert len(await stores[0][0].job_ids()) == 6
    for store, _ in stores:
        await store.close()


async def test_metrics_are_compressed_by_lz4(address):
    query = "SELECT attcompression FROM pg_attribute WHERE attname = 'metrics'"
    assert asked(address, query) == [("l",)]


async def test_a_schema_of_another_program_is_left_as_it_is(address, empty_database):
    asked_of = "CREATE SCHEMA bilancio; CREATE TABLE bilancio.songs (title TEXT)"
    with psycopg.connect(empty_database, autocommit=True) as other:
        other.execute(asked_of)
    with pytest.raises(NotAStore, match="schema bilancio belongs to another program"):
        await open_store(empty_database)
    assert asked(empty_database, "SELECT * FROM bilancio.songs") == []


async def test_a_store_of_an_earlier_version_is_migrated_when_it_is_opened(address, store, job):
    with psycopg.connect(address, autocommit=True) as raw:
        raw.execute("ALTER TABLE bilancio.jobs DROP COLUMN owner, DROP COLUMN notify")
        raw.execute("DROP TABLE bilancio.outbox")
        raw.execute("DELETE FROM bilancio.migrations WHERE version > 1")
    opened = await open_store(address)
    assert (await opened.job("my-job")).owner is None
    assert max(asked(address, "SELECT version FROM bilancio.migrations")) == (latest_version(),)
    await opened.close()


async def test_the_schema_of_a_newer_version_is_refused(address):
    with psycopg.connect(address, autocommit=True) as raw:
        raw.execute("INSERT INTO bilancio.migrations VALUES (999)")
    with pytest.raises(StoreTooNew, match=r"newer bilancio wrote it \(schema 999"):
        await open_store(address)


async def test_a_database_that_does_not_hold_any_text_is_refused(address, postgres_server):
    with postgres_server.connected("postgres") as connection:
        connection.execute("DROP DATABASE IF EXISTS latin")
        connection.execute(
            "CREATE DATABASE latin OWNER lab ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0"
        )
    with pytest.raises(NotAStore, match="holds LATIN1, not any text"):
        await open_store(postgres_server.url("latin"))


# -- who may, and who answers ---------------------------------------------------------------

ADDRESSES = {
    "a slash too few": "postgresql:/me:s3cr@host/db",
    "capitals": "POSTGRESQL://me:s3cr@host/db",
    "another driver's scheme": "postgresql+psycopg://me:s3cr@host/db",
    "two signs that end the password": "postgresql://me:s3cr@t@host/db",
    "a slash in the password": "postgresql://me:s3cr/t@host/db",
    "a port that is none": "postgresql://me:s3cr",
    "half an escape": "postgresql://me:s3cr%4@host/db",
    "a NUL": "postgresql://me:s3cr%00@host/db",
    "a NUL itself": "postgresql://me:s3cr\0@host/db",
    "an unpaired surrogate": "postgresql://me:s3cr\ud800@host/db",
    "escapes of bytes that are no text": "postgresql://me:s3cr%FF@host/db",
    "a host that none can be called": "postgresql://me:s3cr@host..lab/db",
    "an option without a value": "postgresql://me:s3cr@host/db?sslmode",
    "an unknown option": "postgresql://me:s3cr@host/db?colour=1",
    "spaces": "postgresql://me:s3cr et@host/db",
}


@pytest.mark.parametrize("url", ADDRESSES.values(), ids=ADDRESSES)
async def test_a_malformed_address_is_refused_without_its_password(address, url):
    with pytest.raises(InvalidInput, match=r"BILANCIO_DATABASE_URL: got .*; allowed: ") as error:
        await open_store(url)
    told = [str(error.value), repr(error.value), str(error.value.__cause__)]
    assert "s3cr" not in " ".join(told)


async def test_a_server_that_does_not_answer_is_named_without_the_password(address, isolated):
    url = f"postgresql://lab:{PASSWORD}@/lab?host={isolated}/nowhere"
    with pytest.raises(StoreUnreachable, match=r"no server answers there .*No such file") as error:
        await open_store(url, patience_s=0.2)
    assert PASSWORD not in str(error.value)
    assert "lab:***@" in str(error.value)


async def test_a_wrong_password_is_refused_at_once_and_not_repeated(address):
    url = address.replace(PASSWORD, "wr0ng")
    with pytest.raises(StoreUnavailable, match="password authentication failed") as error:
        await open_store(url, patience_s=600)
    assert "wr0ng" not in str(error.value)


async def test_a_password_that_nobody_gave_is_asked_for_at_once(address):
    with pytest.raises(StoreUnavailable, match=r"asks for a password, and neither ~/\.pgpass nor"):
        await open_store(address.replace(f":{PASSWORD}", ""), patience_s=600)


async def test_a_user_who_may_not_connect_is_refused_at_once(address, postgres_server):
    with postgres_server.connected("postgres") as raw:
        raw.execute("DROP ROLE IF EXISTS stranger")
        raw.execute(f"CREATE ROLE stranger LOGIN PASSWORD '{PASSWORD}'")
        raw.execute(f"REVOKE CONNECT ON DATABASE {database_of(address)} FROM PUBLIC")
    with pytest.raises(StoreUnavailable, match=r"refuses .*permission denied for database"):
        await open_store(address.replace("lab:", "stranger:"), patience_s=600)


async def test_addresses_of_two_databases_are_two_places(address):
    urls = ["postgresql:///?service=a", "postgresql:///?service=b", "postgresql://anna@host"]
    urls += ["postgresql://ben@host", "postgresql://host/db", "postgresql:///db?hostaddr=10.0.0.1"]
    assert len({address_of(url).place for url in urls}) == len(urls)


async def test_words_that_contain_a_short_password_are_said_whole(address):
    short = address_of("postgresql://me:a@host/db")
    assert short.without_secrets("denied for database a") == "denied for database ***"


async def test_a_database_that_is_not_there_is_named(address):
    with pytest.raises(StoreUnavailable, match='database "nowhere" does not exist'):
        await open_store(address.replace(database_of(address), "nowhere"))


async def test_a_schema_that_was_made_for_a_user_without_other_rights_is_used(
    address, empty_database, postgres_server
):
    with postgres_server.connected(database_of(empty_database)) as raw:
        raw.execute("DROP ROLE IF EXISTS anna")
        raw.execute(f"CREATE ROLE anna LOGIN PASSWORD '{PASSWORD}'")
        store = await open_store(empty_database.replace("lab:", "anna:"))
        assert (await store.server()).missing_rights == "create on the database"
        raw.execute("CREATE SCHEMA bilancio")
        raw.execute("GRANT USAGE ON SCHEMA bilancio TO anna")
        assert (await store.server()).missing_rights == "create on the schema bilancio"
        raw.execute("GRANT CREATE ON SCHEMA bilancio TO anna")
    assert (await store.server()).missing_rights == ""
    await store.add("my-job", config=CONFIG, out_dir="/tmp", **RUNS)
    assert await store.job_ids() == ["my-job"]
    await store.close()


async def test_a_user_without_rights_is_told_which(address, store, job, postgres_server):
    database = database_of(address)
    with postgres_server.connected("postgres") as raw:
        raw.execute("DROP ROLE IF EXISTS guest")
        raw.execute(f"CREATE ROLE guest LOGIN PASSWORD '{PASSWORD}'")
    with postgres_server.connected(database) as raw:
        raw.execute("GRANT USAGE ON SCHEMA bilancio TO guest")
        raw.execute("GRANT SELECT ON ALL TABLES IN SCHEMA bilancio TO guest")
    guest = await open_store(address.replace("lab:", "guest:"))
    assert await guest.job_ids() == ["my-job"]
    with pytest.raises(StoreUnavailable, match=r"its user lacks a right \(permission denied"):
        await guest.cancel("my-job", "")
    assert "delete on chunks" in (await guest.server()).missing_rights
    assert (await store.server()).missing_rights == ""
    await guest.close()
    standby = await open_store(f"{address}&options=-cdefault_transaction_read_only%3Don")
    assert await standby.job_ids() == ["my-job"]
    assert "transactions are read-only" in (await standby.server()).missing_rights
    await standby.close()


# -- connections that are lost --------------------------------------------------------------


async def test_connections_that_were_ended_are_not_used_again(store, job, postgres_server, address):
    await asyncio.gather(*(store.job_ids() for _ in range(8)))
    postgres_server.end_connections(database_of(address))
    assert await store.job_ids() == ["my-job"]
    postgres_server.end_connections(database_of(address))
    assert await store.cancel("my-job", "enough")
    postgres_server.end_connections(database_of(address))
    assert [job.status for job in (await store.jobs()).jobs] == ["cancelled"]


async def test_a_transaction_that_is_lost_in_its_midst_is_repeated_whole(
    store, lease, postgres_server, address, monkeypatch
):
    lost = []
    appended = store._appended

    def losing(*args):
        if not lost:
            lost.append(True)
            postgres_server.end_connections(database_of(address))
        return appended(*args)

    monkeypatch.setattr(store, "_appended", losing)
    await record(store, lease, rows(0, 9))
    assert await store.recorded("my-job") == [(0, 9)]
    assert (await store.job("my-job")).completed_runs == 10
    assert len(await store.events("my-job")) == 3


@pytest.fixture
async def proxied(postgres_server, address, isolated, clock):
    """A proxy, and a store reached through it."""
    async with Proxy(isolated / "proxy", postgres_server) as proxy:
        url = address.replace(str(postgres_server.folder), str(isolated / "proxy"))
        store = await open_store(url, clock)
        yield proxy, store
        await store.close()


async def test_a_lost_answer_to_a_commit_records_a_batch_once(proxied, job):
    proxy, store = proxied
    lease, _ = await store.claim("my-job", "worker-a", lease_s=30, executor="local")
    proxy.cut_after = b"COMMIT"
    await record(store, lease, rows(0, 9))
    assert proxy.cut_after is None
    assert (await store.job("my-job")).completed_runs == 10
    assert [event.seq for event in await store.events("my-job")] == [1, 2, 3]


async def test_a_lost_answer_to_a_commit_of_several_batches_records_each_once(proxied, job):
    proxy, store = proxied
    lease, _ = await store.claim("my-job", "worker-a", lease_s=30, executor="local")
    proxy.cut_after = b"COMMIT"
    failing = FinishedBatch(failures={30: "no"}, compute_s=0)
    batches = [FinishedBatch(chunks=rows(*each), compute_s=0) for each in ((0, 9), (10, 19))]
    await store.record(lease, [failing, *batches], lease_s=30)
    assert proxy.cut_after is None
    assert (await store.job("my-job")).completed_runs == 20
    assert [event.seq for event in await store.events("my-job")] == [1, 2, 3, 4, 5]


async def test_a_lost_answer_to_a_commit_of_failures_counts_them_once(proxied, job):
    proxy, store = proxied
    lease, _ = await store.claim("my-job", "worker-a", lease_s=30, executor="local")
    proxy.cut_after = b"COMMIT"
    batch = FinishedBatch(failures={3: "no"}, details={"failed": 1}, compute_s=0)
    await store.record(lease, [batch], lease_s=30)
    assert (await store.job("my-job")).failed_runs == 1
    told = [event.details for event in (await store.events("my-job"))[2:]]
    assert sum(each["failed"] - each.get("retried", 0) for each in told) == 1


async def test_a_lost_answer_to_a_commit_ends_claims_adds_cancels_and_deletes_once(
    proxied, isolated
):
    proxy, store = proxied
    proxy.cut_after = b"COMMIT"
    job = await store.add("my-job", CONFIG, out_dir=isolated, **RUNS)
    proxy.cut_after = b"COMMIT"
    lease, event = await store.claim("my-job", "worker-a", lease_s=30, executor="local")
    assert (lease.fence, event) == (1, "started")
    proxy.cut_after = b"COMMIT"
    await store.end(lease, JobStatus.FAILED, error="no")
    proxy.cut_after = b"COMMIT"
    assert await store.cancel("my-job", "enough")
    kinds = [event.event_type for event in await store.events("my-job")]
    assert kinds == ["created", "started", "failed", "cancelled"]
    proxy.cut_after = b"COMMIT"
    assert await store.delete(await store.job(job.job_id))
    assert await store.job_ids() == []
    assert proxy.cut_after is None


async def test_a_connection_that_met_an_error_is_closed(proxied, job):
    proxy, store = proxied
    await store.job_ids()
    before = proxy.connections
    for _ in range(3):
        await store.job_ids()
    assert proxy.connections == before
    await store.claim("my-job", "worker-a", lease_s=30, executor="local")
    with pytest.raises(StoreError):
        await store.database.read("chunks", job_id="my-job", first="x", last=1)
    await store.job_ids()
    assert proxy.connections == before + 1


async def test_a_server_that_is_killed_and_started_is_waited_for(
    store, lease, postgres_server, monkeypatch
):
    monkeypatch.setattr(store.database, "patience_s", 60)
    await record(store, lease, rows(0, 9))
    postgres_server.kill()
    writing = asyncio.ensure_future(record(store, lease, rows(10, 19)))
    asking = asyncio.ensure_future(store.recorded("my-job"))
    _, waiting = await asyncio.wait({writing, asking}, timeout=0.3)
    assert waiting == {writing, asking}
    postgres_server.start()  # in this thread: what it starts ends with its thread
    await writing
    await asking
    assert (await store.job("my-job")).completed_runs == 20


async def test_a_server_that_stays_away_is_said_when_patience_ends(
    proxied, job, isolated, monkeypatch
):
    proxy, store = proxied
    await store.job_ids()
    monkeypatch.setattr(store.database, "patience_s", 0.2)
    (isolated / "proxy" / ".s.PGSQL.5432").unlink()
    proxy.cut_after = b"BEGIN"
    with pytest.raises(StoreUnreachable, match="no server answers there"):
        await store.cancel("my-job", "")


@pytest.mark.parametrize("at", ["its beginning", "its end"])
async def test_a_process_that_is_suspended_in_a_transaction_does_not_keep_its_job(
    store, job, address, clock, *, monkeypatch, at
):
    from bilancio.jobs.store.postgres import connection

    short = connection.SESSION.replace("'20s'", "'100ms'")
    assert short != connection.SESSION
    monkeypatch.setattr(connection, "SESSION", short)
    suspended = await open_store(address, clock)
    cancelled = []

    async def write():
        async with suspended.database.write("my-job") as transaction:
            if at == "its end":
                await transaction.execute_all([("recount", {"job_id": "my-job"})] * 2)
            cancelled.append(await store.cancel("my-job", ""))  # waits for the job
            await transaction.execute("recount", job_id="my-job")

    with pytest.raises(StoreUnreachable):
        await write()
    assert cancelled == [True]
    assert await suspended.job_ids() == ["my-job"]
    await suspended.close()


@pytest.mark.parametrize("text", ["a\0b", "\ud800", "\x1b[31m", "%(x)s", ":status", "\\u0000"])
async def test_any_text_is_searched_for_or_refused_in_a_sentence(address, job, text):
    async with AsyncJobManager(address) as manager:
        for asked in ({"text": text}, {"tag": text}, {"varied": [text]}):
            found = None
            with contextlib.suppress(InvalidInput):
                found = (await manager.list_jobs(**asked)).total
            assert not found


# -- several at once ------------------------------------------------------------------------


async def test_a_transaction_holds_its_job_from_the_beginning_and_no_other(
    store, job, address, isolated, clock
):
    await store.add("other-job", CONFIG, out_dir=isolated, **RUNS)
    second = await open_store(address, clock)
    async with store.database.write("my-job"):
        waiting = asyncio.ensure_future(second.cancel("my-job", ""))
        assert await second.cancel("other-job", "")
        done, _ = await asyncio.wait({waiting}, timeout=0.3)
        assert not done
        assert (await second.job("my-job")).status == "pending"
    assert await waiting
    await second.close()


async def test_many_at_once_claim_a_job_once_and_add_a_name_once(store, job, address, isolated):
    stores = [await open_store(address) for _ in range(4)]
    claims = [
        each.claim("my-job", f"worker-{number}", lease_s=30, executor="local")
        for number, each in enumerate(stores)
    ]
    assert len([each for each in await asyncio.gather(*claims) if each]) == 1
    adding = [each.add("new-job", CONFIG, out_dir=isolated, **RUNS) for each in stores]
    answers = await asyncio.gather(*adding, return_exceptions=True)
    assert sorted(type(each).__name__ for each in answers) == ["Job", *["JobExists"] * 3]
    adding = [
        each.add(f"key-{number}", CONFIG, out_dir=isolated, request_key="same", **RUNS)
        for number, each in enumerate(stores)
    ]
    assert len({each.job_id for each in await asyncio.gather(*adding)}) == 1
    for each in stores:
        await each.close()


async def test_transactions_that_ask_questions_in_their_midst_do_not_wait_for_each_other(
    store, isolated
):
    for number in range(9):
        await store.add(f"job-{number}", CONFIG, out_dir=isolated, **RUNS)
        await store.start_manually(f"job-{number}")
    from bilancio.jobs.store import Edit

    edits = (store.edit(f"job-{number}", Edit(notes="x")) for number in range(9))
    assert await asyncio.wait_for(asyncio.gather(*edits), 20) == [True] * 9


async def test_a_close_in_the_middle_of_calls_leaves_no_connection_open(
    address, job, postgres_server
):
    count = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    for steps in range(0, 60, 3):
        store = await open_store(address)
        calls = (store.job_ids(), store.recount("my-job"), store.jobs(), store.cancel("x", ""))
        tasks = [asyncio.ensure_future(call) for call in calls]
        for _ in range(steps):
            await asyncio.sleep(0)
        await store.close()
        for answer in await asyncio.gather(*tasks, return_exceptions=True):
            assert not isinstance(answer, Exception) or "it was closed" in str(answer)
    assert threading.active_count() < 50
    deadline = time.monotonic() + 20
    database = database_of(address)
    with postgres_server.connected(database) as raw:
        while raw.execute(count).fetchone()[0] > 3:  # this one, and the fixture's
            assert time.monotonic() < deadline


# -- time and place -------------------------------------------------------------------------


async def test_leases_are_kept_by_the_clock_of_the_server(address, job, monkeypatch):
    """This machine's clock is an hour fast; whoever looks by the server's sees the lease alive."""
    right = await open_store(address)
    hour = timedelta(hours=1)
    monkeypatch.setattr(module, "utc_now", lambda: datetime.now(UTC) + hour)
    now = time.time
    monkeypatch.setattr(module.time, "time", lambda: now() + hour.total_seconds())
    fast = await open_store(address)
    assert abs(fast.clock() - datetime.now(UTC)) < timedelta(seconds=2)
    await fast.claim("my-job", "worker-a", lease_s=30, executor="local")
    assert await right.claim("my-job", "worker-b", lease_s=30, executor="local") is None
    ends = (await right.job("my-job")).holder.expires_at
    assert abs(ends - right.clock() - timedelta(seconds=30)) < timedelta(seconds=5)
    assert (await fast.server()).ahead_s == pytest.approx(-3600, abs=2)
    for store in (fast, right):
        await store.close()


async def test_a_machine_is_told_by_its_start_and_the_folder_of_its_locks(
    store, lease, isolated, monkeypatch
):
    before = store.host
    store.database.lock_folder.mkdir(parents=True)
    here = store.host
    assert here != before
    assert here.partition("/")[0] == before.partition("/")[0]
    monkeypatch.setattr("bilancio.machine.boot_id", lambda: "another start")
    assert store.host not in {here, before}


async def test_speeds_of_this_machine_are_known_after_its_next_start(store, lease, monkeypatch):
    store.database.lock_folder.mkdir(parents=True)
    await store.confirm(lease, pid=1, host=store.host, provenance={}, lease_s=30)
    await store.note_speed(lease, speed=2.0)
    monkeypatch.setattr("bilancio.machine.boot_id", lambda: "another start")
    assert await store.speeds("ring", store.host, "e1") == [(2.0, None)]


async def test_a_worker_about_to_start_on_another_machine_is_not_taken_for_dead(
    store, job, address, clock
):
    """Its process number means another process here, or none."""
    await store.claim("my-job", "worker-a", lease_s=30, executor="local", pid=2**22 + 1)
    async with AsyncJobManager(address, clock=clock) as manager:
        assert (await manager.exact("my-job")).state == "running"
        clock.forward(31)
        assert (await manager.exact("my-job")).state == "stalled"


async def test_a_late_worker_of_another_machine_is_fenced_off(store, lease, address, clock):
    other = await open_store(address, clock)
    clock.forward(31)
    assert await other.claim("my-job", "worker-b", lease_s=30, executor="local")
    with pytest.raises(LeaseLost):
        await record(store, lease, rows(0, 9))
    await other.close()
