"""Which notices wait, and which were given up."""

from typing import Literal

from bilancio.jobs.job_id import JobId
from bilancio.jobs.models import Moment, View
from bilancio.jobs.session import Session


class PendingNotice(View):
    """A notice that has not been delivered.

    Attributes
    ----------
    state
        ``waiting`` for another try, or ``undelivered``: given up.
    attempts
        How often it was tried.
    due_at
        When it is tried again, if somebody uses bilancio then.
    error
        Why the latest try failed; empty before there was one.
    """

    job_id: JobId
    target: str
    state: Literal["waiting", "undelivered"]
    attempts: int
    posted_at: Moment
    due_at: Moment
    error: str


async def notices(session: Session) -> list[PendingNotice]:
    """Return the notices of ended jobs that have not been delivered, the oldest first."""
    return [
        PendingNotice(
            job_id=JobId(each.job_id),
            target=each.target,
            state="waiting" if each.given_up_at is None else "undelivered",
            attempts=each.attempts,
            posted_at=each.posted_at,
            due_at=each.due_at,
            error=each.error or "",
        )
        for each in await (await session.store()).notices()
    ]
