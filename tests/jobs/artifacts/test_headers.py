"""A job that is met in a folder: its manifest is read at once, its runs when they are asked for."""

import asyncio
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys

import pytest

from bilancio.errors import ResultsMissing
from bilancio.jobs import AsyncJobManager, JobConfig, JobStatus
from bilancio.jobs.store import integrity, open_store
from tests.jobs.artifacts.conftest import NAME

RUNS = 16


@pytest.fixture
async def met(folder, other, tmp_path):
    """The folder of a completed job that the other store has met in a listing."""
    met = shutil.copytree(folder, tmp_path / "found" / NAME)
    (job,) = (await other.list_jobs()).jobs
    assert (job.unread, job.status, job.completed_runs) == (True, "completed", RUNS)
    return met


@pytest.fixture
async def cut_short(manager, plugins, tmp_path):
    """Return the folder of a job that failed with 18 of 20 runs, out of the way of searches."""
    config = JobConfig(
        sweep_type="faulty", n=20, faults={3: "raise", 7: "raise"}, mended=str(tmp_path / "mended")
    )
    job = await manager.run_job((await manager.create_job("try", config, job_id=NAME)).job_id)
    return shutil.move(job.folder, tmp_path / "kept" / NAME)


def stored_runs(tmp_path):
    """Count the runs that the other store has, without asking it."""
    with sqlite3.connect(tmp_path / "other.db") as raw:
        rows = raw.execute("SELECT first_index, last_index FROM chunks").fetchall()
    raw.close()
    return sum(last - first + 1 for first, last in rows)


def changed(folder, **entries):
    path = folder / "job_manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))


HEADERS = {
    "a listing": lambda manager: manager.list_jobs(),
    "a search": lambda manager: manager.list_jobs(text="river", min_runs=10),
    "a name": lambda manager: manager.find_job("calm blue rivr"),
    "how far it is": lambda manager: manager.progress(NAME),
    "what happened": lambda manager: manager.events(NAME),
    "the doctor": lambda manager: manager.doctor(),
    "the repair of everything": lambda manager: manager.doctor(repair=True),
    "another job": lambda manager: manager.create_job("try", {"sweep_type": "ring"}),
    "one like it": lambda manager: manager.create_job("try", like=NAME),
}


@pytest.mark.parametrize("ask", HEADERS.values(), ids=HEADERS)
async def test_what_asks_for_no_runs_reads_none(met, other, tmp_path, ask):
    await ask(other)
    assert stored_runs(tmp_path) == 0
    assert (await other.get_job(NAME)).unread


DOORS = {
    "results": lambda manager, _: manager.results(NAME),
    "grouped results": lambda manager, _: manager.results(NAME, group_by=["kappa"]),
    "runs": lambda manager, _: manager.runs(NAME),
    "one run": lambda manager, _: manager.run_of(NAME, "5"),
    "the story of a run": lambda manager, _: manager.run_story(NAME, "worst"),
    "a frame": lambda manager, _: manager.runs_frame(NAME),
    "arrays": lambda manager, _: manager.to_xarray(NAME),
    "a picture": lambda manager, _: manager.plot(NAME),
    "a report": lambda manager, _: manager.report_text(NAME),
    "a package": lambda manager, to: manager.package(NAME, out=to / "package"),
    "verification": lambda manager, _: manager.verify(NAME),
    "an export": lambda manager, to: manager.export_job(NAME, to / "export"),
    "other words": lambda manager, _: manager.edit_job(NAME, notes="seen"),
    "more seeds": lambda manager, _: manager.run_job(NAME, n_replicates=3),
}


@pytest.mark.parametrize("ask", DOORS.values(), ids=DOORS)
async def test_whatever_needs_the_runs_finds_them_once(met, other, tmp_path, ask):
    await ask(other, tmp_path)
    job = await other.get_job(NAME)
    assert not job.unread
    store = await other.store()
    found = sum(last - first + 1 for first, last in await store.recorded(NAME))
    assert found == job.completed_runs >= RUNS
    assert await integrity.contradictions(store) == []


async def test_jobs_that_are_compared_are_read(met, other, tmp_path):
    twin = shutil.copytree(met, tmp_path / "found" / "calm-red-river")
    changed(twin, job_id="calm-red-river")
    for name in ("runs.csv", "comparison.csv"):
        (twin / name).unlink()
    compared = await other.compare(NAME, "calm-red-river")
    assert compared.table.rows
    assert stored_runs(tmp_path) == 2 * RUNS


async def test_what_is_known_in_between_is_said_to_be_the_manifests(met, other):
    from bilancio import text

    job = await other.get_job(NAME)
    assert text.progress(job) == f"{NAME} is completed. 16 of 16 runs, by its manifest."
    assert job.model_dump(mode="json")["unread"] is True
    job = (await other.results(NAME)).job
    assert text.progress(job) == f"{NAME} is completed. 16 of 16 runs."


async def test_the_results_are_those_of_the_job_where_it_was_computed(met, other, manager):
    theirs = await other.results(NAME, group_by=["kappa"])
    assert theirs.table == (await manager.results(NAME, group_by=["kappa"])).table
    assert (await other.events(NAME))[0].details["source"] == "runs.csv"


async def test_all_that_ask_at_once_are_answered_from_the_same_runs(met, other, tmp_path):
    """In one process they wait for each other; in two the slower one finds it done."""
    second = AsyncJobManager(str(tmp_path / "other.db"), out_dir=tmp_path / "found")
    async with second:
        asked = (each.results(NAME, group_by=["mu"]) for each in (other, second) * 3)
        first, *rest = [results.table for results in await asyncio.gather(*asked)]
    assert rest == [first] * 5
    assert stored_runs(tmp_path) == RUNS


