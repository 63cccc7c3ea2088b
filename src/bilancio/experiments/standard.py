"""What experiments share whose runs lie over cells, seeds and arms.

Such an experiment says what it computes and what is measured; summary, headline and tables follow.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bilancio.analysis.intervals import Intervals
from bilancio.analysis.measures import Measure
from bilancio.analysis.observations import Observations
from bilancio.experiments import frontier, precision
from bilancio.experiments.answers import SOBOL_STEPS, Subject
from bilancio.experiments.design import sampled_ranges, sobol_cells
from bilancio.experiments.grid_sweep import GridSweep
from bilancio.experiments.layout import Layout
from bilancio.experiments.precision import Stopping
from bilancio.experiments.protocol import Step, TableOfSearches
from bilancio.experiments.reduction import (
    Cells,
    Groups,
    Indices,
    Metrics,
    ObservedCells,
    Recorded,
    as_numbers,
    column_of,
    metric_of,
)
from bilancio.experiments.search_sweep import SearchSweep
from bilancio.experiments.sweep_config import SweepConfig
from bilancio.model.metrics import Metric
from bilancio.text import plural

Columns = dict[str, NDArray[Any]]

AT_ONCE = 1 << 20  # runs that are looked at together


@dataclass(frozen=True, slots=True, kw_only=True)
class Averages:
    """What the whole seeds of a sweep say of all its cells together.

    Attributes
    ----------
    estimates
        Mean of each measure; None where it is not known.
    intervals
        95 % interval of each measure; None where there is none.
    missing
        Why the primary measure has no interval; empty where it has one.
    reasons
        The same of each measure that has no interval.
    n_seeds, planned_seeds
        Whole seeds, and seeds that there will be.
    fewer_seeds
        Whole seeds under which a measure has a value, where these are not all.
    n
        Cells times whole seeds.
    n_cells, cells_seen
        Cells that averages are over, and those of them with any result.
    failed_seeds
        Seeds left out because runs under them failed.
    signs
        How often the primary measure, by cell and seed, is above, at and below 0.
    ends
        How often runs ended for which reason; empty where that is not recorded.
    """

    estimates: Mapping[str, float | None]
    intervals: Mapping[str, list[float] | None]
    missing: str
    reasons: Mapping[str, str]
    n_seeds: int
    planned_seeds: int
    fewer_seeds: Mapping[str, int]
    n: int
    n_cells: int
    cells_seen: int
    failed_seeds: int
    signs: tuple[int, int, int]
    ends: Mapping[str, int]

    @property
    def counts(self) -> dict[str, int]:
        """What a summary says of seeds: those left out only where there are some."""
        told = {"n_seeds": self.n_seeds}
        if self.n_seeds < self.planned_seeds:
            told |= {"planned_seeds": self.planned_seeds}
        if not self.n_seeds:
            told |= {"n_cells": self.n_cells, "cells_with_results": self.cells_seen}
        if self.failed_seeds:
            told |= {"seeds_with_failed_runs": self.failed_seeds}
        return told

    @property
    def partial(self) -> dict[str, dict[str, int]]:
        """What a summary says of measures without a value under some seeds, where there are any."""
        return {"n_seeds_with_value": dict(self.fewer_seeds)} if self.fewer_seeds else {}


class StandardExperiment(ABC):
    """An experiment whose runs lie over cells, seeds and arms (`Layout`).

    A subclass gives `config_model`, `version`, `metrics`, `compute` and `parameters`; its
    configuration has a `layout`. The order of a sweep's arms is that of `config.arms`.

    Attributes
    ----------
    primary
        The measure that verdicts and plans are about.
    verdict_words
        What a primary measure above and below 0 is called; None where that is not a question.
    watched
        Counts that say nothing where they are 0 in all runs of a cell: metric → what it counts.
    default_rate
        The metric that is the share of debt defaulted on; empty where there is none.
    """

    config_model: type[SweepConfig]
    version: str
    primary: str
    releases_gil: bool = False
    metrics: tuple[Metric, ...] = ()
    verdict_words: ClassVar[tuple[str, str] | None] = None
    watched: ClassVar[Mapping[str, str]] = {}
    default_rate: ClassVar[str] = ""

    @abstractmethod
    def prepare(self) -> None:
        """Load what `compute` needs."""

    @abstractmethod
    def compute(self, config: Any, indices: Indices) -> Metrics:
        """Run the runs of *indices*: one row of metrics each, in their order."""

    @abstractmethod
    def parameters(self, config: Any, indices: Indices) -> Columns:
        """Return cell, parameters, seed and the arm's name of these runs."""

    def layout(self, config: Any) -> Layout:
        """Return how the runs whose cells are known from the start are numbered."""
        found: Layout = config.layout
        return found

    # -- what is measured --------------------------------------------------------------------

    @abstractmethod
    def measures(self, names: Collection[str]) -> tuple[Measure, ...]:
        """Return what is said of the runs, given the metrics recorded; the primary measure too."""

    def primary_measure(self, names: Collection[str]) -> str:  # noqa: ARG002 - of some it depends
        """Return the name of the primary measure, given the metrics recorded."""
        return self.primary

    # -- what the runs say -------------------------------------------------------------------

    @abstractmethod
    def summary(self, averages: Averages) -> dict[str, Any]:
        """Return the summary of a sweep, as JSON holds it; searches apart."""

    @abstractmethod
    def headline(self, summary: dict[str, Any]) -> str:
        """Say in a sentence or two what the summary says."""

    # -- searches ----------------------------------------------------------------------------

    def next_step(self, config: SearchSweep, indices: Indices, metrics: Metrics) -> Step | None:
        """Return the probes of the searches that can be computed now."""
        return frontier.next_step(config, indices, metrics, self.searchable(config))

    def search_table(
        self, config: SearchSweep, indices: Indices, metrics: Metrics
    ) -> TableOfSearches:
        """Return what each search has found."""
        return frontier.table(config, indices, metrics, self.searchable(config))

    def searchable(self, config: SearchSweep) -> tuple[Measure, ...]:
        """Return the measures that a search may look at, those of all arms among them."""
        return self.measures([each.name for each in config.recorded_metrics])

    def searched(self, summary: Mapping[str, Any]) -> str:
        """Say what the searches of a sweep have found; nothing where it has none."""
        found = summary.get("frontier")
        model = self.config_model
        if found is None or not issubclass(model, SearchSweep):
            return ""
        return frontier.headline(found, model.symbols_of_axes())

    # -- all in memory -----------------------------------------------------------------------

    def summarise(self, config: Any, indices: Indices, metrics: Metrics) -> dict[str, Any]:
        """Return the summary of runs that are all in memory."""
        return summary_of_columns(self, config, *split(self, config, indices, metrics))

    def observations(self, config: Any, indices: Indices, metrics: Metrics) -> Observations:
        """Return one observation for each cell and seed with a result in every arm.

        A ratio is 0 where its denominator is.
        """
        arms = config.arms
        paired = indices[: np.searchsorted(indices, config.paired_runs)]
        starts = complete_starts(paired, len(arms))
        first = indices[starts]
        rows = {
            column_of(name, arm, arms): as_numbers(self, name, metrics[name][starts + number])
            for number, arm in enumerate(arms)
            for name in metrics.dtype.names or ()
        }
        cells = self.parameters(config, first)
        hidden = {"arm"} if "design" in cells else {"arm", "cell"}
        columns = {name: column for name, column in cells.items() if name not in hidden}
        for name in columns.keys() & set(metrics.dtype.names or ()):
            columns[name] = metrics[name][starts]
        parameters = tuple(name for name in columns if name != "seed")
        measures = self.measures(metrics.dtype.names or ())
        for measure in measures:
            top, bottom = measure.per_seed(rows)
            if bottom is not None:
                top = np.divide(top, bottom, out=np.zeros_like(top), where=bottom != 0)
            columns[measure.name] = top
        return Observations(
            columns=columns,
            parameters=parameters,
            measures=tuple(each.name for each in measures),
            primary=self.primary_measure(metrics.dtype.names or ()),
        )


