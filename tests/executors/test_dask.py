"""A Dask scheduler, or its machine, that falls silent."""

import signal
import socket
import threading

import numpy as np
import pytest

from bilancio.executors import dask, dask_probe
from bilancio.executors.dask import DaskExecutor
from bilancio.experiments import registry
from bilancio.jobs import JobConfig
from tests.executors.cluster import Cluster

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

S = 120


class Machine:
    """A machine between: it hands on what it hears, until it falls silent as one without power.

    Connections to it stay open then, and new ones are neither taken nor refused.
    """

    def __init__(self, address):
        self._target = address.removeprefix("tcp://").split(":")
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=0)
        self._place = self._listening.getsockname()
        self.address = "tcp://{}:{}".format(*self._place)
        self._sockets = []
        self._silent = False
        threading.Thread(target=self._accept, daemon=True).start()

    def fall_silent(self):
        self._silent = True
        while True:  # those that wait to be accepted; when there is room for no more, none is
            waiting = socket.socket()
            self._sockets.append(waiting)
            waiting.settimeout(1)
            try:
                waiting.connect(self._place)
            except TimeoutError:
                return

    def close(self):
        for each in [*self._sockets, self._listening]:
            each.close()

    def _accept(self):
        while not self._silent:
            ours, _ = self._listening.accept()
            theirs = socket.create_connection(self._target)
            self._sockets += [ours, theirs]
            for pair in ((ours, theirs), (theirs, ours)):
                threading.Thread(target=self._hand_on, args=pair, daemon=True).start()

    def _hand_on(self, source, target):
        while heard := source.recv(1 << 16):
            if self._silent:
                return
            target.sendall(heard)


@pytest.fixture
def cluster(plugins):
    cluster = Cluster(1)
    yield cluster
    cluster.end()


def submitted(executor, gate):
    config = JobConfig(sweep_type="gated", n=8, gate=0, file=str(gate))
    return executor.submit(registry.experiment("gated"), config, np.arange(8))


def test_a_machine_that_falls_silent_ends_all_batches(cluster, tmp_path):
    machine = Machine(cluster.address)
    executor = DaskExecutor(machine.address)
    batch = submitted(executor, tmp_path / "gate")
    executor.ready()
    machine.fall_silent()
    failure = str(batch.exception(S))
    executor.close()
    machine.close()
    assert f"its scheduler at {machine.address} no longer answers" in failure
    assert "nor does its machine" in failure


def test_a_scheduler_that_hangs_ends_all_batches_later(cluster, tmp_path, monkeypatch):
    """It may be busy for other clients: its machine answers."""
    monkeypatch.setattr(dask, "SILENT_S", 3.0)
    executor = DaskExecutor(cluster.address)
    batch = submitted(executor, tmp_path / "gate")
    executor.ready()
    cluster.scheduler.send_signal(signal.SIGSTOP)
    assert dask_probe.machine_answers(cluster.address, S)
    assert "no longer answers (TimeoutError: nothing for" in str(batch.exception(S))
    executor.close()


def test_a_scheduler_that_is_busy_for_a_while_is_waited_for(cluster, tmp_path, monkeypatch):
    looks = []
    answers = dask_probe.machine_answers

    def looked(*given):
        looks.append(answers(*given))
        cluster.scheduler.send_signal(signal.SIGCONT)
        return looks[-1]

    monkeypatch.setattr(dask_probe, "machine_answers", looked)
    executor = DaskExecutor(cluster.address)
    executor.ready()
    cluster.scheduler.send_signal(signal.SIGSTOP)
    (tmp_path / "gate").touch()
    found = submitted(executor, tmp_path / "gate").result(S)
    executor.close()
    assert found.metrics["value"].tolist() == [2.0 * each for each in range(8)]
    assert looks
    assert all(looks)
