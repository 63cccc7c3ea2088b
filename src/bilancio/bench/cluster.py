"""A Dask cluster on this machine, for as long as something is measured."""

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from bilancio import interpreter, machine

SCHEDULER, WORKER = "distributed.cli.dask_scheduler", "distributed.cli.dask_worker"
HERE = ("--host", "127.0.0.1", "--no-dashboard")


@contextmanager
def cluster() -> Iterator[str]:
    """Start a scheduler, and a worker of one thread for each core; yield the scheduler's address.

    Raises
    ------
    OSError
        It could not be started.
    """
    started = [_started(SCHEDULER, "--port", "0", *HERE)]
    try:
        address = _address_of(started[0])
        one = (WORKER, address, "--nthreads", "1", "--no-nanny", *HERE)
        started += [_started(*one) for _ in range(machine.cores())]
        yield address
    finally:
        for process in started:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


def _started(module: str, *words: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(  # noqa: S603 - this interpreter, modules of a library
        interpreter.command(module, *words),
        env=interpreter.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE if module == SCHEDULER else subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )


def _address_of(scheduler: "subprocess.Popen[str]") -> str:
    """Return the address that a scheduler says it has; what follows is read and thrown away."""
    assert scheduler.stderr is not None
    said = ""
    for line in scheduler.stderr:
        said = line.strip() or said
        if "Scheduler at:" in line:
            threading.Thread(target=scheduler.stderr.read, daemon=True).start()
            return line.split()[-1]
    raise OSError(said or "the scheduler did not start")
