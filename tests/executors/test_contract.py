"""What every executor keeps: on this machine, on a Dask cluster and on Modal."""

import socket

import numpy as np
import pytest

from bilancio.errors import ExecutorFailed
from bilancio.executors.dask import DaskExecutor
from bilancio.executors.local import LocalExecutor
from bilancio.executors.modal import ModalExecutor
from bilancio.experiments import registry
from bilancio.jobs import JobConfig
from tests.executors.cluster import Cluster
from tests.executors.modal_server import TOKEN
from tests.night import nightly
from tests.own_project import working_in, write

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(400),
    # All for all: a cluster that starts within a test would end with it.
    pytest.mark.usefixtures("cluster", "modal_server", "plugins"),
]

WITHOUT_MODAL = ["local", "dask", *nightly("modal")]  # whose containers start for each batch
S = 300  # for a Dask worker to start, be killed and started again, beside others on few cores


@pytest.fixture(scope="module")
def cluster():
    cluster = Cluster(nanny=True)
    yield cluster
    cluster.end()


@pytest.fixture(params=["local", "dask", "modal"])
def executor(request, plugins, cluster):
    if request.param == "local":
        executor = LocalExecutor(2, run_timeout_s=1)
    elif request.param == "modal":
        executor = ModalExecutor(1, TOKEN, run_timeout_s=1)
    else:
        executor = DaskExecutor(cluster.address, run_timeout_s=1)
    yield executor
    executor.close()


def submitted(executor, kind, indices, **config):
    chosen = JobConfig(sweep_type=kind, **config)
    return executor.submit(registry.experiment(kind), chosen, np.array(indices))


def test_a_batch_has_the_bytes_that_the_experiment_computes(executor):
    config = {"n_agents": 20, "kappas": ["0.3", "1"], "mus": [0, 1], "seeds": [1, 2]}
    indices = np.arange(3, 14)
    found = submitted(executor, "balanced", indices, **config).result(S)
    experiment = registry.experiment("balanced")
    experiment.prepare()
    expected = experiment.compute(JobConfig(sweep_type="balanced", **config), indices)
    assert found.indices.tolist() == indices.tolist()
    assert found.metrics.dtype == expected.dtype
    assert found.metrics.tobytes() == expected.tobytes()
    assert found.failures == {}


@pytest.mark.parametrize("executor", WITHOUT_MODAL, indirect=True)
def test_a_probe_of_a_search_is_computed_at_the_value_that_the_search_has_chosen(executor):
    config = JobConfig(
        sweep_type="ring", n_agents=10, frontier=True, kappa_range="0.2:20", n_replicates=2
    )
    experiment = registry.experiment("ring")
    experiment.prepare()
    step = experiment.next_step(config, np.empty(0, np.int64), np.empty(0, np.void))
    expected = experiment.compute(step.config, step.indices)
    found = executor.submit(experiment, step.config, step.indices).result(S)
    assert found.metrics.tobytes() == expected.tobytes()


@pytest.mark.parametrize("executor", WITHOUT_MODAL, indirect=True)
@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("raise", "ArithmeticError: run 5 has no solution"),
        ("segfault", "ChildProcessError: its process died (SIGSEGV)"),
        ("objects", "TypeError: the experiment returned metrics that are not numbers"),
    ],
)
def test_a_run_that_fails_fails_alone_and_says_why(executor, fault, said):
    found = submitted(executor, "faulty", range(8), faults={5: fault}).result(S)
    assert list(found.failures) == [5]
    assert found.failures[5].startswith(said)
    assert found.metrics["value"].tolist() == [0, 2, 4, 6, 8, 12, 14]


def test_a_run_that_hangs_is_stopped_after_its_time(executor):
    found = submitted(executor, "faulty", [5], faults={5: "hang"}).result(S)
    assert found.failures == {5: "TimeoutError: it took longer than 1 s"}


def test_an_isolated_batch_costs_only_the_run_that_crashes(executor):
    config = JobConfig(sweep_type="reckless", n=8, faults={5: "segfault"})
    experiment = registry.experiment("reckless")
    found = executor.submit(experiment, config, np.arange(8), isolated=True).result(S)
    assert found.failures == {5: "ChildProcessError: its process died (SIGSEGV)"}


@pytest.mark.parametrize("executor", WITHOUT_MODAL, indirect=True)
def test_another_version_of_the_experiment_computes_nothing(executor, monkeypatch):
    assert submitted(executor, "faulty", [1]).result(S).failures == {}
    monkeypatch.setattr("tests.plugins.CountingExperiment.version", "counting-2")
    with pytest.raises(ExecutorFailed, match=r"(?s)counting-1.*counting-2|counting-2.*counting-1"):
        submitted(executor, "faulty", [1]).result(S)


def test_a_run_that_kills_its_dask_worker_fails_alone(plugins, cluster):
    executor = DaskExecutor(cluster.address)
    found = submitted(executor, "reckless", range(8), faults={5: "segfault"}).result(S)
    executor.close()
    assert found.failures == {5: "ChildProcessError: its process died (SIGSEGV)"}
    assert found.metrics["value"].tolist() == [0, 2, 4, 6, 8, 12, 14]


def test_an_experiment_that_the_cluster_lacks_is_named(plugins, cluster, tmp_path, monkeypatch):
    with working_in(tmp_path / "project", monkeypatch) as folder:
        text = "from bilancio import experiment\n@experiment('dice')\ndef dice(seed: int):\n"
        write(folder, words=f"{text}    return {{'eyes': 1.0}}\n")
        executor = DaskExecutor(cluster.address)
        with pytest.raises(ExecutorFailed, match=r"cannot load dice: .*sweep_type: got 'dice'"):
            submitted(executor, "dice", [0]).result(S)
        executor.close()


@pytest.mark.parametrize("silent", [False, True], ids=["closed", "silent"])
def test_an_address_where_no_scheduler_answers_is_named_within_ten_seconds(plugins, silent):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        if silent:
            taken.listen()
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        executor = DaskExecutor(address)
        failure = submitted(executor, "faulty", [1]).exception(10)
        executor.close()
    assert f"no Dask scheduler answers at {address}" in str(failure)
