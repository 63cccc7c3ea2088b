"""Jobs in a store that a team shares: carried out, killed, taken over, examined, never told."""

import asyncio
import signal

import pytest

from bilancio.errors import InvalidInput
from bilancio.jobs import AsyncJobManager, JobStatus
from tests.cli.conftest import bilancio, program  # noqa: F401 - a fixture
from tests.faults.kit import NAME, assert_sound, last_seen, until_gone, until_recorded
from tests.jobs.store.proxy import Proxy
from tests.postgres import PASSWORD, database_of

TRIVIAL = {"sweep_type": "trivial", "n": 400_000}
SMALL = ("sweep", "ring", "--n-agents", "5", "--n-replicates", "4", "--job-id", NAME)


pytestmark = pytest.mark.usefixtures("plugins")


@pytest.fixture(autouse=True)
def shared(postgres_url, monkeypatch):
    """All settings point to a store on the server."""
    monkeypatch.setenv("BILANCIO_DATABASE_URL", postgres_url)
    return postgres_url


@pytest.mark.slow
def test_a_sweep_is_carried_out_listed_answered_and_deleted_from_the_command_line(
    isolated,
    monkeypatch,
    bilancio,  # noqa: F811 - the fixture, handed on
):
    monkeypatch.delenv("BILANCIO_PLUGINS")
    done = program(*SMALL)
    assert (done.code, "4/4 runs" in done.err) == (0, True), done.err
    answers = [done]
    for words in (
        ["jobs", "list"], ["jobs", "list", "--json"], ["jobs", "show", NAME, "--json"],
        ["jobs", "results", NAME], ["jobs", "verify", NAME], ["doctor"], ["doctor", "--json"],
    ):  # fmt: skip
        answers.append(bilancio(*words))
        assert answers[-1].code == 0, answers[-1].err
    assert answers[2].json["total"] == 1
    assert "PostgreSQL" in answers[-1].out
    written = [file.read_bytes() for file in (isolated / "out" / NAME).iterdir()]
    told = "".join(each.out + each.err for each in answers).encode() + b"".join(written)
    assert PASSWORD.encode() not in told
    assert bilancio("jobs", "delete", NAME, "--yes").code == 0
    assert bilancio("jobs", "list", "--json").json["total"] == 0


def test_the_password_of_the_store_is_no_argument_of_a_worker(shared):
    async def carried_out():
        async with AsyncJobManager() as manager:
            await manager.create_job("try", TRIVIAL, job_id=NAME)
            await manager.start_sweep(NAME)
            worker = await until_recorded(manager, 1)
            arguments = worker.cmdline()
            await manager.cancel_job(NAME)
            await until_gone(worker)
            return arguments

    assert PASSWORD not in " ".join(asyncio.run(carried_out()))


@pytest.mark.slow
@pytest.mark.faults
async def test_a_killed_worker_is_seen_at_once_and_its_job_is_resumed():
    async with AsyncJobManager() as manager:
        await manager.create_job("try", TRIVIAL, job_id=NAME)
        await manager.start_sweep(NAME)
        worker = await until_recorded(manager, 1)
        worker.kill()
        await until_gone(worker)
        assert (await manager.exact(NAME)).state == "stalled"
        await manager.start_sweep(NAME)
        job = await last_seen(manager)
        assert (job.status, job.attempts) == (JobStatus.COMPLETED, 2)
        await assert_sound(manager)


@pytest.mark.slow
@pytest.mark.faults
async def test_a_server_that_is_killed_in_the_midst_costs_no_attempt(postgres_server):
    async with AsyncJobManager() as manager:
        await manager.create_job("try", TRIVIAL, job_id=NAME)
        await manager.start_sweep(NAME)
        await until_recorded(manager, 1)
        for _ in range(3):
            postgres_server.kill()
            postgres_server.start()
            await manager.exact(NAME)
        job = await last_seen(manager)
        assert (job.status, job.attempts, job.error) == (JobStatus.COMPLETED, 1, None)
        assert (await manager.doctor()).findings == ()
        await assert_sound(manager)


@pytest.mark.slow
@pytest.mark.faults
@pytest.mark.nightly
async def test_connections_that_are_ended_in_the_midst_cost_no_attempt(shared, postgres_server):
    async with AsyncJobManager() as manager:
        await manager.create_job("try", {**TRIVIAL, "n": 4 * 10**6}, job_id=NAME)
        await manager.start_sweep(NAME)
        await until_recorded(manager, 1)
        ended = 0
        while ended < 20 and (await manager.exact(NAME)).status is JobStatus.RUNNING:
            postgres_server.end_connections(database_of(shared))
            ended += 1
        assert ended > 2
        job = await last_seen(manager)
        assert (job.status, job.attempts, job.error) == (JobStatus.COMPLETED, 1, None)
        await assert_sound(manager)


@pytest.mark.slow
@pytest.mark.faults
async def test_a_worker_leaves_on_sigterm_while_its_server_is_away(postgres_server):
    async with AsyncJobManager() as manager:
        await manager.create_job("try", {**TRIVIAL, "n": 10**7}, job_id=NAME)
        await manager.start_sweep(NAME)
        worker = await until_recorded(manager, 1)
        postgres_server.kill()
        try:
            worker.send_signal(signal.SIGTERM)
            await until_gone(worker)
        finally:
            postgres_server.start()
        assert (await manager.exact(NAME)).state == "stalled"
        await manager.cancel_job(NAME)


