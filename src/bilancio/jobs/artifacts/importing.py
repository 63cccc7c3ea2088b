"""Jobs read back from their manifest and the result files beside it."""

import csv
from pathlib import Path

from bilancio.errors import BilancioError, InvalidInput, Problem, invalid
from bilancio.experiments.sweep_config import SweepConfig
from bilancio.jobs.artifacts import run_tables
from bilancio.jobs.artifacts.folder import (
    CELLS,
    COMPARISON,
    FAILED,
    MANIFEST,
    PARQUET,
    RUNS,
)
from bilancio.jobs.artifacts.foreign import Manifest, checked_config, read_manifest
from bilancio.jobs.artifacts.rows import row_of
from bilancio.jobs.models import JobStatus
from bilancio.jobs.run_ids import RunIds
from bilancio.jobs.store import Chunk, ReadJob
from bilancio.printable import shortened

MAX_REASON = 500  # characters of why a table was left out

#: What a damaged or hostile file makes of code that reads it; each is refused alike.
UNREADABLE = (
    ArithmeticError, AttributeError, KeyError, MemoryError, OSError, RecursionError, TypeError,
    ValueError, csv.Error,
)  # fmt: skip


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


def read_job(path: Path) -> ReadJob:
    """Return the job of the manifest at *path*, with the results beside it.

    Results come from runs.csv or runs.parquet if one is there, else from cells.csv, which has the
    measures of every cell and seed, else from comparison.csv, which has the default rates of both
    arms; with none of them the job keeps its summary only. A table that is damaged, or contradicts
    the manifest, is left out.

    Raises
    ------
    InvalidInput
        The manifest cannot be read, its sweep cannot be checked here, or runs that were recorded
        manually, and that the job still takes, are in a damaged table: nobody can compute them.
    """
    left_out: dict[str, str] = {}
    try:
        manifest = read_manifest(path)
        config = checked_config(path, manifest)
        chunks, source = _results(path.parent, manifest, config, left_out)
        failures = _failures(path.parent, manifest, config, chunks, left_out)
        completed = _completed(chunks)
        if manifest.status is JobStatus.COMPLETED and not chunks:
            completed = manifest.run_counts.completed
        row = row_of(path, manifest, config, completed=completed, failed=len(failures))
    except InvalidInput:
        raise
    except (BilancioError, *UNREADABLE) as error:
        raise InvalidInput([_damaged(path.parent, error)]) from error
    return ReadJob(row, chunks, failures, source, left_out)


def _damaged(path: Path, error: Exception) -> Problem:
    what = f"files that cannot be read ({type(error).__name__}: {str(error)[:200]})"
    return Problem(str(path), what, "a manifest and tables as bilancio wrote them")


def _results(
    folder: Path, manifest: Manifest, config: SweepConfig, left_out: dict[str, str]
) -> tuple[list[Chunk], str]:
    """Return the chunks of the best table that can be read, and its name; note the others."""
    for name in _sources(folder, manifest):
        try:
            return _chunks(folder / name, manifest, config), name
        except (BilancioError, *UNREADABLE) as error:
            if manifest.manual and manifest.status is not JobStatus.COMPLETED:
                raise
            left_out[name] = _why(folder / name, error)
    return [], ""


def _why(path: Path, error: Exception) -> str:
    """Say why a table is left out; the sentence names it."""
    said = str(error if isinstance(error, InvalidInput) else _damaged(path, error))
    return shortened(said, MAX_REASON)


def _sources(folder: Path, manifest: Manifest) -> list[str]:
    """Return the names of the tables with results that are there, the best first.

    Of a completed job's results tables hold all, or count for nothing.
    """
    whole = manifest.status is JobStatus.COMPLETED and not manifest.manual
    tabled, completed = manifest.runs_in_tables, manifest.run_counts.completed
    if whole and tabled is not None and tabled < completed:
        return []
    runs = (RUNS,) if manifest.manual else (RUNS, PARQUET)
    names = (*runs, CELLS, COMPARISON) if whole else runs
    return [name for name in names if (folder / name).exists()]


def _chunks(path: Path, manifest: Manifest, config: SweepConfig) -> list[Chunk]:
    """Return the chunks of a table; refuse one with other runs than its manifest tells of."""
    match path.name:
        case "cells.csv":
            chunks = run_tables.read_cells(path, config)
        case "comparison.csv":
            chunks = run_tables.read_comparison(path, config)
        case _ if manifest.manual:
            chunks = list(run_tables.read_manual_runs(path, manifest.run_counts.completed))
        case _:
            chunks = list(run_tables.read_runs(path, manifest.job_id, config))
    stored, told = _completed(chunks), manifest.run_counts.completed
    if manifest.status is JobStatus.COMPLETED and stored != told:
        raise InvalidInput([Problem(f"{path}: runs", str(stored), f"{told}, as in {MANIFEST}")])
    if manifest.status is JobStatus.PENDING and stored:
        raise InvalidInput([Problem(f"{path}: runs", str(stored), "0 of a pending job")])
    return chunks


def _failures(
    folder: Path,
    manifest: Manifest,
    config: SweepConfig,
    chunks: list[Chunk],
    left_out: dict[str, str],
) -> dict[int, str]:
    """Return the failed runs; where only the manifest tells of them, without their errors.

    A run that has results has not failed, whatever the table of failed runs says.
    """
    if manifest.manual or manifest.status in {JobStatus.COMPLETED, JobStatus.PENDING}:
        return {}
    run_ids = RunIds(manifest.job_id, config, config.total_runs)
    found = (run_ids.find(run.run_id) for run in manifest.runs if run.status == "failed")
    failures = {index: "no reason is known" for index in found if index is not None}
    path = folder / FAILED
    if path.exists():
        try:
            failures = run_tables.read_failures(path, run_ids)
        except (BilancioError, *UNREADABLE) as error:
            left_out[FAILED] = _why(path, error)
    both = {
        index
        for chunk in chunks
        for index in failures
        if chunk.first_index <= index <= chunk.last_index
    }
    if both:
        left_out[FAILED] = f"{path}: run {min(both)} has results in {RUNS}."
    return {index: error for index, error in failures.items() if index not in both}


def _completed(chunks: list[Chunk]) -> int:
    return sum(chunk.last_index - chunk.first_index + 1 for chunk in chunks)
