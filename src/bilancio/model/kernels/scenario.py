"""The balance sheets of the first day: debts, due days, cash.

References
----------
MODEL.md, sections 1 and 2.
"""

import numpy as np

from bilancio.model.kernels.books import (
    AMOUNT,
    DEALER,
    DEALER_FACE,
    DEBTOR,
    DEFAULTED,
    DUE_DAY,
    FIRST,
    FIRST_BIT,
    FULL,
    LENGTH,
    LIVE,
    N_BUCKETS,
    N_DESKS,
    NEXT_DUE,
    PLACE,
    REST,
    REST_HOLDER,
    RING,
    RING_TOTAL,
    SCRATCH,
    SETTLED,
    SOLD,
    TERM,
    VBT,
    VBT_FACE,
    Doubles,
    Ints,
    Stream,
)
from bilancio.model.kernels.compiled import part
from bilancio.model.kernels.conventions import bucket_of, desk_of, rounded
from bilancio.model.kernels.random import below, bit_length, draw_gammas
from bilancio.model.kernels.sorting import sort
from bilancio.model.parameters import LiquidityMode
from bilancio.model.tables import code

UNIFORM = code(LiquidityMode.UNIFORM)
SINGLE_AT = code(LiquidityMode.SINGLE_AT)

_LEAST = 0.01  # smallest amount ε that a debt has, and largest claim of a desk that is left out


@part
def draw_amounts(
    stream: Stream,
    sized: Doubles,
    n: int,
    q_total: float,
    concentration: float,
    monotonicity: float,
) -> None:
    """Draw the debt sizes a_1 … a_n (section 1, steps 1 to 3).

    Other arguments are described in `books`.

    Parameters
    ----------
    stream : uint32 (STREAM_SIZE,)
        At its start; left where the draws end.
    sized
        Output: row ``AMOUNT``.

    Notes
    -----
    Where all gamma draws underflow to 0, which takes a concentration far below 0.01, every share
    counts as 0, so that the last debt is all of Q before the clamp.
    """
    amount = sized[AMOUNT]
    draw_gammas(stream, concentration, amount, n)
    weights = _sum(amount, n)
    given = 0.0
    for i in range(n - 1):
        amount[i] = q_total * amount[i] / weights if weights > 0.0 else 0.0
        given += amount[i]
    amount[n - 1] = q_total - given
    _clamp(amount, n, q_total)
    if abs(monotonicity) >= 1e-9:
        sort(amount, sized[SCRATCH], n)
        _disturb(stream, amount, n, monotonicity)


@part
def _clamp(amount: Doubles, n: int, q_total: float) -> None:
    """Raise every amount to ε and keep the sum at Q, as far as both can be had (step 2).

    The arguments are described in `books`.
    """
    gaps = 0.0
    for i in range(n):
        if amount[i] <= 0.0:
            gaps += _LEAST - amount[i]
            amount[i] = _LEAST
    if gaps > 0.0:
        _take_from_largest(amount, n, gaps)
    total = _sum(amount, n)
    if total > q_total:
        _take_from_largest(amount, n, total - q_total)
    elif total < q_total:
        amount[n - 1] += q_total - total
    for i in range(n):
        amount[i] = max(amount[i], _LEAST)
    difference = q_total - _sum(amount, n)
    if difference != 0.0:
        amount[n - 1] = max(amount[n - 1] + difference, _LEAST)


@part
def _take_from_largest(amount: Doubles, n: int, gap: float) -> None:
    """Take *gap* from the largest amounts first; each keeps ε.

    A scan per amount taken from: the gap is nearly always smaller than the largest amount, and
    only very unequal draws, where few amounts exceed ε, need more than a few.

    The arguments are described in `books`.
    """
    while gap > 0.0:
        largest = 0
        for i in range(n):
            if amount[i] > amount[largest]:
                largest = i
        taken = min(gap, amount[largest] - _LEAST)
        if taken <= 0.0:
            return
        amount[largest] -= taken
        gap -= taken


@part
def _sum(amount: Doubles, n: int) -> float:
    """Return the sum of the first *n* values of *amount*."""
    total = 0.0
    for i in range(n):
        total += amount[i]
    return total


