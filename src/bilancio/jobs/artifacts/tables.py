"""The files made from the store for a job: tables of runs, of cells, of pairs; the summary.

runs.csv has every metric of every run. cells.csv has the measures alone, a line for each cell and
seed: small enough to commit, and all that answers grouped by parameters are made of.
"""

import asyncio
import contextlib
import csv
import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bilancio.encoding import to_json
from bilancio.errors import ExperimentFailed
from bilancio.experiments import registry
from bilancio.experiments.design import runs_of_arm, starts_of
from bilancio.experiments.protocol import Experiment, metrics_of, searching
from bilancio.experiments.reporting import observations_of, parameters_of, searches_of
from bilancio.failpoints import failpoint
from bilancio.jobs.artifacts.folder import (
    CELLS,
    COMPARISON,
    FAILED,
    FRONTIER,
    NAMES,
    RUNS,
    SUMMARY,
    is_file,
    whole_file,
    write_whole,
)
from bilancio.jobs.artifacts.manifest import write_job_manifest
from bilancio.jobs.artifacts.ownership import make_job_folder
from bilancio.jobs.artifacts.run_tables import (
    LEADING_COLUMNS,
    has_measures_only,
    measure_column,
    measures_of,
)
from bilancio.jobs.models import Job
from bilancio.jobs.store import Chunk, JobStore, packing

log = logging.getLogger(__name__)
_BLOCK = 10_000  # rows turned into text at once


async def write_files(store: JobStore, job: Job) -> None:
    """Write every file of *job* from what is stored; the manifest last.

    Raises
    ------
    OutputError
        A file cannot be written, or the folder is not the job's own.
    """
    await asyncio.to_thread(make_job_folder, job)
    failed = await store.failed_runs(job.job_id)
    stored = await store.chunks(job.job_id)
    if job.manual:
        await asyncio.to_thread(_write_manual_runs, job, stored)
    else:
        partial = await has_measures_only(store, job)
        await asyncio.to_thread(_write_tables, job, stored, failed, with_runs=not partial)
    if job.summary is not None:
        summary = to_json({"job_id": job.job_id, **job.summary}, indent=2)
        await asyncio.to_thread(write_whole, job.folder / SUMMARY, f"{summary}\n")
    await write_job_manifest(store, job)


def present(job: Job) -> dict[str, str]:
    """Return the files that are there, by what they are."""
    return {name: str(job.folder / name) for name in NAMES if is_file(job.folder / name)}


def _write_tables(
    job: Job, stored: list[Chunk], failed: dict[int, str], *, with_runs: bool
) -> None:
    experiment = registry.experiment(job.config.sweep_type)
    if stored and with_runs:  # else there may be tables from elsewhere, which say more
        with _faults_logged():
            _write_csv(job.folder / RUNS, _run_rows(job, experiment, stored))
    if failed:
        rows = [("run_id", "index", "error")]
        rows += [(job.run_ids[index], str(index), error) for index, error in failed.items()]
        _write_csv(job.folder / FAILED, rows)
    else:
        with contextlib.suppress(OSError):
            (job.folder / FAILED).unlink()
    _write_answers(job, experiment, *packing.join(stored, job.job_id))


def _write_answers(
    job: Job, experiment: Experiment, indices: NDArray[np.int64], metrics: NDArray[np.void]
) -> None:
    """Write the tables that say what the runs recorded so far amount to."""
    if len(indices):
        with _faults_logged():
            _write_csv(job.folder / CELLS, _cell_rows(job, experiment, indices, metrics))
    if len(indices) and len(job.config.arms) > 1:
        with _faults_logged():
            seen = observations_of(experiment, job.config, indices, metrics)
            names = ("job_id", *seen.columns)
            name = np.broadcast_to(np.array(job.job_id), seen.columns["seed"].shape)
            columns = [name, *seen.columns.values()]
            _write_csv(job.folder / COMPARISON, _rows(names, columns))
    search = searching(experiment, job.config)
    if search is not None:
        with _faults_logged():
            searches = searches_of(search, job.config, indices, metrics)
            found = ((job.job_id, *row) for row in searches.rows)
            _write_csv(job.folder / FRONTIER, [("job_id", *searches.columns), *found])


