"""A database on a server: a few connections, short transactions, patience."""

import asyncio
import contextlib
import functools
import hashlib
import re
import time
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from bilancio import machine
from bilancio.errors import StoreError, StoreUnavailable, StoreUnreachable
from bilancio.jobs.clock import utc_now
from bilancio.jobs.store.database import Row, Server, Space, Statement, Value, check_values
from bilancio.jobs.store.patience import Patience, undisturbed
from bilancio.jobs.store.postgres.address import Address
from bilancio.jobs.store.postgres.connection import (
    Connection,
    connect,
    moment,
    pretend,
    stored_version,
)
from bilancio.jobs.store.postgres.driver import psycopg
from bilancio.jobs.store.postgres.explained import explained
from bilancio.jobs.store.postgres.migrate import LOCK, SCHEMA, latest_version, migrate
from bilancio.jobs.store.postgres.together import execute_together
from bilancio.jobs.store.queries import queries
from bilancio.settings import runtime_dir

AT_ONCE = 3  # transactions, and questions beside them, of one process
CLOSE_S = 5.0
CLOCK_S = 60.0  # between two looks at the server's clock
CLOCK_STEP_S = 0.5

T = TypeVar("T")


@functools.cache
def _statements() -> dict[str, str]:
    """Return the statements as the driver takes them."""
    found = queries("postgres/overrides.sql")
    return {
        name: re.sub(r":(\w+)", r"%(\1)s", text.replace("%", "%%")) for name, text in found.items()
    }


