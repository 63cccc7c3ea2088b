"""What a worker records: batches of runs, and the end of its job."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bilancio.failpoints import failpoint
from bilancio.jobs.clock import to_text
from bilancio.jobs.models import EventType, InFlightBatch, JobStatus, Lease
from bilancio.jobs.store.base import as_json
from bilancio.jobs.store.database import Statement, Transaction, storable
from bilancio.jobs.store.outbox import Outbox
from bilancio.jobs.store.rows import Chunk, FinishedBatch


class Recording(Outbox):
    """Writes under a lease; one that was given away raises `LeaseLost`, and nothing is written."""

    async def record(
        self,
        lease: Lease,
        batches: Sequence[FinishedBatch],
        *,
        lease_s: float,
        in_flight: Sequence[InFlightBatch] = (),
    ) -> None:
        """Store batches: their chunks, failed runs, counters and progress events, all together.

        *in_flight* are the batches that still compute once these are recorded. Each event says
        how many of its runs had failed before, so that the events add up to the counters.

        Raises
        ------
        LeaseLost
            The lease was given away.
        StoreConflict
            A run of the batches is recorded already.
        """

        async def write() -> None:
            await self._record(lease, batches, lease_s=lease_s, in_flight=in_flight)

        async def landed() -> bool | None:
            # Without a chunk nothing tells, and failures that are recorded again stay the same.
            for chunk in [chunk for batch in batches for chunk in batch.chunks][:1]:
                if await self.database.read(
                    "holds_chunk",
                    job_id=lease.job_id,
                    fence=lease.fence,
                    first_index=chunk.first_index,
                    last_index=chunk.last_index,
                ):
                    return True
            return None

        await self.database.repeated(write, landed)

    async def _record(
        self,
        lease: Lease,
        batches: Sequence[FinishedBatch],
        *,
        lease_s: float,
        in_flight: Sequence[InFlightBatch],
    ) -> None:
        job_id = lease.job_id
        async with self.database.write(job_id) as transaction:
            retried = await _retried(transaction, job_id, batches)
            await self._held(
                transaction,
                "count_recorded",
                lease,
                completed=sum(batch.completed for batch in batches),
                failed=sum(len(batch.failures) for batch in batches) - sum(retried),
                compute_s=sum(batch.compute_s for batch in batches),
                expires=self._now(lease_s),
                in_flight=as_json("in_flight", in_flight),
            )
            statements, now = list[Statement](), self._now()
            for batch, again in zip(batches, retried, strict=True):
                if again:
                    statements += _forgotten_failures(job_id, batch.chunks)
                statements += [self._inserted(job_id, each, lease.fence) for each in batch.chunks]
                statements += inserted_failures(job_id, batch.failures, now)
                told = {**batch.details, "retried": again} if again else batch.details
                statements.append(self._appended(job_id, EventType.PROGRESS, told, now))
            await transaction.execute_all(statements)
            failpoint("in-record")

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
                await self._append_end(transaction, lease.job_id, status, details)

        async def landed() -> bool | None:
            rows = await self.database.read("job", job_id=lease.job_id)
            return (
                any((row["status"], row["fence"]) == (status, lease.fence) for row in rows) or None
            )

        await self.database.repeated(write, landed)


def inserted_failures(job_id: str, failures: Mapping[int, str], now: str) -> list[Statement]:
    """Return what stores the errors of failed runs by their indexes."""
    return [
        (
            "insert_failed_run",
            {"job_id": job_id, "run_index": index, "error": storable(error), "now": now},
        )
        for index, error in failures.items()
    ]


async def _retried(
    transaction: Transaction, job_id: str, batches: Sequence[FinishedBatch]
) -> list[int]:
    """Return how many runs of each batch had failed before."""
    ranges = [batch.ranges() for batch in batches]
    ends = [end for each in ranges for pair in each for end in pair]
    rows = await transaction.query(
        "failed_between",
        job_id=job_id,
        first_index=min(ends, default=0),
        last_index=max(ends, default=-1),
    )
    failed = [row["run_index"] for row in rows]
    return [
        sum(bisect_right(failed, last) - bisect_left(failed, first) for first, last in each)
        for each in ranges
    ]


def _forgotten_failures(job_id: str, chunks: Sequence[Chunk]) -> list[Statement]:
    """Return what deletes earlier failures of runs that have results now."""
    return [
        (
            "delete_failed_runs",
            {"job_id": job_id, "first_index": each.first_index, "last_index": each.last_index},
        )
        for each in chunks
    ]
