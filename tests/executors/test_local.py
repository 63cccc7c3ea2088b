"""Whatever a run does costs that run and nothing else."""

import numpy as np
import psutil
import pytest

from bilancio import machine
from bilancio.errors import ExecutorFailed
from bilancio.executors.local import LocalExecutor
from bilancio.experiments import registry
from bilancio.jobs import JobConfig
from tests.night import nightly
from tests.plugins.faults import FAULTS, HARMLESS

pytestmark = pytest.mark.timeout(60)

DEADLY_IN_THREADS = {"segfault", "exit", "exit 0", "kill", "term", "stop its process", "close all"}
ENDS_AS_OTHERS = ("exit 0", "kill", "term", "close all")
SAID = {
    "segfault": "ChildProcessError: its process died (SIGSEGV)",
    "exit": "ChildProcessError: its process died (exit code 3)",
    "exit 0": "ChildProcessError: its process died (exit code 0)",
    "kill": "ChildProcessError: its process died (SIGKILL)",
    "term": "ChildProcessError: its process died (SIGTERM)",
    "stop its process": "ChildProcessError: its process died (SIGTERM)",
    "sys.exit": "SystemExit: done",
    "interrupt": "KeyboardInterrupt",
    "generator": "GeneratorExit",
    "stop": "StopIteration",
    "memory": "MemoryError",
    "recursion": "RecursionError: maximum recursion depth exceeded",
    "unpicklable": "Unpicklable: cannot travel",
    "mute": "Mute: (its message cannot be read: SystemExit)",
    "odd letters": r"ValueError: \ud800 \x00 \x1b[2J \x9b é",
    "long": "ValueError: xxx",
    "none": "TypeError: the experiment returned NoneType, not a table of metrics",
    "text": "TypeError: the experiment returned str, not a table of metrics",
    "few": "ValueError: the experiment returned (0,) rows for 1 runs",
    "flat": "TypeError: the experiment returned ndarray, not a table of metrics",
    "objects": "TypeError: the experiment returned metrics that are not numbers: value (object)",
    "letters": "TypeError: the experiment returned metrics that are not numbers: value (<U1)",
    "complex": "TypeError: the experiment returned metrics that are not numbers: value (complex",
    "nested": "TypeError: the experiment returned metrics that are not numbers: value",
    "masked": "TypeError: the experiment returned a masked table",
    "close all": "ChildProcessError: its process died (",
}


def outcome(executor, kind, faults, indices=None):
    config = JobConfig(sweep_type=kind, n=100, faults=faults)
    chosen = np.arange(8) if indices is None else indices
    return executor.submit(registry.experiment(kind), config, chosen).result(60)


@pytest.mark.parametrize(
    "fault", [*sorted(FAULTS.keys() - set(ENDS_AS_OTHERS)), *nightly(*ENDS_AS_OTHERS)]
)
def test_a_run_that_fails_in_a_process_fails_alone_and_says_why(executor, fault):
    found = outcome(executor, "faulty", {5: fault})
    assert found.failures.keys() == {5}
    assert found.failures[5].startswith(SAID[fault])
    assert len(found.failures[5]) <= 2000
    assert found.indices.tolist() == [0, 1, 2, 3, 4, 6, 7]
    assert found.metrics["value"].tolist() == [0, 2, 4, 6, 8, 12, 14]


@pytest.mark.parametrize("fault", sorted(FAULTS.keys() - DEADLY_IN_THREADS))
def test_a_run_that_fails_in_a_thread_fails_alone_and_says_why(executor, fault):
    found = outcome(executor, "reckless", {5: fault})
    assert found.failures.keys() == {5}
    assert found.failures[5].startswith(SAID[fault])
    assert found.indices.tolist() == [0, 1, 2, 3, 4, 6, 7]


@pytest.mark.parametrize("habit", sorted(HARMLESS.keys() - {"other columns"}))
def test_what_a_run_does_to_its_process_changes_no_result(executor, habit):
    for batch in (np.arange(8), np.arange(8, 16)):
        found = outcome(executor, "faulty", {2: habit, 11: habit}, batch)
        assert found.failures == {}
        assert found.metrics["value"].tolist() == (2.0 * batch).tolist()


