"""Ctrl-C, killed workers, and going on afterwards."""

import asyncio
import json
import os
import pty
import re
import signal

import pytest

from bilancio.jobs.manager import AsyncJobManager
from tests.cli.conftest import PROGRAM, finished, program, rows, started

pytestmark = [pytest.mark.slow, pytest.mark.faults]

JOB = ("--job-id", "long-job")
LONG = ("sweep", "balanced", "--n-agents", "4000", "--n-replicates", "400")
ENDLESS = ("sweep", "balanced", "--n-agents", "4000", "--n-replicates", "100000")
SLOWLY = {"BILANCIO_WORKERS": "1"}
SOME_RECORDED = re.compile(r"\b[1-9][\d,]*/(?:800|200,000) runs")


@pytest.fixture(autouse=True)
def _nothing_goes_on():
    """Whatever fails, no worker is left running for an hour."""
    yield
    program("jobs", "cancel", "long-job")


def until_some_runs_are_recorded(process):
    for line in process.stderr:
        if SOME_RECORDED.search(line):
            return
    pytest.fail("it ended before any progress was seen")


def job_named(name):
    async def ask():
        async with AsyncJobManager() as manager:
            return (await manager.find_job(name)).job

    return asyncio.run(ask())


def results_of(folder):
    """Everything in runs.csv but what names the job."""
    return [
        {name: value for name, value in row.items() if name not in {"job_id", "run_id"}}
        for row in rows(folder / "runs.csv")
    ]


def test_an_interrupted_sweep_is_cancelled_and_resumed_to_the_same_results(isolated):
    process = started(*LONG, *JOB, **SLOWLY)
    until_some_runs_are_recorded(process)
    os.killpg(process.pid, signal.SIGINT)
    said = finished(process)
    assert said.code == 130
    assert "Job long-job was cancelled, " in said.err
    assert "bilancio jobs resume long-job" in said.err
    assert said.out.splitlines()[-1] == "Job ID: long-job"
    cancelled = job_named("long-job")
    assert cancelled.status == "cancelled"
    assert 0 < cancelled.completed_runs < 800

    resumed = program("jobs", "resume", "long-job")
    assert resumed.code == 0, resumed.err
    assert "Resumed: " in resumed.out
    unbroken = program(*LONG, "--job-id", "unbroken-job")
    assert unbroken.code == 0, unbroken.err
    out = isolated / "out"
    assert results_of(out / "long-job") == results_of(out / "unbroken-job")
    headlines = [re.search("Trading.*", said.out).group() for said in (resumed, unbroken)]
    assert headlines[0] == headlines[1]


def test_ctrl_c_on_a_terminal_cancels_too():
    child, terminal = pty.fork()
    if child == 0:
        os.environ |= SLOWLY | {"TERM": "xterm", "COLUMNS": "80"}
        os.execv(PROGRAM, [PROGRAM, *ENDLESS, *JOB])
    screen = ""
    while not re.search(r"[\d.,]+ runs/s, .* left", screen):
        screen += os.read(terminal, 4096).decode(errors="replace")
    assert SOME_RECORDED.search(screen)
    os.write(terminal, b"\x03")
    _, status = os.waitpid(child, 0)
    screen += os.read(terminal, 65536).decode(errors="replace")
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 130
    assert "Traceback" not in screen
    assert job_named("long-job").status == "cancelled"


def test_a_killed_worker_is_reported_with_its_log_and_the_job_can_be_resumed(isolated):
    process = started(*ENDLESS, *JOB, **SLOWLY)
    until_some_runs_are_recorded(process)
    os.kill(job_named("long-job").holder.pid, signal.SIGKILL)
    said = finished(process)
    assert said.code == 1
    assert "Job long-job has stalled, " in said.err
    assert str(isolated / "out" / "long-job" / "worker.log") in said.err
    assert "bilancio jobs resume long-job" in said.err
    assert program("jobs", "resume", "long-job", "--detach").code == 0
    assert program("jobs", "cancel", "long-job").code == 0


def test_a_running_job_is_not_started_twice_and_watching_can_be_left():
    assert program(*ENDLESS, *JOB, "--detach", **SLOWLY).code == 0
    again = program("jobs", "start", "long-job", "--detach")
    assert again.code == 0
    assert "It is already running; nothing was started." in again.out

    watching = started("jobs", "watch", "long-job")
    assert "long-job is running" in watching.stdout.readline()
    os.killpg(watching.pid, signal.SIGINT)
    left = finished(watching)
    assert left.code == 130
    assert "The job keeps running. Follow it: bilancio jobs watch long-job" in left.err
    assert job_named("long-job").state == "running"

    ended = program("jobs", "cancel", "long-job", "--reason", "seen enough", "--json")
    assert ended.code == 0
    assert job_named("long-job").status == "cancelled"


def test_with_json_an_interrupted_sweep_leaves_one_document():
    process = started(*ENDLESS, *JOB, "--json", **SLOWLY)
    until_some_runs_are_recorded(process)
    os.killpg(process.pid, signal.SIGINT)
    said = finished(process)
    assert said.code == 130
    assert json.loads(said.out)["job"]["status"] == "cancelled"
