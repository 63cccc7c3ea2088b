"""Runs reduced to what is said of groups of cells, a column at a time.

A job of many runs does not fit in memory as a whole: its metrics are handed over one after the
other, and of each only the means by group and seed, and what follows from them, are kept.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bilancio.analysis.grouping import grouped_cells
from bilancio.analysis.intervals import Intervals, measure_intervals, two_way_intervals
from bilancio.analysis.measures import Measure, Values
from bilancio.analysis.observations import Observations
from bilancio.analysis.seeds import seed_means, whole
from bilancio.experiments.design import n_probes, probe_columns, probe_cube, probed_arms
from bilancio.experiments.layout import Layout
from bilancio.model.metrics import Metric

Indices = NDArray[np.int64]
Metrics = NDArray[np.void]
Bools = NDArray[np.bool_]
Columns = dict[str, NDArray[Any]]
Sides = tuple[Values, Values | None]

SAMPLED_DESIGNS = ("lhs", "sobol")
NO_DESIGN = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """Which runs of a sweep have results.

    Attributes
    ----------
    done : bool (n_runs,)
        Of the runs that the layout numbers, which are recorded.
    failed : int64 (n,)
        Those that failed.
    names
        Columns of metrics that are recorded.
    searched
        Indices and rows of the runs that searches chose, increasing; none where there is no search.
    """

    done: Bools
    failed: Indices
    names: tuple[str, ...]
    searched: tuple[Indices, Metrics] | None = None


class LaidOut(Protocol):
    """An experiment whose runs lie over cells, seeds and arms."""

    metrics: tuple[Metric, ...]

    def layout(self, config: Any) -> Layout:
        """Return how the runs whose cells are known from the start are numbered."""
        ...

    def parameters(self, config: Any, indices: Indices) -> Columns:
        """Return cell, parameters, seed and the arm's name of these runs."""
        ...


class Surveyed(Protocol):
    """Cells, and which runs of them have results.

    Attributes
    ----------
    columns : arrays (n_cells,)
        Parameters by name.
    designs : text (n_cells,)
        The design that each cell is of.
    recorded : bool (n_seeds, n_cells, n_arms)
        Which runs have results.
    sampled : bool (n_cells,)
        Which cells were drawn from ranges.
    probes : bool (n_cells,)
        Which cells a search tried.
    one_armed : bool (n_cells,)
        Which of these it tried in one arm only, because it searches each arm on its own.
    """

    columns: Columns
    designs: NDArray[Any]
    recorded: Bools

    @property
    def sampled(self) -> Bools:
        """Which cells were drawn from ranges."""
        ...

    @property
    def probes(self) -> Bools:
        """Which cells a search tried."""
        ...

    @property
    def one_armed(self) -> Bools:
        """Which of these it tried in one arm only."""
        ...


class Cells:
    """The cells of a sweep, those that searches tried among them.

    Attributes
    ----------
    columns : arrays (n_cells,)
        Parameters by name, with `cell` and, unless all are of a grid, `design`.
    n_fixed
        Cells that are known from the start; those of searches follow.
    recorded : bool (n_seeds, n_cells, n_arms)
        Which runs have results; true for the runs of a search that nobody needs.
    there : bool (n_seeds, n_cells, n_arms)
        Which runs have results.
    """

    def __init__(self, experiment: LaidOut, config: Any, recorded: Recorded) -> None:
        self._experiment = experiment
        self._layout = experiment.layout(config)
        self._config = config
        self._recorded = recorded
        self.n_fixed = self._layout.n_cells
        firsts = self._layout.index(0, np.arange(self.n_fixed), 0)
        columns = experiment.parameters(config, firsts)
        cube = self._layout.cube(recorded.done)
        self.there = cube
        if recorded.searched is not None and n_probes(config):
            indices, metrics = recorded.searched
            probes = probe_columns(config, indices, metrics)
            columns = {name: np.concatenate([columns[name], probes[name]]) for name in columns}
            tried = probe_cube(config, indices, column=True, empty=False)
            self.there = np.concatenate([cube, tried], axis=1)
            cube = np.concatenate([cube, tried | ~probed_arms(config)], axis=1)
        self.recorded = cube
        self.columns = {
            name: column for name, column in columns.items() if name not in {"seed", "arm"}
        }
        self.designs = self.columns.get("design", np.full(cube.shape[1], NO_DESIGN))

    @property
    def sampled(self) -> Bools:
        """Which cells were drawn from ranges."""
        return np.isin(self.designs, SAMPLED_DESIGNS)

    @property
    def probes(self) -> Bools:
        """Which cells a search tried."""
        return np.arange(len(self.designs)) >= self.n_fixed

    @property
    def one_armed(self) -> Bools:
        """Which of these it tried in one arm only."""
        return np.asarray((self.recorded & ~self.there).any(axis=(0, 2)), bool)

    def cube(self, name: str, column: Values) -> Values:
        """Return a metric's dense column, the runs of searches added, by seed, cell and arm.

        Parameters
        ----------
        column : float64 (n_runs,)
            NaN where there is no result.
        """
        cube: Values = self._layout.cube(column)
        if self._recorded.searched is None or not n_probes(self._config):
            return cube
        indices, metrics = self._recorded.searched
        values: Any = np.nan
        if name in (metrics.dtype.names or ()):
            values = as_numbers(self._experiment, name, metrics[name])
        tried = probe_cube(self._config, indices, values, np.nan)
        return np.concatenate([cube, tried], axis=1)

    def runs(self, seed: Indices, cell: Indices) -> Indices:
        """Return the numbers of the runs of starts: int64 (n, n_arms); -1 where there is none.

        Parameters
        ----------
        seed, cell : int64 (n,)
            Places of the starts.
        """
        arms = np.arange(self.there.shape[2])
        found = self._layout.index(seed[:, None], np.minimum(cell, self.n_fixed - 1)[:, None], arms)
        tried = cell >= self.n_fixed
        if self._recorded.searched is not None and tried.any():
            indices, _ = self._recorded.searched
            cube = probe_cube(self._config, indices, indices, -1)
            found[tried] = cube[seed[tried], cell[tried] - self.n_fixed]
        return np.asarray(found, np.int64)


