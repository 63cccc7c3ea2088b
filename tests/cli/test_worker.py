"""`bilancio worker JOB`: one job in the foreground, as a SLURM job has it."""

import os
import signal
import subprocess
from pathlib import Path

import psutil
import pytest

from bilancio.experiments import registry
from bilancio.jobs import JobConfig, JobManager
from tests.cli.conftest import PROGRAM, finished, program, rows, started
from tests.plugins import ALL

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

JOB = "steady-job"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def manager(monkeypatch):
    monkeypatch.setenv("BILANCIO_PLUGINS", ALL)
    monkeypatch.setenv("BILANCIO_WORKERS", "2")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    registry._plugins.cache_clear()
    with JobManager() as manager:
        yield manager
    registry._plugins.cache_clear()


@pytest.fixture
def gate(isolated):
    return isolated / "gate"


def created(manager, gate, kind="gated", name=JOB):
    config = JobConfig(sweep_type=kind, n=1000, gate=500, file=str(gate))
    manager.create_job("try", config, job_id=name)


def until_recorded(manager, runs, name=JOB):
    """Wait until that many runs are recorded, and return the worker's process."""
    while True:
        job = manager.exact(name)
        if job.completed_runs >= runs and job.holder and job.holder.pid:
            return psutil.Process(job.holder.pid)
        assert job.state in {"pending", "running"}, job.error


def recorded(manager, name=JOB):
    return [
        {key: value for key, value in row.items() if key not in {"job_id", "run_id"}}
        for row in rows(manager.exact(name).folder / "runs.csv")
    ]


def test_a_job_is_carried_out_by_the_process_that_was_started(manager, gate):
    created(manager, gate)
    process = started("worker", JOB)
    assert until_recorded(manager, 100).pid == process.pid
    gate.touch()
    said = finished(process)
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines()[-1] == (
        "steady-job: The sum is 999000. Completed, 1,000 of 1,000 runs."
    )
    assert "steady-job is running" in said.out
    job = manager.exact(JOB)
    assert (job.status, job.completed_runs, job.attempts) == ("completed", 1000, 1)


@pytest.mark.parametrize("kind", ["gated", "busy"])
def test_sigterm_leaves_at_once_and_the_same_line_resumes_to_the_same_results(manager, gate, kind):
    created(manager, gate, kind)
    line = f'exec "{PROGRAM}" worker {JOB}'
    batch = subprocess.Popen(["sh", "-c", line], stderr=subprocess.PIPE, text=True)
    until_recorded(manager, 1)
    children = psutil.Process(batch.pid).children(recursive=True)
    assert bool(children) is (kind == "busy")
    batch.send_signal(signal.SIGTERM)
    _, err = batch.communicate(timeout=20)
    assert batch.returncode == 143
    assert "The worker of job steady-job was stopped; the job can be resumed. " in err
    assert err.endswith("of 1,000 runs are recorded.\nResume: bilancio worker steady-job\n")
    assert psutil.wait_procs(children, 20)[1] == []
    left = manager.exact(JOB)
    assert left.state == "stalled"
    assert 0 < left.completed_runs < 1000
    gate.touch()
    assert subprocess.run(["sh", "-c", line], stderr=subprocess.PIPE, check=False).returncode == 0
    assert manager.exact(JOB).attempts == 2
    created(manager, gate, kind, name="unbroken-job")
    manager.run_job("unbroken-job")
    assert recorded(manager) == recorded(manager, "unbroken-job")


def test_the_job_of_a_stopped_worker_can_be_resumed_on_another_machine_at_once(
    manager, gate, monkeypatch
):
    """No lock of this machine is asked there, and no lease has to run out."""
    created(manager, gate)
    process = started("worker", JOB)
    until_recorded(manager, 1)
    process.terminate()
    finished(process)
    monkeypatch.setattr("bilancio.machine.host", lambda: "another-machine")
    assert manager.exact(JOB).state == "stalled"


def test_ctrl_c_leaves_the_job_resumable(manager, gate):
    created(manager, gate)
    process = started("worker", JOB, "--json")
    until_recorded(manager, 1)
    os.killpg(process.pid, signal.SIGINT)
    said = finished(process)
    assert said.code == 130
    assert said.json["job"]["job_id"] == JOB
    assert manager.exact(JOB).state == "stalled"


def test_a_killed_worker_leaves_what_it_has_recorded(manager, gate):
    created(manager, gate)
    process = started("worker", JOB)
    until_recorded(manager, 1)
    process.kill()
    finished(process)
    assert manager.exact(JOB).state == "stalled"
    gate.touch()
    assert program("worker", JOB).code == 0
    assert manager.exact(JOB).completed_runs == 1000


def test_beside_a_living_worker_nothing_is_started(manager, gate):
    created(manager, gate)
    first = started("worker", JOB)
    until_recorded(manager, 1)
    said = program("worker", JOB)
    assert (said.code, said.out) == (1, "")
    assert said.err == (
        "Job steady-job is running and cannot be run here. A worker carries it out already.\n"
    )
    assert manager.exact(JOB).holder.pid == first.pid
    gate.touch()
    assert finished(first).code == 0
    assert manager.exact(JOB).attempts == 1


def test_a_cancelled_job_ends_with_code_2(manager, gate):
    created(manager, gate)
    process = started("worker", JOB)
    until_recorded(manager, 1)
    manager.cancel_job(JOB)
    said = finished(process)
    assert said.code == 2
    assert said.out.splitlines()[-1].startswith("steady-job: Cancelled, ")
    assert manager.exact(JOB).status == "cancelled"


def test_a_failed_job_ends_with_code_1_and_its_reason(manager, gate):
    config = JobConfig(sweep_type="faulty", n=8, faults={3: "raise"})
    manager.create_job("try", config, job_id=JOB)
    said = program("worker", JOB)
    assert said.code == 1
    assert "run 3 has no solution" in said.out.splitlines()[-1]


def test_a_completed_job_is_told_and_not_run_again(manager, gate):
    gate.touch()
    created(manager, gate)
    assert program("worker", JOB, "--json").json["job"]["status"] == "completed"
    said = program("worker", JOB)
    assert (said.code, said.err) == (0, "")
    assert said.out == "steady-job: The sum is 999000. Completed, 1,000 of 1,000 runs.\n"
    assert manager.exact(JOB).attempts == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("steady-jobs",), "steady-jobs"),
        (("no such job at all",), "no such job"),
        (("steady-job", "--recover"), "allowed: the name of a job, or --recover"),
        (("steady-job", "--jobs", "2"), "allowed: --jobs with --recover"),
    ],
)
def test_what_names_no_job_starts_nothing(manager, gate, bilancio, words, said):
    created(manager, gate)
    refused = bilancio("worker", *words)
    assert (refused.code, refused.out) == (1, "")
    assert said in refused.err
    assert manager.exact(JOB).state == "pending"


def test_help_has_the_line_for_slurm(bilancio):
    said = bilancio("worker", "--help").out
    assert 'sbatch -c 32 --signal=B:TERM@60 --wrap "exec bilancio worker NAME"' in said
