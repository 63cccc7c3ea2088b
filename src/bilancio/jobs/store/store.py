"""The one door to stored jobs: each method is one transaction or a few reads."""

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path

from bilancio.errors import JobExists, JobNotFound, StoreError
from bilancio.experiments.sweep_config import SweepConfig
from bilancio.jobs.clock import Clock, utc_now
from bilancio.jobs.job_id import JobId
from bilancio.jobs.models import EventType, Job, JobStatus
from bilancio.jobs.origin import Origin, RunsReader
from bilancio.jobs.store.base import as_json, sweep_columns, words_column
from bilancio.jobs.store.database import Database
from bilancio.jobs.store.editing import Edit
from bilancio.jobs.store.imports import ReadWhole
from bilancio.jobs.store.leases import Leases
from bilancio.jobs.store.manual import ManualJobs
from bilancio.jobs.store.postgres.address import address_of, is_server
from bilancio.jobs.store.reading import Questions
from bilancio.jobs.store.recording import Recording
from bilancio.jobs.store.sqlite.address import sqlite_path
from bilancio.jobs.store.sqlite.database import SqliteDatabase
from bilancio.settings import SQLITE_PREFIX

#: Returns what reads runs from the store with this address.
ReaderOf = Callable[[str], RunsReader]

PATIENCE_S = 5.0


async def open_store(
    database_url: str,
    clock: Clock = utc_now,
    reader_of: ReaderOf | None = None,
    read_whole: ReadWhole | None = None,
    *,
    patience_s: float = PATIENCE_S,
) -> "JobStore":
    """Open the store at *database_url*; one that does not exist is made by the first write.

    Parameters
    ----------
    clock
        Source of the time; on a server the server's clock, unless another one is given.
    reader_of
        What jobs of the store read their runs by; without it they cannot by themselves.
    read_whole
        What the store reads runs by that are in a job's folder only; without it whoever asks for
        such runs is refused.
    patience_s
        Seconds that a server which does not answer is waited for.

    Raises
    ------
    InvalidInput
        The address is of no kind that is known.
    StoreError
        The file or database is not usable, and was not changed.
    LibraryMissing
        It is on a server, and the driver is not installed.
    """
    database: Database
    if is_server(database_url):
        # The driver takes a tenth of a second to load.
        from bilancio.jobs.store.postgres.database import PostgresDatabase

        database = await PostgresDatabase.open(address_of(database_url), patience_s)
    else:
        path = sqlite_path(database_url)
        database_url = f"{SQLITE_PREFIX}{path}"
        database = await SqliteDatabase.open(path)
    origin = Origin(reader_of and reader_of(database_url))
    clock = database.now if clock is utc_now else clock
    return JobStore(database, clock, origin, read_whole)


class JobStore(Questions, Leases, Recording, ManualJobs):
    """Jobs, events, chunks of results and failed runs.

    Every write of a worker carries its lease; a lease that was given away raises `LeaseLost`
    and nothing is written. Every method raises `StoreError` where the store cannot be used.
    """

    async def close(self) -> None:
        """Close the database."""
        await self.database.close()

    async def add(
        self,
        job_id: JobId,
        config: SweepConfig,
        *,
        description: str,
        notes: str,
        tags: Sequence[str],
        engine: str,
        out_dir: Path,
        executor: str,
        owner: str | None = None,
        request_key: str | None = None,
        notify: Sequence[str] = (),
    ) -> Job:
        """Store a new job; the one made by an earlier request with the same key, if any.

        Raises
        ------
        JobExists
            The name is taken.
        """
        row = {
            "job_id": job_id,
            "now": self._now(),
            "description": description,
            "notes": notes,
            "tags": as_json("tags", list(tags)),
            "words": words_column(job_id, description, notes, tags),
            **sweep_columns(config),
            "engine": engine,
            "out_dir": str(out_dir),
            "request_key": request_key,
            "executor": executor,
            "owner": owner,
            "notify": as_json("notify", list(notify)),
        }

        async def write() -> Job:
            async with self.database.write(job_id) as transaction:
                added = await transaction.query("insert_job", **row)
                if added:
                    created = {"config": config.as_dict()}
                    await self._append(transaction, job_id, EventType.CREATED, created)
                    return await self._job(added[0])
                if request_key is not None:
                    earlier = await transaction.query("job_by_request", request_key=request_key)
                    if earlier:
                        return await self._job(earlier[0])
                taken = await transaction.query("job", job_id=job_id)
                raise JobExists(job_id, taken[0]["description"] if taken else "")

        async def landed() -> Job | None:
            same = (
                ("created_at", row["now"]),
                ("description", description),
                ("config", row["config"]),
            )
            for stored in await self.database.read("job", job_id=job_id):
                if all(stored[name] == value for name, value in same):
                    return await self._job(stored)
            return None

        return await self.database.repeated(write, landed)

    async def cancel(self, job_id: JobId, reason: str) -> bool:
        """Cancel a job that has not ended or has failed; return whether it was one."""
        await self.read_runs(job_id)
        now = self._now()

        async def write() -> bool:
            async with self.database.write(job_id) as transaction:
                rows = await transaction.query("job", job_id=job_id)
                changed = await transaction.execute("cancel", job_id=job_id, now=now)
                if changed:
                    details = {"reason": reason} if reason else {}
                    ran = rows[0]["status"] == JobStatus.RUNNING
                    await self._append_end(
                        transaction, job_id, JobStatus.CANCELLED, details, told=ran
                    )
                return bool(changed)

        async def landed() -> bool | None:
            rows = await self.database.read("job", job_id=job_id)
            state = JobStatus.CANCELLED, now
            return any((row["status"], row["completed_at"]) == state for row in rows) or None

        return await self.database.repeated(write, landed)

    async def edit(self, job_id: JobId, edit: Edit) -> bool:
        """Give a job other words, and note those that changed; False where nothing does.

        Nothing that a worker writes is touched, so that it does not matter whether one runs.

        Raises
        ------
        JobNotFound
        InvalidInput
            It would have too many tags.
        """
        await self.read_runs(job_id)
        async with self.database.write(job_id) as transaction:
            rows = await transaction.query("job", job_id=job_id)
            if not rows:
                raise JobNotFound(job_id)
            before, after = edit.of(await self._job(rows[0]))
            changed = {
                name: {"from": before[name], "to": value}
                for name, value in after.items()
                if value != before[name]
            }
            if changed:
                row = {
                    **after,
                    "tags": as_json("tags", after["tags"]),
                    "words": words_column(job_id, **after),
                }
                await transaction.execute("edit", job_id=job_id, **row)
                await self._append(transaction, job_id, EventType.EDITED, changed)
            return bool(changed)

    async def delete(self, job: Job) -> bool:
        """Delete all that is stored of *job*; False, and nothing done, where it has moved on.

        Its room is given back to the disk.
        """

        async def write() -> bool:
            async with self.database.write(job.job_id) as transaction:
                return await self._delete(transaction, job)

        async def landed() -> bool | None:
            return None if await self.database.read("job", job_id=job.job_id) else True

        deleted = await self.database.repeated(write, landed)
        with contextlib.suppress(StoreError):  # the job is deleted, whatever becomes of its room
            await self.database.give_back()
        return deleted

    async def write_anew(self) -> None:
        """Give all free room back to the disk; others wait, the longer the more is stored."""
        await self.database.write_anew()

    async def recount(self, job_id: str) -> None:
        """Set the counters of a job that is not completed to what its chunks and failures say."""
        async with self.database.write(job_id) as transaction:
            await transaction.execute("recount", job_id=job_id)