class PostgresTransaction:
    """The statements of one write transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def query(self, name: str, **params: Value) -> list[Row]:
        """Execute the statement *name* and return its rows."""
        return await _query(self._connection, name, params)

    async def execute(self, name: str, **params: Value) -> int:
        """Execute the statement *name* and return how many rows it changed."""
        check_values(params)
        return (await self._connection.execute(_statements()[name], params)).rowcount

    async def execute_all(self, statements: Sequence[Statement]) -> None:
        """Execute *statements* in order, sent together."""
        for _, params in statements:
            check_values(params)
        await execute_together(
            self._connection, [(_statements()[name], params) for name, params in statements]
        )


class PostgresDatabase:
    """The schema `bilancio` of a database on a server; see `Database`.

    A connection that has met an error is never used again. Where the server does not answer,
    questions and the beginnings of transactions are repeated for *patience_s* seconds.

    A store that does not exist is made by the first write; until then it reads as empty.
    """

    shared = True

    def __init__(self, address: Address, patience_s: float) -> None:
        self._address = address
        self.patience_s = patience_s
        self._free: list[Connection] = []
        self._lent: set[Connection] = set()
        self._transient: weakref.WeakSet[Connection] = weakref.WeakSet()
        self._all_back = asyncio.Event()
        self._writing = asyncio.Semaphore(AT_ONCE)
        self._reading = asyncio.Semaphore(AT_ONCE)  # a transaction may ask a question meanwhile
        self._clock = _ServerClock()
        place = hashlib.sha256(address.place.encode()).hexdigest()[:16]
        self._lock_folder = runtime_dir() / "workers" / place
        self._closed = False

    @classmethod
    async def open(cls, address: Address, patience_s: float) -> "PostgresDatabase":
        """Open the store at *address*, migrated if it is older; make none.

        Raises
        ------
        NotAStore, StoreTooNew, StoreUnavailable
            The database is not usable, and was not changed.
        """
        database = cls(address, patience_s)
        try:
            await database._patiently(database._look)
        except BaseException:
            await database.close()
            raise
        return database

    @property
    def lock_folder(self) -> Path:
        """The folder of the locks that this store's workers hold on this machine."""
        return self._lock_folder

    @property
    def host(self) -> str:
        """What this machine is called where its locks are seen.

        Machines may share a name or a home, users and containers a machine: only those that see
        the same folder of locks since the same start of the machine have the same host.
        """
        try:
            found = self.lock_folder.stat()
        except OSError:  # no worker has been here
            return f"{machine.host()}/"
        seen = f"{machine.boot_id()} {found.st_dev} {found.st_ino}"
        return f"{machine.host()}/{hashlib.sha256(seen.encode()).hexdigest()[:12]}"

    def now(self) -> datetime:
        """Return the present moment by the server's clock, which all machines share."""
        return utc_now() + timedelta(seconds=self._clock.ahead_s)

    async def read(self, name: str, **params: Value) -> list[Row]:
        """Return the rows of the statement *name*."""
        check_values(params)

        async def ask() -> list[Row]:
            async with self._connected(writes=False) as connection:
                return await _query(connection, name, params)

        async with self._reading:
            return await self._patiently(ask)

    @contextlib.asynccontextmanager
    async def write(self, job_id: str) -> AsyncIterator[PostgresTransaction]:
        """Run the block in one transaction, the only one that changes the job meanwhile."""
        check_values({"job_id": job_id})
        async with self._writing, contextlib.AsyncExitStack() as stack:
            connection = await self._patiently(lambda: self._begin(stack, job_id))
            with explained(self._address):
                yield PostgresTransaction(connection)
                await undisturbed(self._commit(connection))

    async def repeated(
        self,
        work: Callable[[], Awaitable[T]],
        landed: Callable[[], Awaitable[T | None]] | None = None,
    ) -> T:
        """Await *work*, again where the server was lost in its midst; see `Database`."""
        patience = Patience(self.patience_s)
        while True:
            try:
                return await work()
            except StoreUnreachable:
                if not await patience.lasts():
                    raise
            if landed is not None and (found := await landed()) is not None:
                return found

    async def integrity_errors(self) -> list[str]:
        """Return nothing: a server checks what it reads from its disk."""
        return []

    async def space(self) -> Space:
        """Return how much room the tables take; the server uses again what is free of it."""
        (row,) = await self.read("space")
        return Space(size=row["size"], free=0, stepwise=True)

    async def give_back(self) -> None:
        """Do nothing: the server uses free room again by itself."""

    async def write_anew(self) -> None:
        """Do nothing, as `give_back`."""

    async def backup(self, target: Path) -> None:  # noqa: ARG002 - the protocol's
        """Refuse: a server's own program makes copies of it."""
        raise StoreUnavailable(self._address.shown, f"its copies are made by {self.copied_by}.")

    @property
    def copied_by(self) -> str:
        """The command that copies the store to a file."""
        return f"pg_dump -Fc -n {SCHEMA} -f FILE '{self._address.shown}'"

    async def server(self) -> Server:
        """Return what can be told of the server."""

        async def ask() -> Server:
            async with self._connected(writes=False) as connection:
                await self._clock.look(connection)
                (facts,) = await _query(connection, "server", {})
                return Server(ahead_s=self._clock.ahead_s, copied_by=self.copied_by, **facts)

        async with self._reading:
            return await self._patiently(ask)

    async def close(self) -> None:
        """Close all connections, even if the caller is cancelled; safe to call twice."""
        self._closed = True
        await undisturbed(self._close())

    async def _close(self) -> None:
        if self._lent:  # what has begun ends first
            self._all_back.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._all_back.wait(), CLOSE_S)
        for connection in (*self._free, *self._lent):
            await connection.close()
        self._free.clear()

    # -- connections ------------------------------------------------------------------------

    async def _patiently(self, work: Callable[[], Awaitable[T]]) -> T:
        patience = Patience(self.patience_s)
        while True:
            try:
                return await work()
            except StoreUnreachable:
                # The others were made before the server was lost, too.
                while self._free:
                    await self._free.pop().close()
                if not await patience.lasts():
                    raise

    async def _look(self) -> None:
        async with self._connected(writes=False):
            pass

    async def _begin(self, stack: contextlib.AsyncExitStack, job_id: str) -> Connection:
        """Begin a transaction that holds the job's row, until *stack* ends."""
        async with contextlib.AsyncExitStack() as begun:
            connection = await begun.enter_async_context(self._connected(writes=True))
            lock = _statements()["lock_job"], {"job_id": job_id}
            await execute_together(connection, [("BEGIN;", {}), lock])
            stack.push_async_exit(begun.pop_all())
        return connection

    async def _commit(self, connection: Connection) -> None:
        try:
            await connection.execute("COMMIT")
        except psycopg.OperationalError as error:
            reason = "the server was lost while it stored a change. Look whether it is there."
            raise StoreUnreachable(self._address.shown, reason) from error

    @contextlib.asynccontextmanager
    async def _connected(self, *, writes: bool) -> AsyncIterator[Connection]:
        """Lend a connection; take it back only where the block was without errors of its own."""
        with explained(self._address):
            self._refuse_closed()
            connection = self._free.pop() if self._free else await self._opened(writes=writes)
            self._lent.add(connection)
            try:
                await self._clock.keep(connection)
                yield connection
            except (psycopg.Error, OSError, asyncio.CancelledError, StoreError):
                await connection.close()
                raise
            finally:
                await undisturbed(self._take_back(connection))

    async def _take_back(self, connection: Connection) -> None:
        idle = psycopg.pq.TransactionStatus.IDLE
        with contextlib.suppress(psycopg.Error):
            if not connection.closed and connection.info.transaction_status != idle:
                await connection.execute("ROLLBACK")
        usable = not connection.closed and connection.info.transaction_status == idle
        if usable and not self._closed and connection not in self._transient:
            self._free.append(connection)
        else:
            await connection.close()
        self._lent.discard(connection)
        if not self._lent:
            self._all_back.set()

    async def _opened(self, *, writes: bool) -> Connection:
        """Open a connection to the store, migrated; to an empty one, for one question, if none."""
        connection = await connect(self._address)
        try:
            version = await stored_version(self._address, connection)
            if version < latest_version() and (version or writes):
                await self._migrate(connection)
            elif not version:
                await pretend(connection)
                self._transient.add(connection)
        except BaseException:
            await connection.close()
            raise
        return connection

    async def _migrate(self, connection: Connection) -> None:
        await connection.execute("BEGIN")
        await connection.execute(f"SELECT pg_advisory_xact_lock({LOCK})")
        version = await stored_version(self._address, connection)  # others may have been faster
        await migrate(connection.execute, version)
        await connection.execute("COMMIT")

    def _refuse_closed(self) -> None:
        if self._closed:
            raise StoreUnavailable(self._address.shown, "it was closed.")


class _ServerClock:
    """How far the server's clock is ahead of this machine's."""

    def __init__(self) -> None:
        self.ahead_s = 0.0
        self._looked_at = -CLOCK_S
        self._set = 0.0  # wall clock less monotonic clock: changes when the time is set

    async def keep(self, connection: Connection) -> None:
        """Look at the server's clock if that is due, or this machine's was set."""
        was_set = abs(time.time() - time.monotonic() - self._set) > CLOCK_STEP_S
        if was_set or time.monotonic() - self._looked_at >= CLOCK_S:
            await self.look(connection)

    async def look(self, connection: Connection) -> None:
        """Compare the clocks; half of the way to the server and back counts as the way there."""
        before = time.time()
        at = await moment(connection)
        after = time.time()
        self.ahead_s = at - (before + after) / 2
        self._looked_at = time.monotonic()
        self._set = after - self._looked_at


async def _query(connection: Connection, name: str, params: dict[str, Any]) -> list[Row]:
    check_values(params)
    cursor = await connection.execute(_statements()[name], params, binary=True)
    return list(await cursor.fetchall())
