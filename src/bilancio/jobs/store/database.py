"""What the store needs of a database: what SQLite and PostgreSQL both can."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

from bilancio.errors import invalid
from bilancio.jobs.texts import is_storable

Value = str | int | float | bytes | None

MAX_INT = 2**63 - 1

#: The name of a statement in queries.sql, and its parameters.
Statement = tuple[str, Mapping[str, Value]]

T = TypeVar("T")


class Row(Protocol):
    """One row of an answer: its values by column name, as ``**row`` takes them."""

    def __getitem__(self, name: str, /) -> Any: ...

    def keys(self) -> Iterable[str]:
        """Return the names of the columns."""
        ...


class Transaction(Protocol):
    """The statements of one write transaction, by their names in queries.sql."""

    async def query(self, name: str, **params: Value) -> Sequence[Row]:
        """Execute the statement *name* and return its rows."""
        ...

    async def execute(self, name: str, **params: Value) -> int:
        """Execute the statement *name* and return how many rows it changed."""
        ...

    async def execute_all(self, statements: Sequence[Statement]) -> None:
        """Execute *statements* in order; a server is sent all of them before it has answered."""
        ...


class Space(NamedTuple):
    """How much room a store takes, and how much of it holds nothing, in bytes.

    Attributes
    ----------
    stepwise
        Whether what is free can be given back a little at a time.
    """

    size: int
    free: int
    stepwise: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """What can be told of the server that a store is on.

    Attributes
    ----------
    version
        As the server says it: ``15.13 (Debian 15.13-0+deb12u1)``.
    ahead_s
        Seconds that its clock is ahead of this machine's.
    connections, max_connections
        All of its clients', and how many it allows.
    missing_rights
        What the user cannot do and work needs, as ``delete on jobs``; empty if nothing.
    copied_by
        The command that copies the store to a file.
    """

    version: str
    ahead_s: float
    connections: int
    max_connections: int
    missing_rights: str
    copied_by: str


class Database(Protocol):
    """One store's database. Only the store's own modules use it.

    Its errors are `StoreError`s, and `StoreConflict` where a constraint refused a write.
    """

    #: Whether other machines use the store.
    shared: bool
    #: Seconds that a server which does not answer is waited for.
    patience_s: float

    @property
    def lock_folder(self) -> Path:
        """The folder of the locks that this store's workers hold on this machine."""
        ...

    @property
    def host(self) -> str:
        """What this machine is called, where the locks of `lock_folder` are seen."""
        ...

    def now(self) -> datetime:
        """Return the present moment, by the clock that all users of the store share."""
        ...

    async def read(self, name: str, **params: Value) -> Sequence[Row]:
        """Return the rows of the statement *name*. Makes no store where there is none."""
        ...

    def write(self, job_id: str) -> AbstractAsyncContextManager[Transaction]:
        """Run the block in one transaction: all of it is stored, or nothing.

        No other transaction changes what is stored of the job *job_id* meanwhile.

        Cancelling the block, or an error in it, rolls back before anything else happens.
        """
        ...

    async def repeated(
        self,
        work: Callable[[], Awaitable[T]],
        landed: Callable[[], Awaitable[T | None]] | None = None,
    ) -> T:
        """Await *work*, which writes; where the database is lost in its midst, again.

        A write whose answer was lost may be stored: *landed* returns then what *work* would
        have, and None where it is not.

        Raises
        ------
        StoreUnreachable
            The database was away for longer than it is waited for.
        """
        ...

    async def server(self) -> Server | None:
        """Return what can be told of the server; None where there is none."""
        ...

    async def integrity_errors(self) -> list[str]:
        """Return what the database's own check finds wrong; empty when all is well."""
        ...

    async def space(self) -> Space:
        """Return how much room the store takes."""
        ...

    async def give_back(self) -> None:
        """Give free room back to the disk, for some seconds, and while others write.

        Where that cannot be done a little at a time it is done only if it takes no longer.
        """
        ...

    async def write_anew(self) -> None:
        """Give all free room back to the disk. Others wait, the longer the more is stored."""
        ...

    async def backup(self, target: Path) -> None:
        """Copy the whole store, as it is at one moment, to the file *target*."""
        ...

    async def close(self) -> None:
        """Close all connections, even if the caller is cancelled; safe to call twice."""
        ...


def check_values(params: Mapping[str, object]) -> None:
    """Refuse values that not every database stores as they are.

    Raises
    ------
    InvalidInput
        Text with NUL or lone surrogates, a whole number beyond 64 bits.
    """
    for name, value in params.items():
        match value:
            case str() if not value.isprintable() and not is_storable(value):
                raise invalid(name, value, "text in Unicode, without NUL characters")
            case int() if not -MAX_INT - 1 <= value <= MAX_INT:
                raise invalid(name, value, f"whole numbers of up to 64 bits, at most {MAX_INT:,}")
            case str() | int() | float() | bytes() | None:
                pass
            case _:
                message = f"{name} is of type {type(value).__name__}, which no column holds"
                raise TypeError(message)


def storable(text: str) -> str:
    """Return *text* as every database holds it: what is not Unicode is replaced."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\N{SYMBOL FOR NULL}")
