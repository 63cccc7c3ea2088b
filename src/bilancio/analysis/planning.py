"""How many seeds a precision takes."""

import numpy as np
from numpy.typing import NDArray

from bilancio.analysis.intervals import LEVEL, Intervals, Lack
from bilancio.analysis.lots import FIRST_LOT
from bilancio.analysis.measures import Values
from bilancio.analysis.student import t_quantiles

MOST_SEEDS = 10**12  # that anybody is told
_FRACTION = 10  # of the seeds there are, added at least: looking after each seed is many rounds


def seeds_needed(found: Intervals, half_width: float, level: float = LEVEL) -> NDArray[np.int64]:
    """Return how many seeds give each row an interval of ± *half_width*.

    Parameters
    ----------
    found
        Means, ratios or differences over seeds. Of a sample from ranges, more seeds alone do not
        make the interval arbitrarily narrow, and this does not apply.
    half_width
        Above 0, in the units of the measure.
    level
        Of confidence.

    Returns
    -------
    int64 (n_rows,)
        The smallest n ≥ 2 for which t(n - 1) · s / √n is at most *half_width*, with the spread s
        that was seen; the number of seeds there are where all are equal; 0 where no spread is
        known.

    References
    ----------
    Law, *Simulation Modeling and Analysis* (2015), section 9.4.1: fixed-sample-size procedures.
    """
    spread = found.error * np.sqrt(found.n_seeds)
    known = found.lack == Lack.NONE
    needed = np.where(found.lack == Lack.EQUAL, found.n_seeds, 0).astype(np.int64)
    with np.errstate(over="ignore"):  # no number of seeds is enough
        ratio = spread[known] / half_width
    needed[known] = _smallest(ratio, level)
    return needed


def _smallest(ratio: Values, level: float) -> NDArray[np.int64]:
    """Return the smallest n ≥ 2 with t(n - 1) · ratio ≤ √n, by bisection."""
    low = np.ones(len(ratio), np.int64)  # too few
    high = np.full(len(ratio), MOST_SEEDS, np.int64)
    while (high - low > 1).any():
        middle = (low + high) // 2
        middle = np.maximum(middle, 2)
        enough = -t_quantiles(middle - 1.0, (1 - level) / 2) * ratio <= np.sqrt(middle)
        open_ = high - low > 1
        high = np.where(open_ & enough, middle, high)
        low = np.where(open_ & ~enough, middle, low)
    return high


def seeds_for(half_width: float, found: Intervals, level: float = LEVEL) -> int | None:
    """Return how many seeds give every row an interval of ± *half_width*.

    That is what the widest row takes; None where no row shows a spread.
    """
    spread = found.error * np.sqrt(found.n_seeds)
    known = found.lack == Lack.NONE
    if known.any():
        return int(_smallest(spread[known].max(keepdims=True) / half_width, level)[0])
    equal = found.n_seeds[found.lack == Lack.EQUAL]
    return int(equal.max()) if len(equal) else None


def more_seeds(found: Intervals, wanted: float, n_seeds: int, at_most: int) -> int:
    """Return how many seeds to add for every row to have an interval of ± *wanted*.

    The stopping rule of a sweep that asks for a precision. After a first lot of `FIRST_LOT` seeds
    it goes on to the number that the spread seen so far asks for, at most doubling the seeds and
    adding a tenth of them at least, and looks again: few looks, because each of them may stop
    too early by chance.

    Parameters
    ----------
    found
        The present intervals, one for each row whose precision is asked for. A row whose seeds
        are all equal has its precision; one without values or with a denominator of 0 never
        will have an interval, and is left out.
    wanted
        Half width, in the units of the measure.
    n_seeds
        Seeds that have been run.
    at_most
        Seeds to be run in all.

    Returns
    -------
    int
        0 where the precision is reached, or *at_most* seeds have been run.

    References
    ----------
    Law, *Simulation Modeling and Analysis* (2015), section 9.4.1: sequential procedures;
    Chow, Robbins, *On the asymptotic theory of fixed-width sequential confidence intervals for
    the mean* (1965).
    """
    if n_seeds < FIRST_LOT:
        return max(0, min(FIRST_LOT, at_most) - n_seeds)
    half = (found.high - found.low) / 2
    open_ = (found.lack == Lack.ONE_SEED) | (half > wanted)
    if not open_.any():
        return 0
    needed = seeds_needed(found, wanted)
    lacking = np.where(needed > 0, needed - found.n_seeds, n_seeds)[open_].max()
    step = min(max(int(lacking), n_seeds // _FRACTION, 1), n_seeds)
    return max(0, min(step, at_most - n_seeds))


def reached(found: Intervals, wanted: float) -> NDArray[np.bool_]:
    """Return which rows have an interval of ± *wanted* or narrower, or seeds that are all equal."""
    narrow = (found.high - found.low) / 2 <= wanted
    return np.asarray(narrow | (found.lack == Lack.EQUAL), np.bool_)
