"""The MCP Inspector's command line, a client that is not ours, through .mcp.json."""

import json
import os
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bilancio.jobs import JobManager, JobStatus
from tests.server.programs import environment, program
from tests.server.talk import ROOT, SMALL, TOOLS

pytestmark = [pytest.mark.inspector, pytest.mark.slow, pytest.mark.timeout(600)]

JOB = {"description": "seen from outside", "config": SMALL, "tags": ["a", "b"]}


def config() -> Path:
    """Write the clone's .mcp.json with the settings of the test, which Inspector hands on."""
    told = json.loads((ROOT / ".mcp.json").read_text())
    settings = {
        name: value
        for name, value in os.environ.items()
        if name.startswith(("BILANCIO_", "UV_", "XDG_"))
    }
    told["mcpServers"]["bilancio"]["env"] = settings
    path = Path(tempfile.mkdtemp(dir=Path.cwd())) / "mcp.json"
    path.write_text(json.dumps(told))
    return path


def inspect(method: str, *words: str):
    command = [
        program("mcp-inspector"), "--cli", "--config", str(config()), "--server", "bilancio",
        "--method", method, *words,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment())
    # Inspector 2 exits with 5 where a tool refuses, and prints the refusal all the same.
    assert done.stdout.strip(), done.stderr
    return json.loads(done.stdout)


def call(tool: str, **arguments):
    words = ["--tool-name", tool]
    for name, value in arguments.items():
        text = value if isinstance(value, str) else json.dumps(value)
        words += ["--tool-arg", f"{name}={text}"]
    return inspect("tools/call", *words)


def test_inspector_lists_the_tools():
    assert [tool["name"] for tool in inspect("tools/list")["tools"]] == TOOLS


def test_inspector_creates_a_job():
    job_id = call("create_job", **JOB)["structuredContent"]["job_id"]
    with JobManager() as manager:
        job = manager.exact(job_id)
    assert (job.description, job.tags) == (JOB["description"], tuple(JOB["tags"]))
    assert job.status is JobStatus.PENDING


def test_inspector_starts_and_follows_a_job_that_outlives_its_servers():
    with JobManager() as manager:
        job_id = manager.create_job(**JOB).job_id
    status = call("start_sweep", job_id=job_id)["structuredContent"]
    assert status["action"] == "started"
    while status["status"] == "running":
        status = call("job_status", job_id=job_id, wait_s=20)["structuredContent"]
    assert status["status"] == "completed"


def test_inspector_reads_and_finds_a_job():
    with JobManager() as manager:
        job_id = manager.create_job(**JOB).job_id
        manager.run_job(job_id)
    with ThreadPoolExecutor() as pool:  # most of the time goes into starting clients and servers
        asked = pool.submit(call, "job_results", job_id=job_id, group_by=["kappa"])
        listed = call("list_jobs", tag="b")["structuredContent"]
        results = asked.result()["structuredContent"]
    assert results["table"]["total_rows"] == 2
    assert [line["job_id"] for line in listed["jobs"]] == [job_id]


def test_inspector_shows_a_refusal_as_an_error():
    refused = call("create_job", description="x", config={"sweep_type": "blanced"})
    assert refused["isError"]
    assert "Did you mean balanced?" in refused["content"][0]["text"]
