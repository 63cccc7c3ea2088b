"""Whether a worker on this machine is alive: a lock that the system frees at death, and heartbeats.

A heartbeat is written into the lock file: the moment by which the next one is due, by the
machine's monotonic clock, so that setting the time makes no living worker look dead.
"""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterable
from enum import Enum, auto
from pathlib import Path

from bilancio.locks import close_lock, is_at, open_lock


class WorkerState(Enum):
    """What a worker's lock file says of it."""

    ALIVE = auto()
    UNRESPONSIVE = auto()  # it exists, but its heartbeat is overdue: it is suspended, or hangs
    STARTING = auto()  # it exists and has not written a heartbeat yet
    DEAD = auto()


class WorkerLock:
    """A lock held for as long as this process lives, or until `release`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = -1

    def acquire(self) -> bool:
        """Take the lock; False when another process holds it."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = open_lock(self._path)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            close_lock(file)
            return False
        if not is_at(file, self._path):  # its last holder has just removed it
            close_lock(file)
            return self.acquire()
        self._file = file
        return True

    def heartbeat(self, lease_s: float) -> None:
        """Promise another heartbeat within *lease_s* seconds."""
        with contextlib.suppress(OSError):  # on a full disk the lease in the store has to do
            os.pwrite(self._file, f"{time.monotonic() + lease_s:020.3f}".encode(), 0)

    def release(self) -> None:
        """Release the lock and remove its file."""
        if self._file >= 0:
            with contextlib.suppress(FileNotFoundError):
                self._path.unlink()
            close_lock(self._file)
            self._file = -1


def worker_state(path: Path) -> WorkerState:
    """Return what the lock file at *path* says of its worker."""
    try:
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return WorkerState.DEAD
    except PermissionError:  # another user's: only the lease tells
        return WorkerState.STARTING
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        heartbeat = os.pread(file, 20, 0)
        if not heartbeat:
            return WorkerState.STARTING
        with contextlib.suppress(ValueError):
            if float(heartbeat) >= time.monotonic():
                return WorkerState.ALIVE
        return WorkerState.UNRESPONSIVE
    finally:
        os.close(file)
    return WorkerState.DEAD


def remove_stale(paths: Iterable[Path]) -> None:
    """Remove the lock files that killed workers have left behind."""
    for path in paths:
        lock = WorkerLock(path)
        if lock.acquire():
            lock.release()


def process_exists(pid: int) -> bool:
    """Return whether this machine has such a process; a zombie does not count."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:  # no /proc: init reaps every orphan, so few zombies remain
        return True
    return state.rpartition(")")[2].split()[0] not in {"Z", "X"}
