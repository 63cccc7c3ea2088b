"""Answers to questions about results, and what they are made of."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bilancio.analysis.intervals import Intervals
from bilancio.analysis.measures import Measure
from bilancio.experiments.design import SobolCells
from bilancio.experiments.questions import Question
from bilancio.experiments.reduction import Surveyed, metric_of

Row = tuple[Any, ...]

SOBOL_STEPS = "sobol-ab"  # design of the cells that differ from a base point in one parameter


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerTable:
    """Rows under named columns; the first `n_keys` columns name the row.

    Attributes
    ----------
    title
        What the values are, where the columns do not say it.
    """

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    n_keys: int
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was asked for.

    Attributes
    ----------
    primary
        The measure that verdicts and the plan are about.
    table
        A row for each group: keys, `n`, `n_seeds`, `verdict` where one is given, and for each
        measure m the columns m, m_low, m_high.
    contrasts
        Differences between the levels of a parameter, paired by seed.
    effects
        Shares of the variance between cells.
    verdicts
        How many rows have each verdict; empty where there are less than two.
    plan
        How many seeds a precision takes.
    meanings
        What the measures are that were asked for by name, with their units.
    warnings
        What to know before drawing conclusions, a sentence each.
    said
        What contrasts or effects that were asked for have found, in a sentence or two.
    asked
        The question, with the names that its words were read as.
    read
        Word → the name that it was read as, where that is another one.
    """

    primary: str = ""
    table: AnswerTable | None = None
    contrasts: AnswerTable | None = None
    effects: AnswerTable | None = None
    verdicts: Mapping[str, int] = field(default_factory=dict)
    plan: dict[str, Any] | None = None
    meanings: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    said: str = ""
    asked: Question = field(default_factory=Question)
    read: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a question is asked about.

    Attributes
    ----------
    parameters
        Columns of the cells that one can group by.
    ranges
        Low, high and whether on a logarithmic scale, of each parameter that was sampled.
    seeds : int64 (n_seeds,)
        The seeds, in the order of the cube.
    verdict_words
        What the primary measure above and below 0 is called; None where that is not a question.
    sobol
        Where the cells of a Sobol design are; None where there is none.
    watched
        Counts that say nothing where they are 0 in all runs of a cell: metric → what it counts.
    """

    cells: Surveyed
    arms: tuple[str, ...]
    parameters: tuple[str, ...]
    measures: tuple[Measure, ...]
    primary: str
    verdict_words: tuple[str, str] | None
    ranges: Mapping[str, tuple[Any, Any, bool]]
    seeds: NDArray[np.int64]
    watched: Mapping[str, str] = field(default_factory=dict)
    sobol: SobolCells | None = None

    @property
    def effect(self) -> str:
        """The measure that compares arms; empty where there is one arm."""
        return self.primary if len(self.arms) > 1 else ""

    @property
    def families(self) -> dict[str, tuple[str, ...]]:
        """The measures of one metric in each arm, and of its difference: metric → measures.

        They stand under what their names have in common as well, where that is not the metric's
        name: recovered_face for recovered_micro.
        """
        found: dict[str, list[str]] = {}
        for each in self.measures:
            metrics = {metric_of(column) for column in each.columns}
            if len(metrics) == 1 and each.denominator is None and len(self.arms) > 1:
                found.setdefault(metrics.pop(), []).append(each.name)
        families = {metric: tuple(names) for metric, names in found.items()}
        ends = [f"_{arm}" for arm in self.arms]
        for names in list(families.values()):
            stems = {name.removesuffix(end) for name in names for end in ends if name.endswith(end)}
            if len(stems) == 1:
                families.setdefault(stems.pop(), names)
        return families

    def measure(self, name: str) -> Measure | None:
        """Return the measure of this name."""
        return next((each for each in self.measures if each.name == name), None)

    @property
    def averaged(self) -> NDArray[np.bool_]:
        """The cells that averages are over.

        Probes of a search say nothing of an average, nor do the cells of a Sobol design that
        differ from another one in a single parameter.
        """
        return ~self.cells.probes & ~np.isin(self.cells.designs, [SOBOL_STEPS])


def table_of(
    by: Sequence[str],
    keys: Sequence[Row],
    columns: Mapping[str, Sequence[Any]],
    *,
    title: str = "",
) -> AnswerTable:
    """Return a table of rows, given their keys and the columns of their values."""
    values = list(zip(*columns.values(), strict=True)) if columns else [()] * len(keys)
    rows = tuple((*key, *value) for key, value in zip(keys, values, strict=True))
    return AnswerTable(columns=(*by, *columns), rows=rows, n_keys=len(by), title=title)


def measure_columns(
    intervals: Mapping[str, Intervals], shown: Sequence[str]
) -> dict[str, Sequence[Any]]:
    """Return m, m_low and m_high of each measure m."""
    columns: dict[str, Sequence[Any]] = {}
    for name in shown:
        found = intervals.get(name)
        if found is None:
            continue
        columns[name] = known(found.estimate)
        columns[f"{name}_low"] = known(found.low)
        columns[f"{name}_high"] = known(found.high)
    return columns


def known(values: NDArray[np.float64]) -> list[float | None]:
    """Return numbers as JSON holds them: None where there is none or it is infinite."""
    return [value if math.isfinite(value) else None for value in values.tolist()]


def ratio(top: NDArray[np.float64], bottom: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """Return a measure by group and seed; NaN where a denominator is 0."""
    if bottom is None:
        return top
    return np.divide(top, bottom, out=np.full_like(top, np.nan), where=bottom != 0)


def remarks(measure: str, shares: Intervals) -> tuple[str, ...]:
    """Say why no share of a measure's variance is known, or how sure none is."""
    reason = shares.reason(0) if len(shares.lack) else ""
    if not reason or len(np.unique(shares.lack)) > 1:
        return ()
    known_ones = np.isfinite(shares.estimate).any()
    what = "intervals for shares of" if known_ones else "shares of"
    return (f"No {what} {measure}: {reason}.",)
