"""Which parameters matter: main effects and interactions of a crossed grid."""

import itertools
from dataclasses import dataclass, replace

import numpy as np

from bilancio.analysis.intervals import LEVEL, Intervals, Lack, t_intervals
from bilancio.analysis.measures import ROUNDING, Values

_AT_ONCE = 1 << 18  # cells times seeds in work at a time
_FEWEST = 3  # seeds, for the jackknife of a component that takes two


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Effects:
    """What the variance between the cells of a crossed grid is made of.

    Attributes
    ----------
    terms
        The axes of each term, by their places in the grid: `(0,)` is a main effect, `(0, 1)` an
        interaction of two, `()` all interactions of three or more together. Axes with one level
        have none.
    variance : float64 (n_terms,)
        Variance over the cells of the expected effect; 0 where the estimate is negative.
    shares : Intervals
        Share of each term in their sum, with a jackknife interval over seeds.
    """

    terms: tuple[tuple[int, ...], ...]
    variance: Values
    shares: Intervals


def effects(values: Values, shape: tuple[int, ...], level: float = LEVEL) -> Effects:
    """Return main effects and two-way interactions as shares of the variance between cells.

    Parameters
    ----------
    values : float64 (n_cells, n_seeds)
        One value a cell and seed, cells in the order of the grid, the last axis fastest. Seeds
        with a NaN in any cell are left out.
    shape
        Number of levels of each axis.
    level
        Of confidence.

    Notes
    -----
    Axes are fixed and crossed, seeds are random blocks. With C cells and R seeds, the component
    of term E is

        V_E = (SS_E - df_E · MS_{E×seed}) / (C·R),

    the mean over the cells of the squared effect, freed of what noise adds to it: for e_r, the
    effect found under seed r alone, V_E = Σ_{r≠s} ⟨e_r, e_s⟩ / (R·(R-1)·C), which is how it is
    computed. Negative components are taken as 0. The standard error of a share is that of the
    delete-one jackknife over seeds, of the share before negative components are cut off; the
    interval is cut off at 0 and 1. Components of less than 1e-12 of their sum are rounding, and 0.

    References
    ----------
    Montgomery, *Design and Analysis of Experiments* (2017), sections 5.4 and 13.2: expected mean
    squares, and the analysis of variance method; Hays, *Statistics* (1963), for shares of variance
    (ω²); Efron, Tibshirani, *An Introduction to the Bootstrap* (1993), chapter 11.
    """
    values = values[:, ~np.isnan(values).any(axis=0)]
    n_seeds = values.shape[1]
    terms = _terms(shape)
    with np.errstate(all="ignore"):  # what is not finite is told apart by the lack
        products = _products(values, shape, terms)
        sums = products.sum(axis=1)
        parts = sums / (n_seeds * (n_seeds - 1))
        size = np.square(values).mean() if values.size else 0
        rounding = max(ROUNDING * parts.sum(), ROUNDING**2 * size) if parts.size else 0
        variance = np.where(parts <= rounding, 0, parts)
        without = sums[:, np.newaxis] - 2 * products  # in proportion to the parts without a seed
        shares = without / without.sum(axis=0)
        apart = shares - shares.sum(axis=1, keepdims=True) / n_seeds
        error = np.sqrt((1 - np.divide(1, n_seeds)) * np.square(apart).sum(axis=1))
        differ = bool(parts.sum() > ROUNDING * size)
        estimate = variance / variance.sum() if differ else np.full(len(terms), np.nan)
    lack = _lack(values, differ=differ)
    lacks = np.where((lack == Lack.NONE) & (error <= ROUNDING), Lack.EQUAL, lack)
    found = t_intervals(
        estimate=estimate,
        error=error,
        df=np.full(len(terms), n_seeds - 1.0),
        n_seeds=np.full(len(terms), n_seeds, np.int64),
        lack=lacks.astype(np.uint8),
        level=level,
    )
    cut = replace(found, low=np.maximum(found.low, 0), high=np.minimum(found.high, 1))
    return Effects(terms=terms, variance=variance, shares=cut)


def _lack(values: Values, *, differ: bool) -> Lack:
    n_seeds = values.shape[1]
    if not n_seeds:
        return Lack.NOTHING
    if not np.isfinite(values).all():
        return Lack.INFINITE
    if n_seeds == 1:
        return Lack.ONE_SEED
    if not differ:
        return Lack.NO_VARIANCE
    return Lack.FEW_SEEDS if n_seeds < _FEWEST else Lack.NONE


def _terms(shape: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    axes = [axis for axis, length in enumerate(shape) if length > 1]
    higher = [()] if len(axes) > 2 else []  # noqa: PLR2004 - three make an interaction of three
    return (*((axis,) for axis in axes), *itertools.combinations(axes, 2), *higher)


def _products(values: Values, shape: tuple[int, ...], terms: tuple[tuple[int, ...], ...]) -> Values:
    """Return ⟨S - e_r, e_r⟩ / C of each term and seed, S being the sum of e_r over the seeds."""
    n_cells, n_seeds = values.shape
    found = np.zeros((len(terms), n_seeds))
    if not n_seeds:
        return found
    summed = _parts(values.sum(axis=1, keepdims=True), shape, terms)
    step = max(1, _AT_ONCE // max(n_cells, 1))
    for start in range(0, n_seeds, step):
        seeds = slice(start, start + step)
        parts = _parts(values[:, seeds], shape, terms)
        for term, (whole, part) in enumerate(zip(summed, parts, strict=True)):
            axes = tuple(range(1, part.ndim))
            found[term, seeds] = (whole * part - np.square(part)).mean(axis=axes)
    if terms and not terms[-1]:  # so far the product of all terms together
        found[-1] -= found[:-1].sum(axis=0)
    return found


def _parts(
    values: Values, shape: tuple[int, ...], terms: tuple[tuple[int, ...], ...]
) -> list[Values]:
    """Return each term's effects under each seed, (n_seeds, *levels, or 1 off the term's axes).

    The last one, of no axes, holds all that differs between the cells.
    """
    grid = values.T.reshape(-1, *shape)
    grid = grid - grid.mean(axis=tuple(range(1, grid.ndim)), keepdims=True)
    found: dict[tuple[int, ...], Values] = {}
    for term in terms:
        others = tuple(axis + 1 for axis in range(len(shape)) if axis not in term)
        part = grid.mean(axis=others, keepdims=True) if term else grid
        for axis in term if len(term) > 1 else ():
            part = part - found[axis,]
        found[term] = part
    return list(found.values())
