"""Jobs deleted: all of them or nothing, and nothing else."""

import os

import pytest

from bilancio.errors import JobNotFound, JobStateError, OutputError
from bilancio.jobs import AsyncJobManager, JobStatus

pytestmark = pytest.mark.databases


@pytest.fixture
async def job(manager, small):
    job = await manager.create_job("try", small, job_id="bright-ocean-swift-tiger")
    return await manager.run_job(job.job_id)


async def left_in_store(manager):
    database = (await manager.store()).database
    return {
        name: len(await database.read(name, **params))
        for name, params in {
            "job_ids": {},
            "recorded": {"job_id": "bright-ocean-swift-tiger"},
            "last_events": {"job_id": "bright-ocean-swift-tiger", "limit": 100},
        }.items()
    }


async def test_a_deleted_job_is_gone_from_store_and_disk(manager, job):
    done = await manager.delete_job(job.job_id)
    assert {"job_manifest.json", "runs.csv", "comparison.csv", "summary.json"} <= {*done.removed}
    assert done.left == ()
    assert not job.folder.exists()
    assert job.out_dir.exists()
    assert await left_in_store(manager) == {"job_ids": 0, "recorded": 0, "last_events": 0}


async def test_a_deleted_job_does_not_come_back_when_its_name_is_asked_for(manager, job):
    await manager.delete_job(job.job_id)
    assert await manager.get_job(job.job_id) is None
    assert (await manager.list_jobs()).total == 0


async def test_its_name_is_free_again(manager, job, small):
    await manager.delete_job(job.job_id)
    again = await manager.create_job("again", small, job_id=job.job_id)
    assert again.status is JobStatus.PENDING


async def test_files_that_are_kept_bring_the_job_back_only_when_they_are_imported(manager, job):
    before = await manager.runs(job.job_id)
    done = await manager.delete_job(job.job_id, files=False)
    assert done.removed == ()
    assert "runs.csv" in done.left
    assert await manager.get_job(job.job_id) is None
    assert (await manager.list_jobs()).total == 0
    await manager.import_job(job.folder / "job_manifest.deleted.json")
    assert await manager.runs(job.job_id) == before


async def test_other_jobs_stay_as_they_are(manager, job, small):
    other = await manager.run_job((await manager.create_job("other", small)).job_id)
    before = await manager.runs(other.job_id)
    await manager.delete_job(job.job_id)
    assert await manager.runs(other.job_id) == before
    assert (other.folder / "runs.csv").exists()


async def test_somebody_elses_files_stay_and_are_named(manager, job):
    (job.folder / "notes.txt").write_text("mine")
    (job.folder / "plots").mkdir()
    done = await manager.delete_job(job.job_id)
    assert done.left == ("notes.txt", "plots")
    assert sorted(each.name for each in job.folder.iterdir()) == ["notes.txt", "plots"]


async def test_what_a_killed_writer_left_behind_is_removed(manager, job):
    (job.folder / ".runs.csv-123").write_text("half")
    (job.folder / ".job_manifest.json-x1y2").write_text("half")
    await manager.delete_job(job.job_id)
    assert not job.folder.exists()


async def test_links_are_not_followed(manager, job, tmp_path):
    (tmp_path / "precious.csv").write_text("mine")
    (job.folder / "runs.csv").unlink()
    (job.folder / "runs.csv").symlink_to(tmp_path / "precious.csv")
    done = await manager.delete_job(job.job_id)
    assert done.left == ("runs.csv",)
    assert (tmp_path / "precious.csv").read_text() == "mine"


