"""Notices of jobs that have ended: posted with the end, kept until they are delivered."""

import contextlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from bilancio.encoding import to_json
from bilancio.errors import JobDamaged
from bilancio.jobs.clock import from_text
from bilancio.jobs.models import EventType, JobStatus
from bilancio.jobs.store.base import ENDED, StoreBase
from bilancio.jobs.store.database import Row, Transaction, Value, storable
from bilancio.jobs.store.rows import Notice, notice_from

AT_ONCE = 8  # notices that one courier takes


class Outbox(StoreBase):
    """Post notices in the transaction that ends a job; take, settle and list them."""

    async def _append_end(
        self,
        transaction: Transaction,
        job_id: str,
        status: JobStatus,
        details: Mapping[str, Any],
        *,
        told: bool = True,
    ) -> None:
        """Append the event of an end and, if it is to be *told*, post the notices of it."""
        await self._append(transaction, job_id, ENDED[status], details)
        if told:
            await transaction.execute("post_notices", job_id=job_id, now=self._now())

    async def next_notice(self, targets: Iterable[str]) -> datetime | None:
        """Return when the next notice to one of *targets* may be tried; None where none waits."""
        (row,) = await self.database.read("next_notice", targets=to_json([*targets]))
        return None if row["due_at"] is None else from_text(row["due_at"])

    async def claim_notices(
        self, courier: str, targets: Iterable[str], *, lease_s: float
    ) -> list[Notice]:
        """Take notices to *targets* that are due, at most eight.

        For *lease_s* seconds no other courier takes them. One that has died has another try them
        again: a receiver may get a notice twice, but none is lost.
        """
        async with self.database.write("") as transaction:
            rows = await transaction.query(
                "claim_notices",
                courier=courier,
                targets=to_json([*targets]),
                now=self._now(),
                until=self._now(lease_s),
                limit=AT_ONCE,
            )
        return _readable(rows)

    async def notice_delivered(self, notice: Notice, answer: str) -> None:
        """Remove a notice that this courier has delivered, and append the event of it."""
        details = {"target": notice.target, "attempts": notice.attempts, "answer": answer}
        await self._settle("notice_delivered", notice, EventType.NOTIFIED, details)

    async def notice_failed(self, notice: Notice, error: str, retry_s: float | None) -> None:
        """Note why a try failed; it is tried again in *retry_s* seconds, or given up where None."""
        error, given_up = storable(error), retry_s is None
        await self._settle(
            "notice_failed",
            notice,
            EventType.UNDELIVERED if given_up else None,
            {"target": notice.target, "attempts": notice.attempts, "error": error},
            due_at=self._now(retry_s or 0.0),
            given_up_at=self._now() if given_up else None,
            error=error,
        )

    async def _settle(
        self,
        statement: str,
        notice: Notice,
        event: EventType | None,
        details: Mapping[str, Any],
        **columns: Value,
    ) -> None:
        """Execute a statement about a notice that is its courier's still; twice is once."""
        key: dict[str, Value] = {
            "job_id": notice.job_id,
            "seq": notice.seq,
            "target": notice.target,
            "courier": notice.courier,
        }

        async def write() -> None:
            async with self.database.write(notice.job_id) as transaction:
                changed = await transaction.execute(statement, **key, **columns)
                if changed and event is not None:
                    await self._append(transaction, notice.job_id, event, details)

        await self.database.repeated(write)

    async def notices(self) -> list[Notice]:
        """Return all notices that wait or were given up, the oldest first."""
        return _readable(await self.database.read("notices"))

    async def repost(self, job_id: str) -> None:
        """Have the notices of a job that were given up tried again."""
        async with self.database.write(job_id) as transaction:
            await transaction.execute("repost", job_id=job_id, now=self._now())


def _readable(rows: Iterable[Row]) -> list[Notice]:
    """Return the notices of rows; a damaged one is left out."""
    found = []
    for row in rows:
        with contextlib.suppress(JobDamaged):
            found.append(notice_from(row))
    return found
