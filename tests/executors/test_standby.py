"""Processes started before their parent has loaded anything are those that compute."""

import json
import subprocess

import psutil
import pytest

from bilancio import interpreter

pytestmark = pytest.mark.timeout(60)

MAIN = """
import json
import sys

import psutil


def children():
    return sorted(each.pid for each in psutil.Process().children())


def main():
    heavy = sorted({"numpy", "pydantic"} & set(sys.modules))
    before = children()

    import numpy as np

    from bilancio.executors.local import LocalExecutor
    from bilancio.experiments import registry
    from bilancio.jobs import JobConfig

    executor = LocalExecutor(2)
    config = JobConfig(sweep_type=sys.argv[1], n=8)
    batch = executor.submit(registry.experiment(sys.argv[1]), config, np.arange(8))
    completed = len(batch.result(60).indices)
    during = children()
    executor.close()
    print(json.dumps([heavy, before, completed, during, children()]))
"""


@pytest.fixture
def carry_out(plugins, tmp_path, monkeypatch):
    (tmp_path / "standing_by.py").write_text(MAIN)
    monkeypatch.syspath_prepend(tmp_path)

    def carried_out(count, kind):
        command = interpreter.command("bilancio.executors.standby", str(count), "standing_by", kind)
        done = subprocess.run(
            command, env=interpreter.environment(), stdout=subprocess.PIPE, check=True
        )
        return json.loads(done.stdout)

    return carried_out


def test_processes_that_wait_compute_and_end_with_the_executor(carry_out):
    heavy, before, completed, during, after = carry_out(2, "faulty")
    assert heavy == []
    assert len(before) == 2
    assert (completed, during, after) == (8, before, [])


def test_processes_that_are_not_needed_end_with_the_executor(carry_out):
    _, before, completed, _, after = carry_out(1, "reckless")
    assert (len(before), completed, after) == (1, 8, [])
    assert not psutil.pid_exists(before[0])


def test_without_processes_that_wait_the_executor_starts_its_own(carry_out):
    _, before, completed, during, after = carry_out(0, "faulty")
    assert (before, completed, len(during), after) == ([], 8, 1, [])
