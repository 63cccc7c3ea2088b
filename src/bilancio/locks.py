"""Lock files: opened here, so that no copy of this process keeps a lock that this one gave up.

The system frees such a lock when the last process closes the file. A forked copy of a process
holds its files open, for as long as the copy lives, without anything in it that would close them.
"""

import os
from pathlib import Path

_open_files = set[int]()


def open_lock(path: Path) -> int:
    """Open a file to lock, made if there is none; forked and started processes do not have it.

    Raises
    ------
    OSError
        It cannot be opened, or is a link.
    """
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    _open_files.add(file)
    return file


def close_lock(file: int) -> None:
    """Close a file that `open_lock` has opened in this process."""
    if file in _open_files:
        _open_files.remove(file)
        os.close(file)


def is_at(file: int, path: Path) -> bool:
    """Return whether *path* is still the open *file*, and was not removed or replaced."""
    try:
        there, here = path.stat(), os.fstat(file)
    except FileNotFoundError:
        return False
    return (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino)


def _close_copies() -> None:
    while _open_files:
        os.close(_open_files.pop())


os.register_at_fork(after_in_child=_close_copies)
