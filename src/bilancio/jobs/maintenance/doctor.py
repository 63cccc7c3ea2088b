"""Look whether everything is in order: machine, settings, store, jobs, files."""

import asyncio
import contextlib
import json
import os
import shutil
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from bilancio.errors import (
    BilancioError,
    InvalidInput,
    JobNotFound,
    NotAStore,
    StoreCorrupt,
    StoreError,
    StoreTooNew,
)
from bilancio.experiments import registry
from bilancio.experiments.configs import UncheckedSweep
from bilancio.jobs.artifacts import tables
from bilancio.jobs.artifacts.manifest import FILE_NAME as MANIFEST
from bilancio.jobs.maintenance.reports import Diagnosis, Finding, Severity
from bilancio.jobs.models import Job, JobStatus
from bilancio.jobs.store import JobStore, integrity
from bilancio.jobs.store.sqlite.mounts import mounted, network_mount
from bilancio.jobs.store.store import sqlite_path
from bilancio.jobs.worker.lock_file import WorkerState, remove_stale, worker_state
from bilancio.settings import Settings

SOUND_SQLITE = (3, 51, 3)
OLDEST_SQLITE = (3, 37, 0)
LITTLE_SPACE = 1 << 30
NO_SPACE = 64 << 20
LISTED = 20

ERROR, WARNING, NOTE = Severity.ERROR, Severity.WARNING, Severity.NOTE
RESTORE = "Restore the store from a backup: copy the backup to where the store is"

Mend = Callable[[], Awaitable[object]]
Opened = Callable[[], Awaitable[JobStore]]
Seen = Callable[[JobStore, Job], Awaitable[Job]]


class Found(NamedTuple):
    """A finding, and what puts it right, where that can be done without asking."""

    finding: Finding
    mend: Mend | None = None


