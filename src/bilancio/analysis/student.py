"""Quantiles and tails of Student's t distribution.

scipy has both, but takes 0.2 s to load: as long as a short job's summary and files take
otherwise. Quantiles that intervals of means usually need are computed here; the others are scipy's.
"""

import functools
import math
from statistics import NormalDist

import numpy as np

from bilancio.analysis.measures import Values

LEAST_P = 1e-3  # below it, what is computed here loses digits
SUMMED_DF = 500  # up to here finite sums, beyond it an expansion, exact to 1e-12 either way
_ROUNDING = 1e-15


def t_quantiles(df: Values, p: Values | float) -> Values:
    """Return quantiles of Student's t distributions; NaN where *df* is NaN.

    Parameters
    ----------
    df : float64 (n,)
        Degrees of freedom.
    p : float64 (n,) or float
        Probability below the quantile; near 0 more exact than near 1.

    Notes
    -----
    A quantile depends on its degrees of freedom and probability alone, not on what it is asked
    for with.

    References
    ----------
    Abramowitz, Stegun, *Handbook of Mathematical Functions* (1964), 26.7.3 to 26.7.5.
    """
    df, p = np.broadcast_arrays(np.asarray(df, np.float64), np.asarray(p, np.float64))
    found = np.full(df.shape, np.nan)
    usual = (p >= LEAST_P) & (p < 0.5)  # noqa: PLR2004 - the median
    p = np.where(usual, np.round(p, 15), p)  # 1 - 0.95 is 0.05, so that equal levels are equal
    large = usual & (df > SUMMED_DF)
    small = usual & (df >= 1) & (df <= SUMMED_DF) & (df == np.floor(df))
    for each in np.unique(p[large]):
        here = large & (p == each)
        found[here] = _expanded(df[here], float(each))
    if small.any():
        pairs, place = np.unique(np.stack([df[small], p[small]]), axis=1, return_inverse=True)
        found[small] = np.array([_summed(int(n), q) for n, q in pairs.T.tolist()])[place.ravel()]
    others = ~np.isnan(df) & ~large & ~small
    if others.any():
        from scipy.special import stdtrit  # takes 0.2 s to load

        pairs, place = np.unique(np.stack([df[others], p[others]]), axis=1, return_inverse=True)
        found[others] = stdtrit(*pairs)[place.ravel()]  # one takes a microsecond
    return found


def t_tails(df: Values, t: Values) -> Values:
    """Return the probability that Student's t is further from 0 than *t*; NaN where it is NaN."""
    from scipy.special import stdtr  # takes 0.2 s to load; averages need no tails

    return np.asarray(2 * stdtr(df, -np.abs(t)))


def _expanded(df: Values, p: float) -> Values:
    """Return quantiles for many degrees of freedom: the normal one, corrected (26.7.5)."""
    z = NormalDist().inv_cdf(p)
    terms = (
        np.polyval([1, 0, 1, 0], z) / 4,
        np.polyval([5, 0, 16, 0, 3, 0], z) / 96,
        np.polyval([3, 0, 19, 0, 17, 0, -15, 0], z) / 384,
        np.polyval([79, 0, 776, 0, 1482, 0, -1920, 0, -945, 0], z) / 92160,
    )
    return np.asarray(z + sum(term / df**power for power, term in enumerate(terms, 1)))


@functools.lru_cache(maxsize=4 * SUMMED_DF)
def _summed(df: int, p: float) -> float:
    """Return the quantile for few, whole degrees of freedom: there the distribution is a sum.

    With t = √df·tan θ the probability within ±t is concave in θ, and a quantile of the normal
    distribution is nearer to 0 than this one: Newton's steps from there never overshoot.
    """
    slope = 2 * math.exp(math.lgamma((df + 1) / 2) - math.lgamma(df / 2)) / math.sqrt(math.pi)
    theta, step = math.atan(-NormalDist().inv_cdf(p) / math.sqrt(df)), 1.0
    while step > _ROUNDING:
        step = (1 - 2 * p - _within(df, theta)) / (slope * math.cos(theta) ** (df - 1))
        theta += step
    return -math.sqrt(df) * math.tan(theta)


def _within(df: int, theta: float) -> float:
    """Return the probability that t is within ±√df·tan *theta* (26.7.3 and 26.7.4)."""
    sine, cosine = math.sin(theta), math.cos(theta)
    if df % 2 == 0:
        k = np.arange(1, df // 2)
        return sine * (1 + float(np.cumprod((2 * k - 1) / (2 * k) * cosine**2).sum()))
    if df == 1:
        return 2 * theta / math.pi
    k = np.arange(1, (df - 1) // 2)
    inside = cosine * (1 + float(np.cumprod(2 * k / (2 * k + 1) * cosine**2).sum()))
    return 2 / math.pi * (theta + sine * inside)
