"""Whether a worker on this machine is alive: a lock that the system frees at death, and a word.

The word is the moment until which the worker will have spoken again, by the machine's own clock,
which nobody sets: so a clock that jumps makes no living worker look dead, nor a silent one alive.
"""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterable
from enum import Enum, auto
from pathlib import Path


class WorkerState(Enum):
    """What the sign of life of a worker says."""

    ALIVE = auto()
    UNRESPONSIVE = auto()  # it lives, but it is stopped, or hangs
    STARTING = auto()  # it lives, and could not yet say more
    DEAD = auto()


class WorkerLock:
    """A lock held for as long as this process lives, or until `release`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = -1

    def acquire(self) -> bool:
        """Take the lock; False when another process holds it."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return False
        if not _is_file_at(file, self._path):  # its last holder has just removed it
            os.close(file)
            return self.acquire()
        self._file = file
        return True

    def heartbeat(self, lease_s: float) -> None:
        """Say that this process will speak again within *lease_s* seconds."""
        with contextlib.suppress(OSError):  # on a full disk the lease in the store has to do
            os.pwrite(self._file, f"{time.monotonic() + lease_s:020.3f}".encode(), 0)

    def release(self) -> None:
        """Give the lock back and remove its file."""
        if self._file >= 0:
            with contextlib.suppress(FileNotFoundError):
                self._path.unlink()
            os.close(self._file)
            self._file = -1


def worker_state(path: Path) -> WorkerState:
    """Tell what the sign of life at *path* says."""
    try:
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return WorkerState.DEAD
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        word = os.pread(file, 20, 0)
        if not word:
            return WorkerState.STARTING
        return WorkerState.ALIVE if float(word) >= time.monotonic() else WorkerState.UNRESPONSIVE
    finally:
        os.close(file)
    return WorkerState.DEAD


def remove_stale(signs: Iterable[Path]) -> None:
    """Remove the signs of life that killed workers have left behind."""
    for path in signs:
        sign = WorkerLock(path)
        if sign.acquire():
            sign.release()


def process_exists(pid: int) -> bool:
    """Tell whether there is such a process here; one that only waits to be reaped is none."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:  # a system without /proc, where a parent of its own reaps every orphan
        return True
    return state.rpartition(")")[2].split()[0] not in {"Z", "X"}


def _is_file_at(file: int, path: Path) -> bool:
    try:
        there, here = path.stat(), os.fstat(file)
    except FileNotFoundError:
        return False
    return (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino)
