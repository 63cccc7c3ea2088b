"""Serve over streamable HTTP within an application that checks who asks: `bilancio serve --mcp`."""

from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette

from bilancio_mcp.server import build_server

PATH = "/mcp"


def http_app(*, read_only: bool = False) -> Starlette:
    """Return the server as an application at `/mcp`; its lifespan has to be entered.

    Requests with the protocol's revision 2026-07-28 are answered without a session; older clients
    get one. Whoever serves it checks token, Host and Origin before: nothing is checked here.

    Parameters
    ----------
    read_only
        Whether only tools that read are offered.
    """
    unchecked = TransportSecuritySettings(enable_dns_rebinding_protection=False)
    return build_server(read_only=read_only).streamable_http_app(
        streamable_http_path=PATH, transport_security=unchecked
    )
