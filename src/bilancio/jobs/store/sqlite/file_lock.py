"""The lock that writers hold shared and checkpoints exclusively."""

import asyncio
import fcntl
import os
import time
from pathlib import Path

from bilancio.errors import StoreUnavailable

POLL_S = 0.02


class FileLock:
    """An advisory lock on a file, waited for in steps that can be cancelled."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = _open(path)

    async def acquire(self, *, exclusive: bool, patience_s: float) -> None:
        """Take the lock, or exchange the kind held; wait at most *patience_s* seconds for it.

        Raises
        ------
        StoreUnavailable
            Others held it all the time.
        """
        deadline = time.monotonic() + patience_s
        while not self.try_acquire(exclusive=exclusive):
            if time.monotonic() > deadline:
                reason = f"its lock was held for {patience_s:.0f} s. Try again."
                raise StoreUnavailable(str(self.path), reason)
            await asyncio.sleep(POLL_S)

    def try_acquire(self, *, exclusive: bool) -> bool:
        """Take the lock if it is free; tell whether it was."""
        kind = fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH
        while True:
            try:
                fcntl.flock(self._file, kind | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            if self._is_at_path():
                return True
            removed, self._file = self._file, _open(self.path)  # others lock what is there now
            os.close(removed)

    def release(self) -> None:
        """Give the lock back."""
        fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Give the lock back and close its file."""
        os.close(self._file)

    def _is_at_path(self) -> bool:
        try:
            there, here = self.path.stat(), os.fstat(self._file)
        except FileNotFoundError:
            return False
        return (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
