"""Connections to a SQLite file: to write, only to read, and to a store that is not there yet."""

import contextlib
import errno
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import aiosqlite

from bilancio.errors import NotAStore, StoreTooNew, StoreUnavailable
from bilancio.jobs.store.patience import undisturbed
from bilancio.jobs.store.sqlite.explained import code
from bilancio.jobs.store.sqlite.file import NOT_SQLITE, StoreFiles
from bilancio.jobs.store.sqlite.file_lock import FileLock
from bilancio.jobs.store.sqlite.migrate import APPLICATION_ID, folded, latest_version, migrations

WAIT_S = 1.0  # in SQLite itself, where no cancellation arrives
PRAGMAS = (
    "synchronous = FULL",
    "foreign_keys = ON",
    "wal_autocheckpoint = 0",
    "secure_delete = FAST",  # some builds overwrite all that is deleted, which is logged first
)

#: What keeps a store from being written although it may be read.
_UNWRITABLE_ERRNOS = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT}
_UNWRITABLE_CODES = {
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
}


async def connect(files: StoreFiles) -> aiosqlite.Connection:
    """Open the store to write. Its journal mode is the caller's to set, under the store's lock.

    Raises
    ------
    NotAStore, StoreTooNew
        The file is something else; nothing was written to it.
    """
    connection = await _opened(files.main)
    async with _closed_on_error(connection):
        await _prepare(connection, files)
        for pragma in PRAGMAS:
            await connection.execute(f"PRAGMA {pragma}")
    return connection


async def connect_read_only(files: StoreFiles) -> aiosqlite.Connection:
    """Open the store without writing anything; without a log even where no log can be made.

    Raises
    ------
    NotAStore, StoreTooNew, StoreUnavailable
        The file is something else, or of an earlier schema.
    """
    try:
        return await _connect_uri(files, "mode=ro")
    except sqlite3.OperationalError as error:
        if not is_unwritable(error) or files.log_size():
            raise
        return await _connect_uri(files, "mode=ro&immutable=1")


async def connect_empty() -> aiosqlite.Connection:
    """Open a store in memory that reads as one without jobs."""
    connection = await _opened(":memory:")
    async with _closed_on_error(connection):
        await _set_up(connection)
        await connection.create_function("folded", 1, folded, deterministic=True)
        for _, script in migrations():
            await connection.executescript(script)
        await connection.execute(f"PRAGMA user_version = {latest_version()}")
        await connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        await connection.execute("PRAGMA query_only = ON")
    return connection


@contextlib.asynccontextmanager
async def closing(connection: aiosqlite.Connection) -> AsyncIterator[aiosqlite.Connection]:
    """Close *connection* at the end of the block, even if it is cancelled."""
    try:
        yield connection
    finally:
        await undisturbed(connection.close())


def is_unwritable(error: OSError | sqlite3.OperationalError) -> bool:
    """Return whether *error* says that the store cannot be written here."""
    if isinstance(error, OSError):
        return error.errno in _UNWRITABLE_ERRNOS
    return code(error) in _UNWRITABLE_CODES


async def use_log(connection: aiosqlite.Connection, lock: FileLock, patience_s: float) -> None:
    """Have the store use a write-ahead log, as all that were made here do from the start."""
    rows = list(await connection.execute_fetchall("PRAGMA journal_mode"))
    if rows[0][0] != "wal":  # SQLite does not wait when two processes change the mode at once
        await lock.acquire(exclusive=True, patience_s=patience_s)
        await connection.execute("PRAGMA journal_mode = WAL")


async def number(connection: aiosqlite.Connection, sql: str) -> int:
    """Return the one number that a statement answers; 0 if it answers none."""
    rows = list(await connection.execute_fetchall(sql))
    return int(rows[0][0]) if rows else 0


async def _connect_uri(files: StoreFiles, how: str) -> aiosqlite.Connection:
    uri = f"{files.main.as_uri()}?{how}"
    connection = await _opened(uri, uri=True)
    async with _closed_on_error(connection):
        await _prepare(connection, files)
        version = await number(connection, "PRAGMA user_version")
        if version != latest_version():
            raise StoreUnavailable(
                str(files.main),
                f"an earlier bilancio wrote it (schema {version}, this one reads "
                f"{latest_version()}), and it cannot be migrated because it cannot be written. "
                "Check the permissions of the file and its folder.",
            )
    return connection


async def _prepare(connection: aiosqlite.Connection, files: StoreFiles) -> None:
    """Refuse what is not a store before anything is written to it."""
    await _set_up(connection)
    try:
        application_id = await number(connection, "PRAGMA application_id")
    except sqlite3.DatabaseError as error:
        if code(error) != sqlite3.SQLITE_NOTADB:
            raise
        raise NotAStore(str(files.main), NOT_SQLITE) from None
    tables = await number(connection, "SELECT count(*) FROM sqlite_schema")
    if application_id != APPLICATION_ID and (application_id or tables):
        reason = "it is the SQLite database of another program; it was left as it is."
        raise NotAStore(str(files.main), f"{reason} Name another file.")
    version = await number(connection, "PRAGMA user_version")
    if version > latest_version():
        raise StoreTooNew(
            str(files.main),
            f"a newer bilancio wrote it (schema {version}, this one knows {latest_version()}). "
            "Upgrade bilancio, or name another file.",
        )


async def _opened(database: str | Path, *, uri: bool = False) -> aiosqlite.Connection:
    """Open a connection; close it again where the caller is cancelled meanwhile.

    The library itself drops a connection that is made after its caller was cancelled.
    """
    connection = aiosqlite.connect(database, uri=uri, isolation_level=None, timeout=WAIT_S)
    async with _closed_on_error(connection):
        await undisturbed(connection)
    return connection


@contextlib.asynccontextmanager
async def _closed_on_error(connection: aiosqlite.Connection) -> AsyncIterator[None]:
    try:
        yield
    except BaseException:
        await undisturbed(connection.close())
        raise


async def _set_up(connection: aiosqlite.Connection) -> None:
    connection.row_factory = sqlite3.Row
    connection.text_factory = _text


def _text(data: bytes) -> str:
    """Read text; damaged bytes become surrogates, so that they cost no row but their own."""
    return data.decode("utf-8", "surrogateescape")
