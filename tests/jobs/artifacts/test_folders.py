"""What is written stays in the job's own folder, and is written whole."""

import pytest

from bilancio.errors import OutputError
from bilancio.jobs import AsyncJobManager
from bilancio.jobs.artifacts.folder import write_whole


@pytest.fixture
def strangers(isolated):
    """A folder in which somebody else's files lie."""
    folder = isolated / "out" / "my-own-job"
    folder.mkdir(parents=True)
    (folder / "notes.txt").write_text("mine")
    (folder / "runs.csv").write_text("run,value\n1,2\n")
    return folder


def contents(folder):
    return {path.name: path.read_text() for path in folder.iterdir()}


async def test_a_name_whose_folder_holds_other_files_is_refused(manager, small, strangers):
    before = contents(strangers)
    with pytest.raises(OutputError, match="holds no manifest of this job"):
        await manager.create_job("try", small, job_id="my-own-job")
    assert contents(strangers) == before
    assert (await manager.list_jobs()).total == 0


async def test_files_put_into_a_jobs_folder_place_stop_its_start(manager, small, isolated):
    job = await manager.create_job("try", small)
    (job.folder / "job_manifest.json").unlink()
    (job.folder / "runs.csv").write_text("run,value\n1,2\n")
    with pytest.raises(OutputError, match="holds no manifest of this job"):
        await manager.run_job(job.job_id)
    assert contents(job.folder) == {"runs.csv": "run,value\n1,2\n"}
    assert (await manager.get_job(job.job_id)).status == "pending"


async def test_an_export_into_a_folder_of_other_files_is_refused(
    manager, small, strangers, tmp_path
):
    before = contents(strangers)
    job = await manager.create_job("try", small, job_id="my-own-job", out_dir=tmp_path / "own")
    with pytest.raises(OutputError, match="holds no manifest of this job"):
        await manager.export_job(job.job_id, strangers.parent)
    assert contents(strangers) == before


async def test_the_manifest_of_another_job_of_the_same_name_is_not_overwritten(
    manager, small, tmp_path
):
    first = await manager.create_job("first", small, job_id="my-own-job")
    async with AsyncJobManager(str(tmp_path / "other.db"), out_dir=tmp_path / "o") as other:
        second = await other.create_job("second", small, job_id="my-own-job")
        with pytest.raises(OutputError, match="holds no manifest of this job"):
            await other.export_job(second.job_id, first.out_dir)
    assert "first" in (first.folder / "job_manifest.json").read_text()


async def test_files_kept_of_a_deleted_job_are_not_overwritten_by_one_of_its_name(manager, small):
    job = await manager.create_job("first", small, job_id="my-own-job")
    await manager.run_job(job.job_id)
    await manager.delete_job(job.job_id, files=False)
    before = contents(job.folder)
    with pytest.raises(OutputError, match="holds no manifest of this job"):
        await manager.create_job("second", small, job_id="my-own-job")
    assert contents(job.folder) == before


async def test_a_manifest_that_was_removed_is_made_again_beside_the_jobs_own_files(manager, small):
    job = await manager.run_job((await manager.create_job("try", small)).job_id)
    (job.folder / "job_manifest.json").unlink()
    assert "job_manifest.json" in (await manager.results(job.job_id)).files


async def test_a_manifest_that_a_power_failure_left_empty_is_made_again(manager, small):
    job = await manager.create_job("try", small)
    (job.folder / "job_manifest.json").write_bytes(b"")
    assert (await manager.run_job(job.job_id)).status == "completed"
    assert (job.folder / "job_manifest.json").stat().st_size > 0


async def test_a_folder_that_is_a_link_is_not_followed(manager, small, tmp_path):
    job = await manager.create_job("try", small)
    (job.folder / "job_manifest.json").unlink()
    job.folder.rmdir()
    (tmp_path / "elsewhere").mkdir()
    job.folder.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputError, match="it is a link"):
        await manager.run_job(job.job_id)
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize(
    "name", ["job_manifest.json", "runs.csv", "comparison.csv", "cells.csv", "summary.json"]
)
async def test_links_in_place_of_files_are_replaced_not_followed(manager, small, tmp_path, name):
    precious = tmp_path / "precious"
    precious.write_text("mine")
    job = await manager.create_job("try", small)
    if name != "job_manifest.json":
        (job.folder / name).symlink_to(precious)
    await manager.run_job(job.job_id)
    (job.folder / name).unlink()
    (job.folder / name).symlink_to(precious)
    if name == "job_manifest.json":
        (job.folder / name).unlink()
    await manager.export_job(job.job_id)
    assert precious.read_text() == "mine"
    assert not (job.folder / name).is_symlink()


def test_a_file_that_cannot_be_written_whole_leaves_nothing_behind(tmp_path):
    (tmp_path / "manifest").mkdir()
    with pytest.raises(OutputError, match="manifest"):
        write_whole(tmp_path / "manifest", "text")
    assert [path.name for path in tmp_path.iterdir()] == ["manifest"]


@pytest.mark.parametrize("parent", ["out", "elsewhere"])
async def test_results_are_answered_without_making_a_folder_that_is_gone(
    manager, small, tmp_path, parent
):
    job = await manager.create_job("try", small, out_dir=tmp_path / "gone" / parent)
    await manager.run_job(job.job_id)
    for path in job.folder.iterdir():
        path.unlink()
    job.folder.rmdir()
    job.out_dir.rmdir()
    results = await manager.results(job.job_id, group_by=["kappa"])
    assert len(results.table.rows) == 2
    assert results.files == {}
    assert not job.out_dir.exists()


async def test_summary_and_manifest_hold_null_for_what_is_not_finite(manager, small):
    job = await manager.create_job("by hand", small)
    await manager.start_job(job.job_id)
    await manager.record_progress(job.job_id, "one", {"delta": 1})
    await manager.complete_job(job.job_id, {"mean": float("nan"), "most": float("inf")})
    for name in ("summary.json", "job_manifest.json"):
        text = (job.folder / name).read_text()
        assert '"mean": null' in text
        assert "NaN" not in text
        assert "Infinity" not in text
