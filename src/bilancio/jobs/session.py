"""What every question about jobs needs: the settings, the clock and the opened store."""

import asyncio
from pathlib import Path

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
        self._opened: JobStore | None = None
        self._opening = asyncio.Lock()

    @property
    def out_dir(self) -> Path:
        """Absolute path of the folder that holds the jobs' output folders."""
        return self.settings.out_dir.expanduser().absolute()

    async def store(self) -> JobStore:
        """Return the store, opened."""
        async with self._opening:
            if self._opened is None:
                self._opened = await open_store(self.settings.database_url, self.clock)
            return self._opened

    async def close(self) -> None:
        """Close the store. Workers that were started continue."""
        store, self._opened = self._opened, None
        if store is not None:
            await store.close()
