"""Tables of runs read back: runs.csv or runs.parquet, cells.csv, comparison.csv: foreign input.

Lines, columns and fields are bounded, every run has its place in the sweep and stands there
once, and every number is one that is written: what is not so is refused before anything is
stored.
"""

import contextlib
import csv
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from bilancio.errors import InvalidInput, Problem, shown
from bilancio.experiments import registry
from bilancio.experiments.design import runs_of_arm, searched_axis, starts_of, stored_columns
from bilancio.experiments.grid_sweep import GridSweep, RunOrder
from bilancio.experiments.protocol import Experiment, declared_metrics, metrics_of
from bilancio.experiments.reporting import parameters_of
from bilancio.experiments.sweep_config import SweepConfig
from bilancio.jobs.artifacts.folder import PARQUET, open_file
from bilancio.jobs.run_ids import RunIds
from bilancio.jobs.store import Chunk, packing
from bilancio.model.metrics import Metric

LEADING_COLUMNS = ("job_id", "run_id", "index")
MAX_LINE = 1 << 20  # characters
MAX_COLUMNS = 1000
MAX_NAME = 200
MAX_DIGITS = 20
_ROWS_PER_CHUNK = 20_000

Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table that was opened: its heading, and its lines as they are read."""

    path: Path
    columns: tuple[str, ...]
    lines: Iterator[list[str]]

    def refused(self, what: str, got: str, allowed: str) -> InvalidInput:
        """Return the error for something in it."""
        return InvalidInput([Problem(f"{self.path}: {what}", got, allowed)])

    def places(self, names: Sequence[str]) -> list[int]:
        """Return where these columns stand.

        Raises
        ------
        InvalidInput
            There is no such column.
        """
        for name in names:
            if name not in self.columns:
                given = ", ".join(self.columns[:10])
                raise self.refused("columns", shown(given), f"a column {name!r} among them")
        return [self.columns.index(name) for name in names]


def open_table(file: IO[str], path: Path) -> Table:
    """Return the table in *file*: a heading of different names, then lines as long as it.

    Raises
    ------
    InvalidInput
        The heading, or a line when it comes to be read, is not so.
    """
    reader = csv.reader(_short_lines(file, path), strict=True)
    heading = tuple(next(reader, ()))
    table = _checked(Table(path=path, columns=heading, lines=iter(())))

    def lines() -> Iterator[list[str]]:
        for line in reader:
            if len(line) != len(heading):
                got = f"{len(line)} fields in line {reader.line_num}"
                raise table.refused("lines", got, f"{len(heading)} fields, as in the heading")
            yield line

    return Table(path=path, columns=heading, lines=lines())


@contextlib.contextmanager
def opened_table(path: Path) -> Iterator[Table]:
    """Open a table for reading; nothing but a regular file is.

    Raises
    ------
    InvalidInput, LibraryMissing, OSError, TypeError, ValueError
    """
    if path.name != PARQUET:
        with os.fdopen(open_file(path), encoding="utf-8", newline="") as file:
            yield open_table(file, path)
        return
    with os.fdopen(open_file(path), "rb") as binary:
        from bilancio.frames.arrow import ParquetText  # pyarrow is optional

        text = ParquetText(binary)
        yield _checked(Table(path=path, columns=text.columns, lines=text.rows()))


def _checked(table: Table) -> Table:
    """Return a table whose heading has different names that can be printed."""
    heading = table.columns
    if not heading or len(heading) > MAX_COLUMNS:
        raise table.refused("columns", str(len(heading)), f"from 1 to {MAX_COLUMNS}")
    for name in heading:
        if not name or len(name) > MAX_NAME or not name.isprintable() or heading.count(name) > 1:
            raise table.refused("columns", shown(name), "names, each once, that can be printed")
    return table


def _short_lines(file: IO[str], path: Path) -> Iterator[str]:
    while line := file.readline(MAX_LINE):
        if len(line) == MAX_LINE:
            got, allowed = "a longer one", f"lines of less than {MAX_LINE:,} characters"
            raise InvalidInput([Problem(f"{path}: lines", got, allowed)])
        yield line


# -- runs ---------------------------------------------------------------------------------------


def read_runs(path: Path, job_id: str, config: SweepConfig) -> Iterator[Chunk]:
    """Yield the chunks of a table of runs; numbers were written so that they read back the same."""
    run_ids = RunIds(job_id, config, config.total_runs)
    with opened_table(path) as table:
        given = [name for name in table.columns if name not in LEADING_COLUMNS]
        dtype = _row_type(path, config, given)
        at_id, at_index, *at = table.places(["run_id", "index", *(dtype.names or ())])
        last = -1
        while lines := list(islice(table.lines, _ROWS_PER_CHUNK)):
            indices = np.empty(len(lines), np.int64)
            for number, line in enumerate(lines):
                index = run_index(table, line[at_index], line[at_id], run_ids)
                if index <= last:
                    raise table.refused("index", str(index), f"numbers above {last}")
                indices[number] = last = index
            yield from packing.split(indices, _rows(table, config, lines, at, dtype))


def run_index(table: Table, index: str, run_id: str, run_ids: RunIds) -> int:
    """Return which run a line is of; its name has to say the same."""
    number = int(index) if index.isdecimal() and len(index) <= MAX_DIGITS else -1
    if not 0 <= number < len(run_ids) or run_ids[number] != run_id:
        raise table.refused("run_id", shown(run_id), f"the run of this job with index {index[:20]}")
    return number


def read_manual_runs(path: Path, limit: int) -> Iterator[Chunk]:
    """Yield a chunk for each run that was recorded manually, at most *limit*.

    NaN stays what it is there: an empty field is a metric that was not recorded.
    """
    with opened_table(path) as table:
        (at_id,) = table.places(["run_id"])
        metrics = [
            (place, name) for place, name in enumerate(table.columns) if name not in LEADING_COLUMNS
        ]
        seen: set[str] = set()
        for index, line in enumerate(table.lines):
            run_id = line[at_id]
            if not run_id or run_id in seen or index >= limit:
                raise table.refused("run_id", shown(run_id), f"{limit} runs, each once")
            seen.add(run_id)
            numbers = {name: float(line[place]) for place, name in metrics if line[place]}
            packed, crc32 = packing.pack(packing.one_row(numbers))
            yield Chunk(
                first_index=index, last_index=index, metrics=packed, crc32=crc32, run_id=run_id
            )


def read_failures(path: Path, run_ids: RunIds) -> dict[int, str]:
    """Return the errors of failed runs by index."""
    failures: dict[int, str] = {}
    with opened_table(path) as table:
        at_id, at_index, at_error = table.places(["run_id", "index", "error"])
        for line in table.lines:
            index = run_index(table, line[at_index], line[at_id], run_ids)
            if index in failures:
                raise table.refused("index", str(index), "each run once")
            failures[index] = line[at_error]
    return failures


# -- values by cell and seed --------------------------------------------------------------------


def measures_of(experiment: Experiment, columns: np.dtype[np.void]) -> tuple[Metric, ...]:
    """Return the metrics that sweeps show averages of; all, where the experiment names none."""
    metrics = metrics_of(experiment, columns)
    return tuple(each for each in metrics if each.measure) or metrics


def measure_column(name: str, arm: str, arms: Sequence[str]) -> str:
    """Return the column of cells.csv that has a metric of an arm."""
    return f"{name}_{arm}" if len(arms) > 1 else name


def read_cells(path: Path, config: SweepConfig) -> list[Chunk]:
    """Return the chunks of cells.csv, which has the measures of all runs of a completed job."""
    with opened_table(path) as table:
        arms = config.arms
        suffixes = [measure_column("", arm, arms) for arm in arms]
        known = {*LEADING_COLUMNS, *_parameter_names(config)}
        given = [
            name.removesuffix(suffixes[0])
            for name in table.columns
            if name.endswith(suffixes[0]) and (len(arms) > 1 or name not in known)
        ]
        dtype = _row_type(path, config, given, suffixes)
        places = [
            table.places([_column_of(table, name, suffix) for name in dtype.names or ()])
            for suffix in suffixes
        ]
        return list(_runs_of_starts(table, config, places, dtype))


def read_comparison(path: Path, config: SweepConfig) -> list[Chunk]:
    """Return the default rates of both arms from comparison.csv, all that version 0.1 left."""
    with opened_table(path) as table:
        dtype = stored_columns(config, [Metric("delta_total")])
        places = [
            table.places(
                [f"delta_{arm}" if name == "delta_total" else name for name in dtype.names or ()]
            )
            for arm in config.arms
        ]
        return list(_runs_of_starts(table, config, places, dtype))


def _starts(table: Table, config: SweepConfig) -> Iterator[tuple[Indices, list[list[str]]]]:
    """Yield the first arms' runs of some lines, and the lines; cell and seed must fit."""
    arms = len(config.arms)
    before, n_read = -1, 0
    while lines := list(islice(table.lines, max(_ROWS_PER_CHUNK // arms, 1))):
        if "index" in table.columns:
            (at,) = table.places(["index"])
            starts = np.array([_whole_number(line[at]) for line in lines], np.int64)
        elif (
            isinstance(config, GridSweep) and config.run_order is RunOrder.CELLS and config.searches
        ):  # probes that were not needed are left out
            starts = _starts_by_cell(table, config, lines)
        else:
            starts = (n_read + np.arange(len(lines), dtype=np.int64)) * arms
        inside = (starts >= 0) & (starts < config.total_runs)
        first = starts == starts_of(config, starts)
        if not (inside & first).all() or (np.diff(starts, prepend=before) <= 0).any():
            allowed = f"increasing first runs of a cell and seed, below {config.total_runs}"
            raise table.refused("index", "others", allowed)
        _refuse_other_places(table, config, starts, lines)
        yield starts, lines
        before, n_read = int(starts[-1]), n_read + len(lines)


def _starts_by_cell(table: Table, config: GridSweep, lines: list[list[str]]) -> Indices:
    replicate = {seed: number for number, seed in enumerate(config.all_seeds())}
    at_cell, at_seed = table.places(["cell", "seed"])
    cells = np.array([_whole_number(line[at_cell]) for line in lines], np.int64)
    seeds = [replicate.get(_whole_number(line[at_seed]), -1) for line in lines]
    return (cells * config.n_seeds + np.array(seeds, np.int64)) * len(config.arms)


def _refuse_other_places(
    table: Table, config: SweepConfig, starts: Indices, lines: list[list[str]]
) -> None:
    """Refuse lines that name another cell or seed than the sweep has there."""
    expected = parameters_of(registry.experiment(config.sweep_type), config, starts)
    for name in ("cell", "seed"):
        if name in table.columns and name in expected:
            (at,) = table.places([name])
            told = np.array([_whole_number(line[at]) for line in lines], np.int64)
            if (told != expected[name]).any():
                raise table.refused(name, "others", f"the {name}s of the sweep, in its order")


def _runs_of_starts(
    table: Table, config: SweepConfig, places: Sequence[Sequence[int]], dtype: np.dtype[np.void]
) -> Iterator[Chunk]:
    """Yield the chunks of all runs of the cells and seeds in a table.

    Parameters
    ----------
    places
        For each arm, where the columns of *dtype* stand.
    """
    for starts, lines in _starts(table, config):
        indices = np.empty((len(starts), len(places)), np.int64)
        rows = np.empty((len(starts), len(places)), dtype)
        for number, columns in enumerate(places):
            indices[:, number] = runs_of_arm(config, starts, number)
            run = np.flatnonzero(indices[:, number] >= 0)
            rows[run, number] = _rows(table, config, [lines[at] for at in run], columns, dtype)
        there = indices >= 0
        yield from packing.split(indices[there], rows[there])


def _column_of(table: Table, name: str, suffix: str) -> str:
    """Return the column of a metric; κ that a search chose is one for all arms."""
    return (
        name if name in table.columns and f"{name}{suffix}" not in table.columns else name + suffix
    )


# -- columns and values -------------------------------------------------------------------------


def _parameter_names(config: SweepConfig) -> set[str]:
    none = np.empty(0, np.int64)
    return set(parameters_of(registry.experiment(config.sweep_type), config, none))


def _row_type(
    path: Path, config: SweepConfig, given: Sequence[str], suffixes: Sequence[str] = ("",)
) -> np.dtype[np.void]:
    """Return the type of a stored row: as the experiment declares it, or as its numbers look."""
    declared = declared_metrics(registry.experiment(config.sweep_type))
    if declared:
        return stored_columns(config, [each for each in declared if each.name in given])
    names = [name for name in given if name not in _parameter_names(config)]
    kinds: dict[str, set[type]] = {name: set() for name in names}
    with opened_table(path) as table:
        places = [
            (table.columns.index(name + suffix), kinds[name])
            for name in names
            for suffix in suffixes
            if name + suffix in table.columns
        ]
        for line in table.lines:
            for place, found in places:
                found.add(_kind(line[place]))
    columns = [
        (name, found.pop() if len(found) == 1 else np.float64) for name, found in kinds.items()
    ]
    axis = searched_axis(config)
    return np.dtype([*columns, (axis, np.float64)] if axis else columns)


def _kind(text: str) -> type:
    if text in {"True", "False"}:
        return np.bool_
    return np.int64 if text.lstrip("-").isdigit() else np.float64


def _rows(
    table: Table,
    config: SweepConfig,
    lines: Sequence[Sequence[str]],
    places: Sequence[int],
    dtype: np.dtype[np.void],
) -> NDArray[np.void]:
    """Return lines as stored rows."""
    rows = np.empty(len(lines), dtype)
    experiment = registry.experiment(config.sweep_type)
    declared = bool(declared_metrics(experiment))
    for metric, place in zip(metrics_of(experiment, dtype), places, strict=True):
        try:
            values = [_value(metric, line[place], infinite=not declared) for line in lines]
            rows[metric.name] = np.array(values, dtype[metric.name])
        except (ValueError, OverflowError) as error:
            allowed = f"values of {dtype[metric.name]}"
            raise table.refused(metric.name, shown(str(error)), allowed) from None
    return rows


def _value(metric: Metric, text: str, *, infinite: bool) -> float | int:
    """Read back what a cell of a table says; what is not a number is an empty field."""
    if len(text) > MAX_NAME:
        raise ValueError(shown(text, 20))
    value = metric.from_text(text)
    if text and isinstance(value, float) and not (math.isfinite(value) or infinite):
        raise ValueError(text)
    if text and value != value:  # noqa: PLR0124 - what differs from itself is NaN
        raise ValueError(text)
    return value


def _whole_number(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise ValueError(shown(text, 20))
    return int(text)
