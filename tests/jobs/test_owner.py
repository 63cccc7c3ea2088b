"""Whose jobs are whose, in a store that several people share."""

import json
import os
import subprocess
import sys

import pytest

from bilancio import machine
from bilancio.jobs import AsyncJobManager

RING = {"sweep_type": "ring", "n_agents": 5}

pytestmark = pytest.mark.databases


@pytest.fixture
def of(manager, monkeypatch):
    """Return a function that creates a job under a login name."""

    async def create(user, name):
        monkeypatch.setenv("LOGNAME", user)
        return await manager.create_job("try", RING, job_id=name)

    return create


async def names(manager, owner):
    return [job.job_id for job in (await manager.list_jobs(owner=owner)).jobs]


async def test_a_job_has_the_owner_that_created_it_whoever_carries_it_out(manager, of, monkeypatch):
    job = await of("anna", "first-job")
    assert job.owner == f"anna@{machine.host()}"
    monkeypatch.setenv("LOGNAME", "ben")
    assert (await manager.run_job("first-job")).owner == job.owner


async def test_jobs_are_listed_by_login_name_or_by_login_name_and_machine(manager, of):
    for user, name in (("anna", "job-a"), ("ann", "job-b"), ("an%", "job-c")):
        await of(user, name)
    assert await names(manager, "me") == ["job-c"]
    assert await names(manager, "anna") == ["job-a"]
    assert await names(manager, f"ann@{machine.host()}") == ["job-b"]
    assert await names(manager, "ann@elsewhere") == []
    found = await manager.list_jobs(owner="carl")
    assert (found.filters, found.without) == ({"owner": "carl"}, {"owner": 3})


async def test_my_jobs_are_not_those_of_a_login_name_that_begins_like_mine(
    manager, of, isolated, monkeypatch
):
    await manager.news(isolated)
    for user, name in (("anna@corp", "job-b"), ("anna", "job-a")):
        await of(user, name)
        await manager.run_job(name)
    assert await manager.news(isolated) == {"job-a": "completed"}
    assert await names(manager, "me") == await names(manager, "anna") == ["job-a"]
    assert await names(manager, "anna@corp") == ["job-b"]
    assert await names(manager, f"anna@corp@{machine.host()}") == ["job-b"]
    monkeypatch.setattr(machine, "host", lambda: "corp")
    await of("anna", "job-c")
    assert await names(manager, "me") == ["job-c", "job-a"]
    assert await names(manager, "anna@corp") == ["job-c", "job-b"]  # a user there, or so called
    monkeypatch.setenv("LOGNAME", "anna@corp")
    assert await names(manager, "me") == ["job-b"]


@pytest.mark.parametrize("user", ["d\udcffrte", "a\nb", "anna maria", "anna@lab"])
async def test_a_login_name_of_any_characters_finds_its_jobs(manager, of, user, isolated):
    await of(user, "first-job")
    assert await names(manager, "me") == ["first-job"]
    assert await manager.news(isolated) == {}


async def test_an_owner_is_kept_by_manifest_import_and_copy(manager, of, isolated):
    job = await of("anna", "first-job")
    manifest = job.folder / "job_manifest.json"
    assert json.loads(manifest.read_text())["owner"] == job.owner
    async with AsyncJobManager(str(isolated / "imported.db")) as other:
        assert (await other.import_job(manifest)).owner == job.owner
    copy = str(isolated / "copied.db")
    await manager.copy_jobs(copy)
    async with AsyncJobManager(copy) as other:
        assert (await other.exact("first-job")).owner == job.owner


async def test_of_a_manifest_without_an_owner_nobody_is_known(manager, of, isolated):
    job = await of("anna", "first-job")
    manifest = job.folder / "job_manifest.json"
    told = json.loads(manifest.read_text())
    del told["owner"]
    manifest.write_text(json.dumps(told))
    async with AsyncJobManager(str(isolated / "imported.db")) as other:
        assert (await other.import_job(manifest)).owner is None
        assert await names(other, "me") == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes a user without a name")
def test_a_user_without_a_name_is_known_by_number():
    code = "import os; from bilancio import machine; os.setuid(54321); print(machine.user())"
    unnamed = {k: v for k, v in os.environ.items() if k not in {"LOGNAME", "USER", "USERNAME"}}
    done = subprocess.run(
        [sys.executable, "-c", code], env=unnamed, capture_output=True, text=True, check=True
    )
    assert done.stdout == "54321\n"
