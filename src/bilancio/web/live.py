"""What changes while one looks: one watch for each job, however many look at it.

A reader gets the latest state whenever it has time; states that came and went meanwhile are left
out, so that a slow one slows nobody and costs nothing.
"""

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Iterator, Sequence

from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.requests import Request
from starlette.responses import Response

from bilancio.errors import BilancioError, invalid
from bilancio.jobs.manager import AsyncJobManager
from bilancio.web.words import Told, told

STILL_S = 1.0  # between looks at a job that does not run
PING_S = 15
LEAVE_S = 1.0  # for the last line of each stream, when the server is stopped
MOST_JOBS = 60  # of one stream

log = logging.getLogger("bilancio.web")


class Watched:
    """The latest state of one job."""

    def __init__(self) -> None:
        self.readers = 0
        self.latest: Told | None = None
        self.changed = asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    def show(self, state: Told | None) -> None:
        """Take a state in, and wake those who wait for another."""
        if state == self.latest:
            return
        self.latest = state
        woken, self.changed = self.changed, asyncio.Event()
        woken.set()


class Live:
    """The watches of a server."""

    def __init__(self, manager: AsyncJobManager) -> None:
        self._manager = manager
        self._watched: dict[str, Watched] = {}
        self._closed = asyncio.Event()

    @contextlib.contextmanager
    def watching(self, name: str) -> Iterator[Watched]:
        """Watch a job as long as the block lasts, together with all others who do."""
        watched = self._watched.setdefault(name, Watched())
        watched.readers += 1
        if watched.task is None:
            watched.task = asyncio.ensure_future(self._follow(name, watched))
        try:
            yield watched
        finally:
            watched.readers -= 1
            if not watched.readers:
                watched.task.cancel()
                self._watched.pop(name, None)

    async def states(self, names: Sequence[str], seen: dict[str, str]) -> AsyncIterator[Told]:
        """Yield the states of jobs as they change, but those that were *seen*: job → mark."""
        with contextlib.ExitStack() as stack:
            watched = {each: stack.enter_context(self.watching(each)) for each in names}
            while not self._closed.is_set():
                # Taken before anything is sent: what changes meanwhile ends the wait at once.
                changes = [each.changed for each in watched.values()]
                for name, each in watched.items():
                    latest = each.latest
                    if latest is not None and latest.mark != seen.get(name):
                        seen[name] = latest.mark
                        yield latest
                await _first([*changes, self._closed])

    async def _follow(self, name: str, watched: Watched) -> None:
        """Show each change; look more seldom where the job does not run."""
        while True:
            try:
                async for progress in self._manager.watch(name):
                    watched.show(told(progress))
            except BilancioError:  # it was deleted, or its store is away
                watched.show(None)
            except Exception:
                log.exception("The watch of a job was interrupted, and is taken up again.")
            await asyncio.sleep(STILL_S)

    def close(self) -> None:
        """End all watches, and the streams of those who read them."""
        self._closed.set()
        for each in self._watched.values():
            if each.task is not None:
                each.task.cancel()


async def _first(events: Sequence[asyncio.Event]) -> None:
    waiting = [asyncio.ensure_future(each.wait()) for each in events]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waiting:
            each.cancel()


async def stream(request: Request) -> Response:
    """Send the states of the jobs that are asked for, as server-sent events.

    The id of an event says what its reader has seen of all of them, so that a connection that is
    made again begins where it was lost.
    """
    live: Live = request.app.state.live
    names = [each for each in request.query_params.getlist("job") if each][:MOST_JOBS]
    if not names:
        raise invalid("job", "", "the name of at least one job")
    seen = _seen(request.headers.get("last-event-id", ""))

    async def events() -> AsyncIterator[ServerSentEvent]:
        async for state in live.states(names, seen):
            yield ServerSentEvent(
                data=json.dumps(state.as_dict()), event="job", id=json.dumps(seen), retry=1000
            )

    return EventSourceResponse(events(), ping=PING_S, shutdown_grace_period=LEAVE_S)


def _seen(told_last: str) -> dict[str, str]:
    """Return what a reader has seen before, as an event's id said it; nothing where it does not."""
    with contextlib.suppress(ValueError, RecursionError):
        known = json.loads(told_last)
        if isinstance(known, dict):
            return {str(name): str(mark) for name, mark in known.items()}
    return {}
