"""Jobs read back from their manifest and the result files beside it."""

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bilancio.errors import InvalidInput, Problem, invalid
from bilancio.experiments import registry
from bilancio.experiments.design import stored_columns
from bilancio.experiments.grid_sweep import GridSweep
from bilancio.experiments.protocol import declared_metrics, metrics_of
from bilancio.experiments.sweep_config import SweepConfig, digest_now
from bilancio.jobs.artifacts import tables
from bilancio.jobs.artifacts.manifest import FILE_NAME as MANIFEST
from bilancio.jobs.artifacts.manifest import Manifest, read_manifest
from bilancio.jobs.clock import to_text
from bilancio.jobs.job_id import validate_job_id
from bilancio.jobs.models import JobStatus, RunIds
from bilancio.jobs.store import Chunk, packing
from bilancio.model.metrics import Metric
from bilancio.validation import validated

_ROWS_PER_CHUNK = 20_000


class Read(NamedTuple):
    """A job as it is read: the store's row, its chunks of results, its failed runs."""

    row: dict[str, Any]
    chunks: list[Chunk]
    failures: dict[int, str]


def manifests_at(path: Path) -> list[Path]:
    """Return the manifest that *path* is, the one in it, or those in its folders.

    Raises
    ------
    InvalidInput
        There is none.
    """
    if path.is_dir():
        here = path / MANIFEST
        found = [here] if here.is_file() else sorted(path.glob(f"*/{MANIFEST}"))
    else:
        found = [path] if path.is_file() else []
    if not found:
        raise invalid("path", str(path), "a job_manifest.json, or a folder that holds some")
    return found


def read_job(path: Path) -> Read:
    """Return the job of the manifest at *path*, with the results beside it.

    Results come from runs.csv if it is there, else from comparison.csv, which has the default
    rates of both arms; with neither the job keeps its summary only.

    Raises
    ------
    InvalidInput
        The manifest cannot be read, or its configuration is none that can be checked here.
    """
    try:
        manifest = read_manifest(path)
        config = _config(path, manifest)
        stored = list(_chunks(path.parent, manifest, config))
        failures = {} if manifest.manual else _failures(path.parent, manifest, config)
    except InvalidInput:
        raise
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        what = f"files that cannot be read ({type(error).__name__}: {error})"
        allowed = "a manifest and tables as bilancio wrote them"
        raise InvalidInput([Problem(str(path.parent), what, allowed)]) from error
    return Read(_row(path, manifest, config, stored, failures), stored, failures)


def _config(path: Path, manifest: Manifest) -> SweepConfig:
    config = validated(
        registry.config_model(manifest.config.get("sweep_type")), manifest.config, within=str(path)
    )
    if digest_now(config, manifest.config, manifest.config_hash) != config.digest():
        expected = f"{config.digest()}, the hash of its config"
        raise InvalidInput([Problem(f"{path}: config_hash", manifest.config_hash, expected)])
    return config


def _row(
    path: Path,
    manifest: Manifest,
    config: SweepConfig,
    stored: list[Chunk],
    failures: dict[int, str],
) -> dict[str, Any]:
    status = manifest.status
    completed = sum(chunk.last_index - chunk.first_index + 1 for chunk in stored)
    if status is JobStatus.COMPLETED and not stored:
        completed = manifest.run_counts.get("completed", 0)
    return {
        "job_id": validate_job_id(manifest.job_id),
        "created_at": to_text(manifest.created_at),
        "status": status,
        "description": manifest.description,
        "notes": manifest.notes,
        "tags": json.dumps(list(manifest.tags)),
        "sweep_type": config.sweep_type,
        "config": json.dumps(config.as_dict()),
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
        "summary": None if manifest.summary is None else json.dumps(manifest.summary),
        "executor": manifest.executor,
        "provenance": json.dumps(manifest.provenance),
    }


def _chunks(folder: Path, manifest: Manifest, config: SweepConfig) -> Iterator[Chunk]:
    if (folder / tables.RUNS).is_file():
        read = _from_manual_runs if manifest.manual else _from_runs
        yield from read(folder / tables.RUNS, manifest, config)
    elif (folder / tables.COMPARISON).is_file() and manifest.status is JobStatus.COMPLETED:
        yield from _from_comparison(folder / tables.COMPARISON, manifest, config)


