"""Words that the tests of the server have in common."""

import json
import os
import subprocess
import sys
from pathlib import Path

from mcp import Client, StdioServerParameters

from bilancio.jobs.manager import AsyncJobManager

ROOT = Path(__file__).parents[2]
MANIFEST, SUMMARY, COMPARISON = "job_manifest.json", "summary.json", "comparison.csv"
TOOLS = [
    "create_job", "start_sweep", "job_status", "job_results", "compare_jobs", "plot_results",
    "show_run", "list_jobs", "edit_job", "cancel_job", "delete_job",
]  # fmt: skip
INITIALIZE = {
    "protocolVersion": "2025-06-18",
    "capabilities": {},
    "clientInfo": {"name": "test", "version": "1"},
}
SMALL = {"sweep_type": "balanced", "n_agents": 10, "kappas": [0.25, 0.5], "seeds": [1, 2, 3]}


def data(result):
    """Return the structured content, which is all that a model sees of a good answer."""
    assert not result.is_error, result.content[0].text
    return result.structured_content


def refusal(result):
    assert result.is_error, result.structured_content
    assert result.structured_content is None
    sentence = result.content[0].text
    assert "pydantic" not in sentence
    return sentence


async def created(client: Client, config=SMALL, **more):
    result = await client.call_tool(
        "create_job", {"description": "stressed liquidity", "config": config, **more}
    )
    return data(result)["job_id"]


async def completed(client: Client, config=SMALL, **more):
    """Create a job and compute it in this process, as a worker would."""
    job_id = await created(client, config, **more)
    async with AsyncJobManager() as manager:
        await manager.run_job(job_id)
    return job_id


async def waited(client: Client, job_id, **more):
    """Ask until the job has ended: the first worker on a machine compiles the kernels."""
    status = {"status": "running"}
    while status["status"] == "running":
        asked = {"job_id": job_id, "wait_s": 100}
        status = data(await client.call_tool("job_status", asked, **more))
    return status


def typo(job_id):
    """Write a name as a person does: with spaces, and a letter missing from one word."""
    words = job_id.split("-")
    at = max(range(len(words)), key=lambda number: len(words[number]))
    words[at] = words[at][:-2] + words[at][-1]
    return " ".join(words)


def committed_command():
    """Return the command that Claude Code reads from .mcp.json."""
    server = json.loads((ROOT / ".mcp.json").read_text())["mcpServers"]["bilancio"]
    return [server["command"], *server["args"]]


def module_command():
    return [sys.executable, "-m", "bilancio_mcp"]


class Lines:
    """A client of the server of .mcp.json that writes bytes and reads lines."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            committed_command(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self.ask(0, "initialize", INITIALIZE)
        self.write(b'{"jsonrpc":"2.0","method":"notifications/initialized"}')

    def write(self, line: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()

    def read(self):
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def ask(self, number, method, params=None):
        request = {"jsonrpc": "2.0", "id": number, "method": method, "params": params or {}}
        self.write(json.dumps(request).encode())
        answer = self.read()
        assert answer["id"] == number
        return answer["result"]


def over_stdio(command, cwd=None, **environment):
    """Return what starts a server with this process's (isolated) environment and folder."""
    return StdioServerParameters(
        command=command[0], args=command[1:], env={**os.environ, **environment}, cwd=cwd
    )


def sweep_fields(create):
    """Return the fields of sweeps that the schema of `create_job` offers, by name."""
    fields = dict(create["properties"]["config"]["properties"])
    del fields["sweep_type"]
    return fields