def command(tmp_path, *words, **environment):
    return subprocess.Popen(
        [sys.executable, "-m", "bilancio.cli", "jobs", *words],
        env=os.environ | environment | {
            "BILANCIO_DATABASE_URL": f"sqlite:///{tmp_path}/other.db",
            "BILANCIO_OUT_DIR": str(tmp_path / "found"),
        },
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    )  # fmt: skip


async def test_two_processes_that_ask_at_once_store_the_runs_once(met, other, tmp_path):
    asked = [command(tmp_path, "results", NAME, "--json") for _ in range(2)]
    first, second = [each.communicate()[0] for each in asked]
    assert json.loads(first)["table"] == json.loads(second)["table"]
    assert stored_runs(tmp_path) == RUNS
    assert await integrity.contradictions(await other.store()) == []


async def test_a_process_that_is_killed_while_it_reads_them_leaves_all_of_them_unread(
    met, other, tmp_path
):
    killed = command(tmp_path, "results", NAME, BILANCIO_CRASH_AT="in-import")
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    assert (stored_runs(tmp_path), (await other.get_job(NAME)).unread) == (0, True)
    assert (await other.results(NAME)).table.rows
    assert stored_runs(tmp_path) == RUNS


async def test_a_table_that_has_changed_and_contradicts_the_manifest_is_left_out(met, other):
    lines = (met / "runs.csv").read_text().splitlines(keepends=True)
    (met / "runs.csv").write_text("".join(lines[:-1]))
    await other.results(NAME)
    created = (await other.events(NAME))[0].details
    assert created["source"] == "cells.csv"
    assert "allowed: 16, as in job_manifest.json" in created["left_out"]["runs.csv"]


async def test_where_the_folder_is_gone_the_headline_answers(met, other, tmp_path):
    said = (await other.get_job(NAME)).summary
    shutil.rmtree(met)
    results = await other.results(NAME)
    assert (results.summary, results.table) == (said, None)
    assert "left out when it was imported: job_manifest.json" in results.headline
    assert not results.job.unread
    shutil.copytree(tmp_path / "kept" / NAME, met, dirs_exist_ok=True)
    imported = await other.import_jobs([met])
    assert [job.job_id for job in imported.updated] == [NAME]
    assert stored_runs(tmp_path) == RUNS


async def test_a_manifest_that_has_become_another_jobs_gives_no_runs(met, other, tmp_path):
    changed(met, created_at="2020-01-01T00:00:00Z")
    results = await other.results(NAME)
    assert results.table is None
    assert stored_runs(tmp_path) == 0
    assert (
        "tells of another job"
        in (await other.events(NAME))[0].details["left_out"]["job_manifest.json"]
    )


async def test_a_job_that_has_ended_since_is_taken_as_it_is_now(folder, other, tmp_path):
    """A manifest that was pulled after the listing tells more than the first one did."""
    met = shutil.copytree(folder, tmp_path / "found" / NAME)
    counts = {"total": RUNS, "completed": 3, "failed": 0, "pending": RUNS - 3}
    changed(met, status="running", completed_at=None, summary=None, run_counts=counts, runs=[])
    (job,) = (await other.list_jobs()).jobs
    assert (job.state, job.completed_runs, job.unread) == ("stalled", 3, True)
    shutil.copy(folder / "job_manifest.json", met)
    results = await other.results(NAME)
    assert (results.job.status, results.job.completed_runs) == ("completed", RUNS)
    assert [event.event_type for event in await other.events(NAME)] == [
        "created", "started", "completed",
    ]  # fmt: skip


async def test_a_job_that_failed_elsewhere_is_resumed_with_its_runs(cut_short, other, tmp_path):
    shutil.copytree(cut_short, tmp_path / "found" / NAME)
    (job,) = (await other.list_jobs()).jobs
    assert (job.status, job.completed_runs, job.failed_runs) == (JobStatus.FAILED, 18, 2)
    await other.progress(NAME)
    assert stored_runs(tmp_path) == 0
    (tmp_path / "mended").touch()
    done = await other.run_job(NAME)
    assert (done.status, done.completed_runs, done.failed_runs) == (JobStatus.COMPLETED, 20, 0)
    progress = [e.details for e in await other.events(NAME) if e.event_type == "progress"]
    assert sum(each["completed"] for each in progress) == 2


async def test_a_job_that_failed_elsewhere_is_cancelled_with_its_runs(cut_short, other, tmp_path):
    shutil.copytree(cut_short, tmp_path / "found" / NAME)
    await other.list_jobs()
    await other.cancel_job(NAME)
    job = await other.get_job(NAME)
    assert (job.status, job.completed_runs, stored_runs(tmp_path)) == ("cancelled", 18, 18)


async def test_without_its_tables_a_failed_job_has_no_runs_once_they_are_asked_for(
    cut_short, other, tmp_path
):
    met = shutil.copytree(cut_short, tmp_path / "found" / NAME)
    await other.list_jobs()
    shutil.rmtree(met)
    assert (await other.runs(NAME, status="completed")).total == 0
    job = await other.get_job(NAME)
    assert (job.completed_runs, job.failed_runs, job.unread) == (0, 0, False)


async def test_a_job_is_deleted_without_reading_its_runs(met, other, tmp_path, monkeypatch):
    monkeypatch.setattr("bilancio.jobs.artifacts.importing.read_job", pytest.fail)
    await other.delete_job(NAME)
    assert not met.exists()
    assert (await other.list_jobs()).total == 0


async def test_a_store_that_reads_no_files_refuses_rather_than_answers_without_runs(
    met, other, tmp_path
):
    store = await open_store(str(tmp_path / "other.db"))
    with pytest.raises(ResultsMissing, match="they lie in its folder, and have not been read"):
        await store.recorded(NAME)
    await store.close()