def complete_starts(indices: Indices, n_arms: int) -> NDArray[np.intp]:
    """Return the positions of first arms whose start has a run in every arm.

    Parameters
    ----------
    indices : int64 (n,)
        Runs, increasing. The arms of one start stand next to each other.
    """
    whole = indices[: len(indices) - n_arms + 1] % n_arms == 0
    for number in range(1, n_arms):
        later = indices[number : len(indices) - n_arms + 1 + number]
        whole = whole & (later - indices[: len(whole)] == number)
    return np.flatnonzero(whole)


def split(
    experiment: StandardExperiment, config: Any, indices: Indices, metrics: Metrics
) -> tuple[Recorded, dict[str, NDArray[Any]]]:
    """Return which of these runs there are, and their dense columns."""
    n_runs = experiment.layout(config).n_runs
    fixed = int(np.searchsorted(indices, n_runs))
    done = np.zeros(n_runs, bool)
    done[indices[:fixed]] = True
    names = metrics.dtype.names or ()
    columns = {}
    for name in names:
        columns[name] = np.full(n_runs, np.nan)
        columns[name][indices[:fixed]] = as_numbers(experiment, name, metrics[name][:fixed])
    searched = (indices[fixed:], metrics[fixed:]) if config.searches else None
    recorded = Recorded(
        done=done, failed=np.empty(0, np.int64), names=tuple(names), searched=searched
    )
    return recorded, columns


