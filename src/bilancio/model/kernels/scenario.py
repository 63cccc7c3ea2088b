"""The balance sheets of the first day: debts, due days, cash.

References
----------
MODEL.md, sections 1 and 2.
"""

import numpy as np

from bilancio.model.kernels.books import (
    DEALER,
    LONG,
    N_BUCKETS,
    N_CLAIMS,
    RING,
    VBT,
    Books,
    Debts,
    Doubles,
    Indices,
    Ints,
    Scenario,
    bucket_of,
    desk,
    rounded,
)
from bilancio.model.kernels.compiled import njit
from bilancio.model.kernels.random import gammavariate, randrange, seed_stream
from bilancio.model.kernels.sorting import sort
from bilancio.model.parameters import LiquidityMode
from bilancio.model.tables import code

UNIFORM = code(LiquidityMode.UNIFORM)
SINGLE_AT = code(LiquidityMode.SINGLE_AT)

_LEAST = 0.01  # smallest amount ε that a debt has, and largest claim of a desk that is left out


@njit
def draw_amounts(
    scenario: Scenario, n: int, q_total: float, concentration: float, monotonicity: float, seed: int
) -> None:
    """Draw the debt sizes a_1 … a_n into ``scenario.amount`` (section 1, steps 1 to 3).

    Notes
    -----
    Where all gamma draws underflow to 0, which takes a concentration below 0.01, every share
    counts as 0, so that the last debt is all of Q before the clamp.
    """
    amount, stream = scenario.amount, scenario.stream
    seed_stream(stream, seed)
    weights = 0.0
    for i in range(n):
        amount[i] = gammavariate(stream, concentration)
        weights += amount[i]
    given = 0.0
    for i in range(n - 1):
        amount[i] = q_total * amount[i] / weights if weights > 0.0 else 0.0
        given += amount[i]
    amount[n - 1] = q_total - given
    _clamp(amount, n, q_total)
    if abs(monotonicity) >= 1e-9:
        _order(scenario, n, monotonicity)


@njit
def _clamp(amount: Doubles, n: int, q_total: float) -> None:
    """Raise every amount to ε and keep the sum at Q, as far as both can be had (step 2)."""
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


@njit
def _take_from_largest(amount: Doubles, n: int, gap: float) -> None:
    """Take *gap* from the largest amounts first; each keeps ε.

    A scan per amount taken from: the gap is nearly always smaller than the largest amount, and
    only very unequal draws, where few amounts exceed ε, need more than a few.
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


@njit
def _sum(amount: Doubles, n: int) -> float:
    total = 0.0
    for i in range(n):
        total += amount[i]
    return total


@njit
def _order(scenario: Scenario, n: int, monotonicity: float) -> None:
    """Sort the amounts, then disturb the order by swaps of neighbours (step 3)."""
    amount, stream = scenario.amount, scenario.stream
    sort(amount, scenario.scratch, n)
    if monotonicity >= 0.0:
        for i in range(n // 2):
            amount[i], amount[n - 1 - i] = amount[n - 1 - i], amount[i]
    s = min(abs(monotonicity), 1.0)
    if s >= 1.0 - 1e-9:
        return
    swaps = min(np.int64(np.rint((1.0 - s) * n * max(1, n - 1))), np.int64(n) * (n - 1))
    for _ in range(swaps):
        i = randrange(stream, n - 1)
        amount[i], amount[i + 1] = amount[i + 1], amount[i]


@njit
def set_due_days(due_day: Indices, n: int, maturity_days: int, mu: float) -> None:
    """Write the due day of each trader's debts, by agent (section 1, step 5)."""
    step = 0
    if maturity_days > 1:
        step = np.int64(np.rint(mu * (maturity_days - 1)))
        step = min(max(step, 0), maturity_days - 1)
    if step == 0:
        for i in range(n):
            due_day[i] = 1
        return
    day = (maturity_days - step) % maturity_days  # of H_1, whose place in the cycle is −1
    for i in range(n):
        due_day[i] = 1 + day
        day += step
        if day >= maturity_days:
            day -= maturity_days


