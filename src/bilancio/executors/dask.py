"""Compute batches of runs on a Dask cluster, as requests (`remote`).

Each thread of a Dask worker computes by a local executor of its own. Dask schedules the batches of
workers that are gone elsewhere.
"""

import asyncio
import concurrent.futures
import contextlib
import functools
import threading
import time
from concurrent.futures import Future
from typing import Any

import distributed

from bilancio.errors import ExecutorFailed
from bilancio.executors import dask_probe, names, remote
from bilancio.executors.base import BATCH_S, Indices, Outcome
from bilancio.executors.remote import Answer, Request, outcome_of, request_for, settle, submitted
from bilancio.experiments.protocol import Experiment
from bilancio.text import error_text

CONNECT_S = 8.0
# A scheduler that has died is noticed at once, for its connections end; a machine that has fallen
# silent in under five seconds; and a scheduler that other clients keep busy may take its time.
QUIET_S = 1.5
MACHINE_S = 2.2
SILENT_S = 30.0
LOOK_S = 1.0
LEAVE_S = 0.5
# That a batch may cost: with processes of their own its runs cannot end them, so these were taken.
LOST_WORKERS = 5


class DaskExecutor:
    """The workers of a Dask cluster, which may come and go.

    Parameters
    ----------
    address
        Of the scheduler, as ``tcp://HOST:PORT``.
    run_timeout_s
        Longest time that a run may take in a process.

    Attributes
    ----------
    workers
        Threads of all Dask workers, 1 as long as there is none.
    waiting
        Says so as long as there is none.
    """

    name = names.DASK
    batch_s = BATCH_S

    def __init__(self, address: str, *, run_timeout_s: float = 600.0) -> None:
        self.workers = 1
        self.waiting = ""
        self._address = address
        self._run_timeout_s = run_timeout_s
        self._client: distributed.Client | None = None
        self._settled = threading.Event()  # connected, or known to be useless
        self._closed = threading.Event()
        self._changing = threading.Lock()
        self._computing: dict[Future[Outcome], distributed.Future] = {}
        self._failure = ""
        threading.Thread(target=self._connect_and_watch, name="dask", daemon=True).start()

    def warm_up(self, experiment: Experiment, config: Any, runs: int) -> None:
        """Do nothing: the connection is under way, and workers load with their first batch."""

    def ready(self) -> None:
        """Wait until the scheduler has answered.

        Raises
        ------
        ExecutorFailed
            It has not within ten seconds, or does not any longer.
        """
        if not self._settled.wait(CONNECT_S + 1):
            self._fail(f"no Dask scheduler answers at {self._address}")
        if self._failure:
            raise self._failed()

    def submit(
        self, experiment: Experiment, config: Any, indices: Indices, *, isolated: bool = False
    ) -> Future[Outcome]:
        """Schedule the runs of *indices* on the cluster."""
        request = request_for(
            experiment, config, indices, isolated=isolated, run_timeout_s=self._run_timeout_s
        )
        return submitted(self._send, request | {"lost_workers": 0})

    def close(self) -> None:
        """Disconnect, which has the scheduler drop all batches of this client."""
        self._closed.set()
        with self._changing:
            client, self._client = self._client, None
            self._computing.clear()
        if client is not None:
            leaving = threading.Thread(target=_disconnect, args=(client,), daemon=True)
            leaving.start()
            leaving.join(LEAVE_S)

    def _send(self, outcome: Future[Outcome], request: Request) -> None:
        self.ready()
        with self._changing:
            if self._client is None or self._failure:
                raise self._failed()
            sent = self._client.submit(compute, request, pure=False)
            self._computing[outcome] = sent
        sent.add_done_callback(functools.partial(self._land, outcome, request))

    def _land(self, outcome: Future[Outcome], request: Request, sent: distributed.Future) -> None:
        """Take what has become of a batch; have one that killed Dask workers computed apart."""
        if sent.cancelled() or sent.status == "lost":
            self._fail(f"its scheduler at {self._address} is gone")
            return
        with self._changing:
            self._computing.pop(outcome, None)
        try:
            answer: Answer = sent.result()
            settle(outcome, outcome_of(answer, self.name))
        except distributed.KilledWorker as killed:
            if request["lost_workers"] == LOST_WORKERS:
                settle(outcome, ExecutorFailed(self.name, f"its workers die ({killed})"))
            else:
                self._again_isolated(outcome, request)
        except BaseException as error:  # noqa: BLE001 - whatever a worker without bilancio raises
            reason = f"its workers cannot compute a batch ({error_text(error)})"
            settle(outcome, ExecutorFailed(self.name, reason))

    def _again_isolated(self, outcome: Future[Outcome], request: Request) -> None:
        try:
            again = {"isolated": True, "lost_workers": request["lost_workers"] + 1}
            self._send(outcome, request | again)
        except ExecutorFailed as error:
            settle(outcome, error)

    def _connect_and_watch(self) -> None:
        """Connect; then count the workers, and notice when the scheduler is gone."""
        try:
            client = distributed.Client(self._address, timeout=CONNECT_S, set_as_default=False)
        except Exception as error:  # noqa: BLE001 - what another program answers may raise anything
            self._fail(f"no Dask scheduler answers at {self._address} ({error_text(error)})")
            return
        with self._changing:
            self._client = client
        while not self._closed.is_set():
            try:
                threads = self._threads_of_workers(client)
            except Exception as error:  # noqa: BLE001 - as above
                lost = f"its scheduler at {self._address} no longer answers"
                self._fail(f"{lost} ({error_text(error)})")
                return
            self.workers = max(sum(threads.values()), 1)
            self.waiting = "" if threads else f"the Dask cluster {self._address} has no workers"
            self._settled.set()
            self._closed.wait(LOOK_S)
        _disconnect(client)  # `close` may have come before the connection

    def _threads_of_workers(self, client: distributed.Client) -> dict[str, int]:
        """Ask the scheduler; while it does not answer, look whether its machine does.

        Raises
        ------
        TimeoutError
            One of them is silent.
        OSError
            The connection has ended.
        """
        asking: Future[dict[str, int]] = asyncio.run_coroutine_threadsafe(
            client.scheduler.ncores(workers=None), client.loop.asyncio_loop
        )
        began = time.monotonic()
        while not concurrent.futures.wait([asking], QUIET_S).done:
            silent_s = time.monotonic() - began
            if self._closed.is_set() or silent_s > SILENT_S:
                asking.cancel()
                raise TimeoutError(f"nothing for {silent_s:.0f} s")
            if not dask_probe.machine_answers(self._address, MACHINE_S):
                asking.cancel()
                raise TimeoutError("nor does its machine")
        return asking.result()

    def _fail(self, reason: str) -> None:
        """Have all batches fail for the first *reason*."""
        with self._changing:
            self._failure = self._failure or reason
            failed = list(self._computing)
            self._computing.clear()
        self._settled.set()
        for outcome in failed:
            settle(outcome, self._failed())

    def _failed(self) -> ExecutorFailed:
        return ExecutorFailed(self.name, self._failure or "it was closed")


def compute(request: Request) -> Answer:
    """Compute a batch, in a thread of a Dask worker."""
    here = f"its worker {distributed.get_worker().address}"
    return remote.compute(request, here, _is_dropped)


def _is_dropped() -> bool:
    """Return whether the scheduler has forgotten the batch that this thread computes."""
    worker = distributed.get_worker()
    task = worker.state.tasks.get(worker.get_current_task())
    return task is None or task.state in {"cancelled", "resumed"}


def _disconnect(client: "distributed.Client") -> None:
    with contextlib.suppress(Exception):  # whatever a scheduler that is gone leaves behind
        client.close(timeout=LEAVE_S)
