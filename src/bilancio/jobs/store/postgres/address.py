"""Which server a database address names, and its passwords, before anything is opened."""

import re
from dataclasses import dataclass, field
from urllib.parse import unquote

from bilancio.errors import InvalidInput, invalid
from bilancio.settings import redact_url

ALLOWED = (
    "postgresql://USER:PASSWORD@HOST:PORT/DATABASE, with %25, %40, %3A and %2F for %, @, : and / "
    "within a part"
)
_HOST = r"(?:\[[0-9A-Fa-f:.]+\]|[^][:@/?#,\s]*)(?::[0-9]*)?"
_URL = re.compile(
    rf"""postgres(?:ql)?://
    (?:(?P<user>[^:@/?#\s]*)(?::(?P<password>[^@/?#\s]*))?@)?
    (?P<hosts>{_HOST}(?:,{_HOST})*)
    (?:/(?P<database>[^@/?#\s]*))?
    (?:\?(?P<options>\w+=[^?#&\s]*(?:&\w+=[^?#&\s]*)*))?""",
    re.VERBOSE,
)
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_SCHEME = re.compile(r"\s*postgres(?:ql)?(?:\+\w+)?:", re.IGNORECASE)
_LOCATING = {"host", "hostaddr", "port", "dbname", "service", "user"}
_SECRET_OPTION = re.compile(r"(?:pass|secret|token)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Address:
    """A database on a server.

    Attributes
    ----------
    url
        With its password: for the driver only.
    shown
        As it may be shown.
    place
        Host and database, which is the user's where none is named: what tells stores apart.
    """

    url: str = field(repr=False)
    shown: str
    place: str
    _secrets: tuple[str, ...] = field(repr=False)

    def without_secrets(self, message: str) -> str:
        """Return what a server or driver said, with *** for a password that it repeats."""
        for secret in self._secrets:  # within a word *** would tell what a short one is
            message = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", "***", message)
        return message


def is_server(database_url: str) -> bool:
    """Return whether an address is meant to name a database on a server, well formed or not."""
    return _SCHEME.match(database_url) is not None


def address_of(database_url: str) -> Address:
    """Return what an address that `is_server` names.

    Raises
    ------
    InvalidInput
        It is malformed. Its password is not repeated.
    """
    found = _URL.fullmatch(database_url)
    if found is None or not _is_text(database_url):
        raise malformed(database_url)
    pairs = [each.partition("=") for each in (found["options"] or "").split("&")]
    given = [value for name, _, value in pairs if _SECRET_OPTION.search(name)]
    secrets = {each for raw in (found["password"], *given) if raw for each in (raw, unquote(raw))}
    located = [f"{name}={value}" for name, _, value in pairs if name in _LOCATING]
    return Address(
        url=database_url,
        shown=redact_url(database_url),
        place="/".join([found["hosts"], found["database"] or found["user"] or "", *located]),
        _secrets=tuple(sorted(secrets, key=len, reverse=True)),
    )


def _is_text(database_url: str) -> bool:
    """Return whether an address, its escapes read, is text that a driver written in C takes."""
    if _BAD_ESCAPE.search(database_url):
        return False
    try:
        return "\0" not in unquote(database_url.encode(), errors="strict")
    except UnicodeError:
        return False


def malformed(database_url: str) -> InvalidInput:
    """Return the error of an address that no server can be reached by."""
    return invalid("BILANCIO_DATABASE_URL", redact_url(database_url), ALLOWED)
