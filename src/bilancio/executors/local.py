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
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from pebble import ProcessExpired, ProcessPool

from bilancio import machine
from bilancio.executors import registry
from bilancio.executors.base import Indices, Metrics, Outcome, compute_table, narrow_down
from bilancio.experiments import registry as experiments
from bilancio.experiments.protocol import Experiment

SLACK_S = 10.0  # what a batch may take beyond the longest run: its other runs and a cold start
PR_SET_PDEATHSIG = 1


class LocalExecutor:
    """Threads and processes on this machine.

    Parameters
    ----------
    workers
        How many compute at a time; 0 takes one for each core that this process may use.
    run_timeout_s
        Longest time that a run may take in a process.
    """

    name = registry.DEFAULT

    def __init__(self, workers: int = 0, *, run_timeout_s: float = 600.0) -> None:
        self.workers = workers or machine.cores()
        self._limit_s = run_timeout_s + SLACK_S
        self._threads = ThreadPoolExecutor(self.workers, thread_name_prefix="kernel")
        self._processes: ProcessPool | None = None
        self._starting = threading.Lock()

    def submit(
        self, experiment: Experiment, config: Any, indices: Indices, *, isolated: bool = False
    ) -> Future[Outcome]:
        """Schedule the runs of *indices*; *isolated* ones compute in a process."""
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


@functools.cache
def _prepared(sweep_type: str) -> Experiment:
    experiment = experiments.experiment(sweep_type)
    experiment.prepare()
    return experiment


def _compute_by_name(config: Any, indices: Indices) -> Metrics:
    """Compute in a process that is told names only."""
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
