"""Intervals for means over seeds, and for ratios of them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bilancio.analysis.measures import ROUNDING, Values, weighted_sum
from bilancio.analysis.student import t_quantiles

LEVEL = 0.95
_AT_ONCE = 1 << 18  # values in work at a time: they fit a core's cache

Sides = tuple[Values, Values | None]  # numerator and denominator, as Measure.per_seed returns them


class Lack(IntEnum):
    """Why a row has no interval."""

    NONE = 0
    NOTHING = 1
    ONE_SEED = 2
    EQUAL = 3
    INFINITE = 4
    NO_DENOMINATOR = 5
    ONE_CELL = 6
    NO_VARIANCE = 7
    FEW_SEEDS = 8
    INERT = 9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Intervals:
    """Estimates with two-sided confidence intervals, one in each row.

    Estimate, interval and number of seeds of a row are of the same seeds, and an interval
    contains its estimate.

    Attributes
    ----------
    estimate : float64 (n_rows,)
        NaN where nothing was observed or a denominator is 0; infinite where values are.
    low, high : float64 (n_rows,)
        Bounds; NaN where there is no interval, and `reason` says why.
    n_seeds : int64 (n_rows,)
        Seeds that the estimate is made of.
    error, df : float64 (n_rows,)
        Standard error and degrees of freedom of the t distribution behind the interval; NaN
        where there is none.
    lack : uint8 (n_rows,)
        `Lack` of each row.
    """

    estimate: Values
    low: Values
    high: Values
    n_seeds: NDArray[np.int64]
    error: Values
    df: Values
    lack: NDArray[np.uint8]

    def reason(self, row: int) -> str:
        """Say why a row has no interval; empty where it has one."""
        return reason(Lack(self.lack[row]), int(self.n_seeds[row]))


_REASONS = {
    Lack.NONE: "",
    Lack.NOTHING: "nothing was observed",
    Lack.ONE_SEED: "one seed shows no spread; run two or more",
    Lack.EQUAL: "all {n:,} seeds equal",
    Lack.INFINITE: "some values are infinite or too large",
    Lack.NO_DENOMINATOR: "the denominator is 0, or is 0 without one of the seeds",
    Lack.ONE_CELL: "one cell shows no spread between cells; sample two or more",
    Lack.NO_VARIANCE: "the cells differ no more than seeds do",
    Lack.FEW_SEEDS: "two seeds do not show how sure this is; run three or more",
    Lack.INERT: "it changes nothing at any of the points",
}


def reason(lack: Lack, n_seeds: int) -> str:
    """Say why there is no interval of these seeds; empty where nothing is lacking."""
    return _REASONS[lack].format(n=n_seeds)


def mean_intervals(values: Values, level: float = LEVEL) -> Intervals:
    """Return the mean over seeds in each row, with its t interval.

    Parameters
    ----------
    values : float64 (n_rows, n_seeds)
        One value a seed, as `seeds.seed_means` gives it or a difference of such: values of one
        seed come from the same random numbers, and the seed is the replicate. NaN is left out.
    level
        Of confidence.

    Notes
    -----
    Values that differ by less than 1e-12 of their size are equal: that much is rounding.

    References
    ----------
    Law, *Simulation Modeling and Analysis* (2015), section 10.2: paired-t interval with
    common random numbers.
    """
    return _joined([_means(values[rows]) for rows in _row_blocks(values)], level)


def ratio_intervals(
    numerator: Values,
    denominator: Values,
    level: float = LEVEL,
    *,
    minus: tuple[Values, Values] | None = None,
) -> Intervals:
    """Return the ratio of the means over seeds in each row, with its jackknife interval.

    Parameters
    ----------
    numerator, denominator : float64 (n_rows, n_seeds)
        One value a seed. Seeds where any of the values is NaN are left out.
    level
        Of confidence.
    minus : float64 (n_rows, n_seeds) each
        Numerator and denominator of a ratio to be subtracted, of the same seeds.

    Notes
    -----
    The estimate is the plain ratio of means. Its standard error is that of the delete-one
    jackknife, √((n-1)/n · Σ(θ₍ᵢ₎ - θ̄)²), with the t distribution of n - 1 degrees of freedom; of
    a difference of ratios, a seed is left out of both.

    References
    ----------
    Law, *Simulation Modeling and Analysis* (2015), section 9.5.3: the jackknife approach to
    ratios of means; Efron, Tibshirani, *An Introduction to the Bootstrap* (1993), chapter 11.
    """
    terms = [(numerator, denominator)] + ([] if minus is None else [minus])
    found = [
        _ratios([(top[rows], bottom[rows]) for top, bottom in terms])
        for rows in _row_blocks(numerator)
    ]
    return _joined(found, level)


def measure_intervals(
    numerator: Values, denominator: Values | None, level: float = LEVEL
) -> Intervals:
    """Return the intervals of a measure, of what `Measure.per_seed` returns."""
    if denominator is None:
        return mean_intervals(numerator, level)
    return ratio_intervals(numerator, denominator, level)


def two_way_interval(
    values: Values, denominator: Values | None = None, level: float = LEVEL
) -> Intervals:
    """Return the mean over the ranges that cells were sampled from, as a single row.

    Cells and seeds are both random, and crossed: the interval is of the ranges and of all seeds,
    not of these samples.

    Parameters
    ----------
    values : float64 (n_cells, n_seeds)
        One value a run. Seeds with a NaN in any cell are left out.
    denominator : float64 (n_cells, n_seeds) or None
        For the ratio of means Σ values / Σ denominator. A mean over known values only is such a
        ratio: values with 0 for NaN, and 1 where they are known.
    level
        Of confidence.

    Notes
    -----
    With C cells and R seeds, and the mean squares of cells, seeds and the residual of the
    two-way layout without replication, the variance of the grand mean is estimated by
    (MS_C + MS_R - MS_E) / (C·R). A variance component that comes out negative is taken as 0: the
    numerator is never less than any of the three mean squares, and is then that one. Degrees of
    freedom are Satterthwaite's, (Σ ±MS)² / Σ(MS²/df), or those of the one mean square, and
    never less than the smaller of C - 1 and R - 1. A ratio is linearised: the layout is that
    of (values - θ·denominator) / mean denominator. Latin hypercubes spread cells more evenly
    than the independent samples assumed here, so that their intervals are wide rather than
    narrow.

    References
    ----------
    Satterthwaite, *An approximate distribution of estimates of variance components* (1946);
    Searle, Casella, McCulloch, *Variance Components* (1992), chapter 4; Cochran, *Sampling
    Techniques* (1977), section 6.4, for the ratio.
    """
    whole = ~np.isnan(values).any(axis=0)
    if denominator is not None:
        whole &= ~np.isnan(denominator).any(axis=0)
        denominator = denominator[:, whole]
    return _joined([_crossed(values[:, whole], denominator)], level)


def two_way_intervals(
    sides: Sides,
    whole: NDArray[np.bool_],
    group_of_cell: NDArray[np.int64],
    level: float = LEVEL,
) -> Intervals:
    """Return `two_way_interval` of the sampled cells of each group, over its whole seeds.

    Parameters
    ----------
    sides : float64 (n_seeds, n_cells) each
        Numerator and denominator of a measure in each run, as `Measure.per_seed` returns them of
        columns of this shape.
    whole : bool (n_groups, n_seeds)
        Which seeds are whole in each group.
    group_of_cell : int64 (n_cells,)
        The group of each cell; -1 for a cell that is left out.
    level
        Of confidence.

    Notes
    -----
    Runs of whole seeds whose value is missing are left out of numerator and denominator, and of
    the number of runs where there is no denominator: each known run counts the same. Seeds under
    which all are missing are left out.
    """
    found = [
        _crossed(*_known(sides, here)) for here in _places(_present(sides), whole, group_of_cell)
    ]
    return _joined(found or [_means(np.empty((0, 0)))], level)


def two_way_differences(
    first: Sides,
    second: Sides,
    whole: NDArray[np.bool_],
    group_of_cell: NDArray[np.int64],
    level: float = LEVEL,
) -> Intervals:
    """Return first minus second of each group, paired by cell and seed, cells being sampled.

    Parameters
    ----------
    first, second : float64 (n_seeds, n_cells) each
        Numerator and denominator of a measure in each run, of the same seeds and cells in the same
        order.
    whole, group_of_cell, level
        As in `two_way_intervals`; seeds are whole in both.

    Notes
    -----
    The layout of `two_way_interval` is that of the differences, run by run; of ratios, that of the
    differences of the linearised ratios. A run whose value is missing on one side is left out of
    both, and so are seeds under which no run is known on both.
    """
    present = _present(first) & _present(second)
    paired = [_without(each, ~present) for each in (first, second)]
    found = [
        _crossed_rows(_less(*(_linear(*_known(sides, here)) for sides in paired)))
        for here in _places(present, whole, group_of_cell)
    ]
    return _joined(found or [_means(np.empty((0, 0)))], level)


def at_levels(found: Intervals, alpha: Values) -> Intervals:
    """Return the same estimates with intervals of other levels.

    Parameters
    ----------
    alpha : float64 (n_rows,)
        One minus the level of each row.
    """
    with np.errstate(over="ignore"):  # near the largest doubles a wider interval has no ends
        half = -t_quantiles(found.df, alpha / 2) * found.error
    return replace(found, low=found.estimate - half, high=found.estimate + half)


def t_intervals(
    *,
    estimate: Values,
    error: Values,
    df: Values,
    n_seeds: NDArray[np.int64],
    lack: NDArray[np.uint8],
    level: float = LEVEL,
) -> Intervals:
    """Return estimates with their t intervals where nothing is lacking."""
    with np.errstate(over="ignore", invalid="ignore"):  # bounds that are infinite are left out
        half = -t_quantiles(df, (1 - level) / 2) * error
        low, high = estimate - half, estimate + half
    unbounded = ~np.isfinite(low) | ~np.isfinite(high)
    lack = np.select(
        [lack != Lack.NONE, unbounded, low >= high],  # an error below the smallest double is none
        [lack, np.uint8(Lack.INFINITE), np.uint8(Lack.EQUAL)],
        np.uint8(Lack.NONE),
    )
    low, high, error, df = (
        np.where(lack == Lack.NONE, each, np.nan) for each in (low, high, error, df)
    )
    return Intervals(
        estimate=estimate, low=low, high=high, n_seeds=n_seeds, error=error, df=df, lack=lack
    )


class _Rows(NamedTuple):
    """What the t intervals of some rows are made of."""

    estimate: Values
    error: Values
    df: Values
    n_seeds: NDArray[np.int64]
    lack: NDArray[np.uint8]


def _joined(parts: list[_Rows], level: float) -> Intervals:
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return t_intervals(**_Rows(*columns)._asdict(), level=level)


def _row_blocks(values: Values) -> Iterator[slice]:
    """Yield stretches of rows, so that what is computed on the way stays small."""
    n_rows, n_seeds = values.shape
    step = max(1, _AT_ONCE // max(n_seeds, 1))
    for start in range(0, max(n_rows, 1), step):
        yield slice(start, start + step)


def _means(values: Values) -> _Rows:
    known = ~np.isnan(values)
    n = known.sum(axis=1)
    low = np.where(known, values, np.inf).min(axis=1, initial=np.inf)
    high = np.where(known, values, -np.inf).max(axis=1, initial=-np.inf)
    with np.errstate(all="ignore"):  # infinite values and empty rows are told apart below
        mean = np.clip(np.where(known, values, 0).sum(axis=1) / n, low, high)
        apart = np.where(known, values - mean[:, np.newaxis], 0)
        error = _root_of_squares(apart) / np.sqrt((n - 1) * n)
        equal = high - low <= ROUNDING * np.maximum(np.abs(low), np.abs(high))
    lack = np.select(
        [n == 0, ~np.isfinite(low) | ~np.isfinite(high), n == 1, equal, ~np.isfinite(error)],
        [Lack.NOTHING, Lack.INFINITE, Lack.ONE_SEED, Lack.EQUAL, Lack.INFINITE],
        Lack.NONE,
    ).astype(np.uint8)
    return _Rows(mean, error, n - 1.0, n, lack)


def _ratios(terms: list[tuple[Values, Values]]) -> _Rows:
    """Return a ratio of means, less another one if there are two."""
    known = ~np.logical_or.reduce([np.isnan(each) for term in terms for each in term])
    n = known.sum(axis=1)
    parts = [_ratio(np.where(known, top, 0), np.where(known, low, 0)) for top, low in terms]
    with np.errstate(all="ignore"):  # what is not finite is told apart below
        signs = (1, -1)[: len(parts)]
        ratio = weighted_sum((sign, part.ratio) for sign, part in zip(signs, parts, strict=True))
        changes = sum(sign * part.changes for sign, part in zip(signs, parts, strict=True))
        changes = np.where(known, changes, 0)
        scale = sum(part.scale for part in parts)
        equal = np.abs(changes).max(axis=1, initial=0) <= ROUNDING * scale
        apart = changes - np.where(known, (changes.sum(axis=1) / n)[:, np.newaxis], 0)
        error = np.sqrt((n - 1) / n) * _root_of_squares(apart)
    infinite = np.logical_or.reduce([part.infinite for part in parts])
    zero = np.logical_or.reduce([part.zero for part in parts])
    lost = np.logical_or.reduce([(part.lost & known).any(axis=1) for part in parts])
    lack = np.select(
        [n == 0, infinite, zero, n == 1, lost, equal, ~np.isfinite(error)],
        [
            Lack.NOTHING, Lack.INFINITE, Lack.NO_DENOMINATOR, Lack.ONE_SEED, Lack.NO_DENOMINATOR,
            Lack.EQUAL, Lack.INFINITE,
        ],
        Lack.NONE,
    ).astype(np.uint8)  # fmt: skip
    return _Rows(ratio, error, n - 1.0, n, lack)


class _Ratio(NamedTuple):
    """A ratio of means of each row, and what becomes of it without each seed."""

    ratio: Values
    changes: Values  # (n_rows, n_seeds): of the ratio, when this seed is left out
    scale: Values  # what the changes are made of: they are rounding below 1e-12 of it
    infinite: NDArray[np.bool_]
    zero: NDArray[np.bool_]  # the denominator, or
    lost: NDArray[np.bool_]  # (n_rows, n_seeds): the denominator without this seed


def _ratio(top: Values, bottom: Values) -> _Ratio:
    with np.errstate(all="ignore"):  # infinite values and denominators of 0 are marked
        tops, bottoms = top.sum(axis=1), bottom.sum(axis=1)
        nothing = ROUNDING * np.abs(bottom).sum(axis=1)
        zero = np.abs(bottoms) <= nothing
        ratio = np.where(zero, np.nan, tops / bottoms)
        fitted = ratio[:, np.newaxis] * bottom
        others = bottoms[:, np.newaxis] - bottom
        scale = (np.abs(top) + np.abs(fitted)) / np.abs(others)
        return _Ratio(
            ratio=ratio,
            changes=(fitted - top) / others,
            scale=scale.max(axis=1, initial=0),
            infinite=~np.isfinite(tops) | ~np.isfinite(bottoms),
            zero=zero,
            lost=np.abs(others) <= nothing[:, np.newaxis],
        )


def _root_of_squares(apart: Values) -> Values:
    """Return √Σx² of each row, however large or small its values are."""
    scale = np.abs(apart).max(axis=1, initial=0)
    scale[scale == 0] = 1
    squares = np.square(apart / scale[:, np.newaxis]).sum(axis=1)
    return np.asarray(scale * np.sqrt(squares))


def _present(sides: Sides) -> NDArray[np.bool_]:
    """Return which runs have a value."""
    top, bottom = sides
    return ~np.isnan(top) if bottom is None else ~(np.isnan(top) | np.isnan(bottom))


def _without(sides: Sides, runs: NDArray[np.bool_]) -> Sides:
    """Return the values with those of some runs missing."""
    top, bottom = sides
    return np.where(runs, np.nan, top), None if bottom is None else np.where(runs, np.nan, bottom)


def _places(
    present: NDArray[np.bool_], whole: NDArray[np.bool_], group_of_cell: NDArray[np.int64]
) -> Iterator[tuple[NDArray[Any], ...]]:
    """Yield where the runs of each group are: its whole seeds under which any value is known."""
    for group, seeds in enumerate(whole):
        cells = group_of_cell == group
        yield np.ix_(seeds & present[:, cells].any(axis=1), cells)


def _known(sides: Sides, here: tuple[NDArray[Any], ...]) -> Sides:
    """Return the runs of some seeds and cells (n_cells, n_seeds), those missing left out."""
    top, bottom = sides
    above = top[here].T
    below = None if bottom is None else bottom[here].T
    known = _present((above, below))
    if not known.any():
        return above[:, :0], None
    if known.all():
        return above, below
    counted = known.astype(np.float64) if below is None else np.where(known, below, 0)
    return np.where(known, above, 0), counted


class _Linear(NamedTuple):
    """A grand mean, or a ratio of two, as a layout of values whose mean has the same error."""

    estimate: float
    values: Values  # (n_cells, n_seeds)
    size: float  # what the values are made of: they are rounding below 1e-12 of it
    zero: bool  # the denominator


def _crossed(values: Values, denominator: Values | None) -> _Rows:
    """Return the grand mean of whole seeds, cells and seeds being random."""
    return _crossed_rows(_linear(values, denominator))


def _linear(values: Values, denominator: Values | None) -> _Linear:
    with np.errstate(all="ignore"):  # what is not finite is told apart in _crossed_rows
        if denominator is None:
            estimate = values.sum() / values.size if values.size else np.nan
            return _Linear(estimate, values, np.abs(values).max(initial=0), zero=False)
        bottom = denominator.sum()
        zero = bool(np.abs(bottom) <= ROUNDING * np.abs(denominator).sum())
        estimate = np.nan if zero else values.sum() / bottom
        centre = bottom / denominator.size if values.size else np.nan
        fitted = estimate * denominator
        size = (np.abs(values) + np.abs(fitted)).max(initial=0) / np.abs(centre)
        return _Linear(estimate, (values - fitted) / centre, size, zero)


def _less(first: _Linear, second: _Linear) -> _Linear:
    """Return first minus second, of the same cells and seeds."""
    size, zero = max(first.size, second.size), first.zero or second.zero
    ends = [np.array([each.estimate]) for each in (first, second)]
    estimate = float(weighted_sum([(1, ends[0]), (-1, ends[1])])[0])
    with np.errstate(all="ignore"):
        values = weighted_sum([(1, first.values), (-1, second.values)])
    return _Linear(estimate, values, size, zero)


def _crossed_rows(found: _Linear) -> _Rows:
    """Return the row of a layout of cells and seeds, both being random."""
    estimate, values, size, zero = found
    n_cells, n_seeds = values.shape
    with np.errstate(all="ignore"):  # what is not finite is told apart below
        width = np.ptp(values) if values.size else 0.0
        error, df = _two_way_error(values, width)
    lack = (
        Lack.NOTHING if not values.size
        else Lack.NO_DENOMINATOR if zero
        else Lack.INFINITE if not np.isfinite([estimate, size, width]).all()
        else Lack.ONE_SEED if n_seeds == 1
        else Lack.ONE_CELL if n_cells == 1
        else Lack.EQUAL if width <= ROUNDING * size
        else Lack.NONE
    )  # fmt: skip
    return _Rows(
        np.array([estimate]), np.array([error]), np.array([df]),
        np.array([n_seeds], np.int64), np.array([lack], np.uint8),
    )  # fmt: skip


def _two_way_error(values: Values, width: float) -> tuple[float, float]:
    """Return the standard error of the grand mean and its degrees of freedom, NaN for none."""
    n_cells, n_seeds = values.shape
    df_cells, df_seeds = n_cells - 1, n_seeds - 1
    if df_cells < 1 or df_seeds < 1 or not 0 < width < np.inf:
        return np.nan, np.nan
    apart = (values - values.mean()) / width  # whose squares are neither too large nor 0
    cells, seeds = apart.mean(axis=1), apart.mean(axis=0)
    apart -= cells[:, np.newaxis]
    apart -= seeds
    df_rest = df_cells * df_seeds
    of_cells = float(n_seeds * np.square(cells).sum() / df_cells)
    of_seeds = float(n_cells * np.square(seeds).sum() / df_seeds)
    rest = float(np.square(apart).sum() / df_rest)
    both = of_cells + of_seeds - rest
    square, df = max((of_cells, df_cells), (of_seeds, df_seeds), (rest, df_rest))
    if both > square:
        terms = of_cells**2 / df_cells + of_seeds**2 / df_seeds + rest**2 / df_rest
        square, df = both, max(both**2 / terms, min(df_cells, df_seeds))
    return float(width * np.sqrt(square / values.size)), float(df)
