"""Processes that compute batches for the threads of a local executor."""

import contextlib
import os
import pickle
import signal
import subprocess
import time
from typing import Any

from bilancio.executors import standby
from bilancio.executors.base import Attempt, Indices
from bilancio.executors.child import BEGUN
from bilancio.text import error_text

START_S = 300.0  # importing numpy, and compiling kernels, on a machine that is busy
LOOK_S = 0.5


class NotBegun(Exception):
    """The process ended, or did not answer, before it began to compute the batch."""


class Unusable(Exception):
    """The process cannot load the experiment."""


class ChildProcess:
    """A process that computes batches, one at a time, for the thread that makes this.

    Unless one waits, it is started with changes of the *environment*.
    It leads a process group of its own, so that what a run starts ends with it. It ends with its
    parent, and on Linux with the thread that started it: this one, or the main thread.

    Raises
    ------
    OSError
        The process could not be started.
    """

    def __init__(self, environment: dict[str, str]) -> None:
        self._process, self._connection = standby.take(environment)

    def load(self, version: str, config: Any) -> None:
        """Have the experiment loaded, as *version*, before there is a batch to compute.

        Raises
        ------
        NotBegun, Unusable
            It is not loaded.
        """
        self._begin((version, config, None))

    def compute(self, version: str, config: Any, indices: Indices, limit_s: float) -> Attempt:
        """Compute a batch; a process that dies or takes longer than *limit_s* is the error.

        Parameters
        ----------
        version
            Of the experiment: a process that has loaded another one computes nothing.

        Raises
        ------
        NotBegun, Unusable
            Nothing was computed, through no fault of the batch.
        """
        self._begin((version, config, indices))
        try:
            attempt: Attempt = pickle.loads(self._receive(limit_s))  # noqa: S301 - as above
        except TimeoutError:
            self.kill()
            self.end()
            return Attempt(None, f"TimeoutError: it took longer than {limit_s:g} s")
        except (EOFError, OSError):
            return Attempt(None, f"ChildProcessError: its process died ({self.end()})")
        return attempt

    def _begin(self, request: tuple[str, Any, Indices | None]) -> None:
        """Send a request and wait until the experiment that it asks for is loaded."""
        try:
            pickled = pickle.dumps(request)
        except Exception as error:  # noqa: BLE001 - a configuration of a plug-in may not pickle
            raise Unusable(error_text(error)) from None
        try:
            self._connection.send_bytes(pickled)
            answer = self._receive(START_S)
        except TimeoutError:
            message = f"it did not begin within {START_S:g} s"
            raise NotBegun(message) from None
        except (EOFError, OSError):
            raise NotBegun(self.end()) from None
        if answer != BEGUN:
            raise Unusable(pickle.loads(answer))  # noqa: S301 - from our own process

    def kill(self) -> None:
        """Kill the process and what it has started; a thread that waits for it is told."""
        with contextlib.suppress(OSError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def reap(self) -> int:
        """Wait for the process, which has ended or was killed, and return its exit code."""
        return self._process.wait()

    def end(self) -> str:
        """Kill and reap the process, close the connection, and say how it died."""
        with contextlib.suppress(subprocess.TimeoutExpired):  # it may be dying by itself
            self._process.wait(LOOK_S)
        self.kill()
        code = self.reap()
        self._connection.close()
        if code < 0:
            with contextlib.suppress(ValueError):
                return signal.Signals(-code).name
        return f"exit code {code}"

    @property
    def ended(self) -> bool:
        """Return whether the process has been reaped."""
        return self._process.returncode is not None

    def _receive(self, limit_s: float) -> bytes:
        """Return the next message.

        Raises
        ------
        TimeoutError
            None came within *limit_s* seconds.
        EOFError, OSError
            The process has ended, or closed its end of the connection.
        """
        deadline = time.monotonic() + limit_s
        while not self._connection.poll(min(LOOK_S, max(deadline - time.monotonic(), 0))):
            if self._process.poll() is not None and not self._connection.poll():
                raise EOFError  # what it has forked keeps the connection open
            if time.monotonic() >= deadline:
                raise TimeoutError
        return self._connection.recv_bytes()
