"""job_manifest.json: everything a job's results depend on, and what came out."""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from bilancio.encoding import to_json
from bilancio.jobs.artifacts.folder import MANIFEST, write_whole
from bilancio.jobs.models import Job, JobStatus

LISTED_RUNS = 1000


def describe(job: Job, recorded: set[int], failed: Mapping[int, str]) -> dict[str, Any]:
    """Return a job's manifest as JSON holds it.

    Parameters
    ----------
    job
        The job as it is stored.
    recorded
        Indices of the runs that have results; needed of jobs of at most 1,000 runs.
    failed
        Error by index of the runs that failed.
    """
    stored = job.model_dump(
        mode="json", exclude={"stalled", "compute_s", "summary", "out_dir", "run_ids"}
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
        **{name: value for name, value in stored.items() if not name.endswith("_runs")},
    }


def listed(job: Job) -> bool:
    """Tell whether the manifest lists single runs; of more than 1,000 it counts them only."""
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
    if job.config.searches and not job.total_is_bound:
        return ((index, job.run_ids[index]) for index in sorted(recorded))
    return enumerate(job.run_ids)


def _run_status(index: int, job: Job, recorded: set[int], failed: Mapping[int, str]) -> str:
    if job.manual or job.status is JobStatus.COMPLETED or index in recorded:
        return "completed"
    return "failed" if index in failed else "pending"


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> Path:
    """Write the manifest into *folder* and return its path."""
    path = folder / MANIFEST
    write_whole(path, to_json(manifest, indent=2) + "\n")
    return path
