"""Whose folder it is: a job writes into its own, or into one that is new or empty.

A folder that exists, is not empty and holds no manifest of the job is never written into. A
manifest that is gone is made again where everything else in the folder is the job's.
"""

import os
import re
from datetime import datetime
from pathlib import Path

from bilancio.errors import OutputError
from bilancio.jobs.artifacts.folder import (
    COLUMNS,
    FIGURES,
    MANIFEST,
    NAMES,
    PARQUET,
    PICTURES,
    REPORT,
    REPORT_MD,
    SUMMARY,
    make_folder,
    read_bytes,
)
from bilancio.jobs.artifacts.log import LOG
from bilancio.jobs.models import Job

#: Name of the manifest where a job was deleted and its files kept: never imported by itself.
KEPT_MANIFEST = "job_manifest.deleted.json"
TAKEN = "it is not empty, and holds no manifest of this job"
DOCTYPE = "<!doctype html>\n"
_HEAD_BYTES = 4096
_PARQUET = b"PAR1"
_SAME_JOB = re.compile(
    rb'\s*\{\s*"job_id"\s*:\s*"([^"\\]{1,200})"(?:\s*,\s*"created_at"\s*:\s*"([^"\\]{1,40})")?'
)


def make_job_folder(job: Job) -> None:
    """Make the folder of *job*, and see that it is the job's own and can be written.

    Raises
    ------
    OutputError
        It is something else's, a link, or cannot be made or written.
    """
    refuse_foreign(job)
    make_folder(job.folder)


def refuse_foreign(job: Job) -> None:
    """Refuse the folder of *job* if it is something else's.

    Raises
    ------
    OutputError
        It holds files and no manifest of the job.
    """
    names = _names(job.folder)
    # After a power failure a manifest can be there and hold nothing: that is as if it were gone.
    kinds = (name for name in (MANIFEST, KEPT_MANIFEST) if name in names)
    manifests = [name for name in kinds if _head(job.folder / name)]
    if manifests:
        own = any(_is_manifest_of(job, job.folder / name) for name in manifests)
    else:
        own = all(_may_be_ours(job, name) for name in names)
    if not own:
        raise OutputError(str(job.folder), TAKEN)


def refuse_taken(folder: Path) -> None:
    """Refuse *folder* for a new job if there is anything in it.

    Raises
    ------
    OutputError
        It is not empty, or not a folder.
    """
    if _names(folder):
        raise OutputError(str(folder), TAKEN)


def _names(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            if folder.is_symlink():
                raise OutputError(str(folder), "it is a link")
            return [entry.name for entry in entries]
    except FileNotFoundError:
        if folder.is_symlink():
            raise OutputError(str(folder), "it is a link") from None
        return []
    except OSError as error:
        raise OutputError(str(folder), error.strerror or str(error)) from None


def _is_manifest_of(job: Job, path: Path) -> bool:
    """Return whether a manifest begins with the name and the beginning of *job*."""
    found = _SAME_JOB.match(_head(path))
    if found is None or found[1].decode("utf-8", "replace") != job.job_id or found[2] is None:
        return False
    try:
        return datetime.fromisoformat(found[2].decode()) == job.created_at
    except (TypeError, ValueError):
        return False


def _may_be_ours(job: Job, name: str) -> bool:
    """Return whether a file beside no manifest is one that bilancio writes, and says it is *job*'s.

    The log says of no job, and is there before the first manifest of version 0.1.
    """
    if name == FIGURES:
        return _are_pictures_of(job)
    if name == LOG or any(name.startswith(f".{each}-") for each in NAMES):
        return True
    if name not in NAMES:
        return False
    head = _head(job.folder / name)
    if name == PARQUET:
        return head.startswith(_PARQUET) and _parquet_text(job.job_id) in head
    if name in {REPORT, REPORT_MD}:
        return head.removeprefix(DOCTYPE.encode()).startswith(mark_of(job).encode())
    if name in {SUMMARY, COLUMNS}:
        found = _SAME_JOB.match(head)
        return found is not None and found[1] == job.job_id.encode()
    _, _, rows = head.partition(b"\n")
    first = rows.partition(b",")[0].decode("utf-8", "replace")
    return not rows or first == job.job_id or first in job.run_ids


def _parquet_text(text: str) -> bytes:
    """Return a text as a page of a Parquet file holds it: its length, then its bytes.

    The first page has the only word of the first column, which is the job's name.
    """
    encoded = text.encode()
    return len(encoded).to_bytes(4, "little") + encoded


def mark_of(job: Job) -> str:
    """Return how an SVG or a report begins that is of *job*; in HTML after its first line."""
    return f"<!-- bilancio {job.job_id} -->"


def is_picture(name: str) -> bool:
    """Return whether bilancio writes pictures of this name, complete or temporary."""
    return name.endswith(PICTURES) or (
        name.startswith(".") and any(f"{ending}-" in name for ending in PICTURES)
    )


def _are_pictures_of(job: Job) -> bool:
    """Return whether all that lies among the pictures is of *job*; a PNG says not of which."""
    folder = job.folder / FIGURES
    if not folder.is_dir():
        return False
    names = _names(folder)
    drawn = [name for name in names if name.endswith(".svg")]
    mark = mark_of(job).encode()
    own = all(_head(folder / name).startswith(mark) for name in drawn)
    return own and bool(drawn or not names) and all(map(is_picture, names))


def _head(path: Path) -> bytes:
    try:
        return read_bytes(path, _HEAD_BYTES)
    except OSError:
        return b""
