"""A job asked for over MCP writes below the working folder or the default one, nowhere else."""

import os

import pytest
from mcp import Client

from bilancio.jobs.manager import AsyncJobManager
from bilancio_mcp.server import build_server
from tests.server.talk import SMALL, created, data, refusal


@pytest.fixture
def project(tmp_path, monkeypatch):
    folder = tmp_path / "project"
    folder.mkdir()
    (tmp_path / "elsewhere").mkdir()
    (folder / "link").symlink_to(tmp_path / "elsewhere")
    (folder / "inside").mkdir()
    (folder / "loop").symlink_to(folder / "loop")
    monkeypatch.chdir(folder)
    return folder


ALLOWED = {
    "relative": "sweeps/first",
    "working folder": ".",
    "through a parent that is inside": "inside/../sweeps",
    "absolute": "{project}/sweeps",
    "below the default folder": "{default}/stressed",
    "the default folder": "{default}",
    "odd characters": "sweeps/ü \n\t'",
}
REFUSED = {
    "absolute": "{tmp}/elsewhere",
    "root": "/",
    "parent": "..",
    "relative parent": "sweeps/../../elsewhere",
    "through a link": "link/sweeps",
    "a neighbour whose name begins alike": "{project}-2",
    "home": "~",
    "home of another user": "~nosuchuser/x",
    "a NUL": "a\0b",
    "a million letters": "x" * 10**6 + "/../../..",
}


@pytest.mark.parametrize("case", ALLOWED)
async def test_folder_below_the_working_or_the_default_folder_is_taken(case, project, isolated):
    out_dir = ALLOWED[case].format(project=project, default=isolated / "out")
    async with Client(build_server()) as client, AsyncJobManager() as manager:
        job = await manager.exact(await created(client, out_dir=out_dir))
    assert job.out_dir == (project / out_dir).resolve()


@pytest.mark.parametrize("case", REFUSED)
async def test_any_other_folder_is_refused_and_nothing_stored(case, project, isolated):
    out_dir = REFUSED[case].format(tmp=isolated, project=project)
    before = sorted(isolated.rglob("*"))
    asked = {"description": "x", "config": SMALL, "out_dir": out_dir}
    async with Client(build_server()) as client:
        sentence = refusal(await client.call_tool("create_job", asked))
        assert data(await client.call_tool("list_jobs", {}))["total"] == 0
    assert sentence.startswith("out_dir: got ")
    assert "below the working folder" in sentence
    assert len(sentence) < 400
    stored = {isolated / "store", *(isolated / "store").rglob("*")}
    assert [path for path in sorted(isolated.rglob("*")) if path not in stored] == before


async def test_folder_that_the_system_cannot_make_is_refused_in_a_sentence(project):
    async with Client(build_server()) as client:
        for out_dir in ("loop/x", "x" * 300):
            asked = {"description": "x", "config": SMALL, "out_dir": out_dir}
            assert "out_dir" in refusal(await client.call_tool("create_job", asked))


async def test_default_folder_is_taken_where_the_working_folder_is_gone(project, isolated):
    inside = project / "inside"
    os.chdir(inside)
    inside.rmdir()
    async with Client(build_server()) as client:
        assert await created(client)
        assert await created(client, out_dir=str(isolated / "out" / "deeper"))
        asked = {"description": "x", "config": SMALL, "out_dir": "relative"}
        assert "working folder is gone" in refusal(await client.call_tool("create_job", asked))
