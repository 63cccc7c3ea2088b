"""Find what is wrong in a store: contradictions, damaged rows, chunks that cannot be read."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from bilancio.errors import InvalidInput, JobDamaged
from bilancio.experiments.sweep_config import UncheckedSweep
from bilancio.jobs.store.database import Row, storable
from bilancio.jobs.store.packing import unpack
from bilancio.jobs.store.rows import Chunk, event_from, job_from
from bilancio.jobs.store.store import JobStore

PAGE_BYTES = 16 << 20
LONGEST_PAGE = 2000
FIRST_PAGE = 8
ROWS = 500

#: The last change of a job that is in a state; of the others it is named like the state.
LAST_CHANGE = {"pending": {"created"}, "running": {"started", "resumed", "extended", "recovered"}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """A job whose row says something else than its chunks, failed runs and events.

    Attributes
    ----------
    faults
        What does not agree, a clause each: "it counts 9 runs and holds 8".
    recountable
        Whether `JobStore.recount` repairs all of it.
    """

    job_id: str
    faults: tuple[str, ...]
    recountable: bool


@dataclass(slots=True)
class ChunkReport:
    """How many chunks and runs a store has, and by job what is wrong with them."""

    chunks: int = 0
    runs: int = 0
    faults: dict[str, list[str]] = field(default_factory=dict)


async def contradictions(store: JobStore) -> list[Contradiction]:
    """Return the jobs that contradict themselves, by name."""
    found = []
    for row in await store.database.read("contradictions"):
        faults, recountable = _compare(row)
        if not faults and not await _may_stop_early(store, row["job_id"]):
            faults = [f"it is completed with {row['completed_runs']:,} of {row['total_runs']:,}"]
        if faults:
            found.append(
                Contradiction(
                    job_id=storable(row["job_id"]),
                    faults=tuple(faults),
                    recountable=recountable and row["status"] != "completed",
                )
            )
    return found


async def damage(store: JobStore) -> dict[str, list[str]]:
    """Return what cannot be read of jobs and events, a clause each, by job."""
    found: dict[str, list[str]] = {}
    async for row in _pages(store, "job_page"):
        try:
            job_from(row)
        except JobDamaged as error:
            found.setdefault(error.job_id, []).append(error.what)
    async for row in _pages(store, "event_page"):
        try:
            event_from(row)
        except JobDamaged as error:
            found.setdefault(error.job_id, []).append(error.what)
    return found


async def chunks(store: JobStore) -> ChunkReport:
    """Check the checksum and number of rows of each chunk, and that no run is there twice.

    Only some megabytes of them are held at a time, however large the store is.
    """
    seen = ChunkReport()
    job_id, last, size = "", -1, FIRST_PAGE
    while True:
        page = await store.database.read("chunk_page", limit=size, offset=seen.chunks)
        if not page:
            return seen
        faults = await asyncio.to_thread(lambda rows: [_fault(row) for row in rows], page)
        for row, fault in zip(page, faults, strict=True):
            before, job_id = job_id, storable(row["job_id"])
            if before == job_id and row["first_index"] <= last:
                where = f"runs {row['first_index']}–{row['last_index']}"
                seen.faults.setdefault(job_id, []).append(f"{where} overlap those before them")
            last = row["last_index"]
            if fault:
                seen.faults.setdefault(job_id, []).append(fault)
            seen.chunks += 1
            seen.runs += last - row["first_index"] + 1
        held = sum(len(row["metrics"]) for row in page)
        size = int(min(max(PAGE_BYTES * len(page) / max(held, 1), 1), LONGEST_PAGE))


async def _pages(store: JobStore, name: str) -> AsyncIterator[Row]:
    """Yield all rows of a statement, a page at a time."""
    offset = 0
    while page := await store.database.read(name, limit=ROWS, offset=offset):
        for row in page:
            yield row
        offset += len(page)


def _fault(row: Row) -> str:
    columns = {name: row[name] for name in row.keys()}  # noqa: SIM118 - a row is not a dict
    job_id = columns.pop("job_id")
    try:
        unpack(Chunk(**columns), job_id)
    except JobDamaged as error:
        return error.what
    return ""


async def _may_stop_early(store: JobStore, job_id: str) -> bool:
    """Return whether a completed job may have fewer runs than it reserved."""
    try:
        job = await store.job(job_id)
    except (JobDamaged, InvalidInput):
        return True  # that is another finding
    return job is None or job.config.adaptive or isinstance(job.config, UncheckedSweep)


def _compare(row: Row) -> tuple[list[str], bool]:
    """Return what does not fit together in a job, and whether recounting repairs it."""
    faults = []
    without_runs = row["imported"] and not row["stored_runs"]
    if row["completed_runs"] != row["stored_runs"] and not without_runs:
        faults.append(f"it counts {row['completed_runs']:,} runs and holds {row['stored_runs']:,}")
    if row["failed_runs"] != row["stored_failures"]:
        faults.append(
            f"it counts {row['failed_runs']:,} failed runs and holds {row['stored_failures']:,}"
        )
    recountable = bool(faults)
    if row["told_runs"] != row["stored_runs"] and not row["imported"]:
        faults.append(f"its events add up to {row['told_runs']:,} runs, not {row['stored_runs']:,}")
        recountable = False
    if not row["n_events"] == row["stored_events"] == row["last_event"]:
        faults.append(f"it has {row['stored_events']:,} of {row['n_events']:,} events")
        recountable = False
    if row["last_change"] not in LAST_CHANGE.get(row["status"], {row["status"]}):
        faults.append(f"it is {row['status']}, and its last event is {row['last_change']}")
        recountable = False
    return faults, recountable
