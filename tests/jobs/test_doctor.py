"""What the doctor finds, what it names as the repair, and what it repairs."""

import json
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from bilancio.jobs import AsyncJobManager, JobConfig
from bilancio.jobs.maintenance.checks import machine
from bilancio.jobs.store.sqlite import mounts
from bilancio.jobs.store.sqlite.mounts import Mount
from bilancio.jobs.worker.lock_file import WorkerLock
from tests.jobs.test_imports import FRONTIER


@pytest.fixture
async def job(manager, small):
    return await manager.run_job((await manager.create_job("try", small, job_id="my-job")).job_id)


@pytest.fixture
def store_file(isolated):
    return isolated / "store" / "bilancio.db"


def change(store_file, *statements):
    """Change the store behind its back."""
    with closing(sqlite3.connect(store_file)) as database, database:
        for statement in statements:
            database.execute(statement)


async def wrong(manager, **how):
    """Return what is wrong: notes left out."""
    found = await manager.doctor(**how)
    return [each for each in found.findings if each.severity != "info"]


async def only(manager, **how):
    (finding,) = await wrong(manager, **how)
    return finding


async def test_a_healthy_store_is_said_to_be_with_what_was_checked(manager, job, small):
    await manager.create_job("waits", small)
    await manager.run_job((await manager.create_job("search", FRONTIER)).job_id)
    by_hand = await manager.create_job("by hand", small)
    await manager.start_job(by_hand.job_id)
    await manager.record_progress(by_hand.job_id, "one", {"delta": 1})
    await manager.cancel_job(by_hand.job_id)
    found = await manager.doctor()
    assert found.healthy
    checked = "; ".join(found.checked)
    for part in (
        "SQLite 3.", "sweep types single", "page by page", "with checksums",
        "4 jobs against", "0 running jobs", "3 manifests", "free space",
    ):  # fmt: skip
        assert part in checked


async def test_jobs_with_failed_resumed_imported_and_cancelled_lives_are_healthy(
    manager, small, clock, tmp_path
):
    job = await manager.create_job("try", small)
    await manager.cancel_job(job.job_id)
    await manager.run_job(job.job_id)
    failed = await manager.create_job("by hand", small)
    await manager.start_job(failed.job_id)
    await manager.fail_job(failed.job_id, "no")
    await manager.export_job(job.job_id, tmp_path / "a")
    for name in ("runs.csv", "comparison.csv"):
        shutil.copytree(tmp_path / "a", tmp_path / f"without-{name}")
        (tmp_path / f"without-{name}" / job.job_id / name).unlink()
    (tmp_path / "without-comparison.csv" / job.job_id / "runs.csv").unlink()
    for folder in ("a", "without-runs.csv", "without-comparison.csv"):
        async with AsyncJobManager(str(tmp_path / f"{folder}.db"), out_dir=tmp_path / "o") as other:
            await other.import_job(tmp_path / folder / job.job_id)
            assert await wrong(other) == []
    assert await wrong(manager) == []


async def test_no_store_is_made_where_there_is_none(manager, isolated):
    found = await manager.doctor()
    assert found.healthy
    assert "no store yet" in found.checked[-1]
    assert not (isolated / "store").exists()


async def test_an_old_sqlite_is_a_note_that_says_what_is_done_about_it(manager, monkeypatch):
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 51, 2))
    (note,) = (await manager.doctor()).findings
    assert (note.severity, "fixed in 3.51.3" in note.message) == ("info", True)
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 51, 3))
    assert (await manager.doctor()).findings == ()


async def test_a_damaged_chunk_is_named_with_its_job_and_runs(manager, job, store_file, small):
    healthy = await manager.create_job("other", small)
    await manager.run_job(healthy.job_id)
    change(
        store_file,
        "UPDATE chunks SET metrics = CAST(substr(metrics, 1, 200) || x'00' || substr(metrics, 202)"
        f" AS BLOB) WHERE job_id = '{job.job_id}' AND first_index = 0",
    )
    finding = await only(manager)
    assert (finding.severity, finding.job_id) == ("error", job.job_id)
    assert "1 chunk of job my-job cannot be read: the checksum of runs 0–" in finding.message
    assert "does not match" in finding.message
    assert "Restore the store from a backup" in finding.repair
    assert "jobs delete my-job --keep-files, then bilancio jobs import" in finding.repair


