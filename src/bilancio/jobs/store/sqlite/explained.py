"""SQLite's errors as sentences."""

import contextlib
import errno
import sqlite3
from collections.abc import Iterator

from bilancio.errors import StoreConflict, StoreCorrupt, StoreError, StoreUnavailable

#: What sqlite3 and aiosqlite say of a connection that was closed meanwhile.
_OF_CLOSED = {"Cannot operate on a closed database.", "Connection closed", "no active connection"}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}


@contextlib.contextmanager
def explained(store: str) -> Iterator[None]:
    """Raise what SQLite or the system reports in the block as an error of *store*."""
    try:
        yield
    except sqlite3.IntegrityError as error:
        raise StoreConflict(store, f"{error}.") from error
    except (sqlite3.ProgrammingError, ValueError) as error:
        if str(error) not in _OF_CLOSED:
            raise
        raise closed(store) from error
    except sqlite3.DatabaseError as error:
        raise sentence(store, error) from error
    except OSError as error:
        raise StoreUnavailable(store, reported(error)) from error


def reported(error: OSError) -> str:
    """Return what the system reports, and what can be done about it."""
    reason = f"{error.strerror or error}."
    if error.errno in _FORBIDDEN:
        return f"{reason} Grant permission, or set BILANCIO_DATABASE_URL to another place."
    return reason


def closed(store: str) -> StoreUnavailable:
    """Return the error of a store that this process has closed."""
    return StoreUnavailable(store, "it was closed.")


def code(error: sqlite3.Error) -> int:
    """Return SQLite's primary result code of *error*; 0 if it has none."""
    return int(getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF


def sentence(store: str, error: sqlite3.DatabaseError) -> StoreError:
    """Return what *error* means for *store*."""
    match code(error):
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED | sqlite3.SQLITE_PROTOCOL:
            return StoreUnavailable(store, "another program keeps it locked. Try again.")
        case sqlite3.SQLITE_FULL:
            return StoreUnavailable(store, "the disk is full. Free some space and try again.")
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM | sqlite3.SQLITE_AUTH:
            return StoreUnavailable(
                store, "it cannot be written. Check the permissions of the file and its folder."
            )
        case sqlite3.SQLITE_CANTOPEN:
            return StoreUnavailable(
                store,
                "it cannot be opened. Check that its folder exists, and the permissions of both.",
            )
        case sqlite3.SQLITE_IOERR:
            return StoreUnavailable(
                store, f"the disk reported an error ({error}). Check the disk and its free space."
            )
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return StoreCorrupt(store, f"the file is damaged ({error}). Restore it from a backup.")
        case sqlite3.SQLITE_TOOBIG:
            return StoreUnavailable(store, "a value is larger than a row can hold (1 GB).")
        case sqlite3.SQLITE_NOMEM:
            return StoreUnavailable(store, "there is not enough memory to answer. Try again.")
        case _:
            return StoreUnavailable(store, f"SQLite reported: {error}.")
