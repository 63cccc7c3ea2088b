"""Versions, commit and the state of the tree are recorded as they are."""

import shutil
import subprocess

import pytest

from bilancio import machine
from bilancio.jobs.artifacts.provenance import provenance

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def git(folder, *words):
    subprocess.run(
        ["git", "-C", folder, "-c", "user.name=x", "-c", "user.email=x@example.org", *words],
        check=True,
        capture_output=True,
    )


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "-q")
    (folder / "model.py").write_text("first")
    git(folder, "add", "model.py")
    git(folder, "commit", "-qm", "first")
    return folder


def test_the_outputs_of_a_first_job_leave_the_tree_clean(repository):
    (repository / "out").mkdir()
    (repository / "out" / "runs.csv").write_text("1")
    found = provenance(repository)
    assert len(found["git_commit"]) == 40
    assert found["git_clean"] is True


@pytest.mark.parametrize("staged", [False, True])
def test_a_change_of_a_tracked_file_does_not(repository, staged):
    (repository / "model.py").write_text("second")
    if staged:
        git(repository, "add", "model.py")
    assert provenance(repository)["git_clean"] is False


def test_a_subfolder_and_a_worktree_answer_for_their_own_tree(repository, tmp_path):
    git(repository, "worktree", "add", "-q", tmp_path / "tree")
    (tmp_path / "tree" / "deep").mkdir()
    (repository / "model.py").write_text("second")
    assert provenance(tmp_path / "tree" / "deep")["git_clean"] is True
    assert provenance(repository)["git_clean"] is False


def test_a_submodules_untracked_files_do_not_count_and_its_changes_do(repository, tmp_path):
    outer = tmp_path / "outer"
    outer.mkdir()
    git(outer, "init", "-q")
    git(outer, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", repository, "sub")
    git(outer, "commit", "-qm", "with a submodule")
    (outer / "sub" / "output.csv").write_text("1")
    assert provenance(outer)["git_clean"] is True
    (outer / "sub" / "model.py").write_text("second")
    assert provenance(outer)["git_clean"] is False
    assert provenance(outer / "sub")["git_clean"] is False


def test_nothing_that_a_repository_configures_is_executed(repository, tmp_path):
    witness = tmp_path / "witness"
    script = tmp_path / "script"
    script.write_text(f"#!/bin/sh\ntouch {witness}\n")
    script.chmod(0o755)
    git(repository, "config", "core.fsmonitor", script)
    for hook in ("post-index-change", "fsmonitor-watchman"):
        shutil.copy(script, repository / ".git" / "hooks" / hook)
    assert provenance(repository)["git_clean"] is True
    assert not witness.exists()


def test_asking_writes_nothing_into_the_repository(repository):
    (repository / "model.py").write_text("first")  # the same, with another time stamp
    index = repository / ".git" / "index"
    before = index.read_bytes()
    assert provenance(repository)["git_clean"] is True
    assert index.read_bytes() == before


def test_a_hook_of_another_repository_does_not_answer_for_this_one(
    repository, tmp_path, monkeypatch
):
    monkeypatch.setenv("GIT_DIR", str(repository / ".git"))
    assert provenance(tmp_path)["git_commit"] is None


def test_without_git_the_commit_is_unknown(repository, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    found = provenance(repository)
    assert (found["git_commit"], found["git_clean"]) == (None, None)


async def test_a_manifest_records_the_versions_that_numbers_may_depend_on(manager, small):
    job = await manager.run_job((await manager.create_job("try", small)).job_id)
    recorded = (await manager.get_job(job.job_id)).provenance
    for package in ("bilancio", "numpy", "numba", "scipy"):
        assert recorded[package] == machine.package_version(package)
        assert recorded[package]
