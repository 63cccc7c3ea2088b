"""Differences between groups, paired by seed."""

import numpy as np
from numpy.typing import NDArray

from bilancio.analysis.intervals import LEVEL, Intervals, mean_intervals, ratio_intervals
from bilancio.analysis.measures import Values, weighted_sum

Pairs = NDArray[np.int64]
Sides = tuple[Values, Values | None]  # as Measure.per_seed returns them


def level_pairs(level: NDArray[np.int64], context: NDArray[np.int64], reference: int = 0) -> Pairs:
    """Return the pairs of groups that differ in the level of one parameter and in nothing else.

    Parameters
    ----------
    level : int64 (n_groups,)
        Place of the group's value among the parameter's.
    context : int64 (n_groups,)
        A number for the group's other parameters together.
    reference
        The level that others are compared with.

    Returns
    -------
    int64 (n_pairs, 2)
        A group, and the group at the reference level with the same context; groups whose context
        has none there are left out. In the order of the groups.
    """
    base = np.flatnonzero(level == reference)
    base = base[np.argsort(context[base], kind="stable")]
    others = np.flatnonzero(level != reference)
    if not len(base) or not len(others):
        return np.empty((0, 2), np.int64)
    place = np.minimum(np.searchsorted(context[base], context[others]), len(base) - 1)
    matched = context[base[place]] == context[others]
    return np.stack([others[matched], base[place[matched]]], axis=1).astype(np.int64)


def contrasts(sides: Sides, pairs: Pairs, level: float = LEVEL) -> Intervals:
    """Return the difference of a measure between two groups, for each pair.

    Parameters
    ----------
    sides : float64 (n_groups, n_seeds) each
        Numerator and denominator of the measure, as `Measure.per_seed` returns them.
    pairs : int64 (n_pairs, 2)
        Groups; the second is subtracted from the first.
    level
        Of confidence.

    Returns
    -------
    Intervals
        A row for each pair, over the seeds that are whole in both groups.
    """
    numerator, denominator = sides
    first, second = pairs.T
    return differences(
        (numerator[first], None if denominator is None else denominator[first]),
        (numerator[second], None if denominator is None else denominator[second]),
        level,
    )


def differences(first: Sides, second: Sides, level: float = LEVEL) -> Intervals:
    """Return first minus second of each row, paired by seed.

    Both have the same rows and the same seeds in the same order, as two jobs of the same cells.

    Parameters
    ----------
    first, second : float64 (n_rows, n_seeds) each
        Numerator and denominator of the measure, as `Measure.per_seed` returns them.
    level
        Of confidence.

    Notes
    -----
    Of a plain sum, the t interval of the mean difference. Of a ratio of means, the difference of
    two ratios with the standard error of the delete-one jackknife, a seed being left out of both.

    References
    ----------
    Law, *Simulation Modeling and Analysis* (2015), sections 10.2 and 9.5.3.
    """
    (top, bottom), (other_top, other_bottom) = first, second
    if bottom is None or other_bottom is None:
        return mean_intervals(weighted_sum([(1, top), (-1, other_top)]), level)
    return ratio_intervals(top, bottom, level, minus=(other_top, other_bottom))
