"""Jobs read back from their manifest and the result files beside it."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bilancio.errors import InvalidInput, Problem
from bilancio.experiments import registry
from bilancio.experiments.configs import GridSweep, SweepConfig
from bilancio.experiments.design import stored_columns
from bilancio.jobs import chunks as packing
from bilancio.jobs import files
from bilancio.jobs.clock import written
from bilancio.jobs.job_id import validate_job_id
from bilancio.jobs.manifest import Manifest, read_manifest
from bilancio.jobs.models import JobStatus, RunIds
from bilancio.jobs.store.store import Chunk
from bilancio.model.parameters import End
from bilancio.model.tables import METRICS
from bilancio.validation import validated

_ROWS_PER_CHUNK = 20_000


def read_job(path: Path) -> tuple[dict[str, Any], list[Chunk]]:
    """Return the store's row for the job of the manifest at *path*, and its chunks of results.

    Results come from runs.csv if it is there, else from comparison.csv, which has the default
    rates of both arms; with neither the job keeps its summary only.

    Raises
    ------
    InvalidInput
        The manifest cannot be read, or its configuration is none that can be checked here.
    """
    manifest = read_manifest(path)
    config = validated(
        registry.config_model(manifest.config.get("sweep_type")), manifest.config, within=str(path)
    )
    if manifest.config_hash != config.digest():
        raise InvalidInput(
            [
                Problem(
                    f"{path}: config_hash",
                    manifest.config_hash,
                    f"{config.digest()}, the hash of its config",
                )
            ]
        )
    stored = list(_chunks(path.parent, manifest, config))
    return _row(path, manifest, config, stored), stored


def _row(
    path: Path, manifest: Manifest, config: SweepConfig, stored: list[Chunk]
) -> dict[str, Any]:
    status = manifest.status
    completed = sum(chunk.last_index - chunk.first_index + 1 for chunk in stored)
    if status is JobStatus.COMPLETED and not stored:
        completed = manifest.run_counts.get("completed", 0)
    failed = 0 if status is JobStatus.COMPLETED else manifest.run_counts.get("failed", 0)
    return {
        "job_id": validate_job_id(manifest.job_id),
        "created_at": written(manifest.created_at),
        "status": status,
        "description": manifest.description,
        "notes": manifest.notes,
        "tags": json.dumps(list(manifest.tags)),
        "sweep_type": config.sweep_type,
        "config": json.dumps(config.as_dict()),
        "config_hash": manifest.config_hash,
        "engine": manifest.engine,
        "out_dir": str(path.parent.parent),
        "total_runs": config.total_runs,
        "completed_runs": completed,
        "failed_runs": failed if stored else 0,
        "work": config.work,
        "manual": int(manifest.manual),
        "attempts": manifest.attempts,
        "started_at": written(manifest.started_at) if manifest.started_at else None,
        "completed_at": written(manifest.completed_at) if manifest.completed_at else None,
        "error": manifest.error,
        "summary": None if manifest.summary is None else json.dumps(manifest.summary),
        "executor": manifest.executor,
        "provenance": json.dumps(manifest.provenance),
    }


def _chunks(folder: Path, manifest: Manifest, config: SweepConfig) -> Iterator[Chunk]:
    if manifest.manual:
        return
    if (folder / files.RUNS).is_file():
        yield from _from_runs(folder / files.RUNS, manifest, config)
    elif (folder / files.COMPARISON).is_file() and manifest.status is JobStatus.COMPLETED:
        yield from _from_comparison(folder / files.COMPARISON, manifest, config)


def _from_runs(path: Path, manifest: Manifest, config: SweepConfig) -> Iterator[Chunk]:
    """Yield the chunks of runs.csv; numbers were written so that they read back the same."""
    run_ids = RunIds(manifest.job_id, config.sweep_type, config.arms, config.total_runs)
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        dtype = stored_columns(
            config, [name for name in reader.fieldnames or () if name in (METRICS.names or ())]
        )
        names = dtype.names or ()
        rows: list[tuple[Any, ...]] = []
        indices: list[int] = []
        for line in reader:
            index = int(line["index"])
            if not 0 <= index < config.total_runs or run_ids[index] != line["run_id"]:
                raise InvalidInput(
                    [Problem(f"{path}: run_id", line["run_id"], "the runs of this job")]
                )
            indices.append(index)
            rows.append(tuple(_value(name, line[name]) for name in names))
            if len(rows) == _ROWS_PER_CHUNK:
                yield from packing.split(np.array(indices), np.array(rows, dtype))
                rows, indices = [], []
        yield from packing.split(np.array(indices, np.int64), np.array(rows, dtype))


def _value(name: str, text: str) -> float | int:
    """Read back what a cell of runs.csv says."""
    if name == "end":
        return [end.value for end in End].index(text)
    if name == "time_to_stability":
        return int(text) if text else -1
    if name not in (METRICS.names or ()) or METRICS[name].kind == "f":
        return float(text) if text else float("nan")
    return int(text)


def _from_comparison(path: Path, manifest: Manifest, config: SweepConfig) -> Iterator[Chunk]:
    """Yield the default rates of both arms; the pairs stand in the order of the runs."""
    with path.open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    n_arms = len(config.arms)
    counted = manifest.run_counts.get("completed") if config.searches else config.total_runs
    if len(lines) * n_arms != counted:
        return
    dtype = stored_columns(config, ["delta_total"])
    rows = [
        tuple(_value(name, line.get(name) or line[f"delta_{arm}"]) for name in dtype.names or ())
        for line in lines
        for arm in config.arms
    ]
    starts = np.arange(len(lines), dtype=np.int64)
    if config.searches and isinstance(config, GridSweep):  # cells that were not needed are left out
        replicate = {seed: number for number, seed in enumerate(config.all_seeds())}
        cells = np.array([int(line["cell"]) for line in lines], np.int64)
        starts = cells * config.n_seeds + np.array(
            [replicate[int(line["seed"])] for line in lines], np.int64
        )
    indices = (starts[:, None] * n_arms + np.arange(n_arms)).ravel()
    yield from packing.split(indices, np.array(rows, dtype))
