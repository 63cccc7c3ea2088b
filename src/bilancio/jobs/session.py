"""What every question about jobs needs: the settings, the clock and the opened store."""

import asyncio
import os
from pathlib import Path

from bilancio.errors import ManagerUnusable
from bilancio.executors.names import MODAL
from bilancio.experiments import registry
from bilancio.experiments.sweep_config import SweepConfig
from bilancio.jobs.clock import Clock, utc_now
from bilancio.jobs.store import JobStore, ReaderOf, ReadWhole, open_store
from bilancio.settings import Settings


class Session:
    """One store, opened when it is first needed.

    Parameters
    ----------
    reader_of
        What jobs of the store read their runs by; without it they cannot by themselves.
    read_whole
        What the store reads runs by that are in a job's folder only.

    Attributes
    ----------
    settings, clock
        As they were when the session began.
    executor
        Where all its jobs compute, by name; empty where the settings and the jobs decide.
    writable
        Output folders that were found to be writable.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock = utc_now,
        reader_of: ReaderOf | None = None,
        read_whole: ReadWhole | None = None,
        executor: str = "",
    ) -> None:
        self.settings = settings.model_copy(update={"executor": executor or settings.executor})
        self.executor = executor
        self.clock = clock
        self._opened_with = (clock, reader_of, read_whole)
        self.writable: set[Path] = set()
        self._process = os.getpid()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False
        self._opened: JobStore | None = None
        self._opening = asyncio.Lock()

    def settings_for(self, config: SweepConfig) -> Settings:
        """Return the settings by which a sweep is carried out: `cloud` asks for Modal."""
        if self.executor or not config.cloud:
            return self.settings
        return self.settings.model_copy(update={"executor": MODAL})

    async def store(self) -> JobStore:
        """Return the store, opened.

        Raises
        ------
        ManagerUnusable
            The session was closed, or it belongs to another event loop that is still open, or to
            the process that forked this one.
        StoreError
            The store cannot be used.
        """
        if self._process != os.getpid():
            raise ManagerUnusable(ManagerUnusable.FORKED)
        self._refuse_closed()
        registry.refresh()
        loop = asyncio.get_running_loop()
        if self._loop is None or self._loop.is_closed():
            self._loop = loop
        elif self._loop is not loop:
            raise ManagerUnusable(ManagerUnusable.OTHER_LOOP)
        async with self._opening:
            if self._opened is None:
                store = await open_store(self.settings.database_url, *self._opened_with)
                if self._closed:  # meanwhile
                    await store.close()
                self._refuse_closed()
                self._opened = store
            return self._opened

    @property
    def opened(self) -> JobStore | None:
        """The store, if it has been needed."""
        return self._opened

    def _refuse_closed(self) -> None:
        if self._closed:
            raise ManagerUnusable(ManagerUnusable.CLOSED)

    async def close(self) -> None:
        """Close the store for good. Workers that were started continue."""
        if self._process != os.getpid():  # the threads that would close it are not in this process
            return
        self._closed = True
        store, self._opened = self._opened, None
        if store is not None:
            await store.close()
