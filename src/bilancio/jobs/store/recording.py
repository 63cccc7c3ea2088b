"""What a worker records: batches of runs, and the end of its job."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bilancio.failpoints import failpoint
from bilancio.jobs.clock import to_text
from bilancio.jobs.models import EventType, InFlightBatch, JobStatus, Lease
from bilancio.jobs.store.base import ENDED, StoreBase, as_json
from bilancio.jobs.store.database import Transaction, storable
from bilancio.jobs.store.rows import Chunk


class Recording(StoreBase):
    """Writes under a lease; one that was given away raises `LeaseLost`, and nothing is written."""

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

        Raises
        ------
        LeaseLost
            The lease was given away.
        StoreConflict
            A run of the batch is recorded already.
        """

        async def write() -> None:
            await self._record(
                lease,
                chunks,
                failures,
                details,
                compute_s=compute_s,
                lease_s=lease_s,
                in_flight=in_flight,
            )

        async def landed() -> bool | None:
            # Without a chunk nothing tells, and failures that are recorded again stay the same.
            ranges = [(chunk.first_index, chunk.last_index) for chunk in chunks[:1]]
            found = [
                await self.database.read(
                    "holds_chunk",
                    job_id=lease.job_id,
                    fence=lease.fence,
                    first_index=first,
                    last_index=last,
                )
                for first, last in ranges
            ]
            return any(found) or None

        await self.database.repeated(write, landed)

    async def _record(
        self,
        lease: Lease,
        chunks: Sequence[Chunk],
        failures: Mapping[int, str],
        details: Mapping[str, Any],
        *,
        compute_s: float,
        lease_s: float,
        in_flight: Sequence[InFlightBatch],
    ) -> None:
        completed = sum(chunk.last_index - chunk.first_index + 1 for chunk in chunks)
        async with self.database.write(lease.job_id) as transaction:
            retried = await _delete_failed_runs(transaction, lease.job_id, chunks, failures)
            await self._held(
                transaction,
                "count_recorded",
                lease,
                completed=completed,
                failed=len(failures) - retried,
                compute_s=compute_s,
                expires=self._now(lease_s),
                in_flight=as_json("in_flight", in_flight),
            )
            for chunk in chunks:
                await self._insert(transaction, lease.job_id, chunk, lease.fence)
            await insert_failed_runs(transaction, lease.job_id, failures, self._now())
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
        error = None if error is None else storable(error)
        ended = {
            "status": status,
            "now": to_text(moment) if moment else self._now(),
            "error": error,
            "summary": None if summary is None else as_json("summary", summary),
        }
        details: dict[str, Any] = {"error": error} if error else {}
        details |= {"summary": summary} if summary is not None else {}

        async def write() -> None:
            async with self.database.write(lease.job_id) as transaction:
                await self._held(transaction, "end_by_worker", lease, **ended)
                await self._append(transaction, lease.job_id, ENDED[status], details)

        async def landed() -> bool | None:
            rows = await self.database.read("job", job_id=lease.job_id)
            return (
                any((row["status"], row["fence"]) == (status, lease.fence) for row in rows) or None
            )

        await self.database.repeated(write, landed)


async def insert_failed_runs(
    transaction: Transaction, job_id: str, failures: Mapping[int, str], now: str
) -> None:
    """Store the errors of failed runs by their indexes."""
    for index, error in failures.items():
        await transaction.execute(
            "insert_failed_run", job_id=job_id, run_index=index, error=storable(error), now=now
        )


async def _delete_failed_runs(
    transaction: Transaction, job_id: str, chunks: Sequence[Chunk], failures: Mapping[int, str]
) -> int:
    """Forget earlier failures of runs that were tried again; return how many there were."""
    ranges = [(chunk.first_index, chunk.last_index) for chunk in chunks]
    ranges += [(index, index) for index in failures]
    deleted = 0
    for first, last in ranges:
        deleted += await transaction.execute(
            "delete_failed_runs", job_id=job_id, first_index=first, last_index=last
        )
    return deleted