async def test_the_repair_named_for_a_damaged_chunk_works(manager, job, store_file):
    before = await manager.runs(job.job_id)
    change(store_file, "UPDATE chunks SET crc32 = crc32 + 1")
    await manager.delete_job(job.job_id, files=False)
    await manager.import_job(job.folder / "job_manifest.deleted.json")
    assert await manager.runs(job.job_id) == before
    assert await wrong(manager, repair=True) == []


async def test_a_chunk_of_the_wrong_length_or_kind_is_found(manager, job, store_file):
    change(store_file, "UPDATE chunks SET metrics = x'00', crc32 = 3523407757")
    assert "are not a table of metrics" in (await only(manager)).message


async def test_runs_that_are_there_twice_are_found(manager, job, store_file):
    change(
        store_file,
        "DROP TRIGGER chunks_never_overlap",
        "DELETE FROM chunks WHERE first_index > 0",
        "UPDATE chunks SET last_index = 15 WHERE first_index = 0",
        "INSERT INTO chunks SELECT job_id, 9, 9, metrics, crc32, 0, 0, recorded_at, NULL"
        " FROM chunks",
    )
    assert "runs 9–9 overlap those before them" in (await wrong(manager))[0].message


async def test_counters_that_are_wrong_are_found_and_counted_again(manager, small, store_file):
    job = await manager.create_job("by hand", small)
    await manager.start_job(job.job_id)
    await manager.record_progress(job.job_id, "one", {"delta": 1})
    change(store_file, "UPDATE jobs SET completed_runs = 5, failed_runs = 1")
    finding = await only(manager)
    assert "it counts 5 runs and holds 1; it counts 1 failed runs and holds 0" in finding.message
    found = await manager.doctor(repair=True)
    assert (found.healthy, len(found.repaired)) == (True, 1)
    assert (await manager.exact(job.job_id)).completed_runs == 1
    assert await wrong(manager) == []


async def test_a_completed_job_that_lost_runs_is_not_made_to_look_whole(manager, job, store_file):
    change(store_file, "DELETE FROM chunks WHERE first_index = 0")
    finding = await only(manager, repair=True)
    assert finding.severity == "error"
    assert "it counts 16 runs and holds" in finding.message
    assert "Restore the store from a backup" in finding.repair


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE jobs SET status = 'failed'", "it is failed, and its last event is completed"),
        ("DELETE FROM events WHERE seq = 1", "events"),
        ("DELETE FROM events WHERE event_type = 'completed'", "its last event is started"),
        ("UPDATE jobs SET completed_runs = 9, total_runs = 9", "it counts 9 runs and holds 16"),
        ("UPDATE jobs SET total_runs = 20", "it is completed with 16 of 20"),
    ],
)
async def test_a_job_that_contradicts_its_events_is_found(
    manager, job, store_file, statement, words
):
    change(store_file, statement)
    what = " ".join(each.message for each in await wrong(manager))
    assert "my-job contradicts itself" in what
    assert words in what


async def test_rows_of_a_job_that_is_not_there_are_found(manager, job, store_file):
    change(store_file, "PRAGMA foreign_keys = OFF", "DELETE FROM jobs")
    what = [each.message for each in await wrong(manager)]
    assert any("chunks has rows of jobs that do not exist" in each for each in what)


async def test_a_stalled_job_is_found_and_resume_is_named(manager, small, clock):
    job = await manager.create_job("try", small)
    store = await manager.store()
    await store.claim(job.job_id, "lost", lease_s=30, executor="local")
    assert await wrong(manager) == []
    clock.forward(31)
    finding = await only(manager)
    assert f"Job {job.job_id} has stalled at 0 of 16 runs: its worker is gone" in finding.message
    assert f"bilancio jobs resume {job.job_id}" in finding.repair


async def test_a_lock_without_a_process_is_noted_and_removed(manager, job):
    sign = (await manager.store()).worker_lock(job.job_id, 7)
    sign.parent.mkdir(exist_ok=True)
    sign.touch()
    found = await manager.doctor()
    assert found.healthy
    assert (
        f"Stale lock left by a dead worker of job my-job ({sign.name})"
        in found.findings[-1].message
    )
    await manager.doctor(repair=True)
    assert not sign.exists()


async def test_a_lock_of_a_living_process_is_left_alone(manager, job):
    path = (await manager.store()).worker_lock(job.job_id, 7)
    sign = WorkerLock(path)
    assert sign.acquire()
    sign.heartbeat(30)
    # In this process, which has its own file open: the lock holds against the doctor as well.
    assert await wrong(manager, repair=True) == []
    assert path.exists()
    sign.release()


