"""Whether a worker on this machine is alive, known from a lock that the system frees at death."""

import contextlib
import fcntl
import os
from pathlib import Path


class LifeSign:
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

    def release(self) -> None:
        """Give the lock back and remove its file."""
        if self._file >= 0:
            with contextlib.suppress(FileNotFoundError):
                self._path.unlink()
            os.close(self._file)
            self._file = -1


def shows_life(path: Path) -> bool:
    """Tell whether a living process holds the lock at *path*."""
    try:
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False


def process_exists(pid: int) -> bool:
    """Tell whether there is a process with this number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _is_file_at(file: int, path: Path) -> bool:
    try:
        there, here = path.stat(), os.fstat(file)
    except FileNotFoundError:
        return False
    return (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino)
