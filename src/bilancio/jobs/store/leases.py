"""The lease of a worker on its job: taken, confirmed, renewed, and lost."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bilancio.encoding import finite
from bilancio.failpoints import failpoint
from bilancio.jobs.job_id import JobId
from bilancio.jobs.models import EventType, Growth, InFlightBatch, JobStatus, Lease
from bilancio.jobs.store.base import as_json, sweep_columns
from bilancio.jobs.store.database import Row
from bilancio.jobs.store.imports import Imports

_EVENT_OF_CLAIM = {JobStatus.PENDING: EventType.STARTED, JobStatus.RUNNING: EventType.RECOVERED}


class Leases(Imports):
    """Who carries a job out. What a stale lease writes is refused with `LeaseLost`."""

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
        recompute: str | None = None,
        growth: Growth | None = None,
        out_dir: Path | None = None,
    ) -> tuple[Lease, EventType] | None:
        """Lease the job to *worker_id* for *lease_s* seconds, or return None.

        A job can be leased when it has not begun, has failed or was cancelled, when the lease
        on it has run out, or when the holder of *dead_fence* is known to be dead. Two workers
        never hold the same job: whoever held it before finds its writes refused. *pid* is the
        process that is about to start the worker: should it die before, that is seen, unless
        other machines use the store, where the number means another process.

        With *recompute*, the version of the engine that will compute, a completed job can be
        leased, too; what is stored of its runs is deleted in the same transaction. So can one
        that has a *growth*: its sweep is replaced by the larger one. *out_dir* takes the place of
        an output folder that the machine of the worker does not have.
        """
        await self.read_runs(job_id)

        async def write() -> tuple[Lease, EventType] | None:
            return await self._claim(
                job_id,
                worker_id,
                lease_s=lease_s,
                executor=executor,
                dead_fence=dead_fence,
                pid=pid,
                request_key=request_key,
                recompute=recompute,
                growth=growth,
                out_dir=out_dir,
            )

        async def landed() -> tuple[Lease, EventType] | None:
            for row in await self.database.read("job", job_id=job_id):
                if row["worker_id"] == worker_id:
                    (start,) = await self.database.read("last_start", job_id=job_id)
                    lease = Lease(job_id=job_id, worker_id=worker_id, fence=row["fence"])
                    return lease, EventType(start["event_type"])
            return None

        return await self.database.repeated(write, landed)

    async def _claim(
        self,
        job_id: JobId,
        worker_id: str,
        *,
        lease_s: float,
        executor: str,
        dead_fence: int | None,
        pid: int | None,
        request_key: str | None,
        recompute: str | None,
        growth: Growth | None,
        out_dir: Path | None,
    ) -> tuple[Lease, EventType] | None:
        async with self.database.write(job_id) as transaction:
            before = await transaction.query("job", job_id=job_id)
            if recompute is not None and await transaction.execute(
                "forget_results", job_id=job_id, engine=recompute
            ):
                await transaction.execute("delete_chunks", job_id=job_id)
            if growth is not None and not await transaction.execute(
                "grow", job_id=job_id, attempts=growth.attempts, **sweep_columns(growth.config)
            ):
                return None
            claimed = await transaction.query(
                "claim",
                job_id=job_id,
                worker_id=worker_id,
                now=self._now(),
                expires=self._now(lease_s),
                executor=executor,
                dead_fence=dead_fence,
                pid=None if self.database.shared else pid,
                out_dir=None if out_dir is None else str(out_dir),
            )
            if not claimed:
                return None
            (row,) = claimed
            event = _EVENT_OF_CLAIM.get(JobStatus(before[0]["status"]), EventType.RESUMED)
            details = _claimed(row, executor, request_key, recompute=recompute is not None)
            if growth is not None:
                event = EventType.EXTENDED
                details |= dict(zip(("from", "to"), growth.n_seeds, strict=True))
            failpoint("in-claim")
            await self._append(transaction, job_id, event, details)
            return Lease(job_id=job_id, worker_id=worker_id, fence=row["fence"]), event

    async def note_process(self, lease: Lease, pid: int) -> None:
        """Note the process that was started to take up *lease*, unless it has done so."""
        if self.database.shared:
            return
        async with self.database.write(lease.job_id) as transaction:
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
            provenance=as_json("provenance", provenance),
            expires=self._now(lease_s),
        )

    async def note_engine(self, lease: Lease, engine: str) -> None:
        """Note which version computes a job that has no results yet.

        Raises
        ------
        LeaseLost
            Another worker has the job, or it has results.
        """
        await self._as_holder("note_engine", lease, engine=engine)

    async def renew(self, lease: Lease, lease_s: float) -> None:
        """Extend the lease to *lease_s* seconds from now."""
        await self._as_holder("renew", lease, expires=self._now(lease_s))

    async def note_in_flight(self, lease: Lease, in_flight: Sequence[InFlightBatch]) -> None:
        """Note which batches compute, so that one that kills its workers is found out."""
        await self._as_holder("note_in_flight", lease, in_flight=as_json("in_flight", in_flight))

    async def note_waiting(self, lease: Lease, reason: str, lease_s: float) -> None:
        """Tell by an event why nothing computes at the moment; "" that something does again."""
        await self._tell(lease, {"waiting": reason}, lease_s)

    async def note_writing(self, lease: Lease, lease_s: float) -> None:
        """Tell by an event that no run is left to compute, where the counts do not say so."""
        await self._tell(lease, {"writing": True}, lease_s)

    async def _tell(self, lease: Lease, told: dict[str, Any], lease_s: float) -> None:
        """Append an event of progress that is of no batch."""
        async with self.database.write(lease.job_id) as transaction:
            await self._held(transaction, "renew", lease, expires=self._now(lease_s))
            details = {**told, "completed": 0}
            await self._append(transaction, lease.job_id, EventType.PROGRESS, details)

    async def note_speed(
        self, lease: Lease, *, speed: float | None = None, startup_s: float | None = None
    ) -> None:
        """Note what the worker measured; see `Speed`. What is None keeps its value."""
        await self._as_holder("note_speed", lease, speed=finite(speed), startup_s=finite(startup_s))


def _claimed(
    row: Row, executor: str, request_key: str | None, *, recompute: bool
) -> dict[str, Any]:
    """Return what the event of a claim says, given the job's row after it."""
    details = {
        "worker": row["worker_id"],
        "executor": executor,
        "attempt": row["attempts"],
        "completed_runs": row["completed_runs"],
        "failed_runs": row["failed_runs"],
    }
    details |= {"request": request_key} if request_key is not None else {}
    return details | ({"recompute": True} if recompute else {})
