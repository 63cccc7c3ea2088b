"""`bilancio serve`: jobs in a browser, while they run and after."""

import contextlib
import importlib.util
import logging
import tempfile
import threading
from pathlib import Path
from typing import Annotated

import typer

from bilancio.cli.opening import open_address
from bilancio.cli.parsing import CommandGroup, command
from bilancio.cli.render.console import Output
from bilancio.errors import LibraryMissing, invalid
from bilancio.jobs.manager import AsyncJobManager
from bilancio.settings import load_settings

PORT = "8321"
MOST_PORT = 65_535
NEEDED = ("jinja2", "uvicorn", "sse_starlette")

app = typer.Typer(add_completion=False, cls=CommandGroup, rich_markup_mode="rich")


@command(
    app,
    "serve",
    "Show jobs in a browser, live: progress, findings, pictures, single runs.\n\n"
    "It prints its address, with a token that a browser needs once; BILANCIO_TOKEN sets another. "
    "Only this machine reaches it, unless --host says otherwise. Ctrl-C ends it; jobs continue.",
    "bilancio serve",
    "bilancio serve --read-only --mcp --port 0",
)
def serve(
    *,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Where to listen. Default: this machine only.")
    ] = "127.0.0.1",
    port: Annotated[
        str, typer.Option(metavar="N", help=f"Default: {PORT}; 0 takes any that is free.")
    ] = PORT,
    name: Annotated[
        list[str] | None,
        typer.Option(
            "--name", metavar="HOST", help="A host name by which others reach it; may be repeated."
        ),
    ] = None,
    read_only: Annotated[
        bool, typer.Option("--read-only", metavar="", help="Nothing can be started or changed.")
    ] = False,
    mcp: Annotated[
        bool,
        typer.Option("--mcp", metavar="", help="Answer MCP clients, too, at /mcp, by the token."),
    ] = False,
    open_it: Annotated[
        bool, typer.Option("--open", metavar="", help="Open it in the browser.")
    ] = False,
) -> None:
    """Serve the page."""
    serve_page(host, port, names=name or [], read_only=read_only, mcp=mcp, open_it=open_it)


def serve_page(
    host: str,
    port: str,
    *,
    names: list[str],
    read_only: bool,
    mcp: bool,
    open_it: bool,
    path: str = "/",
) -> None:
    """Serve until a signal comes; say where."""
    for library in NEEDED:
        if importlib.util.find_spec(library) is None:
            raise LibraryMissing(library, asker="The page", extra="web")
    from bilancio.web import guard, serving  # Starlette and jinja2, which other commands do without
    from bilancio.web.app import build_app
    from bilancio.web.guard import MCP_PATH

    if not (port.isdecimal() and len(port) <= len(f"{MOST_PORT}") and int(port) <= MOST_PORT):
        raise invalid("port", port, f"whole numbers from 0 to {MOST_PORT}")
    settings = load_settings()
    token = guard.check_token(settings.token) if settings.token else guard.new_token()
    manager = AsyncJobManager()
    place = serving.listen(host, int(port), names)
    output = Output()
    shown = place.address(path, token)

    def ready() -> None:
        output.say(shown)
        if mcp:
            output.say(f"MCP: {place.address(MCP_PATH)} (Authorization: Bearer TOKEN)")
        if not place.is_local:
            output.note(
                "Other machines can reach this server, and read what it sends on the way. Whoever "
                "has the token can do with jobs what you can."
            )
        if open_it:  # beside serving, which the browser waits for
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bilancio-")))
            threading.Thread(target=open_address, args=(shown, folder), daemon=True).start()

    logging.basicConfig(level=logging.WARNING)
    beside = None
    if mcp:
        from bilancio_mcp.http import http_app  # the SDK, which the page does without

        beside = http_app(read_only=read_only)
    page = build_app(
        manager,
        token=token,
        names=place.names,
        port=place.port,
        read_only=read_only,
        beside=beside,
    )
    with contextlib.ExitStack() as stack:
        serving.serve(page, place, ready, page.state.live.close)
