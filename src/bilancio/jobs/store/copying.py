"""Copy jobs from one store to another, whatever databases they are in."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from bilancio.errors import JobStateError
from bilancio.jobs.store.database import Row
from bilancio.jobs.store.store import JobStore

PAGE = 50  # chunks and events that are held at a time
TABLES = (
    # What reads a table, its key and moment, and what inserts a row.
    ("copied_chunks", "first_index", "recorded_at", "insert_chunk"),
    ("copied_failures", "run_index", "failed_at", "insert_failed_run"),
    ("copied_events", "seq", "timestamp", "append_event"),
)


async def twins(source: JobStore, target: JobStore) -> tuple[list[str], list[str]]:
    """Return the jobs of *source* whose names *target* has: those that are the same, and others."""
    names = await source.job_ids()
    new = {*await target.unknown(names)}
    same, other = list[str](), list[str]()
    for name in names:
        if name not in new:
            (here,), (there,) = [
                await each.database.read("job", job_id=name) for each in (source, target)
            ]
            equal = all(here[key] == there[key] for key in ("created_at", "config_hash"))
            (same if equal else other).append(name)
    return same, other


async def copy_job(source: JobStore, target: JobStore, job_id: str) -> bool:
    """Copy all that is stored of a job in one transaction; False where its name is taken there.

    A job whose runs are unread has them read first.

    Raises
    ------
    JobStateError
        It changed meanwhile; nothing was copied.
    """
    await source.read_runs(job_id)
    (row,) = await source.database.read("job", job_id=job_id)
    columns = {name: row[name] for name in row.keys() if name != "n_events"}  # noqa: SIM118 - a row is not a dict
    async with target.database.write(job_id) as transaction:
        if not await transaction.execute("copy_job", **columns):
            return False
        for name, key, now, insert in TABLES:
            async for page in _pages(source, name, job_id, key):
                await transaction.execute_all([(insert, _columns(each, now)) for each in page])
        after = await source.database.read("job", job_id=job_id)
        if [each["n_events"] for each in after] != [
            row["n_events"]
        ]:  # all that happens is an event
            advice = "It changed meanwhile. Copy again."
            raise JobStateError(job_id, row["status"], "copied", advice)
    return True


async def _pages(store: JobStore, name: str, job_id: str, key: str) -> AsyncIterator[Sequence[Row]]:
    """Yield the rows of a statement in the order of *key*, in pages."""
    after = -1
    while page := await store.database.read(name, job_id=job_id, after=after, limit=PAGE):
        yield page
        after = page[-1][key]


def _columns(row: Row, now: str) -> dict[str, Any]:
    """Return a row as the statement takes it that inserts one; *now* is its moment's column."""
    columns = {name: row[name] for name in row.keys()}  # noqa: SIM118 - a row is not a dict
    return columns | {"now": columns.pop(now)}
