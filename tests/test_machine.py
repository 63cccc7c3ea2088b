"""What only Linux has is not needed: a part of the tests with it removed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bilancio import machine

PROGRAM = Path(sys.executable).with_name("bilancio")
LINUX_ONLY = """
import os
for name in ("sched_getaffinity", "sched_setaffinity", "waitid", "pidfd_open", "fdatasync"):
    if hasattr(os, name):
        delattr(os, name)
if hasattr(os, "process_cpu_count"):  # asks for the affinity on Linux
    os.process_cpu_count = os.cpu_count
"""


@pytest.fixture
def elsewhere(isolated, monkeypatch):
    """Have all processes that are started lack what other systems lack."""
    (isolated / "site").mkdir()
    (isolated / "site" / "sitecustomize.py").write_text(LINUX_ONLY)
    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join([str(isolated / "site"), str(Path(__file__).parents[1])])
    )
    monkeypatch.setenv("BILANCIO_PLUGINS", "tests.plugins:FAULTY")


def said(*words):
    done = subprocess.run([PROGRAM, *words], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def test_without_affinity_all_cores_of_the_machine_count(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity")
    assert machine.cores() == os.cpu_count()


@pytest.mark.slow
def test_a_sweep_is_created_estimated_started_and_examined(elsewhere):
    sweep = ("sweep", "ring", "--n-agents", "5", "--n-replicates", "4", "--job-id", "my-job")
    code, _, err = said(*sweep)
    assert (code, "4/4 runs" in err) == (0, True), err
    for words in (("jobs", "show", "my-job"), ("jobs", "verify", "my-job"), ("doctor",)):
        code, _, err = said(*words)
        assert code == 0, err


CARRY_OUT = """
from bilancio.jobs import JobManager

with JobManager() as manager:
    config = {"sweep_type": "faulty", "n": 10, "faults": {3: "kill", 4: "sys.exit"}}
    job = manager.create_job("try", config, job_id="my-job")
    manager.start_sweep("my-job")
    job = manager.wait("my-job")
    print(job.status, job.completed_runs, job.failed_runs)
"""


@pytest.mark.slow
def test_processes_compute_fail_and_are_narrowed_down(elsewhere):
    done = subprocess.run(
        [sys.executable, "-P", "-c", CARRY_OUT], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("failed 8 2\n", "")
