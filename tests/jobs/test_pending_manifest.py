"""The manifest tells of a job from its creation on, and its counts move while it runs."""

import asyncio
import json

import pytest

from bilancio.errors import OutputError
from bilancio.jobs import AsyncJobManager, JobConfig
from bilancio.jobs.worker import dispatch

pytestmark = pytest.mark.usefixtures("plugins")


def told(job):
    return json.loads((job.folder / "job_manifest.json").read_text(encoding="utf-8"))


async def test_a_pending_job_has_a_manifest_that_another_store_reads(manager, small, tmp_path):
    job = await manager.create_job("for later", small, job_id="bright-ocean-swift-tiger")
    manifest = told(job)
    assert (manifest["status"], manifest["completed_at"]) == ("pending", None)
    assert [run["run_id"] for run in manifest["runs"]] == list(job.run_ids)
    assert {run["status"] for run in manifest["runs"]} == {"pending"}
    async with AsyncJobManager(str(tmp_path / "other.db")) as other:
        assert (await other.get_job(job.job_id)).state == "pending"
        assert (await other.run_job(job.job_id)).state == "completed"


async def test_the_counts_of_the_manifest_move_while_the_job_runs(manager, isolated, monkeypatch):
    monkeypatch.setattr(dispatch, "MANIFEST_S", 0.0)
    gate = isolated / "gate"
    config = JobConfig(sweep_type="gated", n=1000, gate=500, file=str(gate))
    job = await manager.create_job("try", config)
    running = asyncio.ensure_future(manager.run_job(job.job_id))
    async for step in manager.watch(job.job_id):
        if step.done_runs >= 64:
            break
    while told(job)["run_counts"]["completed"] < 64:
        await asyncio.to_thread(told, job)
    assert told(job)["status"] == "running"
    gate.touch()
    assert (await running).state == "completed"
    assert told(job)["run_counts"]["completed"] == 1000


async def test_a_folder_with_something_else_in_it_is_refused_and_left_alone(manager, small):
    folder = manager.settings.out_dir / "my-own-name"
    folder.mkdir(parents=True)
    (folder / "thesis.txt").write_text("chapter one")
    with pytest.raises(OutputError, match="it is not empty, and holds no manifest of this job"):
        await manager.create_job("try", small, job_id="my-own-name")
    assert (await manager.list_jobs()).total == 0
    assert [each.name for each in folder.iterdir()] == ["thesis.txt"]


async def test_a_folder_that_was_taken_meanwhile_is_refused_at_the_start(manager, small):
    job = await manager.create_job("try", small)
    (job.folder / "job_manifest.json").write_text('{"job_id": "another-job"}')
    for start in (manager.start_sweep, manager.run_job):
        with pytest.raises(OutputError, match="holds no manifest of this job"):
            await start(job.job_id)
    assert (await manager.get_job(job.job_id)).state == "pending"


async def test_an_empty_folder_is_taken(manager, small):
    (manager.settings.out_dir / "my-own-name").mkdir(parents=True)
    assert told(await manager.create_job("try", small, job_id="my-own-name"))["job_id"]


async def test_a_request_that_is_repeated_finds_its_job_and_not_a_folder_in_its_way(manager, small):
    first = await manager.create_job("try", small, job_id="my-own-name", request_key="call-1")
    again = await manager.create_job("try", small, job_id="my-own-name", request_key="call-1")
    assert first.job_id == again.job_id


async def test_a_job_is_stored_where_its_manifest_cannot_be_written(manager, small):
    first = await manager.create_job("try", small)
    out_dir = first.out_dir
    (out_dir / "in-the-way").write_text("a file where a folder would be")
    with pytest.raises(OutputError):
        await manager.create_job("try", small, job_id="in-the-way")
    assert (await manager.list_jobs()).total == 1