class Doctor:
    """One examination.

    Parameters
    ----------
    settings
        Of the manager that asks.
    opened
        Opens the store.
    seen
        Tells whether a job is stalled.
    """

    def __init__(self, settings: Settings, opened: Opened, seen: Seen) -> None:
        self._settings = settings
        self._opened = opened
        self._seen = seen
        self._checked: list[str] = []
        self._found: list[Found] = []

    async def examine(self, *, repair: bool) -> Diagnosis:
        """Look at everything; put right what can be, if asked to."""
        self._look_at_sqlite()
        self._look_at_plugins()
        path = self._look_at_place()
        if path is not None and path.exists():
            await self._look_at_store(path)
        elif path is not None:
            self._checked.append("no store yet: it is made when the first job is")
        repaired = await self._mend() if repair else []
        return Diagnosis(
            store=self._settings.database_url,
            checked=tuple(self._checked),
            findings=tuple(found.finding for found in self._found),
            repaired=tuple(repaired),
        )

    async def _mend(self) -> list[str]:
        """Put right what can be; what was is no finding any more."""
        repaired, left = [], []
        for found in self._found:
            if found.mend is None:
                left.append(found)
                continue
            try:
                await found.mend()
            except (BilancioError, OSError) as error:
                repair = f"{found.finding.repair} (It was tried: {error})"
                left.append(Found(found.finding.model_copy(update={"repair": repair})))
            else:
                repaired.append(found.finding.what)
        self._found = left
        return repaired

    def _add(
        self,
        severity: Severity,
        what: str,
        repair: str,
        job_id: str | None = None,
        mend: Mend | None = None,
    ) -> None:
        finding = Finding(severity=severity, what=what, repair=repair, job_id=job_id)
        self._found.append(Found(finding, mend))

    # -- machine and settings ---------------------------------------------------------------

    def _look_at_sqlite(self) -> None:
        version, text = sqlite3.sqlite_version_info, sqlite3.sqlite_version
        self._checked.append(f"SQLite {text}")
        if version < OLDEST_SQLITE:
            self._add(
                ERROR, f"SQLite {text} is too old.", "Use a Python with SQLite 3.37 or newer."
            )
        elif version < SOUND_SQLITE:
            self._add(
                NOTE,
                f"SQLite {text} can lose a transaction when a checkpoint meets a writer (mended in "
                "3.51.3). bilancio keeps the two apart by a lock, so nothing is lost as long as "
                "no other program writes to the store.",
                "Nothing has to be done.",
            )

    def _look_at_plugins(self) -> None:
        try:
            kinds = registry.sweep_types()
        except InvalidInput as error:
            self._add(ERROR, str(error), "Correct or unset BILANCIO_PLUGINS.")
        else:
            self._checked.append(f"settings; sweep types {', '.join(kinds)}")

    def _look_at_place(self) -> Path | None:
        """Look at where the store and the files are to be; return the store's file."""
        try:
            path = sqlite_path(self._settings.database_url)
        except (InvalidInput, StoreError) as error:
            self._add(ERROR, str(error), "Correct or unset BILANCIO_DATABASE_URL.")
            return None
        mount = network_mount(path, mounted())
        if mount is not None:
            self._add(
                ERROR,
                f"The store {path} lies on a network file system ({mount.kind} at {mount.point}).",
                "While nothing runs, copy it to a disk of this machine, and set "
                "BILANCIO_DATABASE_URL to the copy.",
            )
            return None
        out_dir = self._settings.out_dir.expanduser().absolute()
        for name, folder in (("store", path.parent), ("output folder", out_dir)):
            self._look_at_folder(name, folder)
        return path

    def _look_at_folder(self, name: str, folder: Path) -> None:
        there = next(each for each in (folder, *folder.parents) if each.exists())
        if not os.access(there, os.W_OK | os.X_OK):
            self._add(
                ERROR,
                f"The {name} cannot be written: no permission for {there}.",
                "Give yourself permission, or name another folder.",
            )
        free = free_bytes(there)
        self._checked.append(f"free space for the {name}: {free / (1 << 30):.1f} GiB")
        if free < LITTLE_SPACE:
            self._add(
                ERROR if free < NO_SPACE else WARNING,
                f"Only {free / (1 << 20):.0f} MiB are free for the {name} ({folder}).",
                "Make room; jobs that failed for want of it can be resumed then.",
            )

    # -- store ------------------------------------------------------------------------------

    async def _look_at_store(self, path: Path) -> None:
        try:
            store = await self._opened()
        except StoreError as error:
            self._add(ERROR, str(error), _repair_of(error, path))
            return
        for look in (
            self._look_at_integrity,
            self._look_at_chunks,
            self._look_at_counters,
            self._look_at_leases,
            self._look_at_signs,
            self._look_at_manifests,
        ):
            try:
                await look(store)
            except StoreError as error:
                self._add(ERROR, str(error), _repair_of(error, path))

    async def _look_at_integrity(self, store: JobStore) -> None:
        complaints = await store.database.check()
        self._checked.append("the store's file, page by page")
        for complaint in _cut(complaints):
            self._add(ERROR, f"The store's file is damaged: {complaint}.", f"{RESTORE}.")

    async def _look_at_chunks(self, store: JobStore) -> None:
        seen = await integrity.chunks(store)
        self._checked.append(
            f"{_count(seen.chunks, 'chunk')} of {_count(seen.runs, 'run')}, with their checksums"
        )
        for job_id, faults in seen.faults.items():
            count = f"{len(faults)} chunk{'' if len(faults) == 1 else 's'}"
            self._add(
                ERROR,
                f"{count} of job {job_id} cannot be read: {'; '.join(_cut(faults, 3))}.",
                await _repair_of_chunks(store, job_id),
                job_id,
            )

    async def _look_at_counters(self, store: JobStore) -> None:
        total = len(await store.job_ids())
        self._checked.append(f"{_count(total, 'job')} against their chunks, failed runs and events")
        for row in await store.database.read("contradictions"):
            said, recountable = _contradictions(row)
            job_id = row["job_id"]
            if not said:
                job = await store.job(job_id)
                if job is None or job.config.searches or isinstance(job.config, UncheckedSweep):
                    continue  # a search needs fewer runs than it reserves
                said = [f"it is completed with {row['completed_runs']:,} of {row['total_runs']:,}"]
            what = f"Job {job_id} contradicts itself: {'; '.join(said)}."
            if recountable and row["status"] != JobStatus.COMPLETED:
                repair = "The doctor counts again when it is asked to repair."
                self._add(WARNING, what, repair, job_id, _recount(store, job_id))
            else:
                self._add(ERROR, what, f"{RESTORE}, or run the job's sweep again.", job_id)

    async def _look_at_leases(self, store: JobStore) -> None:
        running = 0
        async for job in _running(store):
            running += 1
            if (await self._seen(store, job)).stalled:
                done = f"{job.completed_runs:,} of {job.total_runs:,} runs"
                self._add(
                    WARNING,
                    f"Job {job.job_id} is stalled at {done}: nobody carries it on.",
                    f"bilancio jobs resume {job.job_id}, or bilancio worker --recover for all.",
                    job.job_id,
                )
        self._checked.append(f"{_count(running, 'running job')} and their workers")

    async def _look_at_signs(self, store: JobStore) -> None:
        folder = store.worker_lock("x", 0).parent
        for sign in sorted(folder.glob("*.lock")):
            job_id = sign.name.split(".")[0]
            match await asyncio.to_thread(worker_state, sign):
                case WorkerState.DEAD:

                    async def clear(sign: Path = sign) -> None:
                        remove_stale([sign])

                    self._add(
                        NOTE,
                        f"A worker of job {job_id} that died has left its lock ({sign.name}).",
                        "Nothing has to be done; the doctor removes it when asked to repair.",
                        job_id,
                        clear,
                    )
                case WorkerState.UNRESPONSIVE:
                    self._add(
                        WARNING,
                        f"A worker of job {job_id} is there, but stopped or hanging.",
                        "Let it go on, or end its process; its job can be resumed meanwhile.",
                        job_id,
                    )
                case WorkerState.ALIVE | WorkerState.STARTING:
                    pass

    async def _look_at_manifests(self, store: JobStore) -> None:
        rows = await store.database.read("ended_jobs")
        behind = await asyncio.to_thread(lambda: [row for row in rows if _is_behind(row)])
        self._checked.append(_count(len(rows), "manifest"))
        gone = [row for row in behind if not Path(row["out_dir"]).is_dir()]
        for row in behind:
            if row not in gone:
                self._add(
                    WARNING,
                    f"The manifest of job {row['job_id']} is missing or tells of an earlier state.",
                    f"bilancio jobs export {row['job_id']}; the doctor does it when asked to "
                    "repair.",
                    row["job_id"],
                    _rewrite(store, row["job_id"]),
                )
        if gone:
            names = ", ".join(_cut([row["job_id"] for row in gone], 3))
            self._add(
                NOTE,
                f"The output folders of {_count(len(gone), 'job')} are gone ({names}). "
                "What they found is in the store.",
                "bilancio jobs export NAME FOLDER writes their files again.",
            )


