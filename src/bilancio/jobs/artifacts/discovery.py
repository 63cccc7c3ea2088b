"""Jobs known only from a manifest on disk: where to look for them, and what is known of them.

A listing asks this each time, so that what the store knows by a folder's name, or by the name
that a manifest begins with, is not read any further; and what was refused is not read again by
the same process until it changes.
"""

import asyncio
import contextlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from bilancio.errors import BilancioError, InvalidInput
from bilancio.jobs.artifacts import foreign
from bilancio.jobs.artifacts.folder import MANIFEST, READ_BACK, is_file
from bilancio.jobs.artifacts.headers import read_header
from bilancio.jobs.job_id import JobId
from bilancio.jobs.store import JobStore, ReadJob

PROJECT_OUT = Path("out/experiments")
PROJECT_MARKS = (".git", "pyproject.toml")
MAX_ENTRIES = 500_000  # of folders, whose names are read for one question
MAX_FOLDERS = 20_000  # looked into, of those that no stored job is named as
MAX_READ = 64 << 20  # bytes of manifests read for one question
MAX_REMEMBERED = 20_000
AT_ONCE = 200  # jobs that are stored in one transaction

Stamp = tuple[tuple[int, int, int] | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspected:
    """What came of reading a manifest: its job, or why it was refused."""

    stamp: Stamp
    job_id: JobId | None
    reason: str = ""


_inspected: dict[Path, Inspected] = {}


def search_roots(out_dir: Path) -> tuple[Path, ...]:
    """Return the folders below which jobs are looked for: *out_dir* and the project's own.

    The project is the nearest folder upwards that holds ``.git`` or ``pyproject.toml``. Where
    the working folder is gone, only an absolute *out_dir* is left.
    """
    roots = []
    with contextlib.suppress(RuntimeError):  # no such user: jobs cannot be written there either
        out_dir = out_dir.expanduser()
    try:
        here = Path.cwd()
    except OSError:
        return (out_dir,) if out_dir.is_absolute() else ()
    roots.append(here / out_dir)
    for folder in (here, *here.parents):
        if _is_project(folder):
            roots.append(folder / PROJECT_OUT)
            break
    return tuple(dict.fromkeys(roots))


def _is_project(folder: Path) -> bool:
    try:
        return any((folder / mark).exists() for mark in PROJECT_MARKS)
    except OSError:  # it may be passed through, but not looked into
        return False


async def unknown_manifests(store: JobStore, roots: Iterable[Path]) -> dict[JobId, Path]:
    """Return the manifests up to two levels below *roots* whose jobs the store does not have.

    Refused ones are left out: `refused_manifests` says why.
    """
    return await _jobs_of(await _inspect_unknown(store, roots), store)


async def _jobs_of(inspected: dict[Path, Inspected], store: JobStore) -> dict[JobId, Path]:
    """Return the jobs of *inspected* manifests that the store does not have, with one manifest."""
    found: dict[JobId, Path] = {}
    for path, seen in inspected.items():
        job_id = seen.job_id
        if job_id is not None and (job_id not in found or path.parent.name == job_id):
            found[job_id] = path
    still = set(await store.unknown(found)) if found else set()
    return {job_id: path for job_id, path in found.items() if job_id in still}


async def refused_manifests(store: JobStore, roots: Iterable[Path]) -> dict[Path, str]:
    """Return the manifests below *roots* that cannot be imported, and why each was refused."""
    refused = {}
    for path, seen in (await _inspect_unknown(store, roots)).items():
        if seen.job_id is None:
            refused[path] = seen.reason
        elif seen.job_id in await store.unknown([seen.job_id]):
            try:
                await asyncio.to_thread(read_header, path)
            except InvalidInput as error:
                refused[path] = str(error)
    return refused


async def import_unknown(store: JobStore, roots: Iterable[Path]) -> int:
    """Store every job known only from a manifest below *roots*; return how many were refused.

    Their runs stay unread.
    """
    inspected = await _inspect_unknown(store, roots)
    refused = sum(seen.job_id is None for seen in inspected.values())
    paths = [*(await _jobs_of(inspected, store)).values()]
    for start in range(0, len(paths), AT_ONCE):
        lot = {path: await _header(path) for path in paths[start : start + AT_ONCE]}
        read = {path: header for path, header in lot.items() if header is not None}
        refused += len(lot) - len(read)
        if not read:
            continue
        try:
            await store.import_jobs(list(read.values()))
        except BilancioError:
            for path in read:
                with contextlib.suppress(BilancioError):  # a full disk must not end a listing
                    refused += await import_found(store, path) is None
    return refused


async def import_found(store: JobStore, path: Path) -> JobId | None:
    """Store the job of a manifest that was found, its runs unread; None where it is refused.

    A refusal is remembered until the manifest, or a table beside it, changes.

    Raises
    ------
    StoreError
        The store cannot be written.
    """
    stamp = _stamp(path)
    read = await _header(path)
    if read is None:
        return None
    try:
        await store.import_jobs([read])
    except InvalidInput as error:
        _remember(path, Inspected(stamp=stamp, job_id=None, reason=str(error)))
        return None
    return JobId(read.row["job_id"])


async def _header(path: Path) -> ReadJob | None:
    """Return the job of a manifest, its runs unread; None where it is, or was, refused."""
    stamp = _stamp(path)
    seen = _inspected.get(path)
    if seen is not None and seen.stamp == stamp and seen.job_id is None:
        return None
    try:
        return await asyncio.to_thread(read_header, path)
    except InvalidInput as error:
        _remember(path, Inspected(stamp=stamp, job_id=None, reason=str(error)))
        return None


def manifest_in_folder_of(job_id: str, roots: Iterable[Path]) -> Path | None:
    """Return the manifest in the folder that has the job's own name, if there is one."""
    for root in roots:
        for folder in (root, *_subfolders(root)):
            path = folder / job_id / MANIFEST
            if is_file(path) and not path.parent.is_symlink():
                return path
    return None


def why_refused(job_id: str, roots: Iterable[Path]) -> str:
    """Say why the manifest in the folder of this name was refused; else return an empty text."""
    path = manifest_in_folder_of(job_id, roots) if job_id else None
    seen = _inspected.get(path) if path else None
    return seen.reason if seen is not None and seen.job_id is None else ""


async def _inspect_unknown(store: JobStore, roots: Iterable[Path]) -> dict[Path, Inspected]:
    """Read the manifests whose folder's name, and own name, the store does not know."""
    paths = await _unknown_folders(store, roots)
    names = await asyncio.to_thread(lambda: {path: foreign.name_in(path) for path in paths})
    unknown = set(await store.unknown({name for name in names.values() if name}))
    left = [path for path, name in names.items() if name is None or name in unknown]
    return await asyncio.to_thread(_inspect, left)


async def _unknown_folders(store: JobStore, roots: Iterable[Path]) -> list[Path]:
    """Return the manifests in folders up to two levels down that no stored job is named as."""
    manifests: list[Path] = []
    level = list(roots)
    for last in (False, True):
        folders = await asyncio.to_thread(_all_subfolders, level)
        unknown = set(await store.unknown({folder.name for folder in folders}))
        level = []
        for folder in [each for each in folders if each.name in unknown][:MAX_FOLDERS]:
            if is_file(folder / MANIFEST):
                manifests.append(folder / MANIFEST)
            elif not last:
                level.append(folder)
    return manifests


def _all_subfolders(folders: Iterable[Path]) -> list[Path]:
    found: list[Path] = []
    for folder in folders:
        if len(found) < MAX_ENTRIES:
            found += _subfolders(folder)
    return found


def _subfolders(folder: Path) -> list[Path]:
    """Return the folders in *folder* by name; links and hidden ones are left out."""
    try:
        with os.scandir(folder) as entries:
            names = [
                entry.name
                for entry in islice(entries, MAX_ENTRIES)
                if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False)
            ]
    except (OSError, ValueError):  # no folder can have the name
        return []
    return [folder / name for name in sorted(names)]


