"""What the calls of one server share: the manager, made by the first call that needs it."""

import asyncio
import contextlib
from typing import Any

from mcp.server.mcpserver import Context

from bilancio.jobs.manager import AsyncJobManager

CLOSE_S = 0.2


class AppContext:
    """Holds the manager of a server, made by the first call that needs it.

    So the server is ready before any store is opened, and a setting that is wrong becomes an
    error of the call, which the model reads, instead of a server that does not start.
    """

    def __init__(self) -> None:
        self._manager: AsyncJobManager | None = None
        #: What `start_sweep` answered to the requests of this process, by key and job's name.
        self.answered: dict[tuple[str, str], Any] = {}
        self._beside: set[asyncio.Task[bool]] = set()

    @property
    def manager(self) -> AsyncJobManager:
        """The manager; it opens its store by itself."""
        if self._manager is None:
            self._manager = AsyncJobManager()
        return self._manager

    def hand_over_notices(self) -> None:
        """Have notices that are due delivered; nothing waits for that."""
        if self._manager is not None and self._manager.settings.notify:
            looking = asyncio.ensure_future(self._manager.hand_over_notices())
            self._beside.add(looking)
            looking.add_done_callback(self._beside.discard)

    async def close(self) -> None:
        """Close the store; give up where others keep it busy, the system frees our locks."""
        manager, self._manager = self._manager, None
        if manager is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(manager.close(), CLOSE_S)


Ctx = Context[AppContext, Any]


def manager_of(ctx: Ctx) -> AsyncJobManager:
    """Return the manager that serves this call."""
    return ctx.request_context.lifespan_context.manager


def request_key(ctx: Ctx) -> str | None:
    """Return what tells a repeated call from a new one, if the client says so."""
    key = (ctx.request_context.meta or {}).get("claudecode/toolUseId")
    return key if isinstance(key, str) and key else None
