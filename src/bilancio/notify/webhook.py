"""Webhooks by the Standard Webhooks specification: https://www.standardwebhooks.com.

The name of a receiver is resolved once, and only global addresses are connected to: a name cannot
lead to services of this machine or its network, nor can a redirect, which is not followed.
"""

import base64
import binascii
import hashlib
import hmac
import http.client
import ipaddress
import re
import socket
import ssl
import time
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

from bilancio.encoding import to_json
from bilancio.errors import NoticeNotDelivered
from bilancio.notify.message import Message

SECRET_PREFIX = "whsec_"  # noqa: S105 - what a secret begins with
SECRET_BYTES = range(24, 65)
ANSWER_S = 15.0
_SUCCESS = range(200, 300)
_REDIRECTS = range(300, 400)
_WRITTEN = re.compile(r"[!-~]+")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class Address(NamedTuple):
    """One address of a host, as the resolver gives it."""

    family: socket.AddressFamily
    where: Any


def problem(address: str) -> str:
    """Say what an address of a webhook should be; nothing where it is one."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
        (host or "").encode("idna")
    except ValueError:
        host, port = None, None
    if not host or port == 0 or not _WRITTEN.fullmatch(address):
        return "an address as https://HOST/PATH, what is not ASCII percent-encoded"
    return ""


def key_of(secret: str) -> bytes | None:
    """Return the key that a secret holds; None where it is not one."""
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if secret.startswith(SECRET_PREFIX) and len(key) in SECRET_BYTES else None


def send(address: str, message: Message, *, key: bytes, allow_private: bool) -> str:
    """Post *message*, signed; return the answer's status line.

    Parameters
    ----------
    key
        The receiver has the same.
    allow_private
        Whether addresses that are not global are connected to.

    Raises
    ------
    NoticeNotDelivered
        The receiver did not take it; for good where it answers 410.
    """
    parts = urlsplit(address)
    body = to_json(
        {
            "type": message.what,
            "timestamp": message.moment.isoformat(),
            "data": {**message.facts, "title": message.title, "text": message.text},
        }
    ).encode()
    headers = _signed(message.id, body, key) | _credentials(parts)
    connection = _connection(parts, allow_private=allow_private)
    try:
        connection.request("POST", _path(parts), body, headers)
        with connection.getresponse() as answer:
            return _told(answer.status)
    except (OSError, http.client.HTTPException) as error:
        raise NoticeNotDelivered(_reason(error)) from error
    finally:
        connection.close()


def _told(status: int) -> str:
    """Return what a status says, if it is one of success."""
    phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else ""
    line = f"{status} {phrase}".strip()
    if status in _SUCCESS:
        return line
    told = f"it answered {line}"
    if status in _REDIRECTS:
        told += ", and redirects are not followed"
    raise NoticeNotDelivered(told, for_good=status == HTTPStatus.GONE)


def _signed(message_id: str, body: bytes, key: bytes) -> dict[str, str]:
    """Return the headers of a request that is made now."""
    moment = str(int(time.time()))
    content = b".".join((message_id.encode(), moment.encode(), body))
    signature = base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
    return {
        "content-type": "application/json",
        "user-agent": "bilancio",
        "webhook-id": message_id,
        "webhook-timestamp": moment,
        "webhook-signature": f"v1,{signature}",
    }


def _credentials(parts: SplitResult) -> dict[str, str]:
    if parts.username is None:
        return {}
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {"authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def _path(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


class _Connection(http.client.HTTPConnection):
    """Connects to addresses that were looked at, not to what the name means a second time."""

    def __init__(
        self, host: str, port: int, addresses: Sequence[Address], context: ssl.SSLContext | None
    ) -> None:
        self.default_port = port  # so that the name alone is sent as the host where that is usual
        super().__init__(host, port, timeout=ANSWER_S)
        self._addresses = addresses
        self._context = context

    def connect(self) -> None:
        """Connect to the first address that answers; TLS checks the host's name all the same."""
        self.sock = _connected(self._addresses)
        if self._context is not None:
            self.sock = self._context.wrap_socket(self.sock, server_hostname=self.host)


def _connection(parts: SplitResult, *, allow_private: bool) -> _Connection:
    host = (parts.hostname or "").encode("idna").decode()
    tls = parts.scheme == "https"
    usual = 443 if tls else 80
    addresses = _resolved(host, parts.port or usual)
    allowed = [each for each in addresses if allow_private or is_global(str(each.where[0]))]
    if not allowed:
        reason = f"{host} is in a private network or this machine"
        raise NoticeNotDelivered(f"{reason}; BILANCIO_NOTIFY_ALLOW_PRIVATE=1 allows that")
    context = ssl.create_default_context() if tls else None
    connection = _Connection(host, parts.port or usual, allowed, context)
    connection.default_port = usual
    return connection


def _resolved(host: str, port: int) -> list[Address]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise NoticeNotDelivered(f"{host} is not known ({_reason(error)})") from error
    return [Address(family, where) for family, _, _, _, where in found]


def _connected(addresses: Sequence[Address]) -> socket.socket:
    failed: OSError | None = None
    for address in addresses:
        connection = socket.socket(address.family, socket.SOCK_STREAM)
        connection.settimeout(ANSWER_S)
        try:
            connection.connect(address.where)
        except OSError as error:
            connection.close()
            failed = error
        else:
            return connection
    raise failed or OSError("it has no address")


def is_global(address: str) -> bool:
    """Return whether an address is one of the whole internet, also where it stands for another."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo or (None, None))[1]
        if found in _NAT64:
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        found = inner or found
    return found.is_global and not found.is_multicast


def _reason(error: Exception) -> str:
    """Say why a request failed, in a line."""
    if isinstance(error, TimeoutError):
        return f"it did not answer within {ANSWER_S:.0f} s"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not valid: {error.verify_message}"
    told = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(told).split())
