"""Delete a job: its files first, the store's rows last.

The store is the truth: a job exists as long as its rows do. A kill on the way leaves a whole job,
whose files are made again when they are needed. The manifest is removed before everything else,
because a job is re-imported from its manifest.
"""

import asyncio
import contextlib
import os
import stat
import time
from pathlib import Path

from bilancio.errors import BilancioError, JobNotFound, JobStateError, OutputError
from bilancio.jobs.artifacts.folder import FIGURES, MANIFEST, NAMES
from bilancio.jobs.artifacts.ownership import KEPT_MANIFEST, is_picture
from bilancio.jobs.maintenance.reports import Deletion
from bilancio.jobs.models import Job
from bilancio.jobs.store import JobStore
from bilancio.jobs.worker.lock_file import WorkerState, remove_stale, worker_state

LEAVING_S = 10.0
POLL_S = 0.05


async def delete(store: JobStore, job: Job, *, files: bool) -> Deletion:
    """Delete *job*, and with *files* also the files that bilancio wrote for it.

    Raises
    ------
    JobStateError
        It is running, or was started meanwhile.
    OutputError
        A file cannot be removed; the job still exists.
    """
    if job.state == "running":
        raise JobStateError(job.job_id, job.state, "deleted", "Cancel it first.")
    await _until_worker_has_left(store, job)
    away = _remove_files if files else _set_manifest_aside
    removed, left = await asyncio.to_thread(away, job)
    if not await store.delete(job):
        raise await _begun(store, job)
    with contextlib.suppress(BilancioError):  # a reader may have had them written again
        await asyncio.to_thread(away, job)
    remove_stale(store.worker_locks(job.job_id))
    return Deletion(job_id=job.job_id, folder=job.folder, removed=removed, left=left)


async def _until_worker_has_left(store: JobStore, job: Job) -> None:
    """Wait for a worker that has lost its job but may still be writing a file."""
    deadline = time.monotonic() + LEAVING_S
    while any(
        worker_state(lock) is not WorkerState.DEAD for lock in store.worker_locks(job.job_id)
    ):
        if time.monotonic() > deadline:
            raise JobStateError(
                job.job_id,
                job.state,
                "deleted yet",
                "Its worker is still leaving. Try again in a few seconds.",
            )
        await asyncio.sleep(POLL_S)


async def _begun(store: JobStore, job: Job) -> JobNotFound | JobStateError:
    """Return why a job that could be deleted a moment ago no longer can."""
    now = await store.job(job.job_id)
    if now is None:
        return JobNotFound(job.job_id)
    advice = "It was started a moment ago: cancel it first."
    return JobStateError(job.job_id, now.state, "deleted", advice)


def _remove_files(job: Job) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Remove what bilancio wrote into the job's folder, and the folder if nothing else is in it.

    Links are neither followed nor removed; nothing outside the folder is touched.

    Returns
    -------
    removed, left
        Names of files.
    """
    with contextlib.ExitStack() as opened:
        folder = _open_folder(job, opened)
        if folder is None:
            return (), ()
        mine = sorted(filter(_is_ours, _names(folder)), key=lambda name: name != MANIFEST)
        removed = [name for name in mine if _is_file(name, folder)]
        try:
            for name in removed:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(name, dir_fd=folder)
        except OSError as error:
            raise OutputError(str(job.folder / name), error.strerror or str(error)) from error
        removed += _remove_pictures(job, folder)
        left = sorted(_names(folder))
    if not left:
        with contextlib.suppress(OSError):
            job.folder.rmdir()
    return tuple(removed), tuple(left)


def _remove_pictures(job: Job, folder: int) -> list[str]:
    """Remove the pictures in the folder of them, and that folder if nothing else is in it."""
    removed = []
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
    try:
        pictures = os.open(FIGURES, flags, dir_fd=folder)
    except OSError:  # there are none, or it is a link
        return []
    try:
        for name in sorted(filter(is_picture, _names(pictures))):
            if _is_file(name, pictures):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(name, dir_fd=pictures)
                removed.append(f"{FIGURES}/{name}")
    except OSError as error:
        path = job.folder / FIGURES / name
        raise OutputError(str(path), error.strerror or str(error)) from error
    finally:
        os.close(pictures)
    with contextlib.suppress(OSError):  # something else is in it
        os.rmdir(FIGURES, dir_fd=folder)
    return removed


def _set_manifest_aside(job: Job) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Rename the manifest, so that the job is not re-imported when it is searched for."""
    with contextlib.ExitStack() as opened:
        folder = _open_folder(job, opened)
        if folder is None:
            return (), ()
        try:
            if _is_file(MANIFEST, folder):
                os.replace(MANIFEST, KEPT_MANIFEST, src_dir_fd=folder, dst_dir_fd=folder)
        except OSError as error:
            raise OutputError(str(job.folder / MANIFEST), error.strerror or str(error)) from error
        return (), tuple(sorted(_names(folder)))


def _open_folder(job: Job, opened: contextlib.ExitStack) -> int | None:
    """Open the job's own folder within its output folder; None where there is no such folder."""
    try:
        out_dir = os.open(job.out_dir, os.O_RDONLY | os.O_DIRECTORY)
        opened.callback(os.close, out_dir)
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
        folder = os.open(Path(job.job_id).name, flags, dir_fd=out_dir)
    except OSError:
        return None
    opened.callback(os.close, folder)
    return folder


def _names(folder: int) -> list[str]:
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries]


def _is_ours(name: str) -> bool:
    """Return whether bilancio writes files of this name, complete or temporary."""
    names = (*NAMES, KEPT_MANIFEST)
    return name in names or any(name.startswith(f".{each}-") for each in names)


def _is_file(name: str, folder: int) -> bool:
    try:
        return stat.S_ISREG(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return False
