"""Run a worker in a process of its own: signals stop it, and a blocked event loop ends it."""

import asyncio
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from bilancio.jobs.models import JobStatus
from bilancio.jobs.worker.worker import Worker

STUCK = 70
LEASES_TO_HANG = 4
SHORTEST_HANG_S = 120.0
LOOKS = 20


async def run_alone(worker: Worker, lease_s: float) -> JobStatus:
    """Carry the worker's job out; SIGTERM and SIGINT have it leave at once.

    Raises
    ------
    LeaseLost
        Another worker has the job, or it was cancelled.
    Stopped
        A signal came.
    """
    worker.be_patient()
    with _stopped_by_signals(worker), _ended_when_stuck(worker, lease_s):
        return await worker.run()


@contextmanager
def _stopped_by_signals(worker: Worker) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT)
    for number in signals:
        loop.add_signal_handler(number, worker.stop, number)
    try:
        yield
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


@contextmanager
def _ended_when_stuck(worker: Worker, lease_s: float) -> Iterator[None]:
    left = threading.Event()
    patience_s = max(LEASES_TO_HANG * lease_s, SHORTEST_HANG_S)
    threading.Thread(
        target=_end_when_stuck, args=(worker, patience_s, left), name="watchdog", daemon=True
    ).start()
    try:
        yield
    finally:
        left.set()


def _end_when_stuck(worker: Worker, patience_s: float, left: threading.Event) -> None:
    """End this process when its event loop is blocked for *patience_s* seconds.

    A run in a thread can close all files of the process or block it for good; its job has long
    been taken over then, and nothing else would end it. The time that the process itself is
    suspended does not count.
    """
    missed, seen = 0, -1
    while missed < LOOKS:
        if left.wait(patience_s / LOOKS):
            return
        missed = missed + 1 if worker.heartbeats == seen else 0
        seen = worker.heartbeats
    os._exit(STUCK)
