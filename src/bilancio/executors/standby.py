"""Processes that wait for batches, and a start that has them load while their parent does.

Nothing here loads numpy or pydantic: as the first thing of a worker, `main` starts the processes
that its executor will need. They and it then load at the same time, which takes the first batch of
a short job forward by a quarter of a second.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from multiprocessing.connection import Connection
from typing import NamedTuple

from bilancio import interpreter


class Started(NamedTuple):
    """A process that computes batches, and the connection to it."""

    process: "subprocess.Popen[bytes]"
    connection: "Connection[bytes, bytes]"


_waiting: list[Started] = []


def main() -> None:
    """Start processes and go on as another module; arguments are how many, its name and its own."""
    with contextlib.suppress(OSError):  # whoever needs one reports why none can be started
        _waiting.extend(start({}) for _ in range(int(sys.argv[1])))
    sys.argv[:] = sys.argv[2:]
    interpreter.load(sys.argv[0]).main()


def take(environment: dict[str, str]) -> Started:
    """Return a process that waits, or a new one with these changes of the environment.

    Raises
    ------
    OSError
        None could be started.
    """
    with contextlib.suppress(IndexError):
        return _waiting.pop()
    return start(environment)


def end_waiting() -> None:
    """End the processes that were not needed."""
    while _waiting:
        process, connection = _waiting.pop()
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        connection.close()


def start(environment: dict[str, str]) -> Started:
    """Start a process that leads a process group of its own, with changes of the environment.

    Raises
    ------
    OSError
        It could not be started.
    """
    ours, theirs = socket.socketpair()
    connection: Connection[bytes, bytes] = Connection(ours.detach())
    try:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            interpreter.command("bilancio.executors.child", str(theirs.fileno()), str(os.getpid())),
            stdin=subprocess.DEVNULL,
            stdout=_standard_error(),  # what a run prints belongs to no answer of the parent
            pass_fds=[theirs.fileno()],
            start_new_session=True,
            env=interpreter.environment(**environment),
        )
    except BaseException:
        connection.close()
        raise
    finally:
        theirs.close()
    return Started(process, connection)


def _standard_error() -> int:
    try:
        os.fstat(2)
    except OSError:
        return subprocess.DEVNULL
    return 2
