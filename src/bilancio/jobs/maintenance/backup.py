"""A copy of the whole store at one moment, while others keep writing."""

import contextlib
import os
import secrets
from pathlib import Path

from bilancio.errors import InvalidInput, Problem, StoreUnavailable, invalid, shown
from bilancio.jobs.session import Session
from bilancio.paths import absolute_path
from bilancio.settings import redact_url


async def back_up(session: Session, file: Path | str) -> Path:
    """Copy the whole store, as it is at one moment, to a new file; workers continue meanwhile.

    *file* appears whole or not at all. It is a store itself: put it in the place of the old one
    to restore it.

    Raises
    ------
    InvalidInput
        *file* exists, or cannot be written; the store is on a server.
    StoreError
        The store cannot be read.
    """
    store = await session.store()
    if server := await store.server():
        shown_url = redact_url(session.settings.database_url)
        allowed = f"a store in a file; a server's is copied by {server.copied_by}"
        raise invalid("BILANCIO_DATABASE_URL", shown_url, allowed)
    target = absolute_path("file", file)
    if os.path.lexists(target):
        raise _taken(file)
    partial = target.with_name(f".{target.name}-{secrets.token_hex(4)}")
    try:
        os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        await store.backup(partial)
        _sync(partial)
        _name(partial, target)
        _sync(target.parent)
    except FileExistsError:
        raise _taken(file) from None
    except OSError as error:
        raise _unwritable(file, error.strerror or str(error)) from error
    except StoreUnavailable as error:  # the store is only read: the copy is what cannot be written
        raise _unwritable(file, error.reason.rstrip(".")) from error
    finally:
        for end in ("", "-journal", "-wal", "-shm"):
            with contextlib.suppress(OSError):
                partial.with_name(partial.name + end).unlink()
    return target


def _name(partial: Path, target: Path) -> None:
    """Give a finished copy its name, unless the name was taken meanwhile."""
    try:
        os.link(partial, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without links: check, then rename
        if os.path.lexists(target):
            raise FileExistsError(target) from None
        partial.rename(target)


def _sync(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _taken(file: Path | str) -> InvalidInput:
    return invalid("file", str(file), "a file that does not exist yet")


def _unwritable(file: Path | str, why: str) -> InvalidInput:
    got = f"{shown(str(file))}, which cannot be written ({why})"
    allowed = "a new file in a folder that exists, with room and permission to write"
    return InvalidInput([Problem("file", got, allowed)])
