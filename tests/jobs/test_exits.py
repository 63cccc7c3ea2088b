"""A script that runs a job in its own process ends by itself, whatever its runs do."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from bilancio.jobs import AsyncJobManager
from tests.night import nightly

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120), pytest.mark.usefixtures("plugins")]

ROOT = Path(__file__).parents[2]  # where the plug-ins of the tests are imported from
RUN = """
import json, sys
from bilancio.jobs import JobManager

with JobManager() as manager:
    job = manager.create_job("try", json.loads(sys.argv[1]), job_id="my-job")
    print("begins", flush=True)
    job = manager.run_job(job.job_id)
    print(job.status, job.completed_runs, job.failed_runs)
"""


def script(config):
    return subprocess.Popen(
        [sys.executable, "-c", RUN, json.dumps(config)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        cwd=ROOT,
    )


def ended(process):
    """Wait for the process to end by itself; return what it printed last, and its complaints."""
    out, err = process.communicate(timeout=60)
    return process.returncode, out.strip().splitlines()[-1], err


@pytest.mark.parametrize("fault", ["sys.exit", "interrupt", "kill", *nightly("generator")])
def test_a_script_whose_runs_end_their_process_ends_with_a_failed_job(fault):
    process = script({"sweep_type": "faulty", "n": 12, "faults": {3: fault, 7: fault}})
    assert ended(process) == (0, "failed 10 2", "")


def test_a_script_ends_when_a_sweep_stops_early_while_a_run_hangs():
    faults = {0: "hang"} | dict.fromkeys(range(1, 40), "raise")
    process = script({"sweep_type": "faulty", "n": 40, "faults": faults, "max_failures": 3})
    code, said, complaints = ended(process)
    state, completed, failed = said.split()
    assert (code, state, completed, complaints) == (0, "failed", "0", "")
    assert 3 <= int(failed) < 39  # a batch that ended at the same moment is recorded as well


STUCK = """
from threading import Event
from types import SimpleNamespace
from bilancio.jobs.worker.alone import _end_when_stuck

_end_when_stuck(SimpleNamespace(heartbeats=3), 0.1, Event())
"""


def test_a_worker_whose_event_loop_stands_still_ends():
    done = subprocess.run([sys.executable, "-c", STUCK], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (70, b"")


async def hangs(process):
    """Wait until all other runs are recorded; return the processes below."""
    recorded = 0
    async with AsyncJobManager() as manager:
        while recorded < 39:
            assert process.poll() is None
            if await manager.get_job("my-job"):
                async for seen in manager.watch("my-job"):
                    recorded = seen.done_runs
                    if recorded >= 39:
                        break
    return psutil.Process(process.pid).children(recursive=True)


HANGING = {"sweep_type": "faulty", "n": 40, "faults": {3: "hang"}}


async def test_a_script_that_is_interrupted_while_a_run_hangs_ends_with_all_its_processes():
    process = script(HANGING)
    below = await hangs(process)
    process.send_signal(signal.SIGINT)
    code, _, complaint = ended(process)
    assert code == -signal.SIGINT
    assert complaint.splitlines()[-1] == "KeyboardInterrupt"
    assert psutil.wait_procs(below, 20)[1] == []


async def test_a_script_whose_job_is_cancelled_elsewhere_while_a_run_hangs_ends():
    process = script(HANGING)
    below = await hangs(process)
    async with AsyncJobManager() as manager:
        await manager.cancel_job("my-job")
    code, _, complaint = ended(process)
    assert code == 1
    assert "LeaseLost" in complaint
    assert psutil.wait_procs(below, 20)[1] == []
