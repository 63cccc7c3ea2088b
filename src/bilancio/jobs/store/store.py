"""What can be done with stored jobs: each method is one transaction or one read."""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from bilancio.errors import (
    JobExists,
    LeaseLost,
    RunAlreadyRecorded,
    StoreUnavailable,
    invalid,
)
from bilancio.experiments import registry
from bilancio.experiments.sweep_config import SweepConfig, UncheckedSweep, digest_now
from bilancio.failpoints import failpoint
from bilancio.jobs.clock import Clock, from_text, to_text, utc_now
from bilancio.jobs.job_id import JobId
from bilancio.jobs.models import (
    EventType,
    Holder,
    InFlightBatch,
    Job,
    JobEvent,
    JobStatus,
    Lease,
    RunIds,
)
from bilancio.jobs.store.sqlite.database import SqliteDatabase, Transaction
from bilancio.settings import SQLITE_PREFIX

_ENDED = {
    JobStatus.COMPLETED: EventType.COMPLETED,
    JobStatus.FAILED: EventType.FAILED,
    JobStatus.CANCELLED: EventType.CANCELLED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Consecutive successful runs and their metrics, packed.

    Attributes
    ----------
    first_index, last_index
        The runs, both included.
    metrics
        A .npy of a structured array with one row a run.
    crc32
        Checksum of `metrics`.
    run_id
        In manual jobs, the id that the caller gave.
    """

    first_index: int
    last_index: int
    metrics: bytes
    crc32: int
    compute_s: float = 0.0
    run_id: str | None = None


class Speed(NamedTuple):
    """What the worker of a job measured.

    Attributes
    ----------
    speed
        Median seconds that one core took per unit of cost, over batches computed warm.
    startup_s
        Seconds from the event that announced the start to the first batch; None if unknown.
    """

    speed: float
    startup_s: float | None


async def open_store(database_url: str, clock: Clock = utc_now) -> "JobStore":
    """Open the store at *database_url*; make it if there is none.

    Raises
    ------
    InvalidInput
        The address is of no kind that is known.
    StoreError
        The file is not usable, and was not changed.
    """
    return JobStore(await SqliteDatabase.open(sqlite_path(database_url)), clock)


def sqlite_path(database_url: str) -> Path:
    """Return the file that a database address names."""
    allowed = "sqlite:///PATH or the path of a SQLite file"
    if database_url.startswith(("postgresql://", "postgres://")):
        raise StoreUnavailable(
            database_url.rsplit("@", maxsplit=1)[-1],
            f"it is PostgreSQL; allowed so far: {allowed}.",
        )
    path = database_url.removeprefix(SQLITE_PREFIX)
    if not path or path == ":memory:" or "://" in path or path.startswith("sqlite:"):
        raise invalid("BILANCIO_DATABASE_URL", database_url, allowed)
    return Path(path).expanduser().absolute()


class JobStore:
    """Jobs, events, chunks of results and failed runs.

    Every write of a worker carries its lease; a lease that was given away raises `LeaseLost`
    and nothing is written.
    """

    def __init__(self, database: SqliteDatabase, clock: Clock) -> None:
        self.database = database
        self.clock = clock

    async def close(self) -> None:
        """Close the database."""
        await self.database.close()

    # -- reading ----------------------------------------------------------------------------

    async def job(self, job_id: str) -> Job | None:
        """Return the job with exactly this name, or None."""
        rows = await self.database.read("job", job_id=job_id)
        return await self._job(rows[0]) if rows else None

    async def job_ids(self) -> list[str]:
        """Return the names of all jobs."""
        return [row["job_id"] for row in await self.database.read("job_ids")]

    async def unknown(self, names: Iterable[str]) -> list[str]:
        """Return those of *names* that no job has."""
        rows = await self.database.read("unknown", names=json.dumps(list(names)))
        return [row["name"] for row in rows]

    async def jobs(
        self,
        *,
        status: JobStatus | None = None,
        tag: str | None = None,
        text: str | None = None,
        limit: int = 20,
        offset: int = 0,
    ) -> tuple[list[Job], int]:
        """Return a page of jobs, newest first, and how many there are."""
        asked = {"status": status, "tag": tag, "text": text.lower() if text else None}
        rows = await self.database.read("jobs", **asked, limit=limit, offset=offset)
        total = (await self.database.read("count_jobs", **asked))[0]["total"]
        return [await self._job(row) for row in rows], total

    async def events(
        self, job_id: str, *, after: int = 0, limit: int = -1, last: bool = False
    ) -> list[JobEvent]:
        """Return events in order: those past number *after*, or the *last* ones."""
        if last:
            rows = await self.database.read("last_events", job_id=job_id, limit=limit)
        else:
            rows = await self.database.read("events", job_id=job_id, after=after, limit=limit)
        return [_event(row) for row in rows]

    async def last_start(self, job_id: str) -> JobEvent | None:
        """Return the event of the latest start, resume or recovery."""
        rows = await self.database.read("last_start", job_id=job_id)
        return _event(rows[0]) if rows else None

    async def recorded(self, job_id: str) -> list[tuple[int, int]]:
        """Return the ranges of runs that have results: first and last index, in order."""
        rows = await self.database.read("recorded", job_id=job_id)
        return [(row["first_index"], row["last_index"]) for row in rows]

    async def chunks(self, job_id: str, first: int = 0, last: int = 2**62) -> list[Chunk]:
        """Return the chunks that hold any of the runs *first* to *last*, in order."""
        rows = await self.database.read("chunks", job_id=job_id, first=first, last=last)
        return [Chunk(**dict(row)) for row in rows]

    async def failed_runs(self, job_id: str, limit: int = -1) -> dict[int, str]:
        """Return the error of each failed run by its index."""
        rows = await self.database.read("failed_runs", job_id=job_id, limit=limit)
        return {row["run_index"]: row["error"] for row in rows}

    async def speed(self, sweep_type: str, host: str, engine: str) -> float | None:
        """Return the seconds of computing that a unit of work took lately, or None."""
        rows = await self.database.read("speed", sweep_type=sweep_type, host=host, engine=engine)
        return rows[0]["compute_s"] / rows[0]["work"] if rows[0]["work"] else None

    async def speeds(self, sweep_type: str, host: str, engine: str, limit: int = 10) -> list[Speed]:
        """Return what the latest jobs of this kind have measured on *host*, newest first."""
        rows = await self.database.read(
            "speeds", sweep_type=sweep_type, host=host, engine=engine, limit=limit
        )
        return [Speed(row["speed"], row["startup_s"]) for row in rows]

    # -- a job's life -----------------------------------------------------------------------

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
        written = config.as_dict()
        row = {
            "job_id": job_id,
            "now": self._now(),
            "description": description,
            "notes": notes,
            "tags": json.dumps(list(tags)),
            "sweep_type": config.sweep_type,
            "config": json.dumps(written),
            "config_hash": config.digest(),
            "engine": engine,
            "out_dir": str(out_dir),
            "request_key": request_key,
            "total_runs": config.total_runs,
            "work": config.cost,
            "executor": executor,
        }
        async with self.database.write() as transaction:
            if request_key is not None:
                earlier = await transaction.query("job_by_request", request_key=request_key)
                if earlier:
                    return await self._job(earlier[0])
            try:
                added = await transaction.query("insert_job", **row)
            except sqlite3.IntegrityError:
                taken = await transaction.query("job", job_id=job_id)
                if not taken:
                    raise
                raise JobExists(job_id, taken[0]["description"]) from None
            await self._append(transaction, job_id, EventType.CREATED, {"config": written})
        return await self._job(added[0])

    async def claim(
        self,
        job_id: JobId,
        worker_id: str,
        *,
        lease_s: float,
        executor: str,
        dead_fence: int | None = None,
        pid: int | None = None,
        request_key: str | None = None,
    ) -> tuple[Lease, EventType] | None:
        """Lease the job to *worker_id* for *lease_s* seconds, or return None.

        A job can be leased when it has not begun, has failed or was cancelled, when the lease
        on it has run out, or when the holder of *dead_fence* is known to be dead. Two workers
        never hold the same job: whoever held it before finds its writes refused. *pid* is the
        process that is about to start the worker: should it die before, that is seen.
        """
        async with self.database.write() as transaction:
            before = await transaction.query("job", job_id=job_id)
            claimed = await transaction.query(
                "claim",
                job_id=job_id,
                worker_id=worker_id,
                now=self._now(),
                expires=self._now(lease_s),
                dead_fence=dead_fence,
                pid=pid,
            )
            if not claimed:
                return None
            event = {
                JobStatus.PENDING: EventType.STARTED,
                JobStatus.RUNNING: EventType.RECOVERED,
            }.get(JobStatus(before[0]["status"]), EventType.RESUMED)
            details = {
                "worker": worker_id,
                "executor": executor,
                "attempt": claimed[0]["attempts"],
                "completed_runs": claimed[0]["completed_runs"],
            }
            if request_key is not None:
                details["request"] = request_key
            await self._append(transaction, job_id, event, details)
            fence = claimed[0]["fence"]
            return Lease(job_id=job_id, worker_id=worker_id, fence=fence), event

    async def note_process(self, lease: Lease, pid: int) -> None:
        """Note the process that was started to take up *lease*, unless it has done so."""
        async with self.database.write() as transaction:
            await transaction.execute("note_process", **lease.model_dump(), pid=pid)

    async def confirm(
        self, lease: Lease, *, pid: int, host: str, provenance: Mapping[str, Any], lease_s: float
    ) -> None:
        """Note which process took the lease up, and with what versions."""
        await self._as_holder(
            "confirm",
            lease,
            pid=pid,
            host=host,
            provenance=json.dumps(provenance),
            expires=self._now(lease_s),
        )

    async def note_speed(
        self, lease: Lease, *, speed: float | None = None, startup_s: float | None = None
    ) -> None:
        """Note what the worker measured; see `Speed`. What is None keeps its value."""
        await self._as_holder("note_speed", lease, speed=speed, startup_s=startup_s)

    async def holds(self, lease: Lease) -> bool:
        """Tell whether the job is still *lease*'s."""
        rows = await self.database.read("holds", **lease.model_dump())
        return bool(rows)

    def worker_lock(self, job_id: str, fence: int) -> Path:
        """Return the file whose lock the living holder of a lease holds, on this machine.

        Each lease has its own: a stopped worker keeps its lock, and another takes its job over.
        """
        return self.database.path.with_name("workers") / f"{job_id}.{fence}.lock"

    def worker_locks(self, job_id: str) -> list[Path]:
        """Return the files of all workers of this job, living or killed, on this machine."""
        return sorted(self.worker_lock(job_id, 0).parent.glob(f"{job_id}.*.lock"))

    async def renew(self, lease: Lease, lease_s: float) -> None:
        """Extend the lease to *lease_s* seconds from now."""
        await self._as_holder("renew", lease, expires=self._now(lease_s))

    async def note_in_flight(self, lease: Lease, in_flight: Sequence[InFlightBatch]) -> None:
        """Note which batches compute, so that one that kills its workers is found out."""
        await self._as_holder("note_in_flight", lease, in_flight=json.dumps(in_flight))

    async def record(
        self,
        lease: Lease,
        chunks: Sequence[Chunk],
        failures: Mapping[int, str],
        details: Mapping[str, Any],
        *,
        compute_s: float,
        lease_s: float,
        in_flight: Sequence[InFlightBatch] = (),
    ) -> None:
        """Store one batch: its chunks, failed runs, counters and progress event together.

        *in_flight* are the batches that still compute once this one is recorded. The event says
        how many of the runs had failed before, so that the events add up to the counters.
        """
        completed = sum(chunk.last_index - chunk.first_index + 1 for chunk in chunks)
        async with self.database.write() as transaction:
            retried = 0
            for chunk in chunks:
                retried += await transaction.execute(
                    "delete_failed_runs",
                    job_id=lease.job_id,
                    first_index=chunk.first_index,
                    last_index=chunk.last_index,
                )
            for index in failures:
                retried += await transaction.execute(
                    "delete_failed_runs", job_id=lease.job_id, first_index=index, last_index=index
                )
            held = await transaction.execute(
                "count_recorded",
                **lease.model_dump(),
                completed=completed,
                failed=len(failures) - retried,
                compute_s=compute_s,
                expires=self._now(lease_s),
                in_flight=json.dumps(in_flight),
            )
            if not held:
                raise LeaseLost(lease.job_id, lease.worker_id)
            for chunk in chunks:
                await self._insert(transaction, lease.job_id, chunk, lease.fence)
            for index, error in failures.items():
                await transaction.execute(
                    "insert_failed_run",
                    job_id=lease.job_id,
                    run_index=index,
                    error=error,
                    now=self._now(),
                )
            failpoint("in-record")
            told = {**details, "retried": retried} if retried else details
            await self._append(transaction, lease.job_id, EventType.PROGRESS, told)

    async def end(
        self,
        lease: Lease,
        status: JobStatus,
        *,
        summary: Mapping[str, Any] | None = None,
        error: str | None = None,
        moment: datetime | None = None,
    ) -> None:
        """End the job that *lease* is on: completed with a summary, or failed with an error."""
        async with self.database.write() as transaction:
            held = await transaction.execute(
                "end_by_worker",
                **lease.model_dump(),
                status=status,
                now=to_text(moment) if moment else self._now(),
                error=error,
                summary=None if summary is None else json.dumps(summary),
            )
            if not held:
                raise LeaseLost(lease.job_id, lease.worker_id)
            details: dict[str, Any] = {"error": error} if error else {}
            details |= {"summary": summary} if summary is not None else {}
            await self._append(transaction, lease.job_id, _ENDED[status], details)

    async def cancel(self, job_id: JobId, reason: str) -> bool:
        """Cancel a job that has not ended or has failed; tell whether it was one."""
        async with self.database.write() as transaction:
            changed = await transaction.execute("cancel", job_id=job_id, now=self._now())
            if changed:
                details = {"reason": reason} if reason else {}
                await self._append(transaction, job_id, EventType.CANCELLED, details)
            return bool(changed)

    # -- manual jobs ------------------------------------------------------------------------

    async def start_by_hand(self, job_id: JobId) -> bool:
        """Mark the start of a job that the caller carries out; tell whether it could be."""
        async with self.database.write() as transaction:
            rows = await transaction.query("job", job_id=job_id)
            if not await transaction.execute("start_by_hand", job_id=job_id, now=self._now()):
                return False
            began = JobStatus(rows[0]["status"]) is JobStatus.PENDING
            event = EventType.STARTED if began else EventType.RESUMED
            await self._append(transaction, job_id, event, {"worker": "by hand"})
            return True

    async def record_by_hand(
        self, job_id: JobId, run_id: str, packed: bytes, crc32: int, metrics: Mapping[str, float]
    ) -> bool:
        """Store one run of a manual job; return False unless the job runs by hand.

        The same run with the same metrics again changes nothing.

        Raises
        ------
        RunAlreadyRecorded
            The run was recorded with other metrics.
        """
        async with self.database.write() as transaction:
            earlier = await transaction.query("run_by_id", job_id=job_id, run_id=run_id)
            if earlier:
                if earlier[0]["metrics"] == packed:
                    return True
                raise RunAlreadyRecorded(job_id, run_id)
            if not await transaction.execute("count_by_hand", job_id=job_id):
                return False
            index = (await transaction.query("next_index", job_id=job_id))[0]["next"]
            chunk = Chunk(
                first_index=index, last_index=index, metrics=packed, crc32=crc32, run_id=run_id
            )
            await self._insert(transaction, job_id, chunk, fence=0)
            details = {"run_id": run_id, "metrics": dict(metrics)}
            await self._append(transaction, job_id, EventType.PROGRESS, details)
            return True

    async def end_by_hand(
        self,
        job_id: JobId,
        status: JobStatus,
        *,
        summary: Mapping[str, Any] | None = None,
        error: str | None = None,
    ) -> bool:
        """End a manual job; tell whether it was running as one."""
        async with self.database.write() as transaction:
            changed = await transaction.execute(
                "end_by_hand",
                job_id=job_id,
                status=status,
                now=self._now(),
                error=error,
                summary=None if summary is None else json.dumps(summary),
            )
            if changed:
                details: dict[str, Any] = {"error": error} if error else {"summary": summary}
                await self._append(transaction, job_id, _ENDED[status], details)
            return bool(changed)

    # -- import -----------------------------------------------------------------------------

    async def import_job(
        self, row: Mapping[str, Any], chunks: Iterable[Chunk], failures: Mapping[int, str]
    ) -> bool:
        """Store a job read from its manifest; False, and nothing done, where the name is taken."""
        async with self.database.write() as transaction:
            job_id = row["job_id"]
            if await transaction.query("job", job_id=job_id):
                return False
            await transaction.execute("import_job", **row)
            for chunk in chunks:
                await self._insert(transaction, job_id, chunk, fence=0)
            for index, error in failures.items():
                await transaction.execute(
                    "insert_failed_run",
                    job_id=job_id,
                    run_index=index,
                    error=error,
                    now=row["completed_at"] or row["created_at"],
                )
            created = {"config": json.loads(row["config"]), "imported": True}
            await self._append(transaction, job_id, EventType.CREATED, created, row["created_at"])
            status = JobStatus(row["status"])
            if row["started_at"]:
                await self._append(
                    transaction, job_id, EventType.STARTED, {"imported": True}, row["started_at"]
                )
            if status in _ENDED:
                details = {"error": row["error"]} if row["error"] else {}
                if row["summary"]:
                    details["summary"] = json.loads(row["summary"])
                await self._append(
                    transaction, job_id, _ENDED[status], details, row["completed_at"]
                )
            return True

    # -- delete -----------------------------------------------------------------------------

    async def delete(self, job: Job) -> bool:
        """Delete all that is stored of *job*; False, and nothing done, where it has moved on."""
        async with self.database.write() as transaction:
            return bool(
                await transaction.execute(
                    "delete_job", job_id=job.job_id, status=job.status, attempts=job.attempts
                )
            )

    # -- pieces -----------------------------------------------------------------------------

    def _now(self, plus_s: float = 0.0) -> str:
        return to_text(self.clock() + timedelta(seconds=plus_s))

    async def _as_holder(self, name: str, lease: Lease, **params: Any) -> None:
        async with self.database.write() as transaction:
            if not await transaction.execute(name, **lease.model_dump(), **params):
                raise LeaseLost(lease.job_id, lease.worker_id)

    async def _insert(
        self, transaction: Transaction, job_id: str, chunk: Chunk, fence: int
    ) -> None:
        await transaction.execute(
            "insert_chunk",
            job_id=job_id,
            fence=fence,
            now=self._now(),
            first_index=chunk.first_index,
            last_index=chunk.last_index,
            metrics=chunk.metrics,
            crc32=chunk.crc32,
            compute_s=chunk.compute_s,
            run_id=chunk.run_id,
        )

    async def _append(
        self,
        transaction: Transaction,
        job_id: str,
        event_type: EventType,
        details: Mapping[str, Any],
        moment: str | None = None,
    ) -> None:
        await transaction.execute(
            "append_event",
            job_id=job_id,
            event_type=event_type,
            now=moment or self._now(),
            details=json.dumps(details),
        )

    async def _job(self, row: sqlite3.Row) -> Job:
        stored = json.loads(row["config"])
        config = _config(stored)
        run_ids: Sequence[str] = RunIds(
            row["job_id"], config.sweep_type, config.arms, row["total_runs"]
        )
        if row["manual"]:
            rows = await self.database.read("manual_run_ids", job_id=row["job_id"])
            run_ids = tuple(each["run_id"] for each in rows)
        return Job(
            job_id=JobId(row["job_id"]),
            created_at=from_text(row["created_at"]),
            status=JobStatus(row["status"]),
            description=row["description"],
            config=config,
            config_hash=digest_now(config, stored, row["config_hash"]),
            engine=row["engine"],
            run_ids=run_ids,
            total_runs=row["total_runs"],
            completed_runs=row["completed_runs"],
            failed_runs=row["failed_runs"],
            started_at=_moment(row["started_at"]),
            completed_at=_moment(row["completed_at"]),
            error=row["error"],
            notes=row["notes"],
            tags=tuple(json.loads(row["tags"])),
            attempts=row["attempts"],
            manual=bool(row["manual"]),
            out_dir=Path(row["out_dir"]),
            executor=row["executor"],
            compute_s=row["compute_s"],
            summary=json.loads(row["summary"]) if row["summary"] else None,
            provenance=json.loads(row["provenance"]),
            holder=_holder(row),
            in_flight=tuple(InFlightBatch(*each) for each in json.loads(row["in_flight"])),
        )


def _config(stored: dict[str, Any]) -> SweepConfig:
    """Read a stored configuration; one that only another version or plug-in can check, as is."""
    try:
        return registry.configuration(stored)
    except ValueError:
        return UncheckedSweep.model_construct(**stored)


def _holder(row: sqlite3.Row) -> Holder | None:
    if row["worker_id"] is None:
        return None
    return Holder(
        worker_id=row["worker_id"],
        fence=row["fence"],
        expires_at=from_text(row["lease_expires_at"]),
        pid=row["worker_pid"],
        host=row["worker_host"],
    )


def _moment(text: str | None) -> datetime | None:
    return from_text(text) if text else None


def _event(row: sqlite3.Row) -> JobEvent:
    return JobEvent(
        job_id=JobId(row["job_id"]),
        seq=row["seq"],
        event_type=EventType(row["event_type"]),
        timestamp=from_text(row["timestamp"]),
        details=json.loads(row["details"]),
    )
