"""A server in odd places: optimised Python, a working folder that is gone, noisy plug-ins."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest
from mcp import Client

from tests.server.talk import (
    ROOT,
    SMALL,
    TOOLS,
    completed,
    created,
    data,
    module_command,
    over_stdio,
    refusal,
    waited,
)

pytestmark = pytest.mark.slow

NOISY = """
import ctypes, os, subprocess, sys
from tests.plugins import Counting, CountingExperiment
from pydantic import Field
from typing import Literal

def make_noise():
    print("a line of words")
    sys.__stdout__.write("{}\\n")
    os.write(1, b"bytes\\n")
    subprocess.run(["echo", "a child"])
    libc = ctypes.CDLL(None)
    libc.puts(b"from C")
    libc.fflush(None)

make_noise()

class Sweep(Counting):
    sweep_type: Literal["noisy"] = Field(default="noisy")

class Noisy(CountingExperiment):
    config_model = Sweep
    def headline(self, summary):
        make_noise()
        return super().headline(summary)

NOISY = Noisy()
"""


async def test_manuals_are_there_where_python_leaves_docstrings_out():
    command = [sys.executable, "-OO", "-m", "bilancio_mcp"]
    plugged = {"PYTHONPATH": str(ROOT), "BILANCIO_PLUGINS": "tests.plugins:TRIVIAL"}
    async with Client(over_stdio(module_command(), **plugged)) as client:
        usual = (await client.list_tools()).tools
    async with Client(over_stdio(command, PYTHONOPTIMIZE="2", **plugged)) as client:
        tools = (await client.list_tools()).tools
        assert [tool.name for tool in tools] == TOOLS
        assert [tool.description for tool in tools] == [tool.description for tool in usual]
        assert [tool.input_schema for tool in tools] == [tool.input_schema for tool in usual]
        templates = (await client.list_resource_templates()).resource_templates
        assert all(template.description for template in templates)
        job_id = await created(client, {"sweep_type": "trivial", "n": 5})
        data(await client.call_tool("start_sweep", {"job_id": job_id}))
        assert (await waited(client, job_id))["status"] == "completed"
        assert data(await client.call_tool("job_results", {"job_id": job_id}))["table"]


async def test_nothing_that_a_plugin_prints_reaches_the_protocol(tmp_path):
    (tmp_path / "noisy.py").write_text(NOISY)
    environment = {
        "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}",
        "BILANCIO_PLUGINS": "noisy:NOISY",
    }
    async with Client(over_stdio(module_command(), **environment)) as client:
        job_id = await created(client, {"sweep_type": "noisy", "n": 5})
        data(await client.call_tool("start_sweep", {"job_id": job_id}))
        assert (await waited(client, job_id))["status"] == "completed"
        results = data(await client.call_tool("job_results", {"job_id": job_id}))
    assert "The sum is 20." in results["summary"]


async def test_server_whose_working_folder_was_removed_answers(tmp_path, monkeypatch):
    folder = tmp_path / "worktree"
    folder.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    async with Client(over_stdio(module_command(), cwd=folder)) as client:
        job_id = await completed(client)
        folder.rmdir()
        assert data(await client.call_tool("list_jobs", {}))["total"] == 1
        assert (
            data(await client.call_tool("job_status", {"job_id": job_id}))["completed_runs"] == 12
        )
        asked = {"job_id": job_id, "group_by": ["kappa"]}
        assert data(await client.call_tool("job_results", asked))["table"]["total_rows"] == 2
        assert "lists all jobs" in refusal(
            await client.call_tool("job_status", {"job_id": "no-such-job"})
        )
        another = await created(client)
        data(await client.call_tool("start_sweep", {"job_id": another}))
        ended = await waited(client, another)
        assert ended["status"] == "completed", ended


async def test_default_folder_below_a_working_folder_that_is_gone_is_said_to_be(
    tmp_path, monkeypatch
):
    folder = tmp_path / "worktree"
    folder.mkdir()
    monkeypatch.setenv("BILANCIO_OUT_DIR", "out/experiments")
    async with Client(over_stdio(module_command(), cwd=folder)) as client:
        job_id = await created(client)
        shutil.rmtree(folder)
        for tool in ("job_status", "job_results"):
            assert data(await client.call_tool(tool, {"job_id": job_id}))["status"] == "pending"
        assert data(await client.call_tool("list_jobs", {}))["total"] == 1
        assert "lists all jobs" in refusal(
            await client.call_tool("job_status", {"job_id": "no-such-job"})
        )
        asked = {"description": "x", "config": SMALL}
        assert "unexpected" not in refusal(await client.call_tool("create_job", asked))


@pytest.mark.parametrize("replace", [False, True], ids=["removed", "replaced"])
async def test_server_whose_store_was_taken_away_says_so_and_keeps_answering(replace, tmp_path):
    async with Client(over_stdio(module_command())) as client:
        job_id = await created(client)
        store = tmp_path / "store"
        store.rename(tmp_path / "moved")
        if replace:
            other = {"BILANCIO_DATABASE_URL": f"sqlite:///{store / 'bilancio.db'}"}
            async with Client(over_stdio(module_command(), **other)) as another:
                await created(another)
        asked = {"description": "x", "config": SMALL}
        said = refusal(await client.call_tool("create_job", asked))
        assert "store" in said
        assert "unexpected" not in said
        for tool in ("list_jobs", "job_status"):
            result = await client.call_tool(tool, {} if tool == "list_jobs" else {"job_id": job_id})
            assert "unexpected" not in json.dumps(result.model_dump(mode="json"))
        assert Path(tmp_path / "moved" / "bilancio.db").exists()
