"""Where a store is, or will be: looked at before anything is opened."""

from dataclasses import dataclass
from pathlib import Path

from bilancio.jobs.store.postgres.address import address_of, is_server
from bilancio.jobs.store.sqlite import mounts, version
from bilancio.jobs.store.sqlite.address import sqlite_path


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """A store's place.

    Attributes
    ----------
    file
        The file itself; None of a store on a server.
    exists
        Whether there is such a file; the first write makes it.
    network
        The network file system that it is on, as ``nfs at /home``, where it is refused; else
        empty.
    """

    file: Path | None
    exists: bool
    network: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """The database library of this Python.

    Attributes
    ----------
    too_old
        Whether the store does not work with it.
    has_reset_bug
        Whether a checkpoint beside a writer can lose a transaction, as before SQLite 3.51.3;
        the store keeps the two apart by a lock.
    """

    name: str
    too_old: bool
    has_reset_bug: bool


def locate(database_url: str) -> Location:
    """Return where the store of *database_url* is, without opening it.

    Raises
    ------
    InvalidInput, StoreUnavailable
        The address names none.
    """
    if is_server(database_url):
        address_of(database_url)
        return Location(file=None, exists=False, network="")
    file = sqlite_path(database_url)
    mount = mounts.network_mount(file, mounts.mounted())
    network = f"{mount.kind} at {mount.point}" if mount else ""
    return Location(file=file, exists=file.exists(), network=network)


def engine() -> Engine:
    """Return the database library that stores are opened with."""
    return Engine(
        name=f"SQLite {version.text()}",
        too_old=version.is_too_old(),
        has_reset_bug=version.has_reset_bug(),
    )
