"""Waiting: for what may come back, and for what must not be left half done."""

import asyncio
import random
import time
from collections.abc import Awaitable
from typing import TypeVar

FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 2.0

T = TypeVar("T")


class Patience:
    """So many seconds, in pauses that grow: others that wait as well do not come back at once."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds
        self._pause = FIRST_PAUSE_S

    async def lasts(self) -> bool:
        """Wait for a moment; return False, without waiting, when the time is over."""
        left = self._until - time.monotonic()
        if left <= 0:
            return False
        await asyncio.sleep(min(self._pause * random.uniform(0.5, 1), left))  # noqa: S311 - no secret
        self._pause = min(2 * self._pause, LONGEST_PAUSE_S)
        return True


async def undisturbed(work: Awaitable[T]) -> T:
    """Await *work* to its end, however often the awaiting task is cancelled meanwhile."""
    task = asyncio.ensure_future(work)
    cancelled = False
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            cancelled = not task.cancelled()
    result = task.result()
    if cancelled:
        raise asyncio.CancelledError
    return result
