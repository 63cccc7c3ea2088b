"""Intervals for means over seeds."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A confidence interval, or the reason why there is none.

    Attributes
    ----------
    low, high
        Bounds; None where no interval can be given.
    n_seeds
        Number of replicates behind it.
    reason
        Why there is none; empty where there is one.
    """

    low: float | None
    high: float | None
    n_seeds: int
    reason: str = ""

    def as_list(self) -> list[float] | None:
        """Return [low, high], or None."""
        return None if self.low is None or self.high is None else [self.low, self.high]


def seed_interval(values: NDArray[Any], seeds: NDArray[Any]) -> Interval:
    """Return the 95 % t interval of the mean, the seed being the replicate.

    Values of one seed come from the same random numbers and are not independent of each
    other: they are averaged within the seed first, and the interval is over seeds.

    Parameters
    ----------
    values : float64 (n,)
        What was observed; NaN entries are left out.
    seeds : integer (n,)
        The seed of each.

    References
    ----------
    Law, *Simulation Modeling and Analysis* (2015), section 10.2: paired-t interval with
    common random numbers.
    """
    low, high, n_seeds = seed_intervals(values, seeds, np.zeros(len(values), np.int64), 1)
    n = int(n_seeds[0])
    if n < 2:  # noqa: PLR2004 - a spread needs two
        reason = "one seed shows no spread; run two or more" if n else "nothing was observed"
        return Interval(low=None, high=None, n_seeds=n, reason=reason)
    if not np.isfinite([low[0], high[0]]).all():
        return Interval(low=None, high=None, n_seeds=n, reason="some values are infinite")
    return Interval(low=float(low[0]), high=float(high[0]), n_seeds=n)


def seed_intervals(
    values: NDArray[Any], seeds: NDArray[Any], groups: NDArray[np.int64], n_groups: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Return the bounds of the interval of each group, as `seed_interval` gives them.

    Parameters
    ----------
    values, seeds
        As for `seed_interval`.
    groups : int64 (n,)
        The group of each value, counted from 0.
    n_groups
        Number of groups.

    Returns
    -------
    low, high : float64 (n_groups,)
        NaN where a group has fewer than two seeds.
    n_seeds : int64 (n_groups,)
    """
    known = ~np.isnan(values)
    _, seed = numbered(seeds[known])
    n_all = int(seed.max(initial=0)) + 1
    of_seed, pair = numbered(groups[known] * n_all + seed)
    means = np.bincount(pair, weights=values[known]) / np.bincount(pair)
    group = of_seed // n_all
    n_seeds = np.bincount(group, minlength=n_groups)
    half = np.full(n_groups, np.nan)
    centre = np.full(n_groups, np.nan)
    spread = n_seeds > 1
    if spread.any():
        from scipy.special import stdtrit  # takes 60 ms to load; nothing else needs it

        sums = np.bincount(group, weights=means, minlength=n_groups)
        np.divide(sums, n_seeds, out=centre, where=spread)
        with np.errstate(invalid="ignore"):  # an infinite value has no interval, and gives NaN
            apart = (means - centre[group]) ** 2
        squares = np.bincount(group, weights=apart, minlength=n_groups)[spread]
        n = n_seeds[spread]
        half[spread] = stdtrit(n - 1, 0.5 + LEVEL / 2) * np.sqrt(squares / (n - 1) / n)
    return centre - half, centre + half, n_seeds


def numbered(keys: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the different keys in order, and for each key its place among them.

    Keys that lie close together, as seeds do, are counted instead of sorted: ten times as fast.
    """
    low = int(keys.min(initial=0))
    span = int(keys.max(initial=0)) - low + 1
    if span > 4 * len(keys) + 1000:
        distinct, places = np.unique(keys, return_inverse=True)
        return distinct, places
    present = np.bincount(keys - low, minlength=span) > 0
    place = np.cumsum(present) - 1
    return np.flatnonzero(present) + low, place[keys - low]
