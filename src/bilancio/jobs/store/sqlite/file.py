"""The store's file and its neighbours, looked at without opening them.

The file itself is opened by SQLite only: when a process closes it, all locks that SQLite holds on
it in this process are lost, and another process may take its log away.
"""

import stat
from pathlib import Path
from typing import NamedTuple

from bilancio.errors import NotAStore, StoreCorrupt, StoreUnavailable
from bilancio.jobs.store.sqlite.explained import reported

Identity = tuple[int, int]

REPLACED = (
    "the file was removed or replaced after it was opened, so nothing can be stored in it. "
    "Restart what uses it to open what is there now."
)
NOT_SQLITE = "the file is not a SQLite database; it was left as it is. Name another file."
START_ANEW = "Restore it from a backup, or remove {} to start with an empty store."


class StoreFiles(NamedTuple):
    """The paths of one store."""

    main: Path

    @property
    def log(self) -> Path:
        """Return SQLite's write-ahead log."""
        return self.main.with_name(self.main.name + "-wal")

    @property
    def lock(self) -> Path:
        """Return the lock between writers and checkpoints."""
        return self.main.with_name("store.lock")

    @property
    def workers(self) -> Path:
        """Return the folder of the locks that workers hold."""
        return self.main.with_name("workers")

    @property
    def unfinished(self) -> Path:
        """Return where a new store is made before it gets its name."""
        return self.main.with_name(f".{self.main.name}-new")

    def identity(self) -> tuple[Identity | None, Identity | None]:
        """Return device and inode of the file and of its log; None for what is missing."""
        return _identity(self.main), _identity(self.log)

    def log_size(self) -> int:
        """Return the size of the log in bytes."""
        return _size(self.log)

    def has_content(self) -> bool:
        """Return whether the file is there and not empty.

        Raises
        ------
        NotAStore
            There is something else.
        StoreUnavailable
            The system does not tell.
        """
        try:
            found = self.main.stat()
        except FileNotFoundError:
            return False
        except NotADirectoryError:
            raise NotAStore(str(self.main), "it is not a file in a folder.") from None
        except OSError as error:
            raise StoreUnavailable(str(self.main), reported(error)) from None
        if not stat.S_ISREG(found.st_mode):
            raise NotAStore(str(self.main), "it is not a file.")
        if found.st_size == 1:  # SQLite takes a file of one byte for an empty one
            raise NotAStore(str(self.main), NOT_SQLITE)
        return found.st_size > 0

    def exists(self) -> bool:
        """Return whether there is something to open; False where a store can be made.

        Raises
        ------
        NotAStore, StoreUnavailable
            As `has_content`.
        StoreCorrupt
            There was a store, and its file is gone or empty.
        """
        if self.has_content():
            return True
        lost = self._lost()
        # Another process may have made the store after the first look and before the second.
        if self.has_content():
            return True
        if lost:
            raise StoreCorrupt(str(self.main), lost)
        return False

    def _lost(self) -> str:
        """Say what shows that there was a store whose file is gone or empty; empty if nothing."""
        missing = not self.main.exists()
        if self.log_size():
            what = "missing" if missing else "empty"
            return (
                f"its file is {what}, but the log {self.log.name} beside it holds what was "
                f"written to it. {START_ANEW.format(self.log.name)}"
            )
        if not missing and (beside := self._trace()):
            return (
                f"its file is empty, but {beside} beside it shows that it held a store. "
                f"{START_ANEW.format('the empty file')}"
            )
        return ""

    def _trace(self) -> str:
        """Return the name of something that only a store leaves behind; empty if there is none."""
        traces = (self.workers, self.lock)
        return next((each.name for each in traces if each.exists()), "")


def _identity(path: Path) -> Identity | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
