"""The files made from the store for a job: tables of runs, of cells, of pairs; the summary.

runs.csv has every metric of every run. cells.csv has the measures alone, a line for each cell and
seed: small enough to commit, and all that answers grouped by parameters are made of.
"""

import asyncio
import contextlib
import csv
import logging
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from bilancio.encoding import to_json
from bilancio.errors import ExperimentFailed
from bilancio.experiments import registry
from bilancio.experiments.design import runs_of_arm, starts_of
from bilancio.experiments.protocol import Experiment, SearchingExperiment, metrics_of, searching
from bilancio.experiments.reporting import observations_of, parameters_of, searches_of
from bilancio.experiments.standard import StandardExperiment
from bilancio.failpoints import failpoint
from bilancio.jobs.artifacts.csv_text import fields, table_text
from bilancio.jobs.artifacts.dictionary import write_dictionary
from bilancio.jobs.artifacts.folder import (
    CELLS,
    COMPARISON,
    FAILED,
    FIGURES,
    FRONTIER,
    NAMES,
    PARQUET,
    RUNS,
    SUMMARY,
    is_file,
    whole_file,
    write_whole,
)
from bilancio.jobs.artifacts.formats import Formats
from bilancio.jobs.artifacts.manifest import TABLED_RUNS, write_job_manifest
from bilancio.jobs.artifacts.ownership import make_job_folder
from bilancio.jobs.artifacts.run_tables import (
    LEADING_COLUMNS,
    measure_column,
    measures_of,
)
from bilancio.jobs.models import Job
from bilancio.jobs.ranges import count, stretches, whole_starts
from bilancio.jobs.recorded import rows_between, searched_rows
from bilancio.jobs.store import Chunk, JobStore, packing
from bilancio.text import first_runs_only

Indices = NDArray[np.int64]
Metrics = NDArray[np.void]
Columns = dict[str, NDArray[Any]]

log = logging.getLogger(__name__)
_BLOCK = 10_000  # rows turned into text at once
_STRETCH = 20_000  # runs whose chunks are held at once, if these have no more


async def write_files(
    store: JobStore,
    job: Job,
    *,
    formats: Formats,
    most: int | None = TABLED_RUNS,
) -> None:
    """Write every file of *job* from what is stored; the manifest last.

    Parameters
    ----------
    formats
        Of the table of runs. One of another format would tell of earlier runs, and is removed.
        Runs that were recorded manually are in runs.csv whatever the formats are: it tells NaN
        from what was not recorded.
    most
        How many runs the tables hold, the first ones; None for all of them. The manifest, and the
        log, say so where there are more.

    Raises
    ------
    OutputError
        A file cannot be written, or the folder is not the job's own.
    """
    await asyncio.to_thread(make_job_folder, job)
    tabled = job.completed_runs
    if job.manual:
        stored = await store.chunks(job.job_id)
        await asyncio.to_thread(_write_manual_runs, job, stored)
        await _write_parquet(store, job, formats, most)
    else:
        if await _has_measures_only(store, job):
            formats = ()  # there may be a table of runs from elsewhere, which says more
        elif "csv" not in (formats := await _write_parquet(store, job, formats, most)):
            _remove(job.folder / RUNS)
        tabled = await _write_tables(store, job, formats, most)
    await asyncio.to_thread(write_dictionary, job)
    if job.summary is not None:
        summary = to_json({"job_id": job.job_id, **job.summary}, indent=2)
        await asyncio.to_thread(write_whole, job.folder / SUMMARY, f"{summary}\n")
    await write_job_manifest(store, job, tabled=tabled)


def present(job: Job) -> dict[str, str]:
    """Return the files that are there, and the folder of pictures, by what they are."""
    files = {name: str(job.folder / name) for name in NAMES if is_file(job.folder / name)}
    if (job.folder / FIGURES).is_dir():
        files[FIGURES] = str(job.folder / FIGURES)
    return files


async def _has_measures_only(store: JobStore, job: Job) -> bool:
    """Return whether *job* was imported without all metrics of its runs, and not computed since."""
    await store.read_runs(job.job_id)
    created = await store.events(job.job_id, limit=1)
    if not created or created[0].details.get("source") not in {CELLS, COMPARISON}:
        return False
    start = await store.last_start(job.job_id)
    return start is None or bool(start.details.get("imported"))


async def _write_parquet(store: JobStore, job: Job, formats: Formats, most: int | None) -> Formats:
    """Write runs.parquet if it is wanted; return the formats that are left to be written.

    Where an experiment makes no columns that it can hold, runs.csv is written all the same.
    """
    made = False
    if "parquet" in formats:
        from bilancio.jobs.artifacts.parquet import write_parquet  # pyarrow is optional

        try:
            await write_parquet(store, job, most)
        except (ExperimentFailed, ValueError) as error:
            log.warning("%s is not written: %s", PARQUET, error)
        else:
            made = True
    if not made:
        _remove(job.folder / PARQUET)
        return ("csv",)
    return [each for each in formats if each != "parquet"]


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()


