"""Questions to the store: each is one read, or a few.

A job whose runs are unread has none stored, so that only an answer of none makes it worth while
to look whether they are to be read first.
"""

import contextlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from bilancio.encoding import finite, to_json
from bilancio.errors import JobDamaged
from bilancio.jobs.clock import to_text
from bilancio.jobs.models import Holder, Job, JobEvent, Lease
from bilancio.jobs.store.database import MAX_INT, Row, Server, Space, Value, storable
from bilancio.jobs.store.imports import Imports
from bilancio.jobs.store.matching import EVERY_JOB, Criteria
from bilancio.jobs.store.rows import (
    Chunk,
    EndedJob,
    JobList,
    Speed,
    event_from,
    holder_from,
    job_from,
)


class Questions(Imports):
    """What can be asked; nothing is written but runs that are read from their job's folder."""

    async def job(self, job_id: str) -> Job | None:
        """Return the job with exactly this name, or None.

        Raises
        ------
        JobDamaged
            Its row in the store cannot be read.
        """
        rows = await self.database.read("job", job_id=job_id)
        return await self._job(rows[0]) if rows else None

    async def pulse(self, job_id: str) -> tuple[Value, ...]:
        """Return what differs whenever anything has changed that is told of a job's progress.

        Its status comes first, then the fence of its lease; it is empty where there is no job.
        """
        rows = await self.database.read("pulse", job_id=job_id)
        return tuple(rows[0][name] for name in rows[0].keys()) if rows else ()  # noqa: SIM118 - a row is not a dict

    async def job_ids(self) -> list[str]:
        """Return the names of all jobs, damaged ones included, newest first."""
        return [row["job_id"] for row in await self.database.read("job_ids")]

    async def unknown(self, names: Iterable[str]) -> list[str]:
        """Return those of *names* that no job has."""
        asked = {storable(name): name for name in names}
        rows = await self.database.read("unknown", names=to_json(list(asked)))
        return [asked[row["name"]] for row in rows]

    async def jobs(
        self, criteria: Criteria = EVERY_JOB, *, limit: int = 20, offset: int = 0
    ) -> JobList:
        """Return a page of the jobs that meet *criteria*, newest first; damaged ones apart."""
        asked = criteria.parameters()
        rows = await self.database.read("jobs", **asked, limit=limit, offset=offset)
        total = len(rows)
        if offset or total == limit:
            total = await self.count_jobs(criteria)
        found = JobList([], total, {})
        for row in rows:
            try:
                found.jobs.append(await self._job(row))
            except JobDamaged as error:
                found.damaged[error.job_id] = error.what
        return found

    async def count_jobs(self, criteria: Criteria = EVERY_JOB) -> int:
        """Return how many jobs meet *criteria*, damaged ones included."""
        return int((await self.database.read("count_jobs", **criteria.parameters()))[0]["total"])

    async def holders(self) -> dict[str, Holder | None]:
        """Return who has the lease of each running job that a worker carries out, by name.

        Jobs whose row cannot be read are left out.
        """
        found = {}
        for row in await self.database.read("holders"):
            with contextlib.suppress(JobDamaged):
                found[row["job_id"]] = holder_from(row)
        return found

    async def sweep_types(self) -> list[str]:
        """Return the types of the sweeps that there are."""
        return [storable(row["sweep_type"]) for row in await self.database.read("sweep_types")]

    async def varied(self) -> list[str]:
        """Return the parameters that differ between the runs of some job."""
        rows = await self.database.read("varied")
        return sorted({name for row in rows for name in storable(row["varied"]).split()})

    async def events(
        self, job_id: str, *, after: int = 0, limit: int = -1, last: bool = False
    ) -> list[JobEvent]:
        """Return events in order: those past number *after*, or the *last* ones.

        Events that are damaged are left out.
        """
        if last:
            rows = await self.database.read("last_events", job_id=job_id, limit=_most(limit))
        else:
            asked = {"after": after, "limit": _most(limit)}
            rows = await self.database.read("events", job_id=job_id, **asked)
        found = []
        for row in rows:
            try:
                found.append(event_from(row))
            except JobDamaged:
                continue
        return found

    async def count_events(self, job_id: str) -> int:
        """Return how many events a job has, damaged ones included."""
        rows = await self.database.read("count_events", job_id=job_id)
        return int(rows[0]["total"]) if rows else 0

    async def last_start(self, job_id: str) -> JobEvent | None:
        """Return the event of the latest start, resume or recovery.

        Raises
        ------
        JobDamaged
            It cannot be read.
        """
        rows = await self.database.read("last_start", job_id=job_id)
        return event_from(rows[0]) if rows else None

    async def recorded(self, job_id: str) -> list[tuple[int, int]]:
        """Return the ranges of runs that have results: first and last index, in order."""
        rows = await self._of_runs("recorded", job_id)
        return [(row["first_index"], row["last_index"]) for row in rows]

    async def chunks(self, job_id: str, first: int = 0, last: int = 2**62) -> list[Chunk]:
        """Return the chunks that hold any of the runs *first* to *last*, in order."""
        rows = await self._of_runs("chunks", job_id, first=first, last=last)
        return [Chunk(**row) for row in rows]

    async def failed_runs(self, job_id: str, limit: int = -1) -> dict[int, str]:
        """Return the error of each failed run by its index."""
        rows = await self._of_runs("failed_runs", job_id, limit=_most(limit))
        return {row["run_index"]: storable(row["error"]) for row in rows}

    async def speeds(self, sweep_type: str, host: str, engine: str, limit: int = 10) -> list[Speed]:
        """Return what the latest jobs of this kind have measured on *host*, newest first.

        Those that measured a speed come before those that measured their start-up alone.
        """
        rows = await self.database.read(
            "speeds", sweep_type=sweep_type, host=host, engine=engine, limit=limit
        )
        return [Speed(row["speed"], finite(row["startup_s"])) for row in rows]

    async def holds(self, lease: Lease) -> bool:
        """Return whether the job is still *lease*'s."""
        return bool(await self.database.read("holds", **lease.model_dump()))

    async def ended_jobs(self) -> list[EndedJob]:
        """Return the jobs that have ended, by name."""
        rows = await self.database.read("ended_jobs")
        return [EndedJob(**{**row, "out_dir": Path(row["out_dir"])}) for row in rows]

    async def ended_since(self, moment: datetime, user: str) -> dict[str, tuple[str, str]]:
        """Return status and end of each job of *user* that has ended after *moment*, in order."""
        asked = {"since": to_text(moment), "user": f"{user}@"}
        rows = await self.database.read("ended_since", **asked)
        return {row["job_id"]: (row["status"], row["completed_at"]) for row in rows}

    async def integrity_errors(self) -> list[str]:
        """Return what the database's own check finds wrong; empty when all is well."""
        return await self.database.integrity_errors()

    async def space(self) -> Space:
        """Return how much room the store takes, and how much of it is free."""
        return await self.database.space()

    @property
    def host(self) -> str:
        """What this machine is called by the workers that have their locks on it."""
        return self.database.host

    def be_patient(self, seconds: float) -> None:
        """Wait so long for a server that does not answer."""
        self.database.patience_s = seconds

    @property
    def shared(self) -> bool:
        """Whether other machines use the store, whose folders are not this one's."""
        return self.database.shared

    async def server(self) -> Server | None:
        """Return what can be told of the server that the store is on; None of a file."""
        return await self.database.server()

    async def backup(self, target: Path) -> None:
        """Copy the whole store, as it is at one moment, to the file *target*."""
        await self.database.backup(target)

    def worker_lock(self, job_id: str, fence: int) -> Path:
        """Return the file whose lock the living holder of a lease holds, on this machine.

        Each lease has its own: a stopped worker keeps its lock, and another takes its job over.
        """
        return self.database.lock_folder / f"{job_id}.{fence}.lock"

    def worker_locks(self, job_id: str = "*") -> list[Path]:
        """Return the lock files of all workers of this job, or of all jobs, on this machine."""
        return sorted(self.database.lock_folder.glob(f"{job_id}.*.lock"))

    async def _of_runs(self, name: str, job_id: str, **params: Value) -> Sequence[Row]:
        """Return the rows of a statement that tells of runs of a job."""
        rows = await self.database.read(name, job_id=job_id, **params)
        if not rows and await self.read_runs(job_id):
            rows = await self.database.read(name, job_id=job_id, **params)
        return rows

    async def _job(self, row: Row) -> Job:
        ids: tuple[str, ...] = ()
        if row["manual"]:
            rows = await self.database.read("manual_run_ids", job_id=row["job_id"])
            ids = tuple(storable(each["run_id"]) for each in rows)
        return job_from(row, ids).read_from(self.origin)


def _most(limit: int) -> int:
    """Return how many rows a statement may answer: below 0 stands for all."""
    return limit if limit >= 0 else MAX_INT
