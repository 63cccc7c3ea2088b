"""Calls of foreign code in threads."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from bilancio.text import error_text

T = TypeVar("T")


async def in_thread(function: Callable[..., T], *arguments: Any) -> T:
    """Call a function of an experiment in a thread; all that it raises is an `Exception`.

    An event loop takes SystemExit and KeyboardInterrupt for its own, and waits for ever for a
    thread that raises StopIteration.
    """

    def call() -> T:
        try:
            return function(*arguments)
        except BaseException as error:
            if isinstance(error, Exception) and not isinstance(error, StopIteration):
                raise
            raise RuntimeError(error_text(error)) from error

    return await asyncio.to_thread(call)
