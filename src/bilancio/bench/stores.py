"""How fast jobs are recorded and read in a file, and beside it in a PostgreSQL database.

Run as a process of its own, with a folder as its argument and the database in the settings; it
writes one line of JSON for each finding. The job that it stores in the database is deleted at the
end, and no other: somebody may begin to use it meanwhile.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

from bilancio.bench import system
from bilancio.bench.finding import Finding, write
from bilancio.errors import BilancioError, InvalidInput, JobNotFound, Problem
from bilancio.jobs.job_id import generate_job_id
from bilancio.jobs.manager import AsyncJobManager
from bilancio.text import plural

TARGETS = {"SQLite": 1_000_000, "PostgreSQL": 500_000}


async def findings(folder: Path) -> AsyncIterator[Finding]:
    """Measure one store after the other.

    Raises
    ------
    InvalidInput
        The database has jobs.
    """
    async with AsyncJobManager() as manager:
        if total := (await manager.list_jobs()).total:
            allowed = "a database for measuring, without jobs"
            raise InvalidInput([Problem("--store", f"one with {plural(total, 'job')}", allowed)])
    rates: dict[str, float] = {}
    for store, url in {"SQLite": f"sqlite:///{folder}/beside.db", "PostgreSQL": None}.items():
        async with AsyncJobManager(url) as manager:
            own = generate_job_id()
            try:
                async for finding in system.many_runs(manager, store, TARGETS[store], own):
                    rates.setdefault(store, finding.value)
                    yield finding
            finally:
                with suppress(JobNotFound):
                    await manager.delete_job(own)
    ratio = 100 * rates["PostgreSQL"] / rates["SQLite"]
    yield Finding(what="PostgreSQL / SQLite, runs recorded", value=ratio, unit="%")


async def _tell(folder: Path) -> None:
    async for finding in findings(folder):
        write(finding)


def main() -> None:
    """Measure in the folder that is named; print one finding a line."""
    try:
        asyncio.run(_tell(Path(sys.argv[1])))
    except BilancioError as error:
        sys.exit(str(error))
