"""Quotes of dealers and VBTs, and the update of their anchors.

References
----------
MODEL.md, section 6; Treynor 1987.
"""

import math

from bilancio.model.kernels.books import (
    FELL,
    MID,
    N_BUCKETS,
    PAID,
    SPREAD,
    Doubles,
    Ints,
)
from bilancio.model.kernels.compiled import njit, part

_LEAST_MID = 0.02  # at or below it a dealer quotes the outside


@njit
def quote(
    mid: float, spread: float, face_value: float, inventory: float, cash: float
) -> tuple[float, float, float, float, float, float]:
    """Quote one dealer.

    Parameters
    ----------
    mid, spread
        Outside mid M and spread O, per unit of face.
    face_value
        Ticket size S, in money.
    inventory, cash
        Face x that the dealer holds and its cash C, in money.

    Returns
    -------
    capacity, layoff, width, midline, bid, ask
        X* in money; λ, I and p, NaN where the dealer quotes the outside; bid and ask per
        unit of face.
    """
    outside_ask = mid + spread / 2.0
    outside_bid = max(0.0, mid - spread / 2.0)
    tickets = 0.0
    if mid > _LEAST_MID:
        value = mid * inventory + cash
        tickets = math.floor(value / (mid * face_value))
    if tickets <= 0.0:
        return 0.0, math.nan, math.nan, math.nan, outside_bid, outside_ask
    capacity = face_value * tickets
    layoff = face_value / (capacity + face_value)
    width = layoff * spread
    midline = mid - spread / (capacity + 2.0 * face_value) * (inventory - capacity / 2.0)
    ask = min(outside_ask, midline + width / 2.0)
    bid = max(outside_bid, midline - width / 2.0)
    return capacity, layoff, width, midline, bid, ask


@part
def update_anchors(price: Doubles, desk: Ints, phi_m: float, phi_o: float) -> None:
    """Move each bucket's outside mid and spread by the loss rate of today's debts.

    The arguments are described in `books`.
    """
    for bucket in range(N_BUCKETS):
        if desk[FELL, bucket]:
            loss = 1.0 - desk[PAID, bucket] / desk[FELL, bucket]
            price[MID, bucket] = max(0.0, price[MID, bucket] - phi_m * loss)
            price[SPREAD, bucket] = price[SPREAD, bucket] + phi_o * loss