def _failures(folder: Path, manifest: Manifest, config: SweepConfig) -> dict[int, str]:
    """Return the failed runs; where only the manifest tells of them, without their errors."""
    run_ids = RunIds(manifest.job_id, config.sweep_type, config.arms, config.total_runs)
    if manifest.status is JobStatus.COMPLETED:
        return {}
    path = folder / tables.FAILED
    if not path.is_file():
        found = (run_ids.find(run.run_id) for run in manifest.runs if run.status == "failed")
        return {index: "no reason is known" for index in found if index is not None}
    failures = {}
    with path.open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            failures[_index(path, line, run_ids)] = line["error"]
    return failures


def _index(path: Path, line: dict[str, str], run_ids: RunIds) -> int:
    """Return which run a line of a table is of; its name has to say the same."""
    index = int(line["index"])
    if not 0 <= index < len(run_ids) or run_ids[index] != line["run_id"]:
        raise InvalidInput([Problem(f"{path}: run_id", line["run_id"], "the runs of this job")])
    return index


def _from_runs(path: Path, manifest: Manifest, config: SweepConfig) -> Iterator[Chunk]:
    """Yield the chunks of runs.csv; numbers were to_text so that they read back the same."""
    run_ids = RunIds(manifest.job_id, config.sweep_type, config.arms, config.total_runs)
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        dtype = _columns(path, config, reader.fieldnames or ())
        metrics = metrics_of(registry.experiment(config.sweep_type), dtype)
        rows: list[tuple[Any, ...]] = []
        indices: list[int] = []
        last = -1
        for line in reader:
            index = _index(path, line, run_ids)
            if index <= last:
                raise InvalidInput([Problem(f"{path}: index", str(index), f"numbers above {last}")])
            last = index
            indices.append(index)
            rows.append(tuple(each.from_text(line[each.name]) for each in metrics))
            if len(rows) == _ROWS_PER_CHUNK:
                yield from packing.split(np.array(indices), np.array(rows, dtype))
                rows, indices = [], []
        yield from packing.split(np.array(indices, np.int64), np.array(rows, dtype))


def _columns(path: Path, config: SweepConfig, header: Sequence[str]) -> np.dtype[np.void]:
    """Return the type of a stored row: as the experiment declares it, or as its numbers look."""
    experiment = registry.experiment(config.sweep_type)
    declared = [each for each in declared_metrics(experiment) if each.name in header]
    if declared:
        return stored_columns(config, declared)
    none = np.empty(0, np.int64)
    cells = experiment.parameters(config, none)
    given = [name for name in header if name not in {"job_id", "run_id", "index", *cells}]
    kinds: dict[str, set[type]] = {name: set() for name in given}
    with path.open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            for name in given:
                kinds[name].add(_kind(line[name]))
    return np.dtype(
        [(name, found.pop() if len(found) == 1 else np.float64) for name, found in kinds.items()]
    )


def _kind(text: str) -> type:
    if text in {"True", "False"}:
        return np.bool_
    return np.int64 if text.lstrip("-").isdigit() else np.float64


def _from_manual_runs(path: Path, _manifest: Manifest, _config: SweepConfig) -> Iterator[Chunk]:
    """Yield a chunk for each run that was recorded by hand."""
    with path.open(encoding="utf-8", newline="") as file:
        for index, line in enumerate(csv.DictReader(file)):
            run_id = line["run_id"]
            numbers = {
                name: float(text)
                for name, text in line.items()
                if name not in tables.MANUAL_COLUMNS and text
            }
            packed, crc32 = packing.pack(packing.one_row(numbers))
            yield Chunk(
                first_index=index, last_index=index, metrics=packed, crc32=crc32, run_id=run_id
            )


def _from_comparison(path: Path, manifest: Manifest, config: SweepConfig) -> Iterator[Chunk]:
    """Yield the default rates of both arms; the pairs stand in the order of the runs."""
    with path.open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    n_arms = len(config.arms)
    counted = manifest.run_counts.get("completed") if config.searches else config.total_runs
    if len(lines) * n_arms != counted:
        return
    dtype = stored_columns(config, [Metric("delta_total")])
    metrics = metrics_of(registry.experiment(config.sweep_type), dtype)
    rows = [
        tuple(each.from_text(line.get(each.name) or line[f"delta_{arm}"]) for each in metrics)
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
