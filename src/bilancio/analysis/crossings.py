"""Where the mean over seeds of a measure crosses a limit along an axis, and how sure that is.

The seeds are resampled: all values under one seed stay together, as the same seeds were used
everywhere. For each resample the mean at each point is made to fall along the axis, by the mean
of its two monotone envelopes, and interpolated to the limit. The range holds the resamples
between two quantiles, which are those of the expanded percentile interval: at 95 % and with many
seeds 2.5 % and 97.5 %, with few seeds further out, as the quantiles of t lie beyond the normal's.

References
----------
Hesterberg, *What teachers should know about the bootstrap* (2015), section 4.4.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

RESAMPLES = 2_000
LEVEL = 0.95
_SEED = 20_150  # of the resamples: the same for the same results, whenever they are asked for
_HELD = 4_000_000  # numbers that are held at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """The values of a measure at some points of an axis, by seed.

    Attributes
    ----------
    points : float64 (n_points,)
        Where, on the scale that is interpolated; increasing.
    excess, weight : float64 (n_seeds, n_points)
        The mean at a point is Σ excess / Σ weight, and crosses 0 downwards. Weight 0 and excess
        0 stand for a seed without a value there; in a ratio the weight is the denominator.
    """

    points: Values
    excess: Values
    weight: Values


@dataclass(frozen=True, slots=True)
class CrossingRange:
    """The range of a crossing.

    Attributes
    ----------
    low, high
        Its ends, on the scale of the points; −∞ or ∞ where they lie beyond the points.
    missing
        Why there is none, in which case the ends are NaN; else empty.
    """

    low: float
    high: float
    missing: str = ""


def crossing_ranges(curves: Sequence[Curve]) -> list[CrossingRange]:
    """Return the 95 % ranges of the crossings of some curves, all under the same seeds."""
    if not curves:
        return []
    n_seeds = len(curves[0].excess)
    if n_seeds == 1:
        return [CrossingRange(math.nan, math.nan, "one seed, so no range") for _ in curves]
    return [_range(_of_resamples(curve), n_seeds) for curve in curves]


def crossings(means: Values, points: Values) -> Values:
    """Return where each row of means, made to fall along the points, crosses 0.

    Parameters
    ----------
    means : float64 (n, n_points)
        NaN counts as above 0.
    points : float64 (n_points,)
        Increasing.

    Returns
    -------
    float64 (n,)
        −∞ where the first mean is not above 0, ∞ where the last one is.
    """
    known = np.where(np.isnan(means), np.inf, means)
    upper = np.maximum.accumulate(known[:, ::-1], axis=1)[:, ::-1]
    lower = np.minimum.accumulate(known, axis=1)
    falling = (upper + lower) / 2
    n_above = (falling > 0).sum(axis=1)
    found = np.where(n_above == 0, -np.inf, np.inf)
    row = np.flatnonzero((n_above > 0) & (n_above < len(points)))
    after = n_above[row]
    before = after - 1
    above, below = falling[row, before], falling[row, after]
    finite = np.isfinite(above)
    share = np.ones(len(row))
    share[finite] = above[finite] / (above[finite] - below[finite])
    found[row] = points[before] + share * (points[after] - points[before])
    return found


def _of_resamples(curve: Curve) -> Values:
    found = []
    for counts in _resamples(len(curve.excess)):
        weight = counts @ curve.weight
        means = np.full(weight.shape, np.nan)
        np.divide(counts @ curve.excess, weight, out=means, where=weight != 0)
        found.append(crossings(means, curve.points))
    return np.concatenate(found)


def _resamples(n_seeds: int) -> Iterator[Values]:
    """Yield how often each seed is drawn in each resample: float64 (n, n_seeds), in parts."""
    rng = np.random.default_rng(_SEED)
    equal = np.full(n_seeds, 1 / n_seeds)
    size = max(_HELD // n_seeds, 1)
    for first in range(0, RESAMPLES, size):
        drawn = rng.multinomial(n_seeds, equal, size=min(size, RESAMPLES - first))
        yield drawn.astype(np.float64)


def _range(found: Values, n_seeds: int) -> CrossingRange:
    if found.min() == found.max():
        return CrossingRange(math.nan, math.nan, f"all {n_seeds} seeds alike, so no range")
    from scipy.special import ndtr, stdtrit  # takes 60 ms to load; nothing else needs it

    t = stdtrit(n_seeds - 1, (1 - LEVEL) / 2)
    below = float(ndtr(t * math.sqrt(n_seeds / (n_seeds - 1))))
    low, high = np.quantile(found, [below, 1 - below], method="inverted_cdf").tolist()
    return CrossingRange(low, high)