@njit
def place_debts(debts: Debts, due_day: Indices, n: int, maturity_days: int) -> int:
    """Sort debtors by term, longest first, then agent; return how many terms there are."""
    count = debts.next_due
    count[: maturity_days + 1] = 0
    for i in range(n):
        count[due_day[i]] += 1
    n_terms = 0
    place = 0
    for term in range(maturity_days, 0, -1):
        size = count[term]
        if size:
            debts.term[n_terms] = term
            debts.first[n_terms] = place
            n_terms += 1
            count[term] = place
            place += size
    debts.first[n_terms] = n
    for i in range(n):
        term = due_day[i]
        place = count[term]
        count[term] = place + 1
        debts.place[i] = place
        debts.debtor[place] = i
        debts.term_at[place] = term
    for k in range(n_terms):
        debts.next_due[debts.term[k]] = debts.term[k]
    return n_terms


@njit
def write_ring_debts(debts: Debts, amount: Doubles, n: int, face_value: int) -> int:
    """Write the ring debts and split them into tickets; return their whole face.

    A *face_value* of 0 leaves out the tickets, which only active runs need.
    """
    total = np.int64(0)
    bit = np.int64(0)
    for p in range(n):
        face = np.int64(amount[debts.debtor[p]])
        debts.face[RING, p] = face
        debts.live[p] = 1 << RING
        debts.settled_today[p] = 0
        debts.dealer_face[p] = 0
        debts.vbt_face[p] = 0
        total += face
        if face_value:
            full = face // face_value
            debts.full[p] = full
            debts.sold[p] = 0
            debts.rest[p] = face - full * face_value
            debts.rest_holder[p] = RING
            debts.first_bit[p] = bit
            bit += full
    return total


@njit
def endow_traders(
    cash: Ints, n: int, liquidity: float, mode: int, agent: int, weights: Doubles
) -> None:
    """Allot L to the traders in micro-units (section 1, step 6).

    Parameters
    ----------
    cash : int64 (n + 6,), micro-units
        Output; desks get 0.
    agent
        The trader that gets all, from 1.
    weights : float64 (n,)
        Read with mode VECTOR. The last trader takes the remainder, but never less than 0.
    """
    cash[:] = 0
    if mode == UNIFORM:
        cash[:n] = rounded(liquidity / n)
    elif mode == SINGLE_AT:
        cash[agent - 1] = rounded(liquidity)
    else:
        total = _sum(weights, n)
        left = rounded(liquidity)
        for i in range(n - 1):
            cash[i] = rounded(liquidity * weights[i] / total)
            left -= cash[i]
        cash[n - 1] = max(left, 0)


@njit
def add_desks(
    books: Books, n: int, vbt_share: float, dealer_share: float, outside_mid_ratio: float
) -> None:
    """Give VBTs and dealers their claims and all agents the cash for them (section 2)."""
    amount, due_day = books.scenario.amount, books.scenario.due_day
    debts, held, cash = books.debts, books.desks.held, books.cash
    total_0, total_1, total_2 = 0.0, 0.0, 0.0
    for i in range(n):
        bucket = bucket_of(due_day[i])
        if bucket == LONG:
            total_2 += amount[i]
        elif bucket:
            total_1 += amount[i]
        else:
            total_0 += amount[i]
    totals = (total_0, total_1, total_2)
    held[:, :] = 0
    for p in range(n):
        i = debts.debtor[p]
        bucket = bucket_of(due_day[i])
        share = amount[i] / totals[bucket]
        for claim in range(VBT, N_CLAIMS):
            part = (vbt_share if claim == VBT else dealer_share) * totals[bucket] * share
            if part > _LEAST:
                debts.face[claim, p] = np.int64(part)
                debts.live[p] |= 1 << claim
                held[claim, bucket] += np.int64(part)
    vbt_claims, dealer_claims = 0.0, 0.0
    for bucket in range(N_BUCKETS):
        of_vbt = vbt_share * totals[bucket]
        of_dealer = dealer_share * totals[bucket]
        vbt_claims += of_vbt
        dealer_claims += of_dealer
        cash[desk(n, VBT, bucket)] = rounded(outside_mid_ratio * of_vbt)
        cash[desk(n, DEALER, bucket)] = rounded(outside_mid_ratio * of_dealer)
    extra = rounded((vbt_claims + dealer_claims) / n)
    for i in range(n):
        cash[i] += extra