class Groups:
    """Groups of cells, and what the columns handed over say of each.

    Parameters
    ----------
    cells
        All cells of the sweep.
    by
        Columns whose values name the group; none makes one group.
    chosen : bool (n_cells,)
        Cells that take part.
    measures
        What is said of the groups.
    kept
        Measures whose values by group and seed are kept, for contrasts and plans.

    Attributes
    ----------
    keys
        Values of the columns *by*, for each group with a whole seed.
    n_cells : int64 (n_groups,)
    whole : bool (n_groups, n_seeds)
    one_armed : bool (n_groups,)
        Whether a search tried all its cells in one arm only: nothing there compares arms.
    intervals
        By measure, once all its columns have been taken.
    sides
        Numerator and denominator by group and seed of the measures kept.
    """

    def __init__(
        self,
        cells: Surveyed,
        by: Sequence[NDArray[Any]],
        chosen: Bools,
        measures: Sequence[Measure],
        *,
        kept: Collection[str] = (),
    ) -> None:
        self._cells = cells
        self._measures = measures
        self._kept = kept
        group, keys = grouped_cells(by, chosen)
        is_whole = whole(cells.recorded, group, len(keys))
        seen = np.asarray(is_whole.any(axis=1), bool)
        renumbered = np.where(seen, np.cumsum(seen) - 1, -1)
        self.group = np.where(group >= 0, renumbered[group], -1) if len(keys) else group
        self.keys = [key for key, any_seed in zip(keys, seen.tolist(), strict=True) if any_seed]
        self.whole = is_whole[seen]
        inside = self.group[self.group >= 0]
        self.n_cells = np.bincount(inside, minlength=len(self.keys))
        drawn = np.bincount(inside, cells.sampled[self.group >= 0], minlength=len(self.keys))
        self._sampled = np.flatnonzero((drawn == self.n_cells) & (self.n_cells > 1))
        alone = np.bincount(inside, cells.one_armed[self.group >= 0], minlength=len(self.keys))
        self.one_armed = np.asarray((alone == self.n_cells) & (self.n_cells > 0), bool)
        self.intervals: dict[str, Intervals] = {}
        self.sides: dict[str, Sides] = {}

    @property
    def n_seeds(self) -> NDArray[np.int64]:
        """Whole seeds of each group."""
        return np.asarray(self.whole.sum(axis=1), np.int64)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics whose columns are wanted."""
        return tuple(
            dict.fromkeys(metric_of(name) for each in self._measures for name in each.columns)
        )

    def take(self, metric: str, cube: Values, arms: Sequence[str]) -> None:
        """Reduce a metric to what is said of the groups.

        Parameters
        ----------
        cube : float64 (n_seeds, n_cells, n_arms)
        """
        names = [column_of(metric, arm, arms) for arm in arms]
        mine = [each for each in self._measures if set(each.columns) <= set(names)]
        if not mine:
            return
        wanted = {name for each in mine for name in each.columns}
        runs = {name: cube[:, :, arm] for arm, name in enumerate(names) if name in wanted}
        means = {name: self._means(column) for name, column in runs.items()}
        for measure in mine:
            sides = measure.per_seed(self._means_of_known(measure, runs) or means)
            found = measure_intervals(*sides)
            if len(self._sampled):
                of_ranges = self._of_ranges(measure.per_seed(runs))
                replace_rows(found, self._sampled, of_ranges)
            self.intervals[measure.name] = found
            if measure.name in self._kept:
                self.sides[measure.name] = sides

    def _means(self, runs: Values) -> Values:
        return seed_means(runs, self.whole, self.group, len(self.keys))

    def _means_of_known(self, measure: Measure, runs: Mapping[str, Values]) -> dict[str, Values]:
        """Return the means over the starts in which all columns of a measure are known.

        Nothing where these are the starts in which any is known: arms are compared cell by cell,
        and a value that one arm misses does not count in the other one.
        """
        if len(measure.columns) == 1:
            return {}
        missing = [np.isnan(runs[name]) for name in measure.columns]
        some = np.logical_or.reduce(missing)
        if (some == np.logical_and.reduce(missing)).all():
            return {}
        return {name: self._means(np.where(some, np.nan, runs[name])) for name in measure.columns}

    def _of_ranges(self, sides: Sides) -> Intervals:
        """Return the intervals of the groups whose cells were drawn from ranges."""
        group = np.full(len(self.group), -1, np.int64)
        for place, number in enumerate(self._sampled.tolist()):
            group[self.group == number] = place
        return two_way_intervals(sides, self.whole[self._sampled], group)


def replace_rows(found: Intervals, rows: NDArray[np.intp], others: Intervals) -> None:
    """Put other intervals into some rows."""
    for each in fields(Intervals):
        getattr(found, each.name)[rows] = getattr(others, each.name)


def as_numbers(experiment: LaidOut, name: str, column: NDArray[Any]) -> NDArray[np.float64]:
    """Return a column of metrics as float64, NaN where a value is missing."""
    numbers = column.astype(np.float64)
    metric = next((each for each in experiment.metrics if each.name == name), None)
    if metric is not None and metric.missing is not None:
        numbers[column == metric.missing] = np.nan
    return numbers


def column_of(metric: str, arm: str, arms: Sequence[str]) -> str:
    """Return the name of the column of a metric in an arm."""
    return f"{metric}@{arm}" if len(arms) > 1 else metric


def metric_of(column: str) -> str:
    """Return the metric that a column is of."""
    return column.partition("@")[0]


class ObservedCells:
    """The cells of observations, which an experiment of its own kind makes.

    Cells are what the parameters tell apart; several observations of one cell under one seed are
    cells of their own.

    Attributes
    ----------
    seeds : int64 (n_seeds,)
        The seeds observed, increasing.
    """

    def __init__(self, seen: Observations) -> None:
        n = len(seen.columns["seed"])
        by = [seen.columns[name] for name in seen.parameters]
        kind, _ = grouped_cells(by, np.ones(n, bool))
        self.seeds, seed = np.unique(seen.columns["seed"], return_inverse=True)
        start = kind * max(len(self.seeds), 1) + seed
        in_order = np.argsort(start, kind="stable")
        first = np.searchsorted(start[in_order], start[in_order])
        occurrence = np.empty(n, np.int64)
        occurrence[in_order] = np.arange(n) - first
        _, example, cell = np.unique(
            kind * (occurrence.max(initial=0) + 1) + occurrence,
            return_index=True,
            return_inverse=True,
        )
        self._place = (seed, cell)
        self.columns: Columns = {name: seen.columns[name][example] for name in seen.parameters}
        self.designs = np.full(len(example), NO_DESIGN)
        self.recorded = np.zeros((len(self.seeds), len(example), 1), bool)
        self.recorded[seed, cell, 0] = True

    @property
    def sampled(self) -> Bools:
        """None: an experiment of its own kind does not say."""
        return np.zeros(len(self.designs), bool)

    @property
    def probes(self) -> Bools:
        """None, as above."""
        return np.zeros(len(self.designs), bool)

    @property
    def one_armed(self) -> Bools:
        """None, as above."""
        return np.zeros(len(self.designs), bool)

    def cube(self, values: NDArray[Any]) -> Values:
        """Return a measure by seed, cell and the one arm, given it by observation."""
        dense = np.full(self.recorded.shape, np.nan)
        dense[(*self._place, 0)] = values
        return dense
