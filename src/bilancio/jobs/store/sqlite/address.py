"""Which file a database address names, before anything is opened."""

import os
import re
from pathlib import Path

from bilancio.errors import InvalidInput, StoreUnavailable, invalid
from bilancio.settings import SQLITE_PREFIX, redact_url

#: The driver of PostgreSQL takes such words, too; as a file's name they would hide a mistake.
_KEYWORDS = re.compile(r"\s*(host|hostaddr|port|dbname|user|password|service)\s*=")
ALLOWED = "sqlite:///PATH, the path of a SQLite file, or postgresql://USER@HOST/DATABASE"


def sqlite_path(database_url: str) -> Path:
    """Return the file that a database address names, links followed, as SQLite does.

    Raises
    ------
    InvalidInput
        It names none.
    StoreUnavailable
        Its path is relative to a working folder that no longer exists.
    """
    path = database_url.removeprefix(SQLITE_PREFIX)
    if not path or path == ":memory:" or "://" in path or path.startswith("sqlite:"):
        raise _invalid(database_url)
    if _KEYWORDS.match(path):
        raise _invalid(database_url)
    try:
        path.encode()
        found = Path(path).expanduser()
    except (UnicodeEncodeError, RuntimeError):  # a lone surrogate; the home of an unknown user
        raise _invalid(database_url) from None
    if "\0" in path:
        raise _invalid(database_url)
    try:
        return Path(os.path.realpath(found.absolute()))
    except FileNotFoundError:
        reason = "its path is relative, and the working folder no longer exists."
        raise StoreUnavailable(path, reason) from None


def _invalid(database_url: str) -> InvalidInput:
    return invalid("BILANCIO_DATABASE_URL", redact_url(database_url), ALLOWED)
