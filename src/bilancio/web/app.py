"""The application: its addresses, and what becomes of errors."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Collection
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bilancio.errors import (
    BilancioError,
    InvalidInput,
    JobNotFound,
    JobStateError,
    StoreError,
)
from bilancio.jobs.manager import AsyncJobManager
from bilancio.web import live, rendering
from bilancio.web.drawing import Drawing
from bilancio.web.guard import HEADERS, Guard
from bilancio.web.kept import Kept
from bilancio.web.pages import actions, compare, job, jobs, run, runs

MOST_CONTENTS = 3  # of jobs, each with columns of its runs
NOTICES_S = 60.0  # between two looks for notices that are due
FOR_EVER = "max-age=31536000, immutable"

log = logging.getLogger("bilancio.web")

_STATUS: dict[type[BilancioError], int] = {
    JobNotFound: 404,
    JobStateError: 409,
    InvalidInput: 400,
    StoreError: 503,
}


def build_app(
    manager: AsyncJobManager,
    *,
    token: str,
    names: Collection[str],
    port: int,
    read_only: bool = False,
    beside: Starlette | None = None,
) -> Starlette:
    """Return the application over the jobs of one store.

    Parameters
    ----------
    manager
        Is closed with the application.
    token
        What a request has to bring along.
    names, port
        Host names and port under which the server may be addressed.
    read_only
        Whether jobs can be looked at only.
    beside
        Another application, whose addresses are served, too.
    """

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(manager.close)
            stack.callback(app.state.live.close)
            app.state.drawing = Drawing()
            app.state.drawing.load()
            if manager.settings.notify:
                stack.callback(asyncio.ensure_future(_hand_over(manager)).cancel)
            if beside is not None:
                await stack.enter_async_context(beside.router.lifespan_context(beside))
            yield

    errors: dict[Any, Any] = {
        BilancioError: _refused,
        HTTPException: _no_page,
        Exception: _unexpected,
    }
    app = Starlette(
        routes=[
            Route("/", jobs.listed),
            Route("/jobs/{name}", job.findings),
            Route("/jobs/{name}/events", job.events),
            Route("/jobs/{name}/configuration", job.configuration),
            Route("/jobs/{name}/files/{file}", job.file),
            Route("/jobs/{name}/runs", runs.listed),
            Route("/jobs/{name}/runs/{run}", run.shown),
            Route("/jobs/{name}/{verb}", actions.asking, methods=["GET"]),
            Route("/jobs/{name}/{verb}", actions.done, methods=["POST"]),
            Route("/compare", compare.compared),
            Route("/live", live.stream),
            Route("/static/{name}", _static),
            *(beside.routes if beside is not None else ()),
        ],
        middleware=[Middleware(Guard, token=token, names=names, port=port)],
        exception_handlers=errors,
        lifespan=lifespan,
    )
    app.state.manager = manager
    app.state.live = live.Live(manager)
    app.state.kept = Kept()
    app.state.contents = Kept(MOST_CONTENTS)
    app.state.stories = run.kept_stories()
    app.state.listing = asyncio.Lock()
    app.state.read_only = read_only
    return app


async def _static(request: Request) -> Response:
    """Return a file that pages load; its address changes with it, so that it can be kept."""
    found = rendering.assets().get(request.path_params["name"])
    if found is None:
        raise HTTPException(404)
    data, kind = found
    return Response(data, headers={"Content-Type": kind, "Cache-Control": FOR_EVER})


async def _refused(request: Request, error: BilancioError) -> Response:
    status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 400)
    similar = error.similar if isinstance(error, JobNotFound) else ()
    return rendering.page(
        request, "error", status, title="That did not work", sentence=str(error), similar=similar
    )


async def _no_page(request: Request, error: HTTPException) -> Response:
    said = "There is no such page." if error.status_code == 404 else error.detail  # noqa: PLR2004
    return rendering.page(
        request, "error", error.status_code, title=str(error.detail), sentence=said, similar=()
    )


async def _unexpected(request: Request, error: Exception) -> Response:
    log.error("unexpected error at %r; its traceback follows", request.url.path)
    kind = type(error).__name__
    said = f"{kind}. This is a bug in bilancio; details are in the server's log."
    answer = rendering.page(
        request, "error", 500, title="Unexpected error", sentence=said, similar=()
    )
    answer.headers.update(HEADERS)  # it is sent from outside the guard
    return answer


async def _hand_over(manager: AsyncJobManager) -> None:
    """Have notices delivered that are due while pages are served."""
    while True:
        await manager.hand_over_notices()
        await asyncio.sleep(NOTICES_S)
