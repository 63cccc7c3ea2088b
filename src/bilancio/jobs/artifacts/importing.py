"""Jobs read back from their manifest and the result files beside it."""

import csv
from pathlib import Path
from typing import Any, NamedTuple

from bilancio.encoding import to_json
from bilancio.errors import BilancioError, InvalidInput, Problem, invalid
from bilancio.experiments.sweep_config import SweepConfig
from bilancio.jobs.artifacts import run_tables
from bilancio.jobs.artifacts.folder import (
    CELLS,
    COMPARISON,
    FAILED,
    MANIFEST,
    RUNS,
)
from bilancio.jobs.artifacts.foreign import Manifest, checked_config, read_manifest
from bilancio.jobs.clock import to_text
from bilancio.jobs.models import JobStatus
from bilancio.jobs.run_ids import RunIds
from bilancio.jobs.store import Chunk

#: What a damaged or hostile file makes of code that reads it; each is refused alike.
UNREADABLE = (
    ArithmeticError, AttributeError, KeyError, MemoryError, OSError, RecursionError, TypeError,
    ValueError, csv.Error,
)  # fmt: skip


class Read(NamedTuple):
    """A job as it is read: the store's row, its chunks of results, its failed runs.

    Attributes
    ----------
    source
        The file that the chunks come from; empty where there are none.
    """

    row: dict[str, Any]
    chunks: list[Chunk]
    failures: dict[int, str]
    source: str


def manifests_at(path: Path) -> list[Path]:
    """Return the manifest that *path* is, the one in it, or those up to two levels below it.

    Raises
    ------
    InvalidInput
        There is none.
    """
    if path.is_dir():
        here = path / MANIFEST
        below = (*path.glob(f"*/{MANIFEST}"), *path.glob(f"*/*/{MANIFEST}"))
        found = [here] if here.exists() else sorted(below)
    else:
        found = [path] if path.exists() else []
    if not found:
        raise invalid("path", str(path), "a job_manifest.json, or a folder that holds some")
    return found


def read_job(path: Path) -> Read:
    """Return the job of the manifest at *path*, with the results beside it.

    Results come from runs.csv if it is there, else from cells.csv, which has the measures of
    every cell and seed, else from comparison.csv, which has the default rates of both arms; with
    none of them the job keeps its summary only.

    Raises
    ------
    InvalidInput
        A file cannot be read, they do not belong together, or the sweep cannot be checked here.
    """
    try:
        manifest = read_manifest(path)
        config = checked_config(path, manifest)
        source = _source(path.parent, manifest)
        chunks = _chunks(path.parent / source, manifest, config) if source else []
        failures = {} if manifest.manual else _failures(path.parent, manifest, config)
        _check_counts(path, manifest, chunks, failures)
        row = _row(path, manifest, config, chunks, failures)
    except InvalidInput:
        raise
    except (BilancioError, *UNREADABLE) as error:
        what = f"files that cannot be read ({type(error).__name__}: {str(error)[:200]})"
        allowed = "a manifest and tables as bilancio wrote them"
        raise InvalidInput([Problem(str(path.parent), what, allowed)]) from error
    return Read(row, chunks, failures, source)


def _source(folder: Path, manifest: Manifest) -> str:
    """Return the name of the file that the results are read from, or an empty text."""
    if (folder / RUNS).exists():
        return RUNS
    if manifest.status is JobStatus.COMPLETED and not manifest.manual:
        return next((name for name in (CELLS, COMPARISON) if (folder / name).exists()), "")
    return ""


def _chunks(path: Path, manifest: Manifest, config: SweepConfig) -> list[Chunk]:
    match path.name:
        case "cells.csv":
            return run_tables.read_cells(path, config)
        case "comparison.csv":
            return run_tables.read_comparison(path, config)
        case _ if manifest.manual:
            return list(run_tables.read_manual_runs(path, manifest.run_counts.completed))
        case _:
            return list(run_tables.read_runs(path, manifest.job_id, config))


def _failures(folder: Path, manifest: Manifest, config: SweepConfig) -> dict[int, str]:
    """Return the failed runs; where only the manifest tells of them, without their errors."""
    if manifest.status is JobStatus.COMPLETED:
        return {}
    run_ids = RunIds(manifest.job_id, config.sweep_type, config.arms, config.total_runs)
    if (folder / FAILED).exists():
        return run_tables.read_failures(folder / FAILED, run_ids)
    found = (run_ids.find(run.run_id) for run in manifest.runs if run.status == "failed")
    return {index: "no reason is known" for index in found if index is not None}


def _check_counts(
    path: Path, manifest: Manifest, chunks: list[Chunk], failures: dict[int, str]
) -> None:
    """Refuse runs that contradict the manifest, or failed ones that have results."""
    stored, told = _completed(chunks), manifest.run_counts.completed
    if manifest.status is JobStatus.COMPLETED and chunks and stored != told:
        raise InvalidInput(
            [Problem(f"{path.parent}: runs", str(stored), f"{told}, as in {path.name}")]
        )
    if manifest.status is JobStatus.PENDING and (stored or failures):
        raise InvalidInput([Problem(f"{path.parent}: runs", str(stored), "0 of a pending job")])
    for chunk in chunks if failures else ():
        both = [index for index in failures if chunk.first_index <= index <= chunk.last_index]
        if both:
            got, allowed = f"run {both[0]} in it and in {FAILED}", "each run in one of them"
            raise InvalidInput([Problem(f"{path.parent / RUNS}", got, allowed)])


def _completed(chunks: list[Chunk]) -> int:
    return sum(chunk.last_index - chunk.first_index + 1 for chunk in chunks)


def _row(
    path: Path,
    manifest: Manifest,
    config: SweepConfig,
    chunks: list[Chunk],
    failures: dict[int, str],
) -> dict[str, Any]:
    completed = _completed(chunks)
    if manifest.status is JobStatus.COMPLETED and not chunks:
        completed = manifest.run_counts.completed
    return {
        "job_id": manifest.job_id,
        "created_at": to_text(manifest.created_at),
        "status": manifest.status,
        "description": manifest.description,
        "notes": manifest.notes,
        "tags": to_json(manifest.tags),
        "sweep_type": config.sweep_type,
        "config": to_json(config.as_dict()),
        "config_hash": config.digest(),
        "engine": manifest.engine,
        "out_dir": str(path.parent.parent),
        "total_runs": config.total_runs,
        "completed_runs": completed,
        "failed_runs": len(failures),
        "work": config.cost,
        "manual": int(manifest.manual),
        "attempts": manifest.attempts,
        "started_at": to_text(manifest.started_at) if manifest.started_at else None,
        "completed_at": to_text(manifest.completed_at) if manifest.completed_at else None,
        "error": manifest.error,
        "summary": None if manifest.summary is None else to_json(manifest.summary),
        "executor": manifest.executor,
        "provenance": to_json(manifest.provenance),
    }
