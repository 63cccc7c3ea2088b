"""One SQLite file, opened with care: WAL, short immediate transactions, checked checkpoints."""

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import aiosqlite

from bilancio import machine
from bilancio.errors import StoreError, StoreUnavailable
from bilancio.failpoints import failpoint
from bilancio.jobs.clock import utc_now
from bilancio.jobs.store.database import Row, Space, Statement, Value, check_values
from bilancio.jobs.store.patience import undisturbed
from bilancio.jobs.store.queries import queries
from bilancio.jobs.store.sqlite import room
from bilancio.jobs.store.sqlite.connection import (
    closing,
    connect,
    connect_empty,
    connect_read_only,
    is_unwritable,
    number,
    use_log,
)
from bilancio.jobs.store.sqlite.explained import closed, code, explained
from bilancio.jobs.store.sqlite.file import REPLACED, Identity, StoreFiles
from bilancio.jobs.store.sqlite.file_lock import FileLock
from bilancio.jobs.store.sqlite.migrate import BUSY_S, create, latest_version, migrate_file
from bilancio.jobs.store.sqlite.mounts import refuse_network

CLOSE_S = 1.0
CHECKPOINT_BYTES = 4 << 20
GIVE_BACK_S = 5.0
LITTLE_BYTES = 128 << 20  # that are written anew in some tenths of a second

T = TypeVar("T")


