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
    known = ~np.isnan(values)
    means = means_by(values[known], seeds[known])
    n = len(means)
    if n < 2:  # noqa: PLR2004 - a spread needs two
        reason = "one seed shows no spread; run two or more" if n else "nothing was observed"
        return Interval(low=None, high=None, n_seeds=n, reason=reason)
    from scipy.special import stdtrit  # 60 ms to load, of use only here

    half = float(stdtrit(n - 1, 0.5 + LEVEL / 2) * means.std(ddof=1) / np.sqrt(n))
    centre = float(means.mean())
    return Interval(low=centre - half, high=centre + half, n_seeds=n)


def means_by(values: NDArray[Any], keys: NDArray[Any]) -> NDArray[np.float64]:
    """Return the mean of *values* for each distinct key, in the order of the keys."""
    if not len(values):
        return np.empty(0)
    _, group = np.unique(keys, return_inverse=True)
    means: NDArray[np.float64] = np.bincount(group, weights=values) / np.bincount(group)
    return means
