"""worker.log: what a job's workers and runs print."""

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from bilancio.printable import escaped

LOG = "worker.log"
TAIL_BYTES = 16_384
TAIL_LINES = 5
TAIL_CHARACTERS = 1_000


@contextlib.contextmanager
def opened_log(folder: Path, worker_id: str) -> Iterator[int]:
    """Open the log in *folder* to append to, mark where *worker_id* begins, and close it.

    Neither the folder nor the log may be a symbolic link: whoever can write there could have the
    worker append to any file of its user.

    Raises
    ------
    OSError
        The log cannot be written, or is not a file of its own.
    """
    file = _opened(folder, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        with contextlib.suppress(OSError):  # on a full disk the worker may still run
            os.write(file, _mark(worker_id))
        yield file
    finally:
        os.close(file)


def log_tail(folder: Path, worker_id: str) -> str:
    """Return the last lines that *worker_id* has logged, cut and fit for a terminal.

    Returns
    -------
    str
        Empty where there are none, or where the log cannot be read.
    """
    try:
        file = _opened(folder, os.O_RDONLY)
    except OSError:
        return ""
    with os.fdopen(file, "rb") as log:
        begins = max(log.seek(0, os.SEEK_END) - TAIL_BYTES, 0)
        log.seek(begins)
        _, marked, logged = log.read().rpartition(_mark(worker_id))
    if not marked and not begins:
        return ""
    lines = [escaped(line) for line in logged.decode(errors="replace").splitlines()]
    told = [line for line in lines if line.strip()][-TAIL_LINES:]
    return "\n".join(told)[-TAIL_CHARACTERS:]


def _mark(worker_id: str) -> bytes:
    return f"--- worker {worker_id} ---\n".encode()


def _opened(folder: Path, flags: int) -> int:
    safe = os.O_NOFOLLOW | os.O_CLOEXEC
    there = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | safe)
    try:
        owners = {os.geteuid(), os.fstat(there).st_uid}
        # Without O_NONBLOCK, opening a named pipe would wait for its other end.
        file = os.open(LOG, flags | safe | os.O_NONBLOCK, 0o666, dir_fd=there)
    finally:
        os.close(there)
    found = os.fstat(file)
    if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1 or found.st_uid not in owners:
        os.close(file)
        message = f"{folder / LOG} is not a file of its own"
        raise OSError(message)
    return file
