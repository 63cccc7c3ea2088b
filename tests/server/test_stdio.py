"""Real server processes: jobs outlive them, and any later one answers for them."""

import shutil
import subprocess

import psutil
import pytest
from mcp import Client

from bilancio.experiments import registry
from bilancio.jobs.manager import AsyncJobManager
from bilancio.jobs.models import Job, JobStatus
from tests.server.talk import (
    COMPARISON,
    MANIFEST,
    ROOT,
    SMALL,
    SUMMARY,
    committed_command,
    created,
    data,
    module_command,
    over_stdio,
    typo,
    waited,
)

pytestmark = pytest.mark.slow


@pytest.fixture
def gate(isolated, monkeypatch):
    """Plug in an experiment whose runs wait for a file; return that file."""
    monkeypatch.setenv("BILANCIO_PLUGINS", "tests.plugins:GATED")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    registry._plugins.cache_clear()
    yield isolated / "gate"
    registry._plugins.cache_clear()


def servers() -> list[psutil.Process]:
    """Return the server processes under this one, workers and uv left out."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with process.oneshot():
            try:
                command, name = " ".join(process.cmdline()), process.name()
            except (psutil.NoSuchProcess, psutil.ZombieProcess):
                continue
        if ("bilancio-mcp" in command or "bilancio_mcp" in command) and name != "uv":
            found.append(process)
    return found


async def ended(reader: AsyncJobManager, job_id: str) -> Job:
    """Wait for the worker, which must not stall."""
    async for step in reader.watch(job_id):
        assert not step.job.stalled
    return step.job


async def test_job_outlives_its_server_and_a_new_one_answers_for_it(gate):
    config = {"sweep_type": "gated", "n": 400, "gate": 200, "file": str(gate)}
    async with AsyncJobManager() as reader:
        async with Client(over_stdio(committed_command())) as client:
            job_id = await created(client, config)
            data(await client.call_tool("start_sweep", {"job_id": job_id}))
            async for step in reader.watch(job_id):
                if step.done_runs:
                    break
            [server] = servers()
            server.kill()
        assert servers() == []
        job = await reader.exact(job_id)
        assert job.status is JobStatus.RUNNING
        assert 0 < job.completed_runs < job.total_runs
        gate.touch()
        job = await ended(reader, job_id)
        assert job.status is JobStatus.COMPLETED
        assert job.completed_runs == job.total_runs
        assert job.attempts == 1
    async with Client(over_stdio(module_command())) as client:
        status = data(await client.call_tool("job_status", {"job_id": typo(job_id)}))
        assert (status["job_id"], status["status"]) == (job_id, "completed")
        results = data(await client.call_tool("job_results", {"job_id": typo(job_id)}))
    assert f"Taken to mean {job_id}" in results["summary"]
    assert "The sum is 159600." in results["summary"]
    assert results["findings"]["failed_runs"] == 0


@pytest.mark.parametrize("command", [committed_command(), module_command()], ids=["uv", "python"])
async def test_server_creates_starts_and_answers_over_stdio(command):
    async with Client(over_stdio(command)) as client:
        job_id = await created(client)
        data(await client.call_tool("start_sweep", {"job_id": job_id}))
        assert (await waited(client, job_id))["status"] == "completed"
        asked = {"job_id": job_id, "group_by": ["kappa"]}
        results = data(await client.call_tool("job_results", asked))
    assert results["findings"]["completed_runs"] == 12
    assert [row[0] for row in results["table"]["rows"]] == [0.25, 0.5]


async def test_fresh_clone_with_an_empty_home_answers_from_the_committed_files(
    tmp_path, monkeypatch
):
    async with AsyncJobManager() as manager:
        job = await manager.create_job("stressed liquidity", SMALL)
        job = await manager.run_job(job.job_id)
    clone = tmp_path / "clone"
    folder = clone / "out" / "experiments" / job.job_id
    folder.mkdir(parents=True)
    for name in (MANIFEST, SUMMARY, COMPARISON):
        shutil.copy(job.folder / name, folder)
    for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "empty home"))
    for name in ("BILANCIO_DATABASE_URL", "BILANCIO_OUT_DIR"):
        monkeypatch.delenv(name)
    async with Client(over_stdio(module_command(), cwd=clone)) as client:
        status = data(await client.call_tool("job_status", {"job_id": typo(job.job_id)}))
        results = data(
            await client.call_tool("job_results", {"job_id": job.job_id, "group_by": ["kappa"]})
        )
    assert (status["status"], status["completed_runs"]) == ("completed", 12)
    assert job.summary is not None
    effect = job.summary["avg_trading_effect"]
    assert results["findings"]["avg_trading_effect"] == pytest.approx(effect, rel=1e-5)
    assert results["table"]["total_rows"] == 2
    assert (tmp_path / "empty home").is_dir()


def test_nothing_but_the_protocol_is_on_standard_output():
    """A stray line there would end the conversation."""
    line = '{"jsonrpc":"2.0","id":1,"method":"ping"}\n'
    done = subprocess.run(
        committed_command(), input=line, capture_output=True, text=True, check=True
    )  # fmt: skip
    assert [text[:16] for text in done.stdout.splitlines()] == ['{"jsonrpc":"2.0"']