async def test_a_missing_manifest_is_found_and_written_again(manager, job):
    before = (job.folder / "job_manifest.json").read_text()
    (job.folder / "job_manifest.json").unlink()
    finding = await only(manager)
    assert "The manifest of job my-job is missing" in finding.message
    found = await manager.doctor(repair=True)
    assert found.healthy
    assert found.repaired == (finding.message,)
    assert (job.folder / "job_manifest.json").read_text() == before


async def test_a_manifest_of_an_earlier_state_is_found_and_written_again(manager, job):
    path = job.folder / "job_manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"status": "running"}))
    assert "is missing or out of date" in (await only(manager)).message
    assert (await manager.doctor(repair=True)).healthy
    assert json.loads(path.read_text())["status"] == "completed"


async def test_output_folders_that_are_gone_are_a_note(manager, job):
    shutil.rmtree(job.out_dir)
    found = await manager.doctor(repair=True)
    assert found.healthy
    assert "The output folders of 1 job are gone (my-job)" in found.findings[-1].message
    assert not job.out_dir.exists()


async def test_a_repair_that_does_not_work_says_why(manager, job, store_file):
    (job.folder / "job_manifest.json").unlink()
    change(store_file, "UPDATE chunks SET crc32 = crc32 + 1")
    found = await wrong(manager, repair=True)
    assert len(found) == 2
    assert (
        "The repair failed: Job my-job is damaged in the store: the checksum of runs 0–"
        in found[1].repair
    )


async def test_little_space_is_a_warning_and_none_an_error(manager, monkeypatch):
    monkeypatch.setattr(machine, "free_bytes", lambda _: 500 << 20)
    assert {each.severity for each in await wrong(manager)} == {"warning"}
    monkeypatch.setattr(machine, "free_bytes", lambda _: 1 << 20)
    first = (await wrong(manager))[0]
    assert (first.severity, "Only 1 MiB are free for the store" in first.message) == ("error", True)


async def test_a_network_file_system_under_the_store_is_an_error(manager, tmp_path, monkeypatch):
    table = [Mount("/", "ext4"), Mount(str(tmp_path.resolve()), "nfs4")]
    monkeypatch.setattr(mounts, "mounted", lambda: table)
    finding = await only(manager)
    assert "is on a network file system (nfs4 at" in finding.message
    assert "copy it to a disk of this machine" in finding.repair


async def test_a_plug_in_that_does_not_load_is_an_error(manager, monkeypatch):
    from bilancio.experiments import registry

    monkeypatch.setenv("BILANCIO_PLUGINS", "no.such:thing")
    registry._plugins.cache_clear()
    finding = await only(manager)
    registry._plugins.cache_clear()
    assert "no.such:thing" in finding.message
    assert "BILANCIO_PLUGINS" in finding.repair


def damaged(path):
    with path.open("r+b") as file:
        file.seek(
            2 * 4096 + 100
        )  # the first page is the schema, the second says where pages belong
        file.write(b"\xff" * 3000)


UNUSABLE = {
    "a letter": (lambda path: path.write_text("Dear reader, " * 99), "not a SQLite database",
                 "another file"),
    "another program's": (
        lambda path: (path.unlink(), change(path, "CREATE TABLE songs (title)")),
        "database of another program", "another file",
    ),
    "a newer one": (lambda path: change(path, "PRAGMA user_version = 99"), "a newer bilancio",
                    "Upgrade bilancio"),
    "no folder": (lambda path: (path.unlink(), path.mkdir()), "not a file", "another file"),
}  # fmt: skip


@pytest.mark.parametrize(("spoil", "what", "repair"), UNUSABLE.values(), ids=UNUSABLE)
async def test_a_store_that_cannot_be_used_is_a_finding_and_stays(
    small, store_file, spoil, what, repair
):
    async with AsyncJobManager() as manager:
        await manager.create_job("try", small)
    spoil(store_file)
    before = store_file.read_bytes() if store_file.is_file() else None
    async with AsyncJobManager() as manager:
        finding = await only(manager, repair=True)
    assert (finding.severity, what in finding.message, repair in finding.repair) == (
        "error", True, True,
    )  # fmt: skip
    assert before is None or store_file.read_bytes() == before