async def _write_tables(store: JobStore, job: Job, formats: Formats, most: int | None) -> int:
    """Write the tables, a stretch of runs at a time; return how many runs they hold."""
    experiment = registry.experiment(job.config.sweep_type)
    failed = await store.failed_runs(job.job_id)
    await asyncio.to_thread(_write_failures, job, failed)
    ranges = recorded = await store.recorded(job.job_id)
    n_arms = len(job.config.arms)
    if most is not None:
        ranges = whole_starts(recorded, most, n_arms)
    tabled, completed = count(ranges), count(recorded)
    if tabled < completed:
        log.info("%s", first_runs_only(tabled, completed))
    at_once, block = _STRETCH, _BLOCK
    if not isinstance(experiment, StandardExperiment):  # what it observes may be of all its runs
        at_once = block = job.config.total_runs
    with contextlib.ExitStack() as files:
        tables = list(_tables(job, experiment, with_runs="csv" in formats))
        for table in tables:
            files.enter_context(table.opened)
        for first, last in stretches(ranges, at_once, n_arms):
            indices, metrics = await rows_between(store, job, first, last)
            for rows in _blocks(indices, block, n_arms):
                for table in tables:
                    await asyncio.to_thread(table.add, indices[rows], metrics[rows])
    search = searching(experiment, job.config)
    if search is not None:
        await asyncio.to_thread(_write_searches, job, search, *await searched_rows(store, job))
    return tabled


def _blocks(indices: Indices, size: int, n_arms: int) -> Iterator[slice]:
    """Yield slices of about so many runs; no start is cut through."""
    first = 0
    while first < len(indices):
        last = first + max(size, n_arms)
        if last < len(indices):
            start = indices[last] - indices[last] % n_arms
            last = int(np.searchsorted(indices, start))
        yield slice(first, last)
        first = last


def _write_failures(job: Job, failed: dict[int, str]) -> None:
    if failed:
        rows = [("run_id", "index", "error")]
        rows += [(job.run_ids[index], str(index), error) for index, error in failed.items()]
        _write_csv(job.folder / FAILED, rows)
    else:
        _remove(job.folder / FAILED)


def _write_searches(
    job: Job, search: SearchingExperiment, indices: Indices, metrics: Metrics
) -> None:
    try:
        searches = searches_of(search, job.config, indices, metrics)
    except ExperimentFailed as error:
        log.warning("%s", error)
    else:
        found = ((job.job_id, *row) for row in searches.rows)
        _write_csv(job.folder / FRONTIER, [("job_id", *searches.columns), *found])


def _tables(job: Job, experiment: Experiment, *, with_runs: bool) -> Iterator["_Table"]:
    """Yield the tables that are made of runs."""
    if with_runs:
        yield _Table(job.folder / RUNS, partial(_run_columns, job, experiment))
    yield _Table(job.folder / CELLS, partial(_cell_columns, job, experiment))
    if len(job.config.arms) > 1:
        yield _Table(job.folder / COMPARISON, partial(_observed_columns, job, experiment))


class _GivenUp(Exception):
    """A table is not written after all."""


class _Table:
    """A table that is written a stretch of runs at a time, and is there whole or not at all.

    One that an experiment cannot make is left out: its runs are recorded all the same.

    Parameters
    ----------
    path
        Where it will be.
    columns_of
        Makes the columns of a stretch from the indices and rows of its runs.

    Attributes
    ----------
    opened
        Its file takes its place when this is left, unless by an error.
    """

    def __init__(self, path: Path, columns_of: Callable[[Indices, Metrics], Columns]) -> None:
        self._path = path
        self._columns_of = columns_of
        self.opened = contextlib.ExitStack()
        self._file: IO[str] | None = None
        self._names: tuple[str, ...] = ()
        self._given_up = False

    def add(self, indices: Indices, metrics: Metrics) -> None:
        """Write the rows of a stretch; before the first one, the heading."""
        if self._given_up:
            return
        try:
            columns = self._columns_of(indices, metrics)
        except ExperimentFailed as error:
            log.warning("%s", error)
            self._give_up()
            return
        if self._file is None:
            self._file = self.opened.enter_context(whole_file(self._path))
            self._names = tuple(columns)
            csv.writer(self._file, lineterminator="\n").writerow(self._names)
        n_rows = len(next(iter(columns.values())))
        missing = np.full(n_rows, "")
        given = [columns.get(name, missing) for name in self._names]
        try:
            for start in range(0, n_rows, _BLOCK):
                some = slice(start, start + _BLOCK)
                self._file.write(table_text(fields(column[some]) for column in given))
        except OSError:
            with self.opened:  # says which file it was
                raise
        failpoint("in-table")

    def _give_up(self) -> None:
        self._given_up = True
        with contextlib.suppress(_GivenUp), self.opened:
            raise _GivenUp


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


def _run_columns(job: Job, experiment: Experiment, indices: Indices, metrics: Metrics) -> Columns:
    """Return the columns of runs.csv for these runs."""
    cells = parameters_of(experiment, job.config, indices)
    return {
        "job_id": np.broadcast_to(np.array(job.job_id), indices.shape),
        "run_id": np.array([job.run_ids[index] for index in indices.tolist()], object),
        "index": indices,
        **cells,  # what a search chose for a run stands among the metrics, and takes its place
        **{
            metric.name: metric.to_text(metrics[metric.name])
            for metric in metrics_of(experiment, metrics.dtype)
        },
    }


def _observed_columns(
    job: Job, experiment: Experiment, indices: Indices, metrics: Metrics
) -> Columns:
    """Return the columns of comparison.csv for these runs."""
    seen = observations_of(experiment, job.config, indices, metrics)
    name = np.broadcast_to(np.array(job.job_id), seen.columns["seed"].shape)
    return {"job_id": name, **seen.columns}


def _cell_columns(job: Job, experiment: Experiment, indices: Indices, metrics: Metrics) -> Columns:
    """Return the columns of cells.csv for these runs, a row for each cell and seed.

    Parameters come first, then the measures of each arm; of an arm whose run has no results the
    fields are empty.
    """
    arms = job.config.arms
    starts = np.unique(starts_of(job.config, indices))
    cells = parameters_of(experiment, job.config, starts)
    columns: Columns = {
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


def _write_csv(path: Path, rows: Iterable[Iterable[Any]]) -> None:
    with whole_file(path) as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
        failpoint("in-table")
