"""Jobs that only manifests on disk tell of: where they are found, and what it costs."""

import json
import shutil

import pytest

from bilancio.jobs import AsyncJobManager
from bilancio.jobs.artifacts import discovery, foreign

NAME = "calm-blue-river"


@pytest.mark.parametrize("place", ["", "auto"])
async def test_jobs_are_found_up_to_two_levels_below_the_output_folder(
    folder, other, tmp_path, place
):
    shutil.copytree(folder, tmp_path / "found" / place / NAME)
    assert [job.job_id for job in (await other.list_jobs()).jobs] == [NAME]
    assert (await other.get_job("Calm Blue River")).out_dir == tmp_path / "found" / place


async def test_a_name_is_found_two_levels_down_without_a_listing(folder, other, tmp_path):
    shutil.copytree(folder, tmp_path / "found" / "auto" / NAME)
    assert (await other.find_job("calm blue rivr")).job.job_id == NAME


async def test_nothing_is_looked_for_deeper_than_that(folder, other, tmp_path):
    shutil.copytree(folder, tmp_path / "found" / "a" / "b" / NAME)
    assert (await other.list_jobs()).total == 0


@pytest.mark.parametrize("mark", [".git", "pyproject.toml"])
async def test_from_a_subfolder_the_projects_own_output_folder_is_searched(
    folder, other, tmp_path, monkeypatch, mark
):
    project = tmp_path / "project"
    (project / "deep" / "down").mkdir(parents=True)
    (project / mark).touch()
    shutil.copytree(folder, project / "out" / "experiments" / NAME)
    monkeypatch.chdir(project / "deep" / "down")
    job = await other.get_job(NAME)
    assert job.out_dir == project / "out" / "experiments"


async def test_where_the_working_folder_is_gone_an_absolute_output_folder_is_searched(
    folder, other, tmp_path, monkeypatch
):
    shutil.copytree(folder, tmp_path / "found" / NAME)
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert (await other.list_jobs()).total == 1


@pytest.mark.parametrize("out_dir", ["~nosuchuser/out", "/dev/null/out", "x" * 300])
async def test_an_output_folder_that_cannot_be_leaves_a_listing_empty(
    tmp_path, monkeypatch, out_dir
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BILANCIO_OUT_DIR", out_dir)
    async with AsyncJobManager(str(tmp_path / "other.db")) as manager:
        assert (await manager.list_jobs()).total == 0


async def test_a_folder_under_another_name_brings_the_job_it_holds(folder, other, tmp_path):
    shutil.copytree(folder, tmp_path / "found" / "stressed-liquidity-2")
    assert (await other.get_job(NAME)).status == "completed"


async def test_of_several_copies_the_one_in_a_folder_of_the_jobs_name_counts(
    folder, other, tmp_path
):
    for place in ("a-copy", NAME, "z-copy"):
        shutil.copytree(folder, tmp_path / "found" / place)
        path = tmp_path / "found" / place / "job_manifest.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"description": place}))
    (job,) = (await other.list_jobs()).jobs
    assert job.description == NAME


async def test_what_is_too_much_for_one_listing_is_read_by_the_next(
    folder, other, tmp_path, monkeypatch
):
    """Small manifests come first, so that a large one does not starve them."""
    small, large = (tmp_path / "found" / name for name in ("z-small", "a-large"))
    shutil.copytree(folder, small)
    large.mkdir()
    manifest = json.loads((folder / "job_manifest.json").read_text())
    manifest |= {"job_id": "large-red-sea", "notes": "x" * 5000, "runs": []}
    (large / "job_manifest.json").write_text(json.dumps(manifest))
    monkeypatch.setattr(discovery, "MAX_READ", (large / "job_manifest.json").stat().st_size)
    assert [job.job_id for job in (await other.list_jobs()).jobs] == [NAME]
    assert (await other.list_jobs()).total == 2


async def test_links_and_hidden_folders_are_not_searched(folder, other, tmp_path):
    (tmp_path / "found").mkdir()
    (tmp_path / "found" / NAME).symlink_to(folder)
    (tmp_path / "found" / "round").symlink_to(tmp_path / "found")
    shutil.copytree(folder, tmp_path / "found" / ".trash" / NAME)
    assert (await other.list_jobs()).total == 0


def counting(monkeypatch):
    """Count the manifests that are read whole."""
    read = []
    whole = foreign.read_manifest

    def counted(path):
        read.append(path)
        return whole(path)

    monkeypatch.setattr(foreign, "read_manifest", counted)
    monkeypatch.setattr("bilancio.jobs.artifacts.headers.read_manifest", counted)
    return read


async def test_a_copied_folder_is_not_read_again_by_each_listing(
    folder, other, tmp_path, monkeypatch
):
    """Its folder's name is unknown to the store; the name that its manifest begins with is not."""
    shutil.copytree(folder, tmp_path / "found" / NAME)
    shutil.copytree(folder, tmp_path / "found" / "a-copy")
    assert (await other.list_jobs()).total == 1
    read = counting(monkeypatch)
    for _ in range(3):
        assert (await other.list_jobs()).total == 1
    assert read == []


async def test_a_refused_manifest_is_read_once_until_it_changes(
    folder, other, tmp_path, monkeypatch
):
    path = shutil.copytree(folder, tmp_path / "found" / NAME) / "job_manifest.json"
    whole = path.read_text()
    path.write_text(whole.replace('"n_agents": 10', '"n_agents": 11'))
    read = counting(monkeypatch)
    for _ in range(3):
        assert (await other.list_jobs()).total == 0
    once = len(read)
    path.write_text(whole)
    assert (await other.list_jobs()).total == 1
    assert len(read) > once
    assert once <= 2


async def test_what_the_store_knows_is_no_refusal(folder, other, tmp_path):
    shutil.copytree(folder, tmp_path / "found" / NAME)
    await other.list_jobs()
    shutil.copytree(folder, tmp_path / "found" / "a-copy")
    assert await discovery.refused_manifests(await other.store(), [tmp_path / "found"]) == {}


async def test_a_list_counts_the_manifests_that_it_skipped(folder, other, tmp_path, monkeypatch):
    """One cannot be read; the other can, but its configuration was changed."""
    shutil.copytree(folder, tmp_path / "found" / NAME)
    (tmp_path / "found" / "letter").mkdir()
    (tmp_path / "found" / "letter" / "job_manifest.json").write_text("Dear reader")
    changed = shutil.copytree(folder, tmp_path / "found" / "changed") / "job_manifest.json"
    manifest = changed.read_text().replace('"n_agents": 10', '"n_agents": 11')
    changed.write_text(manifest.replace(NAME, "changed-blue-river"))
    page = await other.list_jobs()
    assert ([job.job_id for job in page.jobs], page.refused_manifests) == ([NAME], 2)
    read = counting(monkeypatch)
    assert (await other.list_jobs(status="failed")).refused_manifests == 2
    assert read == []
    shutil.rmtree(changed.parent)
    assert (await other.list_jobs()).refused_manifests == 1
