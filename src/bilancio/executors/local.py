"""Compute batches of runs on this machine's cores.

Threads compute where the experiment releases the GIL and is bounded in time; everything else
computes in processes, where a run that crashes or hangs takes only its process down. Either way
a batch that fails is halved until the runs that fail are alone.
"""

import contextlib
import ctypes
import functools
import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pebble import ProcessExpired, ProcessPool

from bilancio import machine
from bilancio.experiments import registry
from bilancio.experiments.protocol import Experiment
from bilancio.failpoints import failpoint

Indices = NDArray[np.int64]
Metrics = NDArray[np.void]

SLACK_S = 10.0  # what a batch may take beyond the longest run: its other runs and a cold start
MAX_ERROR = 2000
PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a batch of runs.

    Attributes
    ----------
    indices : int64 (n,)
        The runs that succeeded, increasing.
    metrics : structured (n,)
        Their rows.
    failures
        Error by index of the runs that failed.
    compute_s
        Seconds of one core spent on it.
    """

    indices: Indices
    metrics: Metrics
    failures: dict[int, str] = field(default_factory=dict)
    compute_s: float = 0.0


class LocalExecutor:
    """Threads and processes on this machine.

    Parameters
    ----------
    workers
        How many compute at a time; 0 takes one for each core that this process may use.
    run_timeout_s
        Longest time that a run may take in a process.
    """

    name = "local"

    def __init__(self, workers: int = 0, *, run_timeout_s: float = 600.0) -> None:
        self.workers = workers or machine.cores()
        self._limit_s = run_timeout_s + SLACK_S
        self._threads = ThreadPoolExecutor(self.workers, thread_name_prefix="kernel")
        self._processes: ProcessPool | None = None
        self._starting = threading.Lock()

    def submit(
        self, experiment: Experiment, config: Any, indices: Indices, *, isolated: bool = False
    ) -> Future[Outcome]:
        """Compute the runs of *indices* some time soon; *isolated* ones in a process."""
        attempt: Callable[[Indices], Metrics]
        if experiment.releases_gil and not isolated:
            attempt = functools.partial(compute_table, experiment, config)
        else:
            attempt = functools.partial(self._in_process, config)
        return self._threads.submit(narrow_down, attempt, indices)

    def close(self) -> None:
        """Drop what has not begun; do not wait for what has."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._processes is not None:
            self._processes.stop()  # type: ignore[no-untyped-call]

    def _in_process(self, config: Any, indices: Indices) -> Metrics:
        """Compute in a process of the pool; what kills or stops that process is raised here."""
        task = self._pool().schedule(
            _compute_by_name, args=[config, indices], timeout=self._limit_s
        )
        try:
            metrics: Metrics = task.result()
        except ProcessExpired as expired:
            message = f"its process died ({_how_it_died(expired.exitcode)})"
            raise ChildProcessError(message) from None
        except TimeoutError:
            message = f"it took longer than {self._limit_s - SLACK_S:g} s"
            raise TimeoutError(message) from None
        return metrics

    def _pool(self) -> ProcessPool:
        with self._starting:
            if self._processes is None:
                self._processes = ProcessPool(
                    self.workers,
                    initializer=end_with_parent,
                    context=multiprocessing.get_context("spawn"),
                )
            return self._processes


def narrow_down(attempt: Callable[[Indices], Metrics], indices: Indices) -> Outcome:
    """Compute a batch by *attempt*; where it raises, halve it until failing runs are alone."""
    began = time.perf_counter()
    failures: dict[int, str] = {}
    done: list[tuple[Indices, Metrics]] = []
    waiting = [indices]
    while waiting:
        batch = waiting.pop()
        try:
            metrics = attempt(batch)
        except Exception as error:  # noqa: BLE001 - an experiment may raise anything
            if len(batch) == 1:
                failures[int(batch[0])] = f"{type(error).__name__}: {error}"[:MAX_ERROR]
            else:
                middle = len(batch) // 2
                waiting += [batch[middle:], batch[:middle]]
        else:
            done.append((batch, metrics))
    return Outcome(
        indices=np.concatenate([batch for batch, _ in done]) if done else np.empty(0, np.int64),
        metrics=np.concatenate([rows for _, rows in done]) if done else np.empty(0, np.void),
        failures=failures,
        compute_s=time.perf_counter() - began,
    )


def compute_table(experiment: Experiment, config: Any, indices: Indices) -> Metrics:
    """Return what the experiment computes for *indices*.

    Raises
    ------
    TypeError, ValueError
        It is not one row of named numbers for each run.
    """
    failpoint("in-batch")
    metrics = experiment.compute(config, indices)
    if not isinstance(metrics, np.ndarray) or not metrics.dtype.names:
        message = f"the experiment returned {type(metrics).__name__}, not a table of metrics"
        raise TypeError(message)
    if metrics.shape != indices.shape:
        message = f"the experiment returned {metrics.shape} rows for {len(indices)} runs"
        raise ValueError(message)
    if metrics.dtype.hasobject:
        message = "the experiment returned metrics that are no numbers"
        raise TypeError(message)
    return metrics


@functools.cache
def _prepared(sweep_type: str) -> Experiment:
    experiment = registry.experiment(sweep_type)
    experiment.prepare()
    return experiment


def _compute_by_name(config: Any, indices: Indices) -> Metrics:
    """Compute in a process that knows nothing yet but names."""
    return compute_table(_prepared(config.sweep_type), config, indices)


def end_with_parent() -> None:
    """Have this process end when its parent does, however busy it is then.

    A thread waits for the parent's end and leaves; on Linux the kernel sends SIGKILL as well,
    which reaches code that never lets another thread run.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent to answer

    def wait() -> None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=wait, name="parent-watch", daemon=True).start()


def _how_it_died(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        with contextlib.suppress(ValueError):
            return signal.Signals(-exit_code).name
    return f"exit code {exit_code}"
