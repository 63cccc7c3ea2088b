"""Compute batches of runs on this machine's cores.

Threads compute where the experiment releases the GIL and is bounded in time; everything else
computes in processes, where a run that crashes or hangs takes only its process down. Either way
a batch that fails is halved until the runs that fail are alone.
"""

import contextlib
import functools
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from bilancio import machine
from bilancio.errors import ExecutorFailed
from bilancio.executors import names, standby
from bilancio.executors.base import BATCH_S, Attempt, Indices, Outcome, attempt_here, narrow_down
from bilancio.executors.processes import ChildProcess, NotBegun, Unusable
from bilancio.experiments.protocol import Experiment

SLACK_S = 10.0  # what a batch may take beyond the longest run: its other runs
STARTS = 3  # processes in a row that may end before they begin with a batch


class Closed(Exception):
    """The executor was closed while the batch was computed."""


class LocalExecutor:
    """Threads and processes on this machine.

    Parameters
    ----------
    workers
        How many compute at a time; 0 takes one for each core that this process may use.
    run_timeout_s
        Longest time that a run may take in a process.
    """

    name = names.DEFAULT
    batch_s = BATCH_S
    waiting = ""

    def __init__(self, workers: int = 0, *, run_timeout_s: float = 600.0) -> None:
        self.workers = workers or machine.cores()
        self._run_timeout_s = run_timeout_s
        self._threads = ThreadPoolExecutor(self.workers, thread_name_prefix="kernel")
        self._here = threading.local()  # of each thread: its process, and whether it is warm
        self._children: set[ChildProcess] = set()
        self._changing = threading.Lock()
        self._closed = False

    def warm_up(self, experiment: Experiment, config: Any, runs: int) -> None:
        """Start a process for each thread, unless threads compute, and load the experiment."""
        if not experiment.releases_gil:
            for _ in range(min(self.workers, runs)):
                self._threads.submit(self._load, experiment.version, config)

    def ready(self) -> None:
        """Do nothing: this machine is."""

    def submit(
        self, experiment: Experiment, config: Any, indices: Indices, *, isolated: bool = False
    ) -> Future[Outcome]:
        """Schedule the runs of *indices*; *isolated* ones compute in a process."""
        attempt: Callable[[Indices], Attempt]
        if experiment.releases_gil and not isolated:
            attempt = functools.partial(self._in_thread, experiment, config)
        else:
            attempt = functools.partial(self._in_process, experiment.version, config)
        return self._threads.submit(narrow_down, attempt, indices)

    def close(self) -> None:
        """Drop what has not begun and kill processes; do not wait for threads."""
        with self._changing:
            self._closed = True
            children = set(self._children)
        self._threads.shutdown(wait=False, cancel_futures=True)
        for child in children:
            child.kill()
        for child in children:
            child.reap()
        standby.end_waiting()

    def _in_thread(self, experiment: Experiment, config: Any, indices: Indices) -> Attempt:
        if self._closed:
            raise Closed
        cold, process = not getattr(self._here, "warm", False), os.getpid()
        self._here.warm = True
        attempt = attempt_here(experiment, config, indices, cold=cold)
        if os.getpid() != process:  # a run has forked; only the original continues
            os._exit(0)
        return attempt

    def _load(self, version: str, config: Any) -> None:
        """Have this thread's process load the experiment; a batch finds out why it cannot."""
        with contextlib.suppress(NotBegun, Unusable):
            self._child().load(version, config)

    def _in_process(self, version: str, config: Any, indices: Indices) -> Attempt:
        """Compute in this thread's process; start another where it ended between batches."""
        alone = len(indices) == 1
        limit_s = self._run_timeout_s if alone else self._run_timeout_s + SLACK_S
        reason = ""
        for _ in range(STARTS):
            child = self._child()
            try:
                attempt = child.compute(version, config, indices, limit_s)
            except NotBegun as ended:
                reason = f"its processes end before they begin ({ended})"
            except Unusable as refused:
                reason = str(refused)
                break
            else:
                if self._closed:
                    raise Closed
                return attempt
        if self._closed:
            raise Closed
        raise ExecutorFailed(self.name, reason)

    def _child(self) -> ChildProcess:
        """Return this thread's process, started when there is none."""
        child: ChildProcess | None = getattr(self._here, "child", None)
        if child is not None and not child.ended:
            return child
        with self._changing:
            if self._closed:
                raise Closed
            if child is not None:
                self._children.discard(child)
            try:
                child = ChildProcess(machine.sharing_cores(self.workers))
            except OSError as error:
                raise ExecutorFailed(self.name, f"no process could be started ({error})") from None
            self._children.add(child)
        self._here.child = child
        return child