async def test_a_damaged_file_is_a_finding_and_a_backup_the_repair(small, store_file):
    async with AsyncJobManager() as manager:
        await manager.run_job((await manager.create_job("try", small)).job_id)
    damaged(store_file)
    async with AsyncJobManager() as manager:
        found = await wrong(manager)
    assert {each.severity for each in found} <= {"error", "warning"}
    assert any("damaged" in each.message for each in found)
    assert any("Restore the store from a backup" in each.repair for each in found)


def test_the_memory_of_the_doctor_is_bounded_however_large_the_chunks(isolated):
    """A store of 400 MB is looked at in far less."""
    script = (
        "import asyncio, resource\n"
        "from bilancio.jobs import AsyncJobManager\n"
        "async def main():\n"
        "    async with AsyncJobManager() as manager:\n"
        "        await manager.doctor()\n"
        "        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024\n"
        "print(asyncio.run(main()))\n"
    )

    def most():
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True
        )
        return int(done.stdout)

    from bilancio.jobs import JobManager

    with JobManager() as manager:
        manager.create_job("large", JobConfig(sweep_type="single"), job_id="large-job")
    empty = most()
    with closing(sqlite3.connect(isolated / "store" / "bilancio.db")) as database, database:
        database.executemany(
            "INSERT INTO chunks VALUES ('large-job', ?, ?, zeroblob(4000000), 0, 0, 0, '', NULL)",
            [(number, number) for number in range(100)],
        )
    assert most() < empty + 150


