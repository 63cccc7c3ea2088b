"""List jobs, those included that only manifests in the output folder tell of."""

import asyncio

from bilancio.errors import InvalidInput, Problem
from bilancio.jobs.job_id import JobId
from bilancio.jobs.lookup import import_if_readable, with_stall
from bilancio.jobs.models import JobStatus, Page
from bilancio.jobs.session import Session

MAX_JOBS = 1000


async def list_jobs(
    session: Session,
    *,
    status: JobStatus | str | None = None,
    tag: str | None = None,
    text: str | None = None,
    limit: int = 20,
    offset: int = 0,
) -> Page:
    """Return jobs, newest first: those with a status, a tag, or a text in their words.

    Jobs that only the manifests in the output folder tell of are imported first.
    """
    problems = []
    allowed = [each.value for each in JobStatus]
    if status is not None and status not in allowed:
        problems.append(Problem("status", repr(str(status)), ", ".join(allowed)))
    if not 1 <= limit <= MAX_JOBS:
        problems.append(Problem("limit", str(limit), f"whole numbers from 1 to {MAX_JOBS}"))
    if offset < 0:
        problems.append(Problem("offset", str(offset), "whole numbers from 0"))
    if problems:
        raise InvalidInput(problems)
    await _import_unknown(session)
    wanted = None if status is None else JobStatus(status)
    store = await session.store()
    found = await store.jobs(status=wanted, tag=tag, text=text, limit=limit, offset=offset)
    seen = tuple([await with_stall(session, job) for job in found.jobs])
    return Page(jobs=seen, total=found.total, offset=offset, damaged=tuple(found.damaged))


async def _import_unknown(session: Session) -> None:
    """Import the jobs of those manifests in the output folder that the store does not have."""
    from bilancio.jobs.artifacts.manifest import manifests_in  # pulls in what only searches need

    store = await session.store()
    on_disk = await asyncio.to_thread(manifests_in, session.out_dir)
    for name in await store.unknown(on_disk) if on_disk else []:
        await import_if_readable(session, on_disk[JobId(name)])
