"""The one door to stored jobs: each method is one transaction or a few reads."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from bilancio.errors import JobExists, JobNotFound
from bilancio.experiments.sweep_config import SweepConfig
from bilancio.jobs.clock import Clock, utc_now
from bilancio.jobs.job_id import JobId
from bilancio.jobs.models import EventType, Job, JobStatus
from bilancio.jobs.origin import Origin, RunsReader
from bilancio.jobs.store.base import ENDED, as_json, sweep_columns, words_column
from bilancio.jobs.store.database import Transaction
from bilancio.jobs.store.editing import Edit
from bilancio.jobs.store.leases import Leases
from bilancio.jobs.store.manual import ManualJobs
from bilancio.jobs.store.reading import Questions
from bilancio.jobs.store.recording import Recording, insert_failed_runs
from bilancio.jobs.store.rows import ReadJob
from bilancio.jobs.store.sqlite.address import sqlite_path
from bilancio.jobs.store.sqlite.database import SqliteDatabase
from bilancio.settings import SQLITE_PREFIX

#: Returns what reads runs from the store with this address.
ReaderOf = Callable[[str], RunsReader]


async def open_store(
    database_url: str, clock: Clock = utc_now, reader_of: ReaderOf | None = None
) -> "JobStore":
    """Open the store at *database_url*; one that does not exist is made by the first write.

    Parameters
    ----------
    reader_of
        What jobs of the store read their runs by; without it they cannot by themselves.

    Raises
    ------
    InvalidInput
        The address is of no kind that is known.
    StoreError
        The file is not usable, and was not changed.
    """
    path = sqlite_path(database_url)
    origin = Origin(reader_of and reader_of(f"{SQLITE_PREFIX}{path}"))
    return JobStore(await SqliteDatabase.open(path), clock, origin)


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
        request_key: str | None = None,
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
        }
        async with self.database.write() as transaction:
            if request_key is not None:
                earlier = await transaction.query("job_by_request", request_key=request_key)
                if earlier:
                    return await self._job(earlier[0])
            taken = await transaction.query("job", job_id=job_id)
            if taken:
                raise JobExists(job_id, taken[0]["description"])
            added = await transaction.query("insert_job", **row)
            created = {"config": config.as_dict()}
            await self._append(transaction, job_id, EventType.CREATED, created)
            return await self._job(added[0])

    async def cancel(self, job_id: JobId, reason: str) -> bool:
        """Cancel a job that has not ended or has failed; return whether it was one."""
        async with self.database.write() as transaction:
            changed = await transaction.execute("cancel", job_id=job_id, now=self._now())
            if changed:
                details = {"reason": reason} if reason else {}
                await self._append(transaction, job_id, EventType.CANCELLED, details)
            return bool(changed)

    async def edit(self, job_id: JobId, edit: Edit) -> bool:
        """Give a job other words, and note those that changed; False where nothing does.

        Nothing that a worker writes is touched, so that it does not matter whether one runs.

        Raises
        ------
        JobNotFound
        InvalidInput
            It would have too many tags.
        """
        async with self.database.write() as transaction:
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
        """Delete all that is stored of *job*; False, and nothing done, where it has moved on."""
        async with self.database.write() as transaction:
            return await self._delete(transaction, job)

    async def recount(self, job_id: str) -> None:
        """Set the counters of a job that is not completed to what its chunks and failures say."""
        async with self.database.write() as transaction:
            await transaction.execute("recount", job_id=job_id)

    async def import_job(self, read: ReadJob) -> bool:
        """Store a job read from its manifest; False, and nothing done, where the name is taken."""
        async with self.database.write() as transaction:
            if await transaction.query("job", job_id=read.row["job_id"]):
                return False
            await self._import(transaction, read)
            return True

    async def replace_job(self, job: Job, read: ReadJob) -> bool:
        """Store *job* anew as its manifest tells it; False, and nothing done, if it has moved on.

        Its events become those that the manifest tells of. A worker that still holds an old lease
        on it finds its writes refused.
        """
        async with self.database.write() as transaction:
            if not await self._delete(transaction, job):
                return False
            await self._import(transaction, read)
            return True

    async def _delete(self, transaction: Transaction, job: Job) -> bool:
        return bool(
            await transaction.execute(
                "delete_job", job_id=job.job_id, status=job.status, attempts=job.attempts
            )
        )

    async def _import(self, transaction: Transaction, read: ReadJob) -> None:
        row = read.row
        job_id = row["job_id"]
        await transaction.execute("import_job", **row)
        for chunk in read.chunks:
            await self._insert(transaction, job_id, chunk, fence=0)
        now = row["completed_at"] or row["created_at"]
        await insert_failed_runs(transaction, job_id, read.failures, now)
        await self._append_imported(transaction, read)

    async def _append_imported(self, transaction: Transaction, read: ReadJob) -> None:
        """Append the events that an imported job must have had."""
        row = read.row
        job_id, status = row["job_id"], JobStatus(row["status"])
        config = json.loads(row["config"])
        created = {"config": config, "imported": True, "source": read.source}
        created |= {"left_out": dict(read.left_out)} if read.left_out else {}
        await self._append(transaction, job_id, EventType.CREATED, created, row["created_at"])
        if row["started_at"]:
            started = {"imported": True}
            await self._append(transaction, job_id, EventType.STARTED, started, row["started_at"])
        if status in ENDED:
            details = {"error": row["error"]} if row["error"] else {}
            if row["summary"]:
                details["summary"] = json.loads(row["summary"])
            await self._append(transaction, job_id, ENDED[status], details, row["completed_at"])