def _inspect(paths: Iterable[Path]) -> dict[Path, Inspected]:
    """Read what has not been read yet, small ones first, so that large ones starve none."""
    found = {}
    left = MAX_READ
    stamps = {path: _stamp(path) for path in paths}
    for path, stamp in sorted(stamps.items(), key=lambda each: each[1][0] or ()):
        seen = _inspected.get(path)
        if seen is None or seen.stamp != stamp:
            left -= stamp[0][0] if stamp[0] else 0
            if left < 0:
                continue
            seen = _inspect_one(path, stamp)
            _remember(path, seen)
        found[path] = seen
    return dict(sorted(found.items()))


def _inspect_one(path: Path, stamp: Stamp) -> Inspected:
    try:
        job_id = JobId(foreign.read_manifest(path).job_id)
    except InvalidInput as error:
        return Inspected(stamp=stamp, job_id=None, reason=str(error))
    return Inspected(stamp=stamp, job_id=job_id)


def _remember(path: Path, seen: Inspected) -> None:
    if len(_inspected) >= MAX_REMEMBERED:
        _inspected.clear()
    _inspected[path] = seen


def _stamp(path: Path) -> Stamp:
    """Return what changes when a manifest, or a table that is read with it, does."""
    return tuple(_stamp_of(path.with_name(name)) for name in (path.name, *READ_BACK))


def _stamp_of(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.lstat()
    except OSError:
        return None
    return (found.st_size, found.st_mtime_ns, found.st_ino)
