"""A store that was replaced by an older copy of itself catches up with the jobs' files."""

import json

import pytest

from bilancio.jobs import AsyncJobManager, JobStatus
from tests.jobs.test_doctor import change, wrong


@pytest.fixture
async def older(manager, tmp_path):
    """A manager on a backup that was made before `finish` was called."""

    async def back_up(finish):
        copy = await manager.backup(tmp_path / "older.db")
        await finish()
        return AsyncJobManager(str(copy))

    return back_up


async def test_a_job_that_was_pending_in_the_backup_is_brought_up_to_its_files(
    manager, older, small
):
    job = await manager.create_job("try", small, job_id="my-job")
    async with await older(lambda: manager.run_job(job.job_id)) as restored:
        assert (await restored.exact("my-job")).status is JobStatus.PENDING
        found = await restored.import_jobs([job.out_dir])
        assert [each.job_id for each in found.updated] == ["my-job"]
        now = await restored.exact("my-job")
        assert (now.status, now.completed_runs) == (JobStatus.COMPLETED, 16)
        assert await restored.runs("my-job") == await manager.runs("my-job")
        assert await wrong(restored) == []
        again = await restored.import_jobs([job.out_dir])
        assert (again.updated, len(again.already_there)) == ((), 1)


async def test_files_that_tell_less_than_the_store_change_nothing(manager, small):
    job = await manager.run_job((await manager.create_job("try", small)).job_id)
    before = await manager.events(job.job_id)
    runs = (job.folder / "runs.csv").read_text().splitlines(keepends=True)
    (job.folder / "runs.csv").write_text("".join(runs[:5]))
    manifest = job.folder / "job_manifest.json"
    told = json.loads(manifest.read_text())
    told |= {"status": "cancelled", "summary": None}
    told["run_counts"] |= {"completed": 4, "pending": 12}
    for index, run in enumerate(told["runs"]):
        run["status"] = "completed" if index < 4 else "pending"
    manifest.write_text(json.dumps(told))
    found = await manager.import_jobs([job.folder])
    assert ([*found.refused.values()], found.updated, len(found.already_there)) == ([], (), 1)
    assert await manager.events(job.job_id) == before


async def test_a_running_job_is_left_to_its_worker(manager, older, small, clock):
    job = await manager.create_job("try", small)
    async with await older(lambda: manager.run_job(job.job_id)) as restored:
        store = await restored.store()
        await store.claim(job.job_id, "alive", lease_s=30, executor="local")
        found = await restored.import_jobs([job.out_dir])
        assert (found.updated, len(found.already_there)) == ((), 1)
        assert (await restored.exact(job.job_id)).status is JobStatus.RUNNING


@pytest.fixture
async def by_hand(manager, small):
    """A job with one run that its caller has recorded, and what records another and completes."""
    job = await manager.create_job("by hand", small)
    await manager.start_job(job.job_id)
    await manager.record_progress(job.job_id, "one", {"delta": 1})

    async def finish():
        await manager.record_progress(job.job_id, "two", {"delta": 2})
        await manager.complete_job(job.job_id)

    return job, finish


async def test_manually_recorded_runs_are_never_lost_to_files(older, by_hand):
    job, finish = by_hand
    async with await older(finish) as restored:
        await restored.record_progress(job.job_id, "three", {"delta": 3})
        assert (await restored.import_jobs([job.out_dir])).updated == ()
        assert [*(await restored.exact(job.job_id)).run_ids] == ["one", "three"]


async def test_manually_recorded_runs_come_back_where_the_files_have_all_of_them(older, by_hand):
    job, finish = by_hand
    async with await older(finish) as restored:
        assert len((await restored.import_jobs([job.out_dir])).updated) == 1
        now = await restored.exact(job.job_id)
        assert (now.status, [*now.run_ids]) == (JobStatus.COMPLETED, ["one", "two"])


async def test_a_damaged_job_of_the_store_does_not_stop_an_import(manager, small, isolated):
    first = await manager.run_job((await manager.create_job("a", small, job_id="a-job")).job_id)
    await manager.run_job((await manager.create_job("b", small, job_id="b-job")).job_id)
    store_file = isolated / "store" / "bilancio.db"
    change(store_file, "UPDATE jobs SET created_at = 'yesterday' WHERE job_id = 'a-job'")
    found = await manager.import_jobs([first.out_dir])
    assert [each.job_id for each in found.already_there] == ["b-job"]
    assert "Job a-job is damaged in the store" in "".join(found.refused.values())
