"""How much of the debts is lost when they are cut to whole units of money.

Debts are drawn as shares of Q, and faces are whole (MODEL.md, section 0). In a large ring with a
fixed Q most debts are smaller than a unit: what is left of them is another model.

Imports numpy only where a share has to be estimated: configurations are read without it.
"""

from collections.abc import Iterable, Sequence

ALARMING = 0.05  # share of the debts' total
_DRAWS = 20_000
_SEED = 1


def truncated_share(
    q: float, n_agents: int, concentration: float, claims: Sequence[float] = (1.0,)
) -> float:
    """Estimate the expected share of the debts' total that is cut off.

    A debt size is Q times a share that is Beta(c, c·(n−1)) distributed, the same for every trader,
    so that a sample of traders tells it, whatever n is: 20 000 of them, drawn under a fixed seed.
    Its standard error is below 0.004 · max(1, n / Q).

    Parameters
    ----------
    q
        Total of the ring's debts in money, Q.
    n_agents, concentration
        n and c.
    claims
        Debts of a trader, each in proportion to its ring debt, which is 1: in the balanced scenario
        (1, β_V, β_D).

    Returns
    -------
    float
        From 0 to 1; 1 where every debt is smaller than a unit.

    References
    ----------
    MODEL.md, sections 1 (steps 1 and 4) and 2 (step 2).
    """
    import numpy as np  # as said above

    drawn = np.random.default_rng(_SEED)
    own = drawn.standard_gamma(concentration, _DRAWS)
    whole = own + drawn.standard_gamma(concentration * (n_agents - 1), _DRAWS)
    # Where both draws underflow to 0, which takes a tiny c, the share counts as 0.
    amounts = q * np.divide(own, whole, out=np.zeros_like(own), where=whole > 0)
    cut = sum(float(np.mean(claim * amounts % 1)) for claim in claims)
    return min(1.0, cut * n_agents / (q * sum(claims)))


def remark(
    rings: Iterable[tuple[int, float]],
    concentrations: Sequence[float],
    claims: Sequence[float] = (1.0,),
    *,
    advice: str,
) -> str:
    """Say in a sentence how much is cut off where it is most, if that is alarming; else nothing.

    Parameters
    ----------
    rings
        n and Q of each ring.
    concentrations, claims
        All c, and as in `truncated_share`.
    advice
        What to do.
    """
    # A debt loses less than a unit: most configurations need no estimate, which loads numpy.
    suspicious = {(n, q) for n, q in rings if n * len(claims) >= ALARMING * q * sum(claims)}
    worst = [
        (max(truncated_share(q, n, c, claims) for c in concentrations), n)
        for n, q in sorted(suspicious)
    ]
    alarming = [(share, n) for share, n in worst if share >= ALARMING]
    if not alarming:
        return ""
    share, n = max(alarming)
    others = len({each for _, each in alarming}) - 1
    more = f", and {100 * ALARMING:.0f} % or more at {others} other values" if others else ""
    return (
        f"At n_agents {n}, {100 * share:.0f} % of the debts' total is truncated to whole units"
        f"{more}; {advice}."
    )