async def test_a_cache_folder_that_cannot_be_written_is_a_warning(manager, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("BILANCIO_CACHE_DIR", str(tmp_path / "file" / "cache"))
    finding = await only(manager)
    assert (finding.severity, f"{tmp_path / 'file'} is not a folder" in finding.message) == (
        "warning", True,
    )  # fmt: skip
    assert "BILANCIO_CACHE_DIR" in finding.repair
    monkeypatch.setenv("BILANCIO_CACHE_DIR", "~nosuchuser/cache")
    assert "BILANCIO_CACHE_DIR: got '~nosuchuser/cache'" in (await only(manager)).message


async def test_an_output_folder_below_a_file_is_an_error(tmp_path, isolated):
    (tmp_path / "file").touch()
    async with AsyncJobManager(out_dir=tmp_path / "file" / "out") as manager:
        finding = await only(manager)
    assert f"The output folder cannot be written: {tmp_path / 'file'} is not a" in finding.message


@pytest.mark.parametrize(
    ("out_dir", "said"),
    [("~nosuchuser/out", "there is no such user"), ("x" * 300, "File name too long")],
)
async def test_an_output_folder_that_cannot_be_one_is_an_error(isolated, out_dir, said):
    async with AsyncJobManager(out_dir=out_dir) as manager:
        finding = await only(manager)
    assert (finding.severity, said in finding.message) == ("error", True)
    assert "BILANCIO_OUT_DIR" in finding.repair


async def test_a_working_folder_that_is_gone_is_said(isolated, tmp_path, monkeypatch):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    async with AsyncJobManager(out_dir="out") as manager:
        finding = await only(manager)
    assert "the working folder no longer exists" in finding.message


async def test_jobs_whose_plug_in_is_missing_are_named(manager, plugins, monkeypatch):
    from bilancio.experiments import registry

    for name in ("first-job", "second-job"):
        await manager.create_job("try", {"sweep_type": "trivial", "n": 5}, job_id=name)
    assert await wrong(manager) == []
    monkeypatch.delenv("BILANCIO_PLUGINS")
    registry._plugins.cache_clear()
    finding = await only(manager, repair=True)
    assert "2 jobs of sweep type 'trivial' (second-job, first-job)" in finding.message
    assert "BILANCIO_PLUGINS" in finding.repair


async def test_completed_jobs_of_another_project_are_nothing_wrong(manager, plugins, monkeypatch):
    """One store serves many projects, each with simulations of its own."""
    from bilancio.experiments import registry

    job = await manager.create_job("try", {"sweep_type": "trivial", "n": 5}, job_id="first-job")
    await manager.run_job(job.job_id)
    monkeypatch.delenv("BILANCIO_PLUGINS")
    registry._plugins.cache_clear()
    found = await manager.doctor()
    assert found.healthy
    (finding,) = (each for each in found.findings if "first-job" in each.message)
    assert finding.severity == "info"


async def test_a_damaged_row_costs_its_job_only_and_is_named(manager, job, small, store_file):
    await manager.run_job((await manager.create_job("other", small, job_id="sound-job")).job_id)
    change(store_file, "UPDATE jobs SET created_at = 'yesterday' WHERE job_id = 'my-job'")
    found = [each for each in await wrong(manager) if "is damaged in the store" in each.message]
    assert [(each.severity, each.job_id) for each in found] == [("error", "my-job")]
    assert [each.job_id for each in (await manager.list_jobs()).jobs] == ["sound-job"]


async def test_no_password_of_a_database_address_is_shown(isolated):
    for address in (
        "postgresql://ann:s3cret@db.example/x",
        "mysql://ann:s3cret@db.example/x",
        "postgres://db.example/x?user=ann&password=s3cret",
        "sqlite://ann:s3cret@x",
    ):
        async with AsyncJobManager(address) as manager:
            found = await manager.doctor()
        assert not found.healthy
        assert "s3cret" not in found.model_dump_json()


async def test_manifests_that_are_refused_are_named_with_the_reason(manager, job, monkeypatch):
    for name, text in {"deep": "[" * 10**5, "text": "Dear reader", "list": "[1]"}.items():
        (job.out_dir / name).mkdir()
        (job.out_dir / name / "job_manifest.json").write_text(text)
    told = json.loads((job.folder / "job_manifest.json").read_text())
    (job.out_dir / "nested" / "contradicting").mkdir(parents=True)
    (job.out_dir / "nested" / "contradicting" / "job_manifest.json").write_text(
        json.dumps(told | {"job_id": "other-job", "completed_at": None})
    )
    found = await wrong(manager)
    said = " ".join(each.message for each in found)
    assert (len(found), {each.severity for each in found}) == (4, {"warning"})
    for name in ("deep", "text", "list", "nested/contradicting"):
        assert f"{job.out_dir / name}/job_manifest.json" in said
    assert [each.job_id for each in (await manager.list_jobs()).jobs] == ["my-job"]


async def test_many_refused_manifests_are_counted(manager, job):
    for number in range(25):
        (job.out_dir / f"odd-{number}").mkdir()
        (job.out_dir / f"odd-{number}" / "job_manifest.json").touch()
    found = await wrong(manager)
    assert len(found) == 21
    assert found[-1].message == "5 more manifests cannot be imported."


async def test_a_repair_made_twice_changes_nothing_more(manager, job, store_file):
    (job.folder / "job_manifest.json").unlink()
    lock = (await manager.store()).worker_lock(job.job_id, 7)
    lock.parent.mkdir(exist_ok=True)
    lock.touch()
    assert len((await manager.doctor(repair=True)).repaired) == 2
    before = {path: path.read_bytes() for path in job.folder.iterdir()}
    again = await manager.doctor(repair=True)
    assert (again.healthy, again.repaired) == (True, ())
    assert {path: path.read_bytes() for path in job.folder.iterdir()} == before


EXECUTORS = {
    "unknown": ("spark", "", "executor: got 'spark'; allowed: local, dask", "BILANCIO_EXECUTOR"),
    "no address": ("dask", "", "BILANCIO_DASK_ADDRESS: got ''; allowed: the address of a Dask", ""),
    "malformed": ("dask", "10.0.0.1", "BILANCIO_DASK_ADDRESS: got '10.0.0.1'; allowed", ""),
    "no token": ("modal", "", "Modal needs a token", "Make one, or unset BILANCIO_EXECUTOR."),
    "silent": ("dask", "tcp://127.0.0.1:9", "no Dask scheduler answers at tcp://127.0.0.1:9", ""),
}


@pytest.mark.parametrize(("name", "address", "said", "repair"), EXECUTORS.values(), ids=EXECUTORS)
async def test_an_executor_that_cannot_compute_is_named(monkeypatch, name, address, said, repair):
    monkeypatch.setenv("BILANCIO_EXECUTOR", name)
    monkeypatch.setenv("BILANCIO_DASK_ADDRESS", address)
    async with AsyncJobManager() as manager:
        finding = await only(manager)
    assert finding.message.startswith("No job can be started: ")
    assert said in finding.message
    assert (repair or "Start a scheduler, correct BILANCIO_DASK_ADDRESS") in finding.repair


async def test_an_executor_whose_library_is_missing_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    async with AsyncJobManager(executor="dask") as manager:
        finding = await only(manager)
    assert re.search(r"bilancio\[dask\]|--extra dask", finding.message)
    assert finding.repair == "Install it, or unset BILANCIO_EXECUTOR."