def summary_of_columns(
    experiment: StandardExperiment,
    config: Any,
    recorded: Recorded,
    columns: Mapping[str, NDArray[Any]],
) -> dict[str, Any]:
    """Return the summary of runs, given their dense columns."""
    summing = Summing(experiment, config, recorded)
    for name in summing.wanted:
        summing.take(name, columns[name])
    return summing.summary()


class Summing:
    """Makes a sweep's summary out of its columns, handed over one after the other.

    Parameters
    ----------
    cells
        The cells, where they are known already.
    """

    def __init__(
        self,
        experiment: StandardExperiment,
        config: Any,
        recorded: Recorded,
        cells: Cells | None = None,
    ) -> None:
        self._experiment = experiment
        self._config = config
        self._recorded = recorded
        self._cells = cells or Cells(experiment, config, recorded)
        self._measures = experiment.measures(recorded.names)
        averaged = averaged_cells(self._cells)
        self._averaged = averaged
        self._groups = Groups(self._cells, [], averaged, self._measures)
        self._stopping: Stopping | None = None
        if isinstance(config, GridSweep) and config.precision is not None:
            self._stopping = stopping_of(experiment, config, recorded, self._cells)
        self._signs = (0, 0, 0)
        self._ends: dict[str, int] = {}

    @property
    def wanted(self) -> tuple[str, ...]:
        """The metrics whose columns are wanted."""
        ends = {each.name for each in self._experiment.metrics if each.codes is not None}
        known = [name for name in self._recorded.names if name in ends]
        return (*self._groups.metrics, *known)

    def take(self, metric: str, column: NDArray[Any]) -> None:
        """Take a metric's dense column: float64 (n_runs,), NaN where there is no result."""
        declared = {each.name: each for each in self._experiment.metrics}.get(metric)
        if declared is not None and declared.codes is not None:
            self._count_ends(declared, column)
        if metric not in self._groups.metrics:
            return
        cube = self._cells.cube(metric, column)
        self._groups.take(metric, cube, self._config.arms)
        if self._stopping is not None:
            self._stopping.take(metric, cube, self._config.arms)
        primary = self._primary
        if primary is not None and {metric_of(name) for name in primary.columns} == {metric}:
            self._count_signs(primary, cube)

    def summary(self) -> dict[str, Any]:
        """Return the summary, once all columns wanted have been taken."""
        found = self._experiment.summary(self.averages())
        if self._stopping is not None:
            found |= {"precision": precision.summary(self._config, self._stopping.standing())}
        if self._recorded.searched is not None and isinstance(self._config, SearchSweep):
            measures = self._experiment.searchable(self._config)
            found["frontier"] = frontier.summary(self._config, *self._recorded.searched, measures)
        return found

    def averages(self) -> Averages:
        """Return what the columns taken say of all cells together."""
        groups, primary = self._groups, self._primary_name
        intervals = groups.intervals if groups.keys else {}
        layout = self._experiment.layout(self._config)
        seen = self._cells.recorded[:, self._averaged]
        n_seeds = int(groups.n_seeds[0]) if groups.keys else 0
        return Averages(
            estimates={
                each.name: number(intervals[each.name].estimate[0]) if intervals else None
                for each in self._measures
            },
            intervals={
                each.name: bounds(intervals[each.name], 0) if intervals else None
                for each in self._measures
            },
            missing=intervals[primary].reason(0) if intervals else "nothing was observed",
            reasons={name: why for name, each in intervals.items() if (why := each.reason(0))},
            n_seeds=n_seeds,
            planned_seeds=self._planned_seeds(layout),
            fewer_seeds={
                name: known
                for name, each in intervals.items()
                if (known := int(each.n_seeds[0])) < n_seeds
            },
            n=n_seeds * int(groups.n_cells[0]) if groups.keys else 0,
            n_cells=int(self._averaged.sum()),
            cells_seen=int(seen.any(axis=(0, 2)).sum()),
            failed_seeds=len(np.unique(layout.locate(self._fixed_failures(layout)).seed)),
            signs=self._signs,
            ends=self._ends,
        )

    def _planned_seeds(self, layout: Layout) -> int:
        """Return how many seeds there will be; with a precision, as far as that is known."""
        return layout.n_seeds if self._stopping is None else self._stopping.standing().seeds_asked

    def _fixed_failures(self, layout: Layout) -> Indices:
        failed = self._recorded.failed
        return failed[failed < layout.n_runs]

    @property
    def _primary_name(self) -> str:
        return self._experiment.primary_measure(self._recorded.names)

    @property
    def _primary(self) -> Measure | None:
        name = self._primary_name
        return next((each for each in self._measures if each.name == name), None)

    def _count_ends(self, metric: Metric, column: NDArray[Any]) -> None:
        codes = column[~np.isnan(column)].astype(np.int64)
        if self._recorded.searched is not None:
            codes = np.concatenate([codes, self._recorded.searched[1][metric.name]])
        words = [code.value for code in metric.codes or ()]
        counts = np.bincount(codes, minlength=len(words))
        self._ends = {word: int(n) for word, n in zip(words, counts, strict=True) if n}

    def _count_signs(self, primary: Measure, cube: NDArray[Any]) -> None:
        """Count how often the measure is above, at and below 0 in a cell under a whole seed."""
        if not self._groups.keys:
            return
        arms = self._config.arms
        seeds = np.flatnonzero(self._groups.whole[0])
        at_once = max(AT_ONCE // cube[0].size, 1)
        counts = np.zeros(3, np.int64)
        for start in range(0, len(seeds), at_once):
            block = cube[seeds[start : start + at_once]][:, self._averaged]
            names = {
                column_of(metric_of(name), arm, arms): block[:, :, number]
                for name in primary.columns
                for number, arm in enumerate(arms)
            }
            top, _ = primary.per_seed(names)
            counts += [(top > 0).sum(), (top == 0).sum(), (top < 0).sum()]
        above, equal, below = counts.tolist()
        self._signs = (above, equal, below)


def stopping_of(
    experiment: StandardExperiment, config: GridSweep, recorded: Recorded, cells: Cells
) -> Stopping:
    """Return what says when a sweep that asks for a precision stops."""
    measures = {each.name: each for each in experiment.measures(recorded.names)}
    primary = measures[experiment.primary_measure(recorded.names)]
    return Stopping(config, primary, recorded, cells, averaged_cells(cells))


def averaged_cells(cells: Cells) -> NDArray[np.bool_]:
    """Return which cells the averages of a sweep are over.

    Probes of a search say nothing of an average, nor do the cells of a Sobol design that differ
    from another one in a single parameter.
    """
    return ~cells.probes & ~np.isin(cells.designs, [SOBOL_STEPS])


def number(value: float) -> float | None:
    """Return a number as JSON holds it: None for NaN and infinity."""
    return float(value) if np.isfinite(value) else None


def bounds(found: Intervals, row: int) -> list[float] | None:
    """Return the interval of a row; None where there is none."""
    low, high = number(found.low[row]), number(found.high[row])
    return None if low is None or high is None else [low, high]


def size_with_bounds(
    difference: float, interval: Sequence[float] | None
) -> tuple[float, list[float] | None]:
    """Return how large a difference is, and the interval of that size.

    What is said to be lower by 2 has an interval around 2, not around -2.
    """
    if difference >= 0 or interval is None:
        return abs(difference), None if interval is None else list(interval)
    low, high = interval
    return -difference, [-high, -low]


def undecided(interval: Sequence[float] | None) -> str:
    """Say, after an interval of a difference, that it contains 0; nothing where it does not."""
    return ", undecided" if interval is not None and interval[0] <= 0 <= interval[1] else ""


def so_far(summary: Mapping[str, Any]) -> str:
    """Say how many of a sweep's seeds are whole, where that is not all of them."""
    n_seeds, planned = summary.get("n_seeds"), summary.get("planned_seeds")
    failed, words = summary.get("seeds_with_failed_runs"), []
    if n_seeds == 0 and planned:
        yet = "" if failed else " yet"
        seen, all_cells = summary.get("cells_with_results", 0), summary.get("n_cells", 0)
        words.append(
            f"No seed has results in all cells{yet}: {seen:,} of {plural(all_cells, 'cell')} "
            f"have some, so there is no average."
        )
    elif planned:
        words.append(f"So far {n_seeds:,} of {planned:,} seeds.")
    if failed:
        words.append(f"{plural(failed, 'seed')} with failed runs left out.")
    return " ".join(words)


def subject_of(
    experiment: StandardExperiment, config: Any, recorded: Recorded, cells: Cells
) -> Subject:
    """Return what questions about a sweep are asked of."""
    named = "design" in cells.columns
    parameters = [name for name in cells.columns if named or name != "cell"]
    ranges = sampled_ranges(config) if isinstance(config, GridSweep) else ()
    return Subject(
        cells=cells,
        arms=config.arms,
        parameters=tuple(parameters),
        measures=experiment.measures(recorded.names),
        primary=experiment.primary_measure(recorded.names),
        verdict_words=experiment.verdict_words,
        ranges={each.name: (each.low, each.high, each.logarithmic) for each in ranges},
        seeds=seeds_of(config),
        watched={name: what for name, what in experiment.watched.items() if name in recorded.names},
        sobol=sobol_cells(config) if getattr(config, "sobol", None) else None,
    )


def seeds_of(config: Any) -> NDArray[np.int64]:
    """Return the seeds of a sweep, in order."""
    return np.fromiter(config.all_seeds(), np.int64)


def subject_of_observations(seen: Observations, cells: ObservedCells) -> Subject:
    """Return what questions about an experiment of its own kind are asked of."""
    return Subject(
        cells=cells,
        arms=("",),
        parameters=seen.parameters,
        measures=tuple(Measure(name=name, numerator={name: 1.0}) for name in seen.measures),
        primary=seen.primary,
        verdict_words=None,
        ranges={},
        seeds=cells.seeds,
    )
