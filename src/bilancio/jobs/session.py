"""What every question about jobs needs: the settings, the clock and the opened store."""

import asyncio
import os
from pathlib import Path

from bilancio.errors import ManagerUnusable
from bilancio.jobs.clock import Clock, utc_now
from bilancio.jobs.store import JobStore, open_store
from bilancio.settings import Settings


class Session:
    """One store, opened when it is first needed.

    Attributes
    ----------
    settings, clock
        As they were when the session began.
    writable
        Output folders that were found to be writable.
    """

    def __init__(self, settings: Settings, clock: Clock = utc_now) -> None:
        self.settings = settings
        self.clock = clock
        self.writable: set[Path] = set()
        self._process = os.getpid()
        self._closed = False
        self._opened: JobStore | None = None
        self._opening = asyncio.Lock()

    async def store(self) -> JobStore:
        """Return the store, opened.

        Raises
        ------
        ManagerUnusable
            The session was closed, or this process is a fork of the one that it belongs to.
        StoreError
            The store cannot be used.
        """
        if self._process != os.getpid():
            raise ManagerUnusable(ManagerUnusable.FORKED)
        if self._closed:
            raise ManagerUnusable(ManagerUnusable.CLOSED)
        async with self._opening:
            if self._opened is None:
                self._opened = await open_store(self.settings.database_url, self.clock)
            return self._opened

    async def close(self) -> None:
        """Close the store for good. Workers that were started continue."""
        if self._process != os.getpid():  # the threads that would close it are not in this process
            return
        self._closed = True
        store, self._opened = self._opened, None
        if store is not None:
            await store.close()
