"""A job's own folder: what is read from it is foreign, and nothing is written around it.

Folders come with clones. Whatever lies in one, reading ends: only regular files are read, up to
a stated size, and neither pipes nor devices are waited for. Whatever lies in one, writing stays
inside: links are replaced, never followed, and a folder that belongs to something else is refused.
"""

import contextlib
import errno
import os
import secrets
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from bilancio.errors import OutputError
from bilancio.failpoints import failpoint
from bilancio.jobs.artifacts.log import LOG

MANIFEST, SUMMARY = "job_manifest.json", "summary.json"
COLUMNS, PARQUET = "columns.json", "runs.parquet"
RUNS, FAILED = "runs.csv", "failed_runs.csv"
REPORT, REPORT_MD = "report.html", "report.md"
COMPARISON, CELLS, FRONTIER = "comparison.csv", "cells.csv", "frontier.csv"
#: Every file that is written for a job.
NAMES = (
    MANIFEST, SUMMARY, COMPARISON, CELLS, FRONTIER, RUNS, PARQUET, FAILED, COLUMNS,
    REPORT, REPORT_MD, LOG,
)  # fmt: skip
#: The folder of its pictures, and the endings of what is written there.
FIGURES, PICTURES = "figures", (".svg", ".png")
#: Those beside a manifest that are read with it.
READ_BACK = (RUNS, PARQUET, FAILED, CELLS, COMPARISON)

_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class NotRegular(OSError):
    """What has the name of a file is a folder, a link, a pipe or a device."""


def open_file(path: Path) -> int:
    """Return a descriptor of the regular file at *path*, open for reading.

    Raises
    ------
    NotRegular
        It is something else, a link included.
    OSError
        It is not there, or cannot be read.
    """
    try:
        descriptor = os.open(path, _READ)
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.ENXIO, errno.EMLINK}:
            raise NotRegular(error.errno, "it is not a regular file", str(path)) from None
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotRegular(errno.EINVAL, "it is not a regular file", str(path))
    return descriptor


def read_bytes(path: Path, max_bytes: int) -> bytes:
    """Return what the regular file at *path* holds: all of it, or one byte more than *max_bytes*.

    Raises
    ------
    OSError
        As `open_file`.
    """
    with os.fdopen(open_file(path), "rb") as file:
        return file.read(max_bytes + 1)


def is_file(path: Path) -> bool:
    """Return whether *path* is a regular file, links not followed."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except (OSError, ValueError):
        return False


def write_whole(path: Path, text: str, *, durable: bool = True) -> None:
    """Write a file so that it is there whole or not at all; if *durable*, whatever happens.

    Raises
    ------
    OutputError
        It cannot be written.
    """
    with whole_file(path, durable=durable) as file:
        file.write(text)
        failpoint("in-manifest")


@contextlib.contextmanager
def whole_file(path: Path, *, durable: bool = False) -> Iterator[IO[str]]:
    """Open a new text file that takes the place of *path* once it is written.

    The folder must be a folder, not a link; a link at *path* is replaced, not followed.

    Parameters
    ----------
    durable
        Wait until the disk has it.

    Raises
    ------
    OutputError
        It cannot be written.
    """
    with _whole(path, durable=durable, text=True) as file:
        yield file


@contextlib.contextmanager
def whole_binary_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a new file of bytes that takes the place of *path* once written; see `whole_file`.

    Raises
    ------
    OutputError
        It cannot be written.
    """
    with _whole(path, durable=False, text=False) as file:
        yield file


@contextlib.contextmanager
def _whole(path: Path, *, durable: bool, text: bool) -> Iterator[IO[Any]]:
    partial = f".{path.name}-{os.getpid()}-{secrets.token_hex(4)}"
    try:
        folder = os.open(path.parent, _FOLDER)
        try:
            descriptor = os.open(partial, _NEW, 0o644, dir_fd=folder)
            try:
                with (
                    os.fdopen(descriptor, "w", encoding="utf-8", newline="")
                    if text
                    else os.fdopen(descriptor, "wb")
                ) as file:
                    yield file
                    file.flush()
                    if durable:
                        os.fsync(file.fileno())
                os.replace(partial, path.name, src_dir_fd=folder, dst_dir_fd=folder)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(partial, dir_fd=folder)
                raise
        finally:
            os.close(folder)
    except OSError as error:
        raise OutputError(str(path), _reason(error)) from error


def make_folder(folder: Path) -> None:
    """Make a job's *folder*, and the folders above it, and see that files can be written there.

    Raises
    ------
    OutputError
        It cannot be made or written, or is a link.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        opened = os.open(folder, _FOLDER)
        try:
            probe = f".{MANIFEST}-{os.getpid()}-{secrets.token_hex(4)}"
            os.close(os.open(probe, _NEW, 0o600, dir_fd=opened))
            os.unlink(probe, dir_fd=opened)
        finally:
            os.close(opened)
    except OSError as error:
        raise OutputError(str(folder), _reason(error)) from error


def probe_out_dir(out_dir: Path) -> None:
    """See that job folders can be made in *out_dir*; where they cannot, leave nothing behind.

    Raises
    ------
    OutputError
        It cannot be made or written.
    """
    try:
        missing = [each for each in (out_dir, *out_dir.parents) if not each.exists()]
    except OSError as error:  # too long a name, links in a circle
        raise OutputError(str(out_dir), _reason(error)) from None
    try:
        out_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out_dir):
            pass
    except OSError as error:
        for each in missing:
            with contextlib.suppress(OSError):
                each.rmdir()
        raise OutputError(str(out_dir), _reason(error)) from error


def _reason(error: OSError) -> str:
    if error.errno in {errno.ELOOP, errno.ENOTDIR}:
        return "it is a link, or not a folder"
    return error.strerror or str(error)
