"""Jobs whose runs the caller executes."""

from collections.abc import Mapping
from typing import Any

from bilancio.errors import RunAlreadyRecorded
from bilancio.jobs.job_id import JobId
from bilancio.jobs.models import EventType, JobStatus
from bilancio.jobs.store.base import as_json
from bilancio.jobs.store.database import storable
from bilancio.jobs.store.outbox import Outbox
from bilancio.jobs.store.rows import Chunk


class ManualJobs(Outbox):
    """Start, runs and end of jobs without a worker: there is no lease and no fence."""

    async def start_manually(self, job_id: JobId) -> bool:
        """Mark the start of a job that the caller carries out; return whether it could be."""
        async with self.database.write(job_id) as transaction:
            rows = await transaction.query("job", job_id=job_id)
            if not await transaction.execute("start_manually", job_id=job_id, now=self._now()):
                return False
            began = rows[0]["status"] == JobStatus.PENDING
            event = EventType.STARTED if began else EventType.RESUMED
            await self._append(transaction, job_id, event, {"worker": "manual"})
            return True

    async def record_manually(
        self, job_id: JobId, run_id: str, packed: bytes, crc32: int, metrics: Mapping[str, float]
    ) -> bool:
        """Store one run of a manual job; return False unless it is running as one.

        The same run with the same metrics again changes nothing.

        Raises
        ------
        RunAlreadyRecorded
            The run was recorded with other metrics.
        """
        async with self.database.write(job_id) as transaction:
            earlier = await transaction.query("run_by_id", job_id=job_id, run_id=run_id)
            if earlier:
                if earlier[0]["metrics"] == packed:
                    return True
                raise RunAlreadyRecorded(job_id, run_id)
            if not await transaction.execute("count_manual_run", job_id=job_id):
                return False
            index = (await transaction.query("next_index", job_id=job_id))[0]["next"]
            chunk = Chunk(
                first_index=index, last_index=index, metrics=packed, crc32=crc32, run_id=run_id
            )
            details = {"run_id": run_id, "metrics": dict(metrics)}
            await transaction.execute_all(
                [
                    self._inserted(job_id, chunk, fence=0),
                    self._appended(job_id, EventType.PROGRESS, details),
                ]
            )
            return True

    async def end_manually(
        self,
        job_id: JobId,
        status: JobStatus,
        *,
        summary: Mapping[str, Any] | None = None,
        error: str | None = None,
    ) -> bool:
        """End a manual job; return whether it was running as one."""
        error = None if error is None else storable(error)
        async with self.database.write(job_id) as transaction:
            changed = await transaction.execute(
                "end_manually",
                job_id=job_id,
                status=status,
                now=self._now(),
                error=error,
                summary=None if summary is None else as_json("summary", summary),
            )
            if changed:
                details: dict[str, Any] = {"error": error} if error else {"summary": summary}
                await self._append_end(transaction, job_id, status, details)
            return bool(changed)