@pytest.mark.slow
async def test_another_machine_resumes_a_job_into_its_own_folder(isolated, monkeypatch):
    """It is told from the first by its locks: there, the lease alone says whether a worker is."""
    monkeypatch.setenv("BILANCIO_LEASE_S", "1")
    async with AsyncJobManager(out_dir=isolated / "first") as manager:
        await manager.create_job("try", TRIVIAL, job_id=NAME)
        await manager.start_sweep(NAME)
        worker = await until_recorded(manager, 1)
        worker.kill()
        await until_gone(worker)
    (isolated / "first").rename(isolated / "not-on-the-second")
    runtime = isolated / "runtime-of-the-second"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    async with AsyncJobManager(out_dir=isolated / "second") as manager:
        assert (await last_seen(manager)).state == "stalled"
        await manager.start_sweep(NAME)
        job = await last_seen(manager)
        assert (job.status, job.attempts) == (JobStatus.COMPLETED, 2)
        assert job.folder == isolated / "second" / NAME
        assert (job.folder / "runs.csv").is_file()
        assert not (isolated / "first").exists()


async def test_numbers_are_those_that_a_file_would_hold(isolated, small):
    found = []
    for url in (None, str(isolated / "file.db")):
        async with AsyncJobManager(url, out_dir=isolated / str(len(found))) as manager:
            await manager.create_job("try", small, job_id=NAME)
            await manager.run_job(NAME)
            job = await manager.exact(NAME)
            results = await manager.results(NAME, group_by=["kappa"])
            table = (job.folder / "runs.csv").read_bytes()
            found.append((job.summary, results.model_dump(), table))
    assert found[0][0] == found[1][0]
    assert found[0][2] == found[1][2]


async def test_a_backup_of_a_server_names_the_program_that_makes_it(isolated):
    async with AsyncJobManager() as manager:
        with pytest.raises(InvalidInput, match=r"copied by pg_dump -Fc -n bilancio") as error:
            await manager.backup(isolated / "copy.db")
        assert PASSWORD not in str(error.value)


# -- doctor ---------------------------------------------------------------------------------


async def findings():
    async with AsyncJobManager() as manager:
        diagnosis = await manager.doctor()
    assert PASSWORD not in diagnosis.model_dump_json()
    return [each.message for each in diagnosis.findings]


async def test_the_doctor_finds_nothing_wrong_with_a_new_store():
    assert await findings() == []


async def test_the_doctor_names_a_server_that_does_not_answer(shared, isolated, monkeypatch):
    monkeypatch.setattr("bilancio.jobs.store.store.PATIENCE_S", 0.1)
    nowhere = f"postgresql://lab:{PASSWORD}@/lab?host={isolated}"
    monkeypatch.setenv("BILANCIO_DATABASE_URL", nowhere)
    (message,) = await findings()
    assert "no server answers there" in message


async def test_the_doctor_names_a_server_that_is_too_old(
    shared, postgres_server, isolated, monkeypatch
):
    """The server is the real one; on the way its greeting is given an earlier version."""
    async with Proxy(isolated / "proxy", postgres_server, major_version=b"13"):
        old = shared.replace(str(postgres_server.folder), str(isolated / "proxy"))
        monkeypatch.setenv("BILANCIO_DATABASE_URL", old)
        (message,) = await findings()
    assert "PostgreSQL 13 is too old: 14 or newer is needed." in message


async def test_the_doctor_names_a_malformed_address(monkeypatch):
    monkeypatch.setenv("BILANCIO_DATABASE_URL", f"postgresql://lab:{PASSWORD}@x@y/lab")
    (message,) = await findings()
    assert message.startswith("BILANCIO_DATABASE_URL: got ")


async def test_the_doctor_names_rights_that_are_missing(shared, postgres_server, monkeypatch):
    await findings()
    with postgres_server.connected("postgres") as raw:
        raw.execute("DROP ROLE IF EXISTS reader")
        raw.execute(f"CREATE ROLE reader LOGIN PASSWORD '{PASSWORD}'")
    with postgres_server.connected(database_of(shared)) as raw:
        raw.execute("GRANT USAGE ON SCHEMA bilancio TO reader")
        raw.execute("GRANT SELECT ON ALL TABLES IN SCHEMA bilancio TO reader")
    monkeypatch.setenv("BILANCIO_DATABASE_URL", shared.replace("lab:", "reader:", 1))
    (message,) = await findings()
    assert "delete on chunks" in message
    assert "select" not in message


async def test_the_doctor_names_a_clock_that_differs(monkeypatch):
    from bilancio.jobs.store.postgres import database

    now = database.time.time
    monkeypatch.setattr(database.time, "time", lambda: now() + 90)
    (message,) = await findings()
    assert "clock is 90 s ahead of the server's" in message


async def test_the_doctor_compares_and_recounts_as_in_a_file(shared, small):
    async with AsyncJobManager() as manager:
        await manager.create_job("try", small, job_id=NAME)
        await manager.cancel_job(NAME)
        import psycopg

        with psycopg.connect(shared, autocommit=True) as raw:
            raw.execute("UPDATE bilancio.jobs SET completed_runs = 3")
            raw.execute("DELETE FROM bilancio.events WHERE seq = 1")
        assert any(
            "counts 3 runs and holds 0; it has 1 of 2 events" in each for each in await findings()
        )


def test_a_list_of_jobs_in_a_file_loads_no_driver(isolated, monkeypatch):
    monkeypatch.setenv("BILANCIO_DATABASE_URL", str(isolated / "file.db"))
    import subprocess
    import sys

    code = (
        "import sys; from bilancio.cli.main import run; run(['jobs', 'list']); "
        "print(sorted({n.split('.')[0] for n in sys.modules} & {'psycopg', 'psycopg_binary'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
