"""One SQLite file, opened with care: WAL, short immediate transactions, checked checkpoints."""

import asyncio
import contextlib
import fcntl
import os
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import aiosqlite

from bilancio.errors import (
    NotAStore,
    StoreCorrupt,
    StoreError,
    StoreTooNew,
    StoreUnavailable,
)
from bilancio.failpoints import failpoint
from bilancio.jobs.store.queries import migrations, queries, statements
from bilancio.jobs.store.sqlite.mounts import refuse_network

APPLICATION_ID = 0x42494C41  # "BILA"
MAGIC = b"SQLite format 3\x00"
WAL_FORMAT = b"\x02\x02"  # bytes 18 and 19 of the file
BUSY_S = 30.0
POLL_S = 0.02
CHECKPOINT_BYTES = 4 << 20

Params = Mapping[str, Any]


class Transaction:
    """The statements of one write transaction."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    async def query(self, name: str, **params: Any) -> list[sqlite3.Row]:
        """Execute the statement *name* and return its rows."""
        return list(await self._connection.execute_fetchall(queries()[name], params))

    async def execute(self, name: str, **params: Any) -> int:
        """Execute the statement *name* and return how many rows it changed."""
        cursor = await self._connection.execute(queries()[name], params)
        return cursor.rowcount


class SqliteDatabase:
    """A file, one connection that writes and one that reads.

    Writers of all processes hold the file ``store.lock`` shared; a checkpoint, and a close
    that may be the last and would checkpoint, hold it exclusively: SQLite before 3.51.3 can
    lose a transaction when a checkpoint resets the log while another process writes.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._write_lock = asyncio.Lock()
        self._writer: aiosqlite.Connection | None = None
        self._reader: aiosqlite.Connection | None = None
        self._lock_file = -1

    @classmethod
    async def open(cls, path: Path) -> "SqliteDatabase":
        """Open the store at *path*; make it if there is nothing, migrate it if it is older.

        Raises
        ------
        NotAStore, StoreTooNew, StoreCorrupt, StoreUnavailable
            The file is not usable, and was not changed.
        """
        database = cls(path)
        try:
            await database._open()
        except BaseException:
            await database.close()
            raise
        return database

    async def read(self, name: str, **params: Any) -> list[sqlite3.Row]:
        """Return the rows of the statement *name*."""
        with self._explained():
            return list(await self._reading().execute_fetchall(queries()[name], params))

    @contextlib.asynccontextmanager
    async def write(self) -> AsyncIterator[Transaction]:
        """Run the block in one transaction: all of it is stored, or nothing.

        Cancelling the block, or an error in it, rolls back before anything else happens.
        """
        async with self._write_lock:
            with self._explained():
                connection = self._writing()
                await self._lock(fcntl.LOCK_SH)
                try:
                    await self._begin(connection)
                    yield Transaction(connection)
                    await connection.commit()
                except BaseException:
                    await _undisturbed(connection.rollback())
                    raise
                finally:
                    self._unlock()
                await self._checkpoint_if_due(connection)

    async def backup(self, target: Path) -> None:
        """Copy the whole store, as it is at one moment, to the file *target*."""
        with self._explained(), contextlib.closing(sqlite3.connect(target)) as copy:
            await _undisturbed(self._reading().backup(copy))

    async def check(self) -> list[str]:
        """Return what SQLite's own integrity check complains of; nothing when all is well."""
        with self._explained():
            rows = await self._reading().execute_fetchall("PRAGMA integrity_check(20)")
            found = [str(row[0]) for row in rows if row[0] != "ok"]
            orphans = await self._reading().execute_fetchall("PRAGMA foreign_key_check")
            tables = sorted({str(row[0]) for row in orphans})
            return found + [f"{table} has rows of jobs that are not there" for table in tables]

    async def close(self) -> None:
        """Close both connections, even if the caller is cancelled; safe to call twice."""
        await _undisturbed(self._close())

    async def _close(self) -> None:
        reader, self._reader = self._reader, None
        writer, self._writer = self._writer, None
        if reader is not None:
            await reader.close()
        if writer is not None:
            # Where others keep writing the lock is not to be had, and this close is not the last.
            with contextlib.suppress(StoreError):
                await self._lock(fcntl.LOCK_EX, patience_s=1.0)
            await writer.close()
        if self._lock_file >= 0:
            os.close(self._lock_file)
            self._lock_file = -1

    async def _open(self) -> None:
        refuse_network(self.path)
        in_wal_mode = self._refuse_foreign_file()
        with self._explained():
            self._lock_file = os.open(
                self.path.with_name("store.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
            )
            if not in_wal_mode:  # SQLite does not wait when two processes change the mode at once
                await self._lock(fcntl.LOCK_EX)
            self._writer = await self._connect()
            if await self._version(self._writer) != migrations()[-1][0]:
                await self._lock(fcntl.LOCK_EX)
                await self._migrate(self._writer)
            self._unlock()
            self._reader = await self._connect()
            await self._reader.execute("PRAGMA query_only = ON")

    def _refuse_foreign_file(self) -> bool:
        """Return whether the file is a database in WAL mode; raise if it is something else."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("rb") as file:
                head = file.read(len(MAGIC) + 4)
        except FileNotFoundError:
            return False
        except (IsADirectoryError, NotADirectoryError, FileExistsError):
            raise NotAStore(str(self.path), "it is not a file in a folder.") from None
        except OSError as error:
            raise StoreUnavailable(str(self.path), f"{error.strerror}.") from None
        if head and not head.startswith(MAGIC):
            raise NotAStore(
                str(self.path),
                "the file is no SQLite database; it was left as it is. Name another file.",
            )
        return head[-2:] == WAL_FORMAT

    async def _connect(self) -> aiosqlite.Connection:
        connection = await aiosqlite.connect(self.path, isolation_level=None, timeout=1.0)
        try:
            connection.row_factory = sqlite3.Row
            await self._refuse_foreign_schema(connection)
            for pragma in (
                "journal_mode = WAL",
                "synchronous = FULL",
                "foreign_keys = ON",
                "wal_autocheckpoint = 0",
            ):
                await connection.execute(f"PRAGMA {pragma}")
        except BaseException:
            await _undisturbed(connection.close())
            raise
        return connection

    async def _refuse_foreign_schema(self, connection: aiosqlite.Connection) -> None:
        """Read before any write: a file of another program is left as it is."""
        application_id = await _number(connection, "PRAGMA application_id")
        tables = await _number(connection, "SELECT count(*) FROM sqlite_schema")
        if application_id != APPLICATION_ID and (application_id or tables):
            raise NotAStore(
                str(self.path),
                "it is the SQLite database of another program; it was left as it is. "
                "Name another file.",
            )
        version, known = await self._version(connection), migrations()[-1][0]
        if version > known:
            raise StoreTooNew(
                str(self.path),
                f"a newer bilancio wrote it (schema {version}, this one knows {known}). "
                "Upgrade bilancio, or name another file.",
            )

    async def _version(self, connection: aiosqlite.Connection) -> int:
        return await _number(connection, "PRAGMA user_version")

    async def _migrate(self, connection: aiosqlite.Connection) -> None:
        """Bring the schema up to date; two processes that start at once do it once."""
        try:
            await self._begin(connection)
            version = await self._version(connection)
            for number, script in migrations():
                if number > version:
                    for statement in statements(script):
                        await connection.execute(statement)
                    await connection.execute(f"PRAGMA user_version = {number}")
            await connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            failpoint("migration")
            await connection.commit()
        except BaseException:
            await _undisturbed(connection.rollback())
            raise

    async def _begin(self, connection: aiosqlite.Connection) -> None:
        """Begin to write; wait for other writers in steps that can be cancelled."""
        deadline = time.monotonic() + BUSY_S
        while True:
            try:
                await connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    raise
                if time.monotonic() > deadline:
                    raise
            else:
                return

    async def _lock(self, kind: int, patience_s: float = BUSY_S) -> None:
        deadline = time.monotonic() + patience_s
        while True:
            try:
                fcntl.flock(self._lock_file, kind | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise StoreUnavailable(
                        str(self.path), f"its lock was held for {patience_s:.0f} s. Try again."
                    ) from None
                await asyncio.sleep(POLL_S)
            else:
                return

    def _unlock(self) -> None:
        fcntl.flock(self._lock_file, fcntl.LOCK_UN)

    async def _checkpoint_if_due(self, connection: aiosqlite.Connection) -> None:
        log = self.path.with_name(self.path.name + "-wal")
        try:
            if log.stat().st_size < CHECKPOINT_BYTES:
                return
            fcntl.flock(self._lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, FileNotFoundError):
            return  # the next writer finds it due as well
        try:
            # What was written is stored in the log; where there is no room, it stays there.
            with contextlib.suppress(sqlite3.OperationalError):
                await _undisturbed(self._checkpoint(connection))
        finally:
            self._unlock()

    @staticmethod
    async def _checkpoint(connection: aiosqlite.Connection) -> None:
        failpoint("before-checkpoint")
        await connection.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)")
        failpoint("after-checkpoint")

    def _reading(self) -> aiosqlite.Connection:
        if self._reader is None:
            raise StoreUnavailable(str(self.path), "it was closed.")
        return self._reader

    def _writing(self) -> aiosqlite.Connection:
        if self._writer is None:
            raise StoreUnavailable(str(self.path), "it was closed.")
        return self._writer

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Say SQLite's errors in sentences; what the caller did wrong is its own to read."""
        try:
            yield
        except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
            raise
        except sqlite3.DatabaseError as error:
            raise self._sentence(error) from error
        except OSError as error:
            raise StoreUnavailable(str(self.path), f"{error.strerror or error}.") from error

    def _sentence(self, error: sqlite3.DatabaseError) -> StoreError:
        store, code = str(self.path), getattr(error, "sqlite_errorcode", 0) & 0xFF
        match code:
            case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
                return StoreUnavailable(
                    store, f"another program kept it locked for {BUSY_S:.0f} s. Try again."
                )
            case sqlite3.SQLITE_FULL:
                return StoreUnavailable(store, "the disk is full. Make room and try again.")
            case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
                return StoreUnavailable(store, "it cannot be written here. Check permissions.")
            case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
                return StoreCorrupt(
                    store, f"the file is damaged ({error}). Restore it from a backup."
                )
            case _:
                return StoreUnavailable(store, f"{error}.")


async def _number(connection: aiosqlite.Connection, sql: str) -> int:
    rows = list(await connection.execute_fetchall(sql))
    return int(rows[0][0]) if rows else 0


async def _undisturbed(work: Any) -> None:
    """Await *work* to its end, however often the awaiting task is cancelled meanwhile."""
    task = asyncio.ensure_future(work)
    cancelled = False
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            cancelled = not task.cancelled()
    task.result()
    if cancelled:
        raise asyncio.CancelledError
