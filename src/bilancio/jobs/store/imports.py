"""Jobs that are read from their folder: stored whole, or their header first and their runs later.

A job whose row names a manifest as `unread` has no chunks and no failed runs yet, and its counts
are those of its manifest. Whatever asks for its runs, or changes the job, has them read first.
"""

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from bilancio.errors import InvalidInput, ResultsMissing
from bilancio.failpoints import failpoint
from bilancio.jobs.clock import Clock
from bilancio.jobs.models import EventType, Job, JobStatus
from bilancio.jobs.origin import Origin
from bilancio.jobs.store.base import ENDED, StoreBase
from bilancio.jobs.store.database import Database, Row, Statement, Transaction
from bilancio.jobs.store.recording import inserted_failures
from bilancio.jobs.store.rows import ReadJob
from bilancio.printable import shortened

#: Reads the job of a manifest with its runs; raises `InvalidInput` where it cannot be read.
ReadWhole = Callable[[Path], ReadJob]

MAX_REASON = 500  # characters of why a manifest is not read any more


class Imports(StoreBase):
    """Write jobs that come from elsewhere.

    Parameters
    ----------
    read_whole
        What runs that are unread are read by; without it whoever asks for them is refused.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        origin: Origin | None = None,
        read_whole: ReadWhole | None = None,
    ) -> None:
        super().__init__(database, clock, origin)
        self._read_whole = read_whole
        self._reading = asyncio.Lock()

    async def import_jobs(self, jobs: Sequence[ReadJob]) -> int:
        """Store jobs read from their manifests; return how many had names that were not taken.

        Where other machines use the store, which do not have the folders, it is with their runs.
        """
        if self.database.shared:
            jobs = [await self._whole(read) for read in jobs]

        async def write() -> int:
            # Two that import the same jobs in one order do not wait for each other.
            added = 0
            async with self.database.write("") as transaction:
                for read in sorted(jobs, key=lambda read: str(read.row["job_id"])):
                    added += await self._import(transaction, read)
            return added

        return await self.database.repeated(write)

    async def replace_job(self, job: Job, read: ReadJob) -> bool:
        """Store *job* anew as its manifest tells it; False, and nothing done, if it has moved on.

        Its events become those that the manifest tells of. A worker that still holds an old lease
        on it finds its writes refused.
        """
        async with self.database.write(job.job_id) as transaction:
            return await self._delete(transaction, job) and await self._import(transaction, read)

    async def read_runs(self, job_id: str) -> bool:
        """Read the runs of a job whose header alone is stored; return whether it was one.

        The job is stored anew, in one transaction, as its manifest tells it now: of several that
        ask at the same time, one does it. Where the manifest is gone, or tells of another job, the
        header stays, without runs for good.

        Raises
        ------
        ResultsMissing
            This store reads no files.
        """
        if not await self.database.read("unread_job", job_id=job_id):
            return False
        async with self._reading:
            for row in await self.database.read("unread_job", job_id=job_id):
                read = await self._read(row)
                async with self.database.write(job_id) as transaction:
                    seen = {"job_id": job_id, "unread": row["unread"]}
                    if await transaction.execute("delete_unread_job", **seen):
                        await self._import(transaction, read)
                        failpoint("in-import")
        return True

    async def _whole(self, read: ReadJob) -> ReadJob:
        """Return a job with its runs, as its manifest tells it now."""
        unread = read.row["unread"]
        if unread is None or self._read_whole is None:
            return read
        return await asyncio.to_thread(self._read_whole, Path(unread))

    async def _read(self, row: Row) -> ReadJob:
        """Return the job of *row* with its runs; without any where they are not to be had."""
        if self._read_whole is None:
            why = "they lie in its folder, and have not been read. Ask a job manager for them."
            raise ResultsMissing(row["job_id"], why)
        path = Path(row["unread"])
        try:
            read = await asyncio.to_thread(self._read_whole, path)
        except InvalidInput as error:
            return _without_runs(row, shortened(str(error), MAX_REASON))
        if any(read.row[name] != row[name] for name in ("job_id", "created_at")):
            return _without_runs(row, f"{path}: it tells of another job now.")
        return read

    async def _delete(self, transaction: Transaction, job: Job) -> bool:
        return bool(
            await transaction.execute(
                "delete_job", job_id=job.job_id, status=job.status, attempts=job.attempts
            )
        )

    async def _import(self, transaction: Transaction, read: ReadJob) -> bool:
        """Insert a job; False, and nothing done, where its name is taken."""
        row = read.row
        job_id = row["job_id"]
        if not await transaction.execute("import_job", **row):
            return False
        now = row["completed_at"] or row["created_at"]
        await transaction.execute_all(
            [
                *(self._inserted(job_id, chunk, fence=0) for chunk in read.chunks),
                *inserted_failures(job_id, read.failures, now),
                *self._imported_events(read),
            ]
        )
        return True

    def _imported_events(self, read: ReadJob) -> Iterator[Statement]:
        """Yield what appends the events that an imported job must have had."""
        row = read.row
        job_id, status = row["job_id"], JobStatus(row["status"])
        config = json.loads(row["config"])
        created = {"config": config, "imported": True, "source": read.source}
        created |= {"left_out": dict(read.left_out)} if read.left_out else {}
        yield self._appended(job_id, EventType.CREATED, created, row["created_at"])
        if row["started_at"]:
            started = {"imported": True}
            yield self._appended(job_id, EventType.STARTED, started, row["started_at"])
        if status in ENDED:
            details = {"error": row["error"]} if row["error"] else {}
            if row["summary"]:
                details["summary"] = json.loads(row["summary"])
            yield self._appended(job_id, ENDED[status], details, row["completed_at"])


def _without_runs(row: Row, why: str) -> ReadJob:
    """Return the job of *row* as it is stored, but without its runs."""
    columns = {name: row[name] for name in row.keys()}  # noqa: SIM118 - a row is not a dict
    columns |= {"failed_runs": 0, "unread": None}
    if row["status"] != JobStatus.COMPLETED:
        columns["completed_runs"] = 0
    return ReadJob(columns, (), {}, left_out={Path(row["unread"]).name: why})
