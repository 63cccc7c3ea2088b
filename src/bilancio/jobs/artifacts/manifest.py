"""job_manifest.json: everything a job's results depend on, and what came out."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from bilancio.encoding import to_json
from bilancio.errors import InvalidInput
from bilancio.jobs.artifacts.folder import MANIFEST, write_whole
from bilancio.jobs.artifacts.foreign import read_manifest
from bilancio.jobs.models import Job, JobStatus
from bilancio.jobs.store import JobStore

LISTED_RUNS = 1000
TABLED_RUNS = 1_000_000  # at most, in the tables that are written without being asked for


async def write_job_manifest(
    store: JobStore, job: Job, *, durable: bool = True, tabled: int | None = None
) -> None:
    """Write the manifest of *job* as it now stands in the store.

    Parameters
    ----------
    durable
        Wait until the disk has it: not worth the time where it is soon written again.
    tabled
        How many runs the tables beside it hold; as it was, if not given.

    Raises
    ------
    OutputError
        It cannot be written.
    """
    failed = await store.failed_runs(job.job_id)
    recorded: set[int] = set()
    if listed(job):
        for first, last in await store.recorded(job.job_id):
            recorded.update(range(first, last + 1))
    if tabled is None and not listed(job):
        tabled = await asyncio.to_thread(runs_in_tables, job)
    manifest = describe(job, recorded, failed, tabled)
    writing = asyncio.ensure_future(
        asyncio.to_thread(write_manifest, job.folder, manifest, durable=durable)
    )
    try:
        await asyncio.shield(writing)
    except asyncio.CancelledError:
        await asyncio.wait({writing})  # else it would overwrite what is written from now on
        raise


def runs_in_tables(job: Job) -> int | None:
    """Return how many runs the tables of *job* hold; None for all of them.

    Of a job whose runs the manifest lists they hold all.
    """
    if listed(job):
        return None
    try:
        tabled = read_manifest(job.folder / MANIFEST).runs_in_tables
    except InvalidInput:
        return None
    return tabled if tabled and tabled < job.completed_runs else None


def describe(
    job: Job, recorded: set[int], failed: Mapping[int, str], tabled: int | None = None
) -> dict[str, Any]:
    """Return a job's manifest as JSON holds it.

    Parameters
    ----------
    job
        The job as it is stored.
    recorded
        Indices of the runs that have results; needed of jobs of at most 1,000 runs.
    failed
        Error by index of the runs that failed.
    tabled
        How many runs the tables hold; None for all of them.
    """
    stored = job.model_dump(
        mode="json",
        exclude={"stalled", "compute_s", "summary", "out_dir", "run_ids", "unread", "notify"},
    )
    leading = {
        name: stored.pop(name)
        for name in ("job_id", "created_at", "completed_at", "status", "description", "config")
    }
    runs = []
    if listed(job):
        runs = [
            {"run_id": run_id, "status": _run_status(index, job, recorded, failed)}
            for index, run_id in _runs(job, recorded)
        ]
    return {
        **leading,
        "runs": runs,
        "summary": job.summary,
        "run_counts": _counts(job, [run["status"] for run in runs]),
        **({"runs_in_tables": tabled} if tabled and tabled < job.completed_runs else {}),
        **{name: value for name, value in stored.items() if not name.endswith("_runs")},
    }


def listed(job: Job) -> bool:
    """Return whether the manifest lists single runs; of more than 1,000 it counts them only."""
    return max(job.total_runs, len(job.run_ids)) <= LISTED_RUNS


def _counts(job: Job, statuses: list[str]) -> dict[str, int]:
    """Count the runs: those listed, where they are, for a worker may record in between."""
    completed, failed = job.completed_runs, job.failed_runs
    if statuses:
        told = Counter(statuses)
        completed, failed = told["completed"], told["failed"]
    return {
        "total": job.total_runs,
        "completed": completed,
        "failed": failed,
        "pending": max(job.total_runs - completed - failed, 0),
    }


def _runs(job: Job, recorded: set[int]) -> Iterable[tuple[int, str]]:
    """Return the runs that there are: not those that a search reserved and did not need."""
    if job.config.adaptive and not job.total_is_bound:
        return ((index, job.run_ids[index]) for index in sorted(recorded))
    return enumerate(job.run_ids)


def _run_status(index: int, job: Job, recorded: set[int], failed: Mapping[int, str]) -> str:
    if job.manual or job.status is JobStatus.COMPLETED or index in recorded:
        return "completed"
    return "failed" if index in failed else "pending"


def write_manifest(folder: Path, manifest: Mapping[str, Any], *, durable: bool = True) -> None:
    """Write the manifest into *folder*."""
    write_whole(folder / MANIFEST, to_json(manifest, indent=2) + "\n", durable=durable)
