"""What was made for one reader and serves the next: pictures, above all."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")

MOST = 64


class Kept:
    """The latest things that were made; whoever asks while one is being made waits for it.

    Parameters
    ----------
    most
        What those that are kept may weigh together, unless one alone weighs more.
    weigh
        Returns what a thing weighs; 1 by default.
    """

    def __init__(self, most: int = MOST, weigh: Callable[[Any], int] = lambda _: 1) -> None:
        self._most = most
        self._weigh = weigh
        self._made: OrderedDict[Hashable, asyncio.Future[Any]] = OrderedDict()
        self._weights: dict[Hashable, int] = {}  # of those that are made

    async def get(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        """Return what *make* returned for this key, made now if nobody has asked for it lately.

        A reader who leaves does not keep it from the others; an error is not kept.
        """
        making = self._made.get(key)
        if making is None:
            making = asyncio.ensure_future(make())
            self._made[key] = making
            making.add_done_callback(lambda done: self._settled(key, done))
        self._made.move_to_end(key)
        found: T = await asyncio.shield(making)
        return found

    def _settled(self, key: Hashable, done: "asyncio.Future[Any]") -> None:
        if done.cancelled() or done.exception() is not None:
            del self._made[key]
            return
        self._weights[key] = self._weigh(done.result())
        oldest_first = [each for each in self._made if each in self._weights]
        for old in oldest_first[:-1]:
            if sum(self._weights.values()) <= self._most:
                break
            del self._made[old], self._weights[old]