def test_a_run_that_forks_in_a_thread_leaves_no_copy_of_this_process(executor):
    before = set(psutil.Process().children())
    assert outcome(executor, "reckless", {2: "fork"}).failures == {}
    _, alive = psutil.wait_procs(set(psutil.Process().children()) - before, 20)
    assert alive == []


def test_a_run_with_other_columns_than_those_before_it_fails_alone(executor):
    found = outcome(executor, "reckless", {1: "raise", 5: "other columns"})
    assert found.failures.keys() == {1, 5}
    assert found.failures[5] == "TypeError: returned columns other (float64), not value (float64)"


def test_only_the_first_batch_of_a_process_is_cold(executor):
    one = LocalExecutor(1)
    try:
        assert [outcome(one, "faulty", {}).cold for _ in range(3)] == [True, False, False]
        assert outcome(one, "faulty", {1: "exit"}).cold
        assert not outcome(one, "faulty", {}).cold
    finally:
        one.close()


def test_closing_ends_all_processes_and_what_the_runs_have_started(plugins):
    before = set(psutil.Process().children(recursive=True))
    executor = LocalExecutor(2)
    outcome(executor, "faulty", {2: "child"})
    started = set(psutil.Process().children(recursive=True)) - before
    assert len(started) > 1
    executor.close()
    _, alive = psutil.wait_procs(started, 20)
    assert alive == []


def test_an_experiment_that_cannot_be_loaded_fails_as_a_whole(executor, monkeypatch):
    config = JobConfig(sweep_type="faulty", n=8)
    experiment = registry.experiment("faulty")
    monkeypatch.setenv("BILANCIO_PLUGINS", "")
    with pytest.raises(ExecutorFailed, match=r"local executor cannot compute: .*sweep_type"):
        executor.submit(experiment, config, np.arange(8)).result(60)


def test_processes_start_before_there_is_a_batch_and_end_when_closed(plugins):
    before = set(psutil.Process().children())
    executor = LocalExecutor(2)
    executor.warm_up(registry.experiment("faulty"), JobConfig(sweep_type="faulty", n=8), 8)
    outcome(executor, "faulty", {})
    started = set(psutil.Process().children()) - before
    assert len(started) == 2
    executor.close()
    _, alive = psutil.wait_procs(started, 20)
    assert alive == []


@pytest.mark.parametrize("chosen", [None, "3"])
def test_processes_share_the_cores_out_to_linear_algebra_unless_told_otherwise(
    plugins, monkeypatch, chosen
):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if chosen:
        monkeypatch.setenv("OMP_NUM_THREADS", chosen)
    before = set(psutil.Process().children())
    executor = LocalExecutor(2 * machine.cores())
    outcome(executor, "faulty", {})
    [started] = set(psutil.Process().children()) - before
    assert started.environ()["OMP_NUM_THREADS"] == (chosen or "1")
    executor.close()


def test_closing_ends_processes_that_are_still_loading(plugins):
    before = set(psutil.Process().children())
    executor = LocalExecutor(2)
    executor.warm_up(registry.experiment("faulty"), JobConfig(sweep_type="faulty", n=8), 8)
    executor.close()
    _, alive = psutil.wait_procs(set(psutil.Process().children()) - before, 20)
    assert alive == []


def test_an_experiment_that_could_not_be_loaded_in_advance_fails_with_its_first_batch(
    executor, monkeypatch
):
    config = JobConfig(sweep_type="faulty", n=8)
    experiment = registry.experiment("faulty")
    monkeypatch.setenv("BILANCIO_PLUGINS", "")
    executor.warm_up(experiment, config, 8)
    with pytest.raises(ExecutorFailed, match=r"local executor cannot compute: .*sweep_type"):
        executor.submit(experiment, config, np.arange(8)).result(60)


def test_threads_compute_without_starting_processes(executor):
    before = set(psutil.Process().children())
    executor.warm_up(registry.experiment("reckless"), JobConfig(sweep_type="reckless", n=8), 8)
    assert outcome(executor, "reckless", {}).failures == {}
    assert set(psutil.Process().children()) == before