async def test_a_folder_that_is_a_link_to_elsewhere_is_left_alone(manager, job, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    job.folder.rename(elsewhere)
    job.folder.symlink_to(elsewhere)
    done = await manager.delete_job(job.job_id)
    assert done.removed == ()
    assert (elsewhere / "runs.csv").exists()
    assert await manager.get_job(job.job_id) is None
    assert (await manager.list_jobs()).total == 0


async def test_only_the_whole_name_deletes(manager, job):
    for name in ("bright ocean", "brigt-ocean-swift-tiger"):
        with pytest.raises(JobNotFound, match="Did you mean bright-ocean-swift-tiger"):
            await manager.delete_job(name)
    assert (await manager.exact(job.job_id)).status is JobStatus.COMPLETED


async def test_a_running_job_is_refused_until_it_is_cancelled(manager, small):
    job = await manager.create_job("try", small)
    store = await manager.store()
    await store.claim(job.job_id, "somebody", lease_s=30, executor="local")
    with pytest.raises(JobStateError, match=r"is running and cannot be deleted\. Cancel it first"):
        await manager.delete_job(job.job_id)
    await manager.cancel_job(job.job_id)
    await manager.delete_job(job.job_id)
    assert await manager.get_job(job.job_id) is None


async def test_a_stalled_job_can_be_deleted(manager, small, clock):
    job = await manager.create_job("try", small)
    store = await manager.store()
    await store.claim(job.job_id, "lost", lease_s=30, executor="local")
    clock.forward(31)
    await manager.delete_job(job.job_id)
    assert await manager.get_job(job.job_id) is None


async def test_a_kill_before_the_store_is_changed_leaves_the_whole_job(manager, job, monkeypatch):
    before = await manager.runs(job.job_id)
    store = await manager.store()

    async def killed(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(store, "delete", killed)
    with pytest.raises(KeyboardInterrupt):
        await manager.delete_job(job.job_id)
    async with AsyncJobManager() as other:
        assert (await other.exact(job.job_id)).status is JobStatus.COMPLETED
        assert await other.runs(job.job_id) == before
        assert "runs.csv" in (await other.results(job.job_id)).files
        await other.delete_job(job.job_id)
        assert await other.get_job(job.job_id) is None


async def test_files_written_again_by_somebody_who_looks_do_not_bring_it_back(
    manager, job, monkeypatch
):
    store = await manager.store()
    delete = store.delete

    async def looked_at_meanwhile(job):
        await manager.results(job.job_id)
        assert (job.folder / "job_manifest.json").exists()
        return await delete(job)

    monkeypatch.setattr(store, "delete", looked_at_meanwhile)
    await manager.delete_job(job.job_id)
    assert await manager.get_job(job.job_id) is None


async def test_a_job_that_is_started_meanwhile_stays(manager, small, monkeypatch):
    job = await manager.create_job("try", small)
    store = await manager.store()
    delete = store.delete

    async def started_meanwhile(job):
        await store.claim(job.job_id, "quick", lease_s=30, executor="local")
        return await delete(job)

    monkeypatch.setattr(store, "delete", started_meanwhile)
    with pytest.raises(JobStateError, match=r"is running and cannot be deleted\. It was started"):
        await manager.delete_job(job.job_id)
    assert (await manager.exact(job.job_id)).state == "running"


async def test_a_file_that_cannot_be_removed_keeps_the_job(manager, job, monkeypatch):
    unlink = os.unlink

    def refused(name, **where):
        if name == "runs.csv":
            raise PermissionError(13, "Permission denied")
        unlink(name, **where)

    monkeypatch.setattr("bilancio.jobs.maintenance.delete.os.unlink", refused)
    with pytest.raises(OutputError, match=r"runs\.csv cannot be written .Permission denied"):
        await manager.delete_job(job.job_id)
    assert (await manager.exact(job.job_id)).completed_runs == job.completed_runs


async def test_the_lock_of_a_killed_worker_goes_with_its_job(manager, job):
    lock = (await manager.store()).worker_lock(job.job_id, 1)
    lock.parent.mkdir(exist_ok=True)
    lock.touch()
    await manager.delete_job(job.job_id)
    assert not lock.exists()


async def test_files_whose_names_are_no_text_stay_and_are_named(manager, job):
    """Names of files are bytes; what is not UTF-8 in them, or would move a cursor, is shown."""
    (job.folder / os.fsdecode(b"caf\xe9\x1b[2J.txt")).write_text("mine")
    (
        job.folder / "\ud800".encode("utf-8", "surrogatepass").decode("utf-8", "surrogateescape")
    ).touch()
    done = await manager.delete_job(job.job_id)
    assert len(done.left) == 2
    for name in done.left:
        assert name.encode().decode() == name
    assert done.model_dump_json()
    assert await manager.get_job(job.job_id) is None


@pytest.mark.parametrize("kind", ["link to a file", "link to nothing", "folder", "FIFO"])
async def test_what_is_no_file_under_a_name_of_ours_stays(manager, job, tmp_path, kind):
    (tmp_path / "precious.txt").write_text("mine")
    path = job.folder / "summary.json"
    path.unlink()
    match kind:
        case "link to a file":
            path.symlink_to(tmp_path / "precious.txt")
        case "link to nothing":
            path.symlink_to(tmp_path / "nothing")
        case "folder":
            path.mkdir()
        case "FIFO":
            os.mkfifo(path)
    done = await manager.delete_job(job.job_id)
    assert done.left == ("summary.json",)
    assert (tmp_path / "precious.txt").read_text() == "mine"
    assert await manager.get_job(job.job_id) is None


async def test_a_manifest_behind_a_link_does_not_bring_a_deleted_job_back(manager, job, tmp_path):
    manifest = job.folder / "job_manifest.json"
    manifest.rename(tmp_path / "elsewhere.json")
    manifest.symlink_to(tmp_path / "elsewhere.json")
    await manager.delete_job(job.job_id)
    assert await manager.get_job(job.job_id) is None
    assert (await manager.list_jobs()).total == 0


async def test_a_folder_replaced_during_the_deletion_is_left_alone(
    manager, job, tmp_path, monkeypatch
):
    """What takes the folder's place is not what was opened, and keeps its files."""
    store = await manager.store()
    delete = store.delete
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "runs.csv").write_text("mine")

    async def replaced_meanwhile(job):
        (job.folder.parent / job.job_id).symlink_to(precious)
        return await delete(job)

    monkeypatch.setattr(store, "delete", replaced_meanwhile)
    await manager.delete_job(job.job_id)
    assert (precious / "runs.csv").read_text() == "mine"
