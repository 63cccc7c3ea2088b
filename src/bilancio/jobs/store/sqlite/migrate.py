"""The numbered migrations of the schema."""

import contextlib
import functools
import os
import sqlite3
from importlib import resources
from pathlib import Path

from bilancio.failpoints import failpoint
from bilancio.jobs.store.sqlite.file import StoreFiles

BUSY_S = 30.0
APPLICATION_ID = 0x42494C41  # "BILA"
INCREMENTAL = 2  # auto_vacuum: free pages are given back when that is asked for


@functools.cache
def migrations() -> tuple[tuple[int, str], ...]:
    """Return (number, SQL) of each migration, in order."""
    folder = resources.files("bilancio.jobs.store") / "sqlite" / "migrations"
    files = [each for each in folder.iterdir() if each.name.endswith(".sql")]
    return tuple(
        sorted((int(each.name.split("_")[0]), each.read_text(encoding="utf-8")) for each in files)
    )


def latest_version() -> int:
    """Return the number of the schema that this code reads and writes."""
    return migrations()[-1][0]


def create(files: StoreFiles) -> None:
    """Make an empty store: under another name first, so that a kill leaves none that is half made.

    The caller holds the store's lock exclusively.
    """
    new = files.unfinished
    for end in ("", "-journal", "-wal", "-shm"):
        new.with_name(new.name + end).unlink(missing_ok=True)
    with contextlib.closing(sqlite3.connect(new, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA auto_vacuum = {INCREMENTAL}")  # before there is any page
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("BEGIN IMMEDIATE")
        migrate(connection)
        connection.execute("COMMIT")
    _name(new, files.main)
    folder = os.open(files.main.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _name(new: Path, main: Path) -> None:
    """Give a new store its name; one that another process has made meanwhile keeps it."""
    if main.exists():  # and is empty
        new.replace(main)
        return
    try:
        os.link(new, main)
    except FileExistsError:
        pass
    except OSError:  # a file system without links
        new.rename(main)
        return
    new.unlink()


def migrate_file(path: Path) -> None:
    """Bring the schema of a store up to date in one transaction; two that do it at once do it once.

    The caller holds the store's lock exclusively.
    """
    connection = sqlite3.connect(path, isolation_level=None, timeout=BUSY_S)
    with contextlib.closing(connection):
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("BEGIN IMMEDIATE")
        try:
            migrate(connection)
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the schema up to date, in the transaction that is open."""
    connection.create_function("folded", 1, folded, deterministic=True)
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    for number, script in migrations():
        if number > version:
            for statement in _statements(script):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number}")
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    failpoint("migration")


def folded(data: bytes) -> str:
    """Return text without regard to case, of which SQLite's lower() knows ASCII only."""
    return data.decode("utf-8", "replace").casefold()


def _statements(script: str) -> list[str]:
    """Split a script into its statements; a trigger's body is one with its trigger."""
    found, pending = [], ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            found.append(pending)
            pending = ""
    return found
