"""The lock that writers hold shared and checkpoints exclusively."""

import asyncio
import fcntl
import time
from pathlib import Path

from bilancio.errors import StoreUnavailable
from bilancio.locks import close_lock, is_at, open_lock

POLL_S = 0.02


class FileLock:
    """An advisory lock on a file, waited for in steps that can be cancelled."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = open_lock(path)

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
        """Take the lock if it is free; return whether it was."""
        kind = fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH
        while True:
            try:
                fcntl.flock(self._file, kind | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            if is_at(self._file, self.path):
                return True
            removed, self._file = self._file, open_lock(self.path)  # others lock what is there now
            close_lock(removed)

    def release(self) -> None:
        """Give the lock back."""
        fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Give the lock back and close its file."""
        close_lock(self._file)
