"""What draws is loaded beside serving: it takes seconds, and longer where fonts are looked for."""

import asyncio
import atexit
import contextlib
import importlib
import threading

from bilancio.errors import LibraryMissing

LEAVE_S = 2.0  # for a thread that is still loading when the process ends


class Drawing:
    """Whether pictures can be drawn by now; made, and asked, in one event loop."""

    def __init__(self) -> None:
        self._loaded = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def load(self) -> None:
        """Begin to load, in a thread that does not keep the process alive."""
        thread = threading.Thread(target=self._load, daemon=True)
        thread.start()
        atexit.register(thread.join, LEAVE_S)

    async def loaded(self) -> None:
        """Wait until it is loaded; whether it could be is said by what draws."""
        await self._loaded.wait()

    def _load(self) -> None:
        try:
            with contextlib.suppress(LibraryMissing):
                importlib.import_module("bilancio.report.drawing")
        finally:
            with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
                self._loop.call_soon_threadsafe(self._loaded.set)
