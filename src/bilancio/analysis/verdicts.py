"""Which effects are certain, when many are looked at together."""

import numpy as np

from bilancio.analysis.intervals import Intervals, Lack, at_levels, reason
from bilancio.analysis.measures import Values
from bilancio.analysis.student import t_quantiles, t_tails

ALPHA = 0.05
UNDECIDED = "undecided"


def p_values(found: Intervals) -> Values:
    """Return the two-sided p-value of each row against 0, by Student's t.

    Returns
    -------
    float64 (n_rows,)
        NaN where a row has no interval.
    """
    return t_tails(found.df, found.estimate / found.error)


def holm(p: Values) -> Values:
    """Return p-values adjusted for how many there are.

    Parameters
    ----------
    p : float64 (n,)
        NaN where there is none; these do not count.

    Returns
    -------
    float64 (n,)
        Those at or below α are rejected with a familywise error of at most α.

    References
    ----------
    Holm, *A simple sequentially rejective multiple test procedure* (1979).
    """
    adjusted = np.full(len(p), np.nan)
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    steps = p[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return adjusted


def adjusted(found: Intervals, alpha: float = ALPHA) -> Intervals:
    """Return intervals that contain 0 unless Holm's procedure rejects it.

    Of m rows with an interval, the one with the k-th smallest p-value has the level
    1 - α / (m - k + 1); from the first row on that is not rejected, all have the level of that
    row. Equal p-values share the smallest k.

    Notes
    -----
    They tell which effects are certain together; as ranges of the effects they are wider than
    the plain ones, and do not contain all effects at once with a probability of 1 - α.

    References
    ----------
    Holm (1979); Strassburger, Bretz, *Compatible simultaneous lower confidence bounds for the
    Holm procedure* (2008), on what such intervals can say.
    """
    t = -np.abs(found.estimate / found.error)
    known = np.flatnonzero(~np.isnan(t))
    df = np.unique(found.df[known])
    # With as many seeds in all rows t ranks them as p does, and needs no tails.
    ranked = t if len(df) <= 1 else p_values(found)
    order = known[np.argsort(ranked[known], kind="stable")]
    ordered = ranked[order]
    rank = np.searchsorted(ordered, ordered)  # from 0
    share = alpha / (len(order) - rank)
    limit = t_quantiles(found.df[order], share / 2) if len(df) <= 1 else share
    stops = np.flatnonzero(ordered > limit)
    if len(stops):
        share[stops[0] :] = share[stops[0]]
    alphas = np.full(len(t), np.nan)
    alphas[order] = share
    return at_levels(found, alphas)


def verdicts(
    found: Intervals, words: tuple[str, str] = ("helps", "hurts"), alpha: float = ALPHA
) -> list[str]:
    """Say of each row whether its effect is certain, taking all rows together.

    Parameters
    ----------
    found
        Estimates and plain intervals of effects.
    words
        For effects above and below 0.

    Returns
    -------
    list of str
        One of the words where the adjusted interval excludes 0; `all 5 seeds equal` where seeds
        show no spread, whatever the effect; `nothing was observed` where that is so; `undecided`
        otherwise.
    """
    within = adjusted(found, alpha)
    table = np.full(len(found.estimate), UNDECIDED, dtype=object)
    table[within.low > 0] = words[0]
    table[within.high < 0] = words[1]
    for lack in (Lack.EQUAL, Lack.NOTHING):
        for row in np.flatnonzero(found.lack == lack):
            table[row] = reason(lack, int(found.n_seeds[row]))
    return list(table)
