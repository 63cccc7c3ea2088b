"""Containers of Modal: the real client against a server of our own on loopback."""

import numpy as np
import pytest

from bilancio.errors import ExecutorFailed
from bilancio.executors import modal, modal_account, shipping
from bilancio.executors.modal import ModalExecutor
from bilancio.experiments import registry
from bilancio.jobs import JobConfig
from tests.executors.modal_server import TOKEN
from tests.own_project import working_in, write

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

REAL_TOKEN = modal_account.token()
S = 120


@pytest.fixture
def executor(plugins, modal_server):
    executor = ModalExecutor(2, TOKEN, label="bright-ocean-swift-tiger", run_timeout_s=60)
    yield executor
    executor.close()


def submitted(executor, kind, indices, **config):
    chosen = JobConfig(sweep_type=kind, **config)
    return executor.submit(registry.experiment(kind), chosen, np.array(indices))


def test_the_app_ends_with_the_executor_and_what_computes_with_it(executor, modal_server, tmp_path):
    config = JobConfig(sweep_type="gated", gate=0, file=str(tmp_path / "gate"))
    experiment = registry.experiment("gated")
    executor.warm_up(experiment, config, 8)
    executor.ready()
    waiting = executor.submit(experiment, config, np.arange(8))
    assert [*modal_server.apps.values()] == ["bilancio-bright-ocean-swift-tiger"]
    executor.close()
    assert modal_server.apps == {}
    with pytest.raises(ExecutorFailed, match="it was closed"):
        waiting.result(S)
    with pytest.raises(ExecutorFailed, match="it was closed"):
        submitted(executor, "faulty", [1]).result(S)


def test_a_long_name_is_cut_to_what_modal_allows(plugins, modal_server):
    executor = ModalExecutor(1, TOKEN, label="word-" * 19 + "words")
    executor.warm_up(registry.experiment("ring"), JobConfig(sweep_type="ring"), 1)
    executor.ready()
    executor.close()
    assert modal_server.ended_apps[-1] == f"bilancio-{'word-' * 11}"


def test_a_run_that_kills_its_container_fails_alone(executor):
    found = submitted(executor, "reckless", range(8), faults={5: "segfault"}).result(S)
    assert found.failures == {5: "ChildProcessError: its process died (SIGSEGV)"}
    assert found.metrics["value"].tolist() == [0, 2, 4, 6, 8, 12, 14]


def test_a_large_table_goes_by_the_volume_and_is_deleted_there(
    executor, modal_server, tmp_path, monkeypatch
):
    monkeypatch.setattr(modal, "MOUNT", str(tmp_path / "volume"))
    found = submitted(executor, "faulty", range(1, 200_001), n=300_000).result(S)
    assert found.metrics["value"].tolist() == list(range(2, 400_002, 2))
    folder = tmp_path / "volume" / "bright-ocean-swift-tiger" / "runs"
    assert modal_server.removed == [folder / "1-200000.npy"]
    assert [*folder.iterdir()] == []


@pytest.mark.nightly
def test_containers_that_die_again_and_again_are_named(executor, modal_server):
    modal_server.kills = True
    failure = submitted(executor, "faulty", [1]).exception(S)
    modal_server.kills = False
    assert "its containers die (InternalFailure: Container terminated.)" in str(failure)


def test_a_token_that_modal_does_not_know_is_said_to_be(plugins, modal_server):
    executor = ModalExecutor(1, ("ak-other", "as-other"))
    executor.warm_up(registry.experiment("ring"), JobConfig(sweep_type="ring"), 1)
    with pytest.raises(ExecutorFailed, match=r"Modal starts no app .*Token ID not found"):
        executor.ready()
    executor.close()


def test_another_version_in_the_container_is_named_before_anything_is_computed(
    executor, monkeypatch
):
    monkeypatch.setattr("bilancio.executors.remote.ENGINE_VERSION", "kalecki-0")
    failure = submitted(executor, "ring", [0]).exception(S)
    assert "its container has the engine kalecki-" in str(failure)
    assert "the job is recorded by kalecki-0" in str(failure)


def test_modules_of_ones_own_experiment_travel_with_what_they_import(
    modal_server, tmp_path, monkeypatch
):
    with working_in(tmp_path / "project", monkeypatch) as folder:
        (folder / "my_eyes.py").write_text("EYES = 6.0\n")
        text = "from bilancio import experiment\nfrom my_eyes import EYES\n"
        text += "@experiment('dice')\ndef dice(seed: int):\n    return {'eyes': EYES}\n"
        write(folder, words=text)
        executor = ModalExecutor(1, TOKEN)
        found = submitted(executor, "dice", [0], n_replicates=1).result(S)
        executor.close()
    assert found.metrics["eyes"].tolist() == [6.0]


def test_an_image_has_the_packages_in_the_versions_that_are_here(plugins):
    shipment = shipping.shipment_of("faulty")
    assert f"numpy=={np.__version__}" in shipment.packages
    assert not [each for each in shipment.packages if each.lower().startswith("bilancio")]
    assert {"bilancio"} <= shipment.folders.keys()
    assert "tests/plugins/__init__.py" in shipment.files


def test_a_released_bilancio_comes_from_the_registry(tmp_path, monkeypatch):
    described = tmp_path / "bilancio-9.8.7.dist-info"
    described.mkdir()
    text = "Metadata-Version: 2.1\nName: bilancio\nVersion: 9.8.7\nRequires-Dist: numpy\n"
    (described / "METADATA").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    shipment = shipping.shipment_of("ring")
    assert shipment.packages == ["bilancio==9.8.7", f"numpy=={np.__version__}"]
    assert (shipment.folders, shipment.files) == ({}, {})


@pytest.mark.skipif(REAL_TOKEN is None, reason="there is no token for the real Modal")
def test_the_real_modal_computes_a_batch():
    executor = ModalExecutor(1, REAL_TOKEN, label="smoke-test")
    config = {"n_agents": 10, "kappas": ["0.5"], "seeds": [1, 2]}
    experiment = registry.experiment("ring")
    experiment.prepare()
    expected = experiment.compute(JobConfig(sweep_type="ring", **config), np.arange(2))
    found = submitted(executor, "ring", [0, 1], **config).result(1800)
    executor.close()
    assert found.metrics.tobytes() == expected.tobytes()