class SqliteTransaction:
    """The statements of one write transaction."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    async def query(self, name: str, **params: Value) -> list[Row]:
        """Execute the statement *name* and return its rows."""
        check_values(params)
        return list(await self._connection.execute_fetchall(queries()[name], params))

    async def execute(self, name: str, **params: Value) -> int:
        """Execute the statement *name* and return how many rows it changed."""
        check_values(params)
        cursor = await self._connection.execute(queries()[name], params)
        return cursor.rowcount

    async def execute_all(self, statements: Sequence[Statement]) -> None:
        """Execute *statements* in order."""
        for name, params in statements:
            await self.execute(name, **params)


class SqliteDatabase:
    """A file, one connection that writes and one that reads; see `Database`.

    Writers of all processes hold the file ``store.lock`` shared; a checkpoint, and a close
    that may be the last and would checkpoint, hold it exclusively: SQLite before 3.51.3 can
    lose a transaction when a checkpoint resets the log while another process writes.

    A store that does not exist is made by the first write; until then it reads as empty. One
    that cannot be written is read without writing anything. One whose file or log is removed or
    replaced while it is open is neither read nor written any more.
    """

    shared = False
    patience_s = 0.0  # there is no server

    def __init__(self, path: Path) -> None:
        self.path = path
        self._files = StoreFiles(path)
        self._opening = asyncio.Lock()
        self._write_lock = asyncio.Lock()
        self._writer: aiosqlite.Connection | None = None
        self._reader: aiosqlite.Connection | None = None
        self._empty: aiosqlite.Connection | None = None
        self._lock: FileLock | None = None
        self._identity: tuple[Identity | None, Identity | None] = (None, None)
        self._closed = False

    @classmethod
    async def open(cls, path: Path) -> "SqliteDatabase":
        """Open the store at *path*, migrated if it is older; make none.

        Raises
        ------
        NotAStore, StoreTooNew, StoreCorrupt, StoreUnavailable
            The file is not usable, and was not changed.
        """
        refuse_network(path)
        database = cls(path)
        try:
            with explained(str(path)):
                async with database._reading():
                    pass
        except BaseException:
            await database.close()
            raise
        return database

    @property
    def lock_folder(self) -> Path:
        """The folder of the locks that this store's workers hold on this machine."""
        return self._files.workers

    @property
    def host(self) -> str:
        """What this machine is called: locks lie beside the file, which is on its disk."""
        return machine.host()

    def now(self) -> datetime:
        """Return the present moment."""
        return utc_now()

    async def read(self, name: str, **params: Value) -> list[Row]:
        """Return the rows of the statement *name*."""
        check_values(params)
        with explained(str(self.path)):
            async with self._reading() as connection:
                return list(await connection.execute_fetchall(queries()[name], params))

    @contextlib.asynccontextmanager
    async def write(self, job_id: str) -> AsyncIterator[SqliteTransaction]:  # noqa: ARG002
        """Run the block in one transaction: all of it is stored, or nothing.

        It is the only one meanwhile, whatever the job.

        Cancelling the block, or an error in it, rolls back before anything else happens.
        """
        async with self._locked() as connection:
            try:
                await _begin(connection)
                yield SqliteTransaction(connection)
                await connection.commit()
            except BaseException:
                await undisturbed(connection.rollback())
                raise

    @contextlib.asynccontextmanager
    async def _locked(
        self, *, exclusive: bool = False, shrinks: bool = False
    ) -> AsyncIterator[aiosqlite.Connection]:
        """Give the connection that writes, under the lock; checkpoint when that is due.

        Where what is written *shrinks* the file it is at once: until then the file stays as long.
        """
        async with self._write_lock:
            with explained(str(self.path)):
                connection, lock = await self._writing()
                self._refuse_replaced()
                await lock.acquire(exclusive=exclusive, patience_s=BUSY_S)
                try:
                    self._refuse_replaced()
                    yield connection
                finally:
                    lock.release()
                self._refuse_replaced()
                due_bytes = 1 if shrinks else CHECKPOINT_BYTES
                await self._checkpoint_if_due(connection, lock, due_bytes)

    async def space(self) -> Space:
        """Return how much room the store takes."""
        with explained(str(self.path)):
            async with self._reading() as connection:
                return await room.space_of(connection)

    async def give_back(self) -> None:
        """Give free room back to the disk, for some seconds, and while others write.

        A store that an earlier version made is written anew if it holds little.
        """
        until = time.monotonic() + GIVE_BACK_S
        while (space := await self.space()).free and time.monotonic() < until:
            if not space.stepwise:
                if space.size - space.free <= LITTLE_BYTES:
                    await self.write_anew()
                return
            async with self._locked(shrinks=True) as connection:
                await undisturbed(room.free_some(connection))

    async def write_anew(self) -> None:
        """Give all free room back to the disk. Others wait, the longer the more is stored."""
        async with self._locked(exclusive=True, shrinks=True) as connection:
            await undisturbed(room.write_anew(connection))

    async def repeated(
        self,
        work: Callable[[], Awaitable[T]],
        landed: Callable[[], Awaitable[T | None]] | None = None,  # noqa: ARG002 - the protocol's
    ) -> T:
        """Await *work*, once: a file is not lost in its midst."""
        return await work()

    async def server(self) -> None:
        """Return None: there is none."""

    async def backup(self, target: Path) -> None:
        """Copy the whole store, as it is at one moment, to the file *target*."""
        with explained(str(self.path)), contextlib.closing(sqlite3.connect(target)) as copy:
            async with self._reading() as connection:
                await undisturbed(connection.backup(copy))

    async def integrity_errors(self) -> list[str]:
        """Return what SQLite's own integrity check finds wrong; empty when all is well."""
        with explained(str(self.path)):
            async with self._reading() as connection:
                rows = await connection.execute_fetchall("PRAGMA integrity_check(20)")
                found = [str(row[0]) for row in rows if row[0] != "ok"]
                orphans = await connection.execute_fetchall("PRAGMA foreign_key_check")
        tables = sorted({str(row[0]) for row in orphans})
        return found + [f"{table} has rows of jobs that do not exist" for table in tables]

    async def close(self) -> None:
        """Close all connections, even if the caller is cancelled; safe to call twice."""
        self._closed = True
        await undisturbed(self._close())

    async def _close(self) -> None:
        async with self._write_lock, self._opening:  # what has begun ends first
            readers, writer, lock = (self._empty, self._reader), self._writer, self._lock
            self._empty = self._reader = self._writer = self._lock = None
            for reader in readers:
                if reader is not None:
                    await reader.close()
            if writer is not None and lock is not None:
                # While others keep writing, the lock is not free and this close is not the last.
                with contextlib.suppress(StoreError):
                    await lock.acquire(exclusive=True, patience_s=CLOSE_S)
                await writer.close()
                lock.close()

    # -- opening ----------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def _reading(self) -> AsyncIterator[aiosqlite.Connection]:
        """Give a connection to read from: the store's, or one of an empty store if there is none.

        Of a store that cannot be written it is opened for each read, and leaves no trace.
        """
        reader = self._reader or await self._open_to_read()
        if reader is not None:
            self._refuse_replaced()
            yield reader
        elif self._files.exists():
            async with closing(await connect_read_only(self._files)) as connection:
                yield connection
        else:
            async with self._opening:
                self._refuse_closed()
                self._empty = self._empty or await connect_empty()
            yield self._empty

    async def _open_to_read(self) -> aiosqlite.Connection | None:
        """Open the store if it exists; return None where it cannot be opened to be written."""
        async with self._opening:
            self._refuse_closed()
            if self._reader is None and self._files.exists():
                try:
                    await self._attach()
                except (OSError, sqlite3.OperationalError) as error:
                    if not is_unwritable(error):
                        raise
            return self._reader

    async def _writing(self) -> tuple[aiosqlite.Connection, FileLock]:
        """Return the connection that writes and the lock to hold meanwhile; make the store."""
        async with self._opening:
            self._refuse_closed()
            if self._writer is None:
                if not self._files.exists():
                    await self._create()
                await self._attach()
        assert self._writer is not None
        assert self._lock is not None
        return self._writer, self._lock

    async def _create(self) -> None:
        """Make the store whole, under the lock, unless another process was faster."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self._files.lock)
        try:
            await lock.acquire(exclusive=True, patience_s=BUSY_S)
            if not self._files.has_content():
                await undisturbed(asyncio.to_thread(create, self._files))
        finally:
            lock.close()

    async def _attach(self) -> None:
        """Open both connections to the file."""
        writer, reader, lock = await connect(self._files), None, None
        try:
            lock = FileLock(self._files.lock)
            await use_log(writer, lock, BUSY_S)
            if await number(writer, "PRAGMA user_version") < latest_version():
                await lock.acquire(exclusive=True, patience_s=BUSY_S)
                await undisturbed(asyncio.to_thread(migrate_file, self.path))
            lock.release()
            reader = await connect(self._files)
            await reader.execute("PRAGMA query_only = ON")
            await number(reader, "PRAGMA user_version")
        except BaseException:
            for connection in (reader, writer):
                if connection is not None:
                    await undisturbed(connection.close())
            if lock is not None:
                lock.close()
            raise
        self._identity = self._files.identity()
        self._writer, self._reader, self._lock = writer, reader, lock

    def _refuse_closed(self) -> None:
        if self._closed:
            raise closed(str(self.path))

    def _refuse_replaced(self) -> None:
        """Refuse to use connections whose files are not those under the store's name any more."""
        if self._files.identity() != self._identity:
            raise StoreUnavailable(str(self.path), REPLACED)

    # -- checkpoints ------------------------------------------------------------------------

    async def _checkpoint_if_due(
        self, connection: aiosqlite.Connection, lock: FileLock, due_bytes: int
    ) -> None:
        """Move the log into the file when it is so long and no process writes."""
        if self._files.log_size() < due_bytes or not lock.try_acquire(exclusive=True):
            return  # the next writer finds it due as well
        try:
            # What was written is stored in the log; where there is no room, it stays there.
            with contextlib.suppress(sqlite3.OperationalError):
                await undisturbed(_checkpoint(connection))
        finally:
            lock.release()


async def _checkpoint(connection: aiosqlite.Connection) -> None:
    failpoint("before-checkpoint")
    await connection.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)")
    failpoint("after-checkpoint")


async def _begin(connection: aiosqlite.Connection) -> None:
    """Begin to write; wait for other writers in steps that can be cancelled."""
    deadline = time.monotonic() + BUSY_S
    while True:
        try:
            await connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
        else:
            return
