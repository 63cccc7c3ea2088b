"""Read every chunk of a store once, a few at a time, and say which cannot be read."""

import asyncio
import sqlite3
from dataclasses import dataclass, field

from bilancio.errors import StoreCorrupt
from bilancio.jobs.store import JobStore
from bilancio.jobs.store.packing import unpack
from bilancio.jobs.store.store import Chunk

PAGE_BYTES = 16 << 20
LONGEST_PAGE = 2000
FIRST_PAGE = 8


@dataclass(slots=True)
class Chunks:
    """What there is in a store, and by job what is wrong with it."""

    chunks: int = 0
    runs: int = 0
    faults: dict[str, list[str]] = field(default_factory=dict)


async def chunks(store: JobStore) -> Chunks:
    """Check the checksum and number of rows of each chunk, and that no run is there twice.

    Only some megabytes of them are held at a time, however large the store is.
    """
    seen = Chunks()
    job_id, first, last, size = "", -1, -1, FIRST_PAGE
    while True:
        page = await store.database.read("chunk_page", job_id=job_id, first_index=first, limit=size)
        if not page:
            return seen
        faults = await asyncio.to_thread(lambda rows: [_fault(row) for row in rows], page)
        for row, fault in zip(page, faults, strict=True):
            where = f"runs {row['first_index']}–{row['last_index']}"
            if row["job_id"] == job_id and row["first_index"] <= last:
                seen.faults.setdefault(job_id, []).append(f"{where} overlap those before them")
            job_id, first, last = row["job_id"], row["first_index"], row["last_index"]
            if fault:
                seen.faults.setdefault(job_id, []).append(f"{where} ({fault})")
            seen.chunks += 1
            seen.runs += last - first + 1
        held = sum(len(row["metrics"]) for row in page)
        size = int(min(max(PAGE_BYTES * len(page) / max(held, 1), 1), LONGEST_PAGE))


def _fault(row: sqlite3.Row) -> str:
    columns = dict(row)
    job_id = columns.pop("job_id")
    try:
        unpack(Chunk(**columns), job_id)
    except StoreCorrupt as error:
        return error.reason.partition(".")[0]
    except (ValueError, TypeError, EOFError):  # the checksum fits, and yet it is no table
        return "no table of metrics"
    return ""
