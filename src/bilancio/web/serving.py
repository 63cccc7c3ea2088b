"""Listen, and serve until a signal comes."""

import errno
import signal
import socket
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address

import uvicorn
from starlette.types import ASGIApp

from bilancio import machine
from bilancio.errors import invalid

LOOPBACK = "127.0.0.1"
LOCAL_NAMES = ("localhost",)
LEAVE_S = 2  # for answers that are under way when the server is stopped


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server listens.

    Attributes
    ----------
    names
        Host names under which it may be addressed, beside addresses in numbers.
    host
        What stands in its own address.
    """

    listening: socket.socket
    host: str
    port: int
    names: tuple[str, ...]
    is_local: bool

    def address(self, path: str = "/", token: str = "") -> str:
        """Return the address of a page, with the token if it is given."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}{path}{token and '?token='}{token}"


def listen(host: str, port: int, names: Iterable[str] = ()) -> Place:
    """Begin to listen; port 0 takes any that is free.

    Parameters
    ----------
    names
        Further host names under which the server may be addressed.

    Raises
    ------
    InvalidInput
        The host is not one of this machine, or the port is in use or not allowed.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError):
        allowed = "127.0.0.1, another address of this machine, or 0.0.0.0 for all of them"
        raise invalid("host", host, allowed) from None
    family, _, _, _, where = found[0]
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(where)
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise _refused(host, port, error) from None
    bound = ip_address(listening.getsockname()[0])
    own = host if not bound.is_unspecified else machine.host()
    known = {each.lower().rstrip(".") for each in (*LOCAL_NAMES, machine.host(), host, *names)}
    if not bound.is_loopback:  # a name server may be asked, and may take its time
        with suppress(OSError):
            known.add(socket.getfqdn().lower())
    return Place(listening, own, listening.getsockname()[1], tuple(known), bound.is_loopback)


def _refused(host: str, port: int, error: OSError) -> Exception:
    reason = (error.strerror or str(error)).lower()
    if error.errno in {errno.EADDRNOTAVAIL, errno.EINVAL}:  # EINVAL: fe80::1 without its interface
        return invalid("host", host, "an address of this machine: 127.0.0.1 for this one only")
    allowed = "a port that is free: 0 takes any"
    return invalid("port", f"{port} ({reason})", allowed)


def serve(
    app: ASGIApp, place: Place, ready: Callable[[], None], leaving: Callable[[], None]
) -> None:
    """Serve until SIGINT or SIGTERM.

    Parameters
    ----------
    ready
        Is called when requests are answered.
    leaving
        Is called when no more are: it ends answers that would go on for ever.
    """
    # uvicorn sends itself the signal that has ended it: whoever called shall clean up.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    server(app, ready, leaving).run([place.listening])


def server(app: ASGIApp, ready: Callable[[], None], leaving: Callable[[], None]) -> uvicorn.Server:
    """Return a server; see `serve`."""

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            ready()

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            leaving()
            await super().shutdown(sockets)

    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,  # addresses may hold the token
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=LEAVE_S,
        lifespan="on",
    )
    return Server(config)
