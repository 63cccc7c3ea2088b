"""Copy all jobs of a store into another: from a file to a team's server, say, or back."""

from bilancio.errors import InvalidInput, Problem, invalid
from bilancio.jobs.lookup import load
from bilancio.jobs.maintenance.reports import Copied
from bilancio.jobs.models import JobStatus
from bilancio.jobs.session import Session
from bilancio.jobs.store import JobStore, copying, open_store
from bilancio.settings import redact_url

NAMED = 5


async def copy_jobs(session: Session, database_url: str) -> Copied:
    """Copy every job of the store, with its results and events, into the one at *database_url*.

    A job is copied whole or not at all. One that is there already stays as it is, so that a copy
    that was interrupted can be repeated. Files of jobs stay where they are.

    Raises
    ------
    InvalidInput
        The address is none, or that of this store; the other store has other jobs of these names;
        a job runs. Nothing was copied.
    StoreError
        One of the stores cannot be used.
    """
    if not isinstance(database_url, str) or database_url == session.settings.database_url:
        got = redact_url(database_url) if isinstance(database_url, str) else database_url
        raise invalid("database_url", got, "the address of another store")
    source, target = await session.store(), await open_store(database_url)
    try:
        return await _copy(session, source, target, redact_url(database_url))
    finally:
        await target.close()


async def _copy(session: Session, source: JobStore, target: JobStore, shown: str) -> Copied:
    same, other = await copying.twins(source, target)
    if other:
        got = f"{shown}, which has other jobs named {_named(other)}"
        allowed = "a store without other jobs of these names"
        raise InvalidInput([Problem("database_url", got, allowed)])
    missing = [name for name in reversed(await source.job_ids()) if name not in {*same}]
    running = [name for name in missing if (await load(session, name)).status is JobStatus.RUNNING]
    if running:
        got = f"a store in which {_named(running)} has not ended"
        allowed = "a store whose jobs have ended, or were cancelled, or have not begun"
        raise InvalidInput([Problem("store", got, allowed)])
    copied = [name for name in missing if await copying.copy_job(source, target, name)]
    return Copied(store=shown, copied=tuple(copied), already_there=tuple(same))


def _named(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
