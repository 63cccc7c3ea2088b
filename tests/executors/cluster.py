"""A Dask cluster of real processes on loopback."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil

from tests.plugins import ALL
from tests.processes import wait_until_ended

ROOT = Path(__file__).parents[2]


class Cluster:
    """A scheduler, and workers of one thread each.

    Attributes
    ----------
    address
        Of the scheduler.
    scheduler, workers
        The processes.
    """

    def __init__(self, n_workers=2, *, nanny=False, **environment):
        self._environment = os.environ | {
            "BILANCIO_PLUGINS": ALL,
            "PYTHONPATH": str(ROOT),
            # The first worker that a run kills is the last one.
            "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0",
        }
        self._environment |= environment
        self._nanny = nanny
        self.scheduler = self._started("scheduler", "--host", "127.0.0.1", "--port", "0")
        self.address = self._said(self.scheduler, "Scheduler at:").split()[-1]
        self.workers = []
        for _ in range(n_workers):
            self.add_worker()

    def add_worker(self):
        nanny = "--nanny" if self._nanny else "--no-nanny"
        worker = self._started("worker", self.address, "--nthreads", "1", nanny)
        self.workers.append(worker)

    def end(self):
        for each in [*self.workers, self.scheduler]:
            if each.poll() is None:
                each.send_signal(signal.SIGSTOP)  # a nanny starts workers anew
                below = psutil.Process(each.pid).children(recursive=True)
                each.kill()
                each.wait()
                for child in below:
                    if child.is_running():
                        child.kill()
                wait_until_ended(below)
        self.scheduler.stderr.close()

    def _started(self, role, *words):
        return subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.dask_{role}", *words, "--no-dashboard"],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE if role == "scheduler" else subprocess.DEVNULL,
            text=True,
        )

    @staticmethod
    def _said(process, words):
        """Return the first line with these words; what follows is read and thrown away."""
        for line in process.stderr:
            if words in line:
                threading.Thread(target=process.stderr.read, daemon=True).start()
                return line
        raise AssertionError(process.wait())
