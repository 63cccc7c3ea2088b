"""List jobs, those included that only manifests in the output folder tell of."""

from bilancio.errors import InvalidInput, Problem
from bilancio.jobs.artifacts import discovery
from bilancio.jobs.lookup import with_stall
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
    store = await session.store()
    await discovery.import_unknown(store, discovery.search_roots(session.settings.out_dir))
    wanted = None if status is None else JobStatus(status)
    found = await store.jobs(status=wanted, tag=tag, text=text, limit=limit, offset=offset)
    seen = tuple([await with_stall(session, job) for job in found.jobs])
    return Page(jobs=seen, total=found.total, offset=offset, damaged=tuple(found.damaged))