@part
def _disturb(stream: Stream, amount: Doubles, n: int, monotonicity: float) -> None:
    """Turn sorted amounts the right way round and swap neighbours at random (step 3).

    The arguments are described in `books`.
    """
    if monotonicity >= 0.0:
        for i in range(n // 2):
            amount[i], amount[n - 1 - i] = amount[n - 1 - i], amount[i]
    s = min(abs(monotonicity), 1.0)
    if s >= 1.0 - 1e-9:
        return
    bits = bit_length(n - 1)
    for _ in range(min(int(np.rint((1.0 - s) * n * max(1, n - 1))), n * (n - 1))):
        i = below(stream, n - 1, bits)
        amount[i], amount[i + 1] = amount[i + 1], amount[i]


@part
def place_debts(debt: Ints, trader: Ints, term: Ints, n: int, maturity_days: int, mu: float) -> int:
    """Set due days (section 1, step 5) and place debtors by term, longest first, then agent.

    Other arguments are described in `books`.

    Returns
    -------
    int
        How many different terms there are; ``term`` says which.
    """
    step = 0
    if maturity_days > 1:
        step = int(np.rint(mu * (maturity_days - 1)))
        step = min(max(step, 0), maturity_days - 1)
    count = term[NEXT_DUE]
    for length in range(maturity_days + 1):
        count[length] = 0
    position = maturity_days - step if step else 0  # of H_1, one step before H_2's 0
    for i in range(n):
        trader[DEFAULTED, i] = 0
        trader[DUE_DAY, i] = 1 + position
        count[1 + position] += 1
        position += step
        if position >= maturity_days:
            position -= maturity_days
    n_terms, place = 0, 0
    for length in range(maturity_days, 0, -1):
        if count[length]:
            term[LENGTH, n_terms] = length
            term[FIRST, n_terms] = place
            n_terms += 1
            place += count[length]
            count[length] = place - count[length]
    term[FIRST, n_terms] = n
    term[FIRST, n_terms + 1] = n  # no term has no places
    for i in range(n):
        length = trader[DUE_DAY, i]
        place = count[length]
        count[length] = place + 1
        trader[PLACE, i] = place
        debt[DEBTOR, place] = i
        debt[TERM, place] = length
    for k in range(n_terms):
        term[NEXT_DUE, term[LENGTH, k]] = term[LENGTH, k]
    return n_terms


@part
def write_ring_debts(debt: Ints, sized: Doubles, n: int, face_value: int) -> int:
    """Write the ring debts and split them into tickets (section 1, step 4; section 6).

    Other arguments are described in `books`.

    Returns
    -------
    int
        Face of all of them.
    """
    total, bit = 0, 0
    for p in range(n):
        face = int(sized[AMOUNT, debt[DEBTOR, p]])
        full = face // face_value
        debt[RING, p] = face
        debt[VBT, p] = 0
        debt[DEALER, p] = 0
        debt[LIVE, p] = 1 << RING
        debt[SETTLED, p] = 0
        debt[DEALER_FACE, p] = 0
        debt[VBT_FACE, p] = 0
        debt[FULL, p] = full
        debt[SOLD, p] = 0
        debt[REST, p] = face - full * face_value
        debt[REST_HOLDER, p] = RING
        debt[FIRST_BIT, p] = bit
        total += face
        bit += full
    return total


@part
def endow_traders(
    cash: Ints, n: int, liquidity: float, mode: int, agent: int, weights: Doubles, start: int
) -> None:
    """Allot L to the traders in micro-units (section 1, step 6).

    Other arguments are described in `books`.

    Parameters
    ----------
    cash
        Output; desks get 0.
    agent
        The trader that gets all, from 1.
    weights, start
        Weights from *start* on, read where neither other mode is asked for. The last trader takes
        the remainder, but never less than 0.
    """
    each = rounded(liquidity / n) if mode == UNIFORM else 0
    for i in range(n):
        cash[i] = each
    for i in range(n, n + N_DESKS):
        cash[i] = 0
    if mode == SINGLE_AT:
        cash[agent - 1] = rounded(liquidity)
    elif mode != UNIFORM:
        total = 0.0
        for i in range(n):
            total += weights[start + i]
        left = rounded(liquidity)
        for i in range(n - 1):
            cash[i] = rounded(liquidity * weights[start + i] / total)
            left -= cash[i]
        cash[n - 1] = max(left, 0)


@part
def add_desks(
    cash: Ints,
    debt: Ints,
    trader: Ints,
    desk: Ints,
    price: Doubles,
    sized: Doubles,
    n: int,
    vbt_share: float,
    dealer_share: float,
    outside_mid_ratio: float,
) -> int:
    """Give VBTs and dealers their claims and all agents the cash for them (section 2).

    Other arguments are described in `books`.

    Returns
    -------
    int
        Face of their claims.
    """
    amount, total = sized[AMOUNT], price[RING_TOTAL]
    for bucket in range(N_BUCKETS):
        total[bucket] = 0.0
    for i in range(n):
        total[bucket_of(trader[DUE_DAY, i])] += amount[i]
    for p in range(n):
        i = debt[DEBTOR, p]
        bucket = bucket_of(debt[TERM, p])
        for claim in range(VBT, DEALER + 1):
            claims = (vbt_share if claim == VBT else dealer_share) * total[bucket]
            part = claims * (amount[i] / total[bucket])
            if part > _LEAST:
                debt[claim, p] = int(part)
                debt[LIVE, p] |= 1 << claim
                desk[claim, bucket] += debt[claim, p]
    vbt_claims, dealer_claims = 0.0, 0.0
    for bucket in range(N_BUCKETS):
        of_vbt, of_dealer = vbt_share * total[bucket], dealer_share * total[bucket]
        vbt_claims += of_vbt
        dealer_claims += of_dealer
        cash[desk_of(n, VBT, bucket)] = rounded(outside_mid_ratio * of_vbt)
        cash[desk_of(n, DEALER, bucket)] = rounded(outside_mid_ratio * of_dealer)
    extra = rounded((vbt_claims + dealer_claims) / n)
    for i in range(n):
        cash[i] += extra
    face = 0
    for bucket in range(N_BUCKETS):
        face += desk[VBT, bucket] + desk[DEALER, bucket]
    return face
