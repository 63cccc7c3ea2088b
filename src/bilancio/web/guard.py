"""Who may ask: the Host and Origin of a request, and its token.

A page of another site can have a reader's browser send requests here. Those that change anything
are refused unless they come from a page of ours; an address that a stranger's name was pointed
to is refused by its Host.
"""

import hashlib
import hmac
import ipaddress
import re
import secrets
from collections.abc import Collection
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bilancio.errors import invalid

LEAST_TOKEN = 16  # characters
TOKEN: Final = "token"  # noqa: S105 - the name of a parameter
CHANGING = {"POST", "PUT", "PATCH", "DELETE"}
MCP_PATH = "/mcp"
MOST_PORT = 65_535
_HOST = re.compile(r"(?P<name>[\w.-]+|\[[\da-fA-F:.]+\])(?::(?P<port>\d{0,5}))?", re.ASCII)

POLICY = (
    "default-src 'none'; script-src 'self'; style-src-elem 'self'; "
    "style-src-attr 'unsafe-inline'; "  # pictures have styles in attributes, no text of a job
    "img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    # With `no-referrer` a browser would not say which page a form was sent from.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
UNKNOWN = (
    "This page needs its token. Open the whole address that `bilancio serve` has printed, with "
    "?token=… at its end; a program sends it as `Authorization: Bearer …`.\n"
)


def new_token() -> str:
    """Return a token that nobody guesses."""
    return secrets.token_urlsafe(24)


def check_token(token: str) -> str:
    """Return a token that was chosen by its user.

    Raises
    ------
    InvalidInput
        It is short, or has other than printable ASCII characters. The token is not repeated.
    """
    if len(token) < LEAST_TOKEN or not (token.isascii() and token.isprintable()) or " " in token:
        allowed = f"at least {LEAST_TOKEN} letters, digits or signs of ASCII, without spaces"
        raise invalid("BILANCIO_TOKEN", f"{len(token)} characters", allowed)
    return token


class Guard:
    """Lets requests through that have the token, and come from where they may come.

    Parameters
    ----------
    names
        Host names under which the server may be addressed, in lower case, beside addresses in
        numbers, which nobody can point elsewhere.
    port
        Of the server: its cookie is told by it from those of other servers of the same host.
    """

    def __init__(self, app: ASGIApp, *, token: str, names: Collection[str], port: int) -> None:
        self._app = app
        self._token = token.encode()
        self._names = frozenset(names)
        self._cookie = f"bilancio-{port}"
        # What a browser keeps is of use here only, and says nothing of the token.
        self._pass = hmac.digest(self._token, self._cookie.encode(), hashlib.sha256).hex()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or have the application answer, a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        answer = self._refused_place(scope) or self._without_token(scope)
        await (answer or self._app)(scope, receive, send_with_headers)

    def _refused_place(self, scope: Scope) -> Response | None:
        """Refuse a request that was addressed to another name, or sent by another site's page."""
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        read = _HOST.fullmatch(host)
        if read is None or int(read["port"] or 0) > MOST_PORT:
            return PlainTextResponse("Bad request: its Host cannot be read.\n", 400)
        if not self._is_ours(read["name"]):
            said = "Misdirected request: the server is not known by this Host.\n"
            return PlainTextResponse(said, 421)
        origin = headers.get("origin")
        foreign = origin is not None and origin not in {f"http://{host}", f"https://{host}"}
        unknown = origin is None and not self._bearer(headers) and self._has_cookie(headers)
        elsewhere = headers.get("sec-fetch-site", "same-origin") != "same-origin"
        if foreign or ((unknown or elsewhere) and scope["method"] in CHANGING):
            return PlainTextResponse("Forbidden: this was not sent by a page of bilancio.\n", 403)
        return None

    def _is_ours(self, name: str) -> bool:
        try:
            ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            return name.lower().rstrip(".") in self._names
        return True

    def _without_token(self, scope: Scope) -> Response | None:
        """Refuse a request without the token; take one in the address out of it, once and for all.

        A browser gets a cookie in its place: an address is shown, kept and passed on.
        """
        headers = Headers(scope=scope)
        asked = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        given = [value for name, value in asked if name == TOKEN]
        at_mcp = scope["path"].rstrip("/") == MCP_PATH
        if given and not at_mcp and scope["method"] == "GET":
            if not all(map(self._is_token, given)):
                return _unauthorised()
            rest = urlencode([(name, value) for name, value in asked if name != TOKEN])
            path = quote("/" + scope["path"].lstrip("/\\"))  # never `//elsewhere`
            answer = RedirectResponse(f"{path}{rest and '?'}{rest}", 303)
            answer.set_cookie(self._cookie, self._pass, httponly=True, samesite="lax")
            return answer
        known = self._bearer(headers) or (not at_mcp and self._has_cookie(headers))
        return None if known else _unauthorised()

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode("utf-8", "replace"), self._token)

    def _bearer(self, headers: Headers) -> bool:
        scheme, _, given = headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and self._is_token(given.strip())

    def _has_cookie(self, headers: Headers) -> bool:
        # Read leniently: other servers of the same host set cookies of any form.
        pairs = (each.strip().partition("=") for each in headers.get("cookie", "").split(";"))
        return any(
            name == self._cookie and hmac.compare_digest(value.encode(), self._pass.encode())
            for name, _, value in pairs
        )


def _unauthorised() -> Response:
    return PlainTextResponse(UNKNOWN, 401, {"WWW-Authenticate": 'Bearer realm="bilancio"'})
