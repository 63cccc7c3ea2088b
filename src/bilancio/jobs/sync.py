"""An event loop in a thread of its own, to which blocking callers hand their coroutines."""

import asyncio
import concurrent.futures
import os
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from bilancio.errors import ManagerUnusable

T = TypeVar("T")


class LoopThread:
    """Runs coroutines for callers that block, from any thread, whatever loop runs there."""

    def __init__(self, name: str) -> None:
        self._process = os.getpid()
        self._submitting = threading.Lock()
        self._closing = False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()

    @property
    def usable(self) -> bool:
        """Whether calls are taken: not after `close`, and not in a forked process."""
        return not self._closing and self._process == os.getpid()

    def wait(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Return what the coroutine that *work* makes returns; Ctrl-C cancels it.

        Raises
        ------
        ManagerUnusable
            The loop was closed, before or meanwhile; or it would never answer: its thread does
            not exist in a forked process, and cannot wait for itself.
        """
        future = self._submit(work)
        try:
            return future.result()
        except concurrent.futures.CancelledError:
            raise ManagerUnusable(ManagerUnusable.CLOSED_MEANWHILE) from None
        except KeyboardInterrupt:
            future.cancel()
            raise

    def close(self, last: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Cancel what is under way, await what *last* makes, and end the loop and its thread.

        Does nothing where `usable` is false.
        """
        if not self.usable:
            return
        self._refuse_own_thread()
        with self._submitting:
            if self._closing:
                return
            self._closing = True
        asyncio.run_coroutine_threadsafe(self._end(last), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _submit(self, work: Callable[[], Coroutine[Any, Any, T]]) -> "concurrent.futures.Future[T]":
        if self._process != os.getpid():  # before the lock, which a fork may have copied locked
            raise ManagerUnusable(ManagerUnusable.FORKED)
        self._refuse_own_thread()
        with self._submitting:
            if self._closing:
                raise ManagerUnusable(ManagerUnusable.CLOSED)
            return asyncio.run_coroutine_threadsafe(work(), self._loop)

    def _refuse_own_thread(self) -> None:
        if threading.current_thread() is self._thread:
            raise ManagerUnusable(ManagerUnusable.OWN_CALLBACK)

    @staticmethod
    async def _end(last: Callable[[], Coroutine[Any, Any, None]]) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        if others:
            await asyncio.wait(others)
        await last()
