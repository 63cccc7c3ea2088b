"""job_manifest.json: everything a job's results depend on, and what came out."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from bilancio import machine
from bilancio.errors import OutputError
from bilancio.executors import registry as executors
from bilancio.failpoints import failpoint
from bilancio.jobs.job_id import JobId, validate_job_id
from bilancio.jobs.models import Job, JobStatus
from bilancio.validation import validated

FILE_NAME = "job_manifest.json"
LISTED_RUNS = 1000


class RunStatus(BaseModel):
    """One run in a manifest."""

    run_id: str
    status: str


class Manifest(BaseModel):
    """What is read back from a manifest; other entries are for people."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    job_id: str
    created_at: datetime
    completed_at: datetime | None
    status: JobStatus
    description: str
    config: dict[str, Any]
    config_hash: str
    engine: str
    notes: str = ""
    tags: tuple[str, ...] = ()
    manual: bool = False
    attempts: Annotated[int, Field(ge=0)] = 0
    executor: str = executors.DEFAULT
    started_at: datetime | None = None
    error: str | None = None
    runs: tuple[RunStatus, ...] = ()
    run_counts: dict[str, int]
    summary: dict[str, Any] | None = None
    provenance: dict[str, Any] = {}


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
    pending = job.total_runs - job.completed_runs - job.failed_runs
    stored = job.model_dump(mode="json", exclude={"stalled", "compute_s", "summary", "out_dir"})
    leading = {
        name: stored.pop(name)
        for name in ("job_id", "created_at", "completed_at", "status", "description", "config")
    }
    runs = []
    if job.total_runs <= LISTED_RUNS:
        runs = [
            {"run_id": run_id, "status": _run_status(index, job, recorded, failed)}
            for index, run_id in _listed(job, recorded)
        ]
    counts = {
        "total": job.total_runs,
        "completed": job.completed_runs,
        "failed": job.failed_runs,
        "pending": max(pending, 0),
    }
    return {
        **leading,
        "runs": runs,
        "summary": job.summary,
        "run_counts": counts,
        **{name: value for name, value in stored.items() if not name.endswith("_runs")},
    }


def _listed(job: Job, recorded: set[int]) -> Iterable[tuple[int, str]]:
    """Return the runs that there are: not those that a search reserved and did not need."""
    if job.config.searches and not job.total_is_bound:
        return ((index, job.run_ids[index]) for index in sorted(recorded))
    return enumerate(job.run_ids)


def _run_status(index: int, job: Job, recorded: set[int], failed: Mapping[int, str]) -> str:
    if job.manual or index in recorded:
        return "completed"
    return "failed" if index in failed else "pending"


def write_whole(path: Path, text: str) -> None:
    """Write a file so that it is there whole or not at all, even if the power goes."""
    try:
        with tempfile.NamedTemporaryFile(
            "w", dir=path.parent, prefix=f".{path.name}-", delete=False, encoding="utf-8"
        ) as file:
            try:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
                Path(file.name).chmod(0o644)
                failpoint("in-manifest")
                Path(file.name).replace(path)
            except BaseException:
                with contextlib.suppress(FileNotFoundError):
                    Path(file.name).unlink()
                raise
    except OSError as error:
        raise OutputError(str(path), error.strerror or str(error)) from error


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> Path:
    """Write the manifest into *folder* and return its path."""
    path = folder / FILE_NAME
    write_whole(path, json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")
    return path


def read_manifest(path: Path) -> Manifest:
    """Read the manifest at *path*.

    Raises
    ------
    InvalidInput
        It is no manifest, or its name is none.
    """
    text = path.read_text(encoding="utf-8")
    try:
        data = json.loads(text)
    except ValueError:
        data = None
    manifest = validated(Manifest, data if isinstance(data, dict) else {}, within=str(path))
    validate_job_id(manifest.job_id)
    return manifest


def manifests_in(out_dir: Path) -> dict[JobId, Path]:
    """Return the manifests in the folders of *out_dir*, by the folders' names."""
    try:
        return {JobId(path.parent.name): path for path in sorted(out_dir.glob(f"*/{FILE_NAME}"))}
    except OSError:
        return {}


def provenance(folder: Path) -> dict[str, Any]:
    """Return what the results depend on beside the configuration: versions, commit, machine.

    Parameters
    ----------
    folder
        Where the sweep was started; its git commit is noted.
    """
    return {
        **machine.versions(),
        **_git(folder),
        "host": machine.host(),
        "platform": machine.system(),
        "cores": machine.cores(),
        "executable": Path(sys.executable).name,
    }


def _git(folder: Path) -> dict[str, Any]:
    """Return the commit of *folder* and whether its tree was clean; None outside of git."""

    def ask(*words: str) -> str | None:
        try:
            done = subprocess.run(  # noqa: S603 - fixed words
                ["git", "-C", str(folder), *words],  # noqa: S607 - git of the user's PATH
                capture_output=True, text=True, timeout=10, check=False, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    commit = ask("rev-parse", "HEAD")
    status = ask("status", "--porcelain") if commit else None
    return {"git_commit": commit, "git_clean": None if status is None else not status}