def of_settings(error: InvalidInput) -> Diagnosis:
    """Return the diagnosis where the settings are so wrong that nothing else can be looked at."""
    findings = tuple(
        Finding(
            severity=ERROR,
            what=str(problem),
            repair="Correct or unset the environment variable BILANCIO_<NAME>.",
        )
        for problem in error.problems
    )
    return Diagnosis(store="", checked=("settings",), findings=findings)


def free_bytes(folder: Path) -> int:
    """Return how much can be written on the disk of *folder*."""
    return shutil.disk_usage(folder).free


def _repair_of(error: StoreError, path: Path) -> str:
    match error:
        case NotAStore():
            return "Set BILANCIO_DATABASE_URL to another file."
        case StoreTooNew():
            return "Upgrade bilancio, or set BILANCIO_DATABASE_URL to another file."
        case StoreCorrupt():
            return (
                f"{RESTORE}, {path}. Without one, move {path.name} and {path.name}-wal away and "
                "read the jobs in from their files: bilancio jobs import out/experiments."
            )
        case _:
            return "See to what it says, then look again."


async def _repair_of_chunks(store: JobStore, job_id: str) -> str:
    job = await store.job(job_id)
    if job is not None and (job.folder / tables.RUNS).is_file():
        return (
            f"{RESTORE}. Or read the runs in from {tables.RUNS}: bilancio jobs delete {job_id} "
            f"--keep-files, then bilancio jobs import {job.folder / 'job_manifest.deleted.json'}."
        )
    return f"{RESTORE}, or delete the job and run its sweep again."


def _contradictions(row: Any) -> tuple[list[str], bool]:
    """Return what does not fit together in a job, and whether counting again mends it."""
    said = []
    whole_import = row["imported"] and not row["stored_runs"]
    if row["completed_runs"] != row["stored_runs"] and not whole_import:
        said.append(f"it counts {row['completed_runs']:,} runs and holds {row['stored_runs']:,}")
    if row["failed_runs"] != row["stored_failures"]:
        said.append(
            f"it counts {row['failed_runs']:,} failed runs and holds {row['stored_failures']:,}"
        )
    recountable = bool(said)
    if row["told_runs"] != row["stored_runs"] and not row["imported"]:
        said.append(f"its events tell of {row['told_runs']:,} runs, not {row['stored_runs']:,}")
        recountable = False
    if not row["n_events"] == row["stored_events"] == row["last_event"]:
        said.append(f"it has {row['stored_events']:,} of {row['n_events']:,} events")
        recountable = False
    expected = {"pending": {"created"}, "running": {"started", "resumed", "recovered"}}
    if row["last_change"] not in expected.get(row["status"], {row["status"]}):
        said.append(f"it is {row['status']}, and its last event is {row['last_change']}")
        recountable = False
    return said, recountable


def _recount(store: JobStore, job_id: str) -> Mend:
    async def recount() -> None:
        async with store.database.write() as transaction:
            await transaction.execute("recount", job_id=job_id)

    return recount


def _rewrite(store: JobStore, job_id: str) -> Mend:
    async def rewrite() -> None:
        job = await store.job(job_id)
        if job is None:
            raise JobNotFound(job_id)
        await tables.write_files(store, job)

    return rewrite


async def _running(store: JobStore) -> AsyncIterator[Job]:
    offset, page = 0, 500
    while True:
        jobs, total = await store.jobs(status=JobStatus.RUNNING, limit=page, offset=offset)
        for job in jobs:
            yield job
        offset += page
        if offset >= total:
            return


def _is_behind(row: Any) -> bool:
    """Tell whether the manifest of a job that has ended is missing, or is of before its end."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        text = (Path(row["out_dir"]) / row["job_id"] / MANIFEST).read_text(encoding="utf-8")
        told = json.loads(text)
        return (told["status"], told["run_counts"]["completed"]) != (
            row["status"],
            row["completed_runs"],
        )
    return True


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _cut(texts: Iterable[str], limit: int = LISTED) -> list[str]:
    """Return the first of *texts*, and how many more there are."""
    every = list(texts)
    more = [f"and {len(every) - limit} more"] if len(every) > limit else []
    return every[:limit] + more