@contextlib.contextmanager
def _faults_logged() -> Iterator[None]:
    """Leave out a table that an experiment cannot make: its runs are recorded all the same."""
    try:
        yield
    except ExperimentFailed as error:
        log.warning("%s", error)


def _write_manual_runs(job: Job, stored: list[Chunk]) -> None:
    """Write the runs that were recorded manually; a metric that a run does not have is empty."""
    tables = [packing.unpack(chunk, job.job_id) for chunk in stored]
    names = list(dict.fromkeys(name for each in tables for name in each.dtype.names or ()))
    heading = (*LEADING_COLUMNS, *names)
    rows = (
        (
            job.job_id,
            chunk.run_id,
            chunk.first_index,
            *(table[name][0].item() if name in (table.dtype.names or ()) else "" for name in names),
        )
        for chunk, table in zip(stored, tables, strict=True)
    )
    if stored:
        _write_csv(job.folder / RUNS, [heading, *rows])


def _run_rows(job: Job, experiment: Experiment, stored: list[Chunk]) -> Iterator[Iterable[Any]]:
    """Yield a heading and a row for each run with results, in order."""
    for number, chunk in enumerate(stored):
        indices = np.arange(chunk.first_index, chunk.last_index + 1)
        metrics = packing.unpack(chunk, job.job_id)
        cells = parameters_of(experiment, job.config, indices)
        columns = {
            "job_id": np.broadcast_to(np.array(job.job_id), indices.shape),
            "run_id": np.array([job.run_ids[int(index)] for index in indices]),
            "index": indices,
            **cells,  # what a search chose for a run stands among the metrics, and takes its place
            **{
                metric.name: metric.to_text(metrics[metric.name])
                for metric in metrics_of(experiment, metrics.dtype)
            },
        }
        rows = _rows(columns, list(columns.values()))
        if number:
            next(rows)
        yield from rows


def _cell_rows(
    job: Job, experiment: Experiment, indices: NDArray[np.int64], metrics: NDArray[np.void]
) -> Iterator[Iterable[Any]]:
    """Yield a heading and a row for each cell and seed: parameters, then the measures of each arm.

    Of an arm whose run has no results the fields are empty.
    """
    every = np.unique(starts_of(job.config, indices))
    for first in range(0, len(every), _BLOCK):
        starts = every[first : first + _BLOCK]
        columns = _cell_columns(job, experiment, starts, indices, metrics)
        rows = _rows(columns, list(columns.values()))
        if first:
            next(rows)
        yield from rows


def _cell_columns(
    job: Job,
    experiment: Experiment,
    starts: NDArray[np.int64],
    indices: NDArray[np.int64],
    metrics: NDArray[np.void],
) -> dict[str, NDArray[Any]]:
    """Return the columns of cells.csv for the cells and seeds that begin with these runs."""
    arms = job.config.arms
    cells = parameters_of(experiment, job.config, starts)
    columns: dict[str, NDArray[Any]] = {
        "job_id": np.broadcast_to(np.array(job.job_id), starts.shape),
        "index": starts,
        **{name: column for name, column in cells.items() if name != "arm"},
    }
    present = np.searchsorted(indices, starts)
    columns |= {
        name: metrics[name][present] for name in cells if name in (metrics.dtype.names or ())
    }
    measures = [each for each in measures_of(experiment, metrics.dtype) if each.name not in cells]
    for number, arm in enumerate(arms):
        runs = runs_of_arm(job.config, starts, number)
        place = np.minimum(np.searchsorted(indices, runs), len(indices) - 1)
        found = indices[place] == runs
        for metric in measures:
            values = metric.to_text(metrics[metric.name][place])
            if not found.all():
                values = np.where(found, values.astype(object), "")
            columns[measure_column(metric.name, arm, arms)] = values
    return columns


def _rows(names: Iterable[str], columns: list[NDArray[Any]]) -> Iterator[Iterable[Any]]:
    """Yield the heading, then the rows; numbers in the shortest form that reads back the same."""
    yield tuple(names)
    for start in range(0, len(columns[0]), _BLOCK):
        block = [column[start : start + _BLOCK].tolist() for column in columns]
        yield from zip(*block, strict=True)


def _write_csv(path: Path, rows: Iterable[Iterable[Any]]) -> None:
    with whole_file(path) as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
        failpoint("in-table")
