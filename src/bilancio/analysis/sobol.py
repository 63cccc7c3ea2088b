"""Sobol indices: which sampled parameters the variance comes from."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from bilancio.analysis.intervals import LEVEL, Intervals, Lack, t_intervals
from bilancio.analysis.measures import ROUNDING, Values

_FEWEST = 3  # seeds, for the jackknife of a product that takes two


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SobolIndices:
    """Shares of the variance over the ranges, one row for each parameter.

    Attributes
    ----------
    first
        First order: what the parameter explains alone.
    total
        Total order: what the parameter has a part in.
    n_points
        Base points behind them.
    """

    first: Intervals
    total: Intervals
    n_points: int


def sobol_indices(f_a: Values, f_b: Values, f_ab: Values, level: float = LEVEL) -> SobolIndices:
    """Return first- and total-order indices from the values at a Saltelli design.

    Parameters
    ----------
    f_a, f_b : float64 (n_points,) or (n_points, n_seeds)
        Values at the base points A and B.
    f_ab : float64 (n_parameters, n_points) or (n_parameters, n_points, n_seeds)
        Values at A with the parameter's column from B.
    level
        Of confidence.

    Notes
    -----
    Values without seeds are taken as exact. Of values under several seeds, all seeds at each
    point, the indices are those of the mean over all seeds there could be: each product of two
    values is the mean over pairs of different seeds, so that noise is in none of them, where the
    mean over few seeds counts it as interactions. Base points with a NaN are left out.

    The standard error is that of the delete-one jackknife over base points, plus that over seeds.
    The points of a Sobol sequence are spread more evenly than independent ones, so that intervals
    are wide rather than narrow. Estimates can be a little below 0 or above 1.

    References
    ----------
    Saltelli, Annoni, Azzini, Campolongo, Ratto, Tarantola, *Variance based sensitivity analysis of
    model output* (2010), table 2 (b) and (f), as `scipy.stats.sobol_indices` has them; Efron,
    Tibshirani, *An Introduction to the Bootstrap* (1993), chapter 11.
    """
    noisy = f_a.ndim > 1
    if not noisy:
        f_a, f_b, f_ab = f_a[:, np.newaxis], f_b[:, np.newaxis], f_ab[..., np.newaxis]
    known = ~(np.isnan(f_a) | np.isnan(f_b) | np.isnan(f_ab).any(axis=0)).any(axis=1)
    f_a, f_b, f_ab = f_a[known], f_b[known], f_ab[:, known]
    n_parameters, n_points, n_seeds = f_ab.shape
    estimate, variance, df = (np.full((2, n_parameters), np.nan) for _ in range(3))
    lack = Lack.NOTHING
    if f_a.size:
        with np.errstate(all="ignore"):  # what is not finite is told apart by the lack
            found = _indices(f_a, f_b, f_ab, noisy=noisy)
            lack = _lack(f_ab, found, noisy=noisy)
            estimate = found.estimate
            of_points = _jackknife(found.without)
            of_seeds = _of_seeds(f_a, f_b, f_ab) if noisy else np.zeros_like(of_points)
            variance = of_points + of_seeds
            share = of_points**2 / (n_points - 1) + of_seeds**2 / max(n_seeds - 1, 1)
            df = variance**2 / share
    changes = np.abs(f_ab - f_a).max(axis=(1, 2), initial=0)
    inert = (changes <= ROUNDING * np.abs(f_a).max(initial=0)) & (lack == Lack.NONE)
    estimate = np.where(inert, 0, estimate)
    first, total = (
        t_intervals(
            estimate=estimate[order],
            error=np.sqrt(variance[order]),
            df=df[order],
            n_seeds=np.full(n_parameters, n_seeds, np.int64),
            lack=np.where(inert, Lack.INERT, lack).astype(np.uint8),
            level=level,
        )
        for order in (0, 1)
    )
    return SobolIndices(first=first, total=total, n_points=n_points)


def _of_seeds(f_a: Values, f_b: Values, f_ab: Values) -> Values:
    """Return the variance of the indices over seeds; 0 where there are too few to tell."""
    n_seeds = f_a.shape[1]
    if n_seeds < _FEWEST:
        return np.zeros((2, len(f_ab)))
    without = []
    for seed in range(n_seeds):
        others = np.arange(n_seeds) != seed
        found = _indices(f_a[:, others], f_b[:, others], f_ab[:, :, others], noisy=True)
        without.append(found.estimate)
    return _jackknife(np.stack(without, axis=-1))


class _Indices(NamedTuple):
    """Indices of first and total order, of all points and without each."""

    estimate: Values  # (2, n_parameters)
    without: Values  # (2, n_parameters, n_points)
    variance: float
    size: float


def _indices(f_a: Values, f_b: Values, f_ab: Values, *, noisy: bool) -> _Indices:
    n_points = len(f_a)
    mean = (f_a.sum(axis=0) + f_b.sum(axis=0)) / (2 * n_points)  # of each seed
    a, b = f_a - mean, f_b - mean
    squares = (_product(a, a, noisy=noisy) + _product(b, b, noisy=noisy)) / 2
    variance = squares.mean()
    shift = -(a + b) / (2 * (n_points - 1))  # of the mean, without a point
    variance_without = _without(squares) - _product(shift, shift, noisy=noisy)
    estimate = np.empty((2, len(f_ab)))
    without = np.empty((2, len(f_ab), n_points))
    for place, ab in enumerate(f_ab):
        change = ab - f_a
        ahead = _product(b, change, noisy=noisy)
        squared = _product(change, change, noisy=noisy) / 2
        estimate[:, place] = ahead.mean(), squared.mean()
        without[0, place] = _without(ahead) - _product(shift, _without(change), noisy=noisy)
        without[1, place] = _without(squared)
    return _Indices(
        estimate=np.where(variance > 0, estimate / variance, np.nan),
        without=without / variance_without,
        variance=float(variance),
        size=float(max(np.square(f_a).mean(), np.square(f_b).mean())),
    )


def _product(x: Values, y: Values, *, noisy: bool) -> Values:
    """Return the product of values (…, n_seeds), of those under different seeds if they differ."""
    if not noisy:
        return np.asarray((x * y)[..., 0])
    n_seeds = x.shape[-1]
    every = x.sum(axis=-1) * y.sum(axis=-1) - (x * y).sum(axis=-1)
    return np.asarray(every / (n_seeds * (n_seeds - 1)))


def _without(values: Values) -> Values:
    """Return the mean over points, the first axis, without each of them."""
    return np.asarray((values.sum(axis=0) - values) / (len(values) - 1))


def _jackknife(without: Values) -> Values:
    """Return the variance of estimates from those without one part, the last axis."""
    n = without.shape[-1]
    apart = without - without.mean(axis=-1, keepdims=True)
    return np.asarray((n - 1) / n * np.square(apart).sum(axis=-1))


def _lack(f_ab: Values, found: _Indices, *, noisy: bool) -> Lack:
    _, n_points, n_seeds = f_ab.shape
    if not n_points or not n_seeds:
        return Lack.NOTHING
    if not np.isfinite(f_ab).all() or not np.isfinite(found.size):
        return Lack.INFINITE
    if noisy and n_seeds == 1:
        return Lack.ONE_SEED
    if n_points == 1:
        return Lack.ONE_CELL
    if not found.variance > ROUNDING * found.size:
        return Lack.NO_VARIANCE
    return Lack.FEW_SEEDS if noisy and n_seeds < _FEWEST else Lack.NONE
