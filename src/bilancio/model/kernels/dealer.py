"""Quotes of dealers and VBTs, re-bucketing, and the update of their anchors.

References
----------
MODEL.md, section 6; Treynor 1987.
"""

import math

from bilancio.model.kernels.books import (
    LONG,
    MID,
    N_BUCKETS,
    N_CLAIMS,
    RING,
    SHORT,
    VBT,
    Books,
    bucket_of,
    desk,
    rounded,
)
from bilancio.model.kernels.compiled import njit

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


@njit
def update_anchors(books: Books, phi_m: float, phi_o: float) -> None:
    """Move each bucket's outside mid and spread by the loss rate of today's debts."""
    desks = books.desks
    for bucket in range(N_BUCKETS):
        if desks.fell[bucket]:
            loss = 1.0 - desks.paid[bucket] / desks.fell[bucket]
            desks.mid[bucket] = max(0.0, desks.mid[bucket] - phi_m * loss)
            desks.spread[bucket] = desks.spread[bucket] + phi_o * loss


@njit
def rebucket(books: Books, n: int, n_terms: int, day: int, face_value: int) -> None:
    """Pass tickets of desks to the desks of the bucket that they belong to today.

    Three kinds of debts have tickets in the wrong bucket: those with 8 days left come
    from long to mid, those with 3 from mid to short, and those renewed yesterday from short
    to where their term puts them. The first two go in order of issue; among initial debts,
    which were all issued on day 0, claims and then agents decide.
    """
    debts = books.debts
    a, b = 0, 0
    while True:
        a = _next_term(books, n_terms, a, day + 8, day)
        b = _next_term(books, n_terms, b, day + 3, day)
        if a == n_terms and b == n_terms:
            break
        issued_a = day + 8 - debts.term[a] if a < n_terms else day
        issued_b = day + 3 - debts.term[b] if b < n_terms else day
        if issued_a == 0 and issued_b == 0:
            _pass_on_both(books, n, a, b, face_value)
            a, b = a + 1, b + 1
        elif issued_a <= issued_b:
            _pass_on_term(books, n, a, LONG, MID, face_value)
            a += 1
        else:
            _pass_on_term(books, n, b, MID, SHORT, face_value)
            b += 1
    if day < 2:
        return
    for k in range(n_terms):
        term = debts.term[k]
        if term > 4 and (day - 1) % term == 0:
            _pass_on_term(books, n, k, SHORT, bucket_of(term - 1), face_value)


@njit
def _next_term(books: Books, n_terms: int, k: int, due: int, day: int) -> int:
    """Return the first term from *k* on with debts due on *due* that a desk had yesterday.

    Those issued yesterday are left out, unless yesterday was day 0.
    """
    term = books.debts.term
    while k < n_terms:
        issued = due - term[k]
        if issued >= 0 and due % term[k] == 0 and (issued < day - 1 or issued == 0 < day):
            return k
        k += 1
    return k


@njit
def _pass_on_term(books: Books, n: int, k: int, giver: int, taker: int, face_value: int) -> None:
    debts = books.debts
    for claim in range(N_CLAIMS):
        for p in range(debts.first[k], debts.first[k + 1]):
            _pass_on_debt(books, n, p, claim, giver, taker, face_value)


@njit
def _pass_on_both(books: Books, n: int, a: int, b: int, face_value: int) -> None:
    """Pass on the initial debts of two terms, *a* from long to mid and *b* from mid to short."""
    debts = books.debts
    for claim in range(N_CLAIMS):
        p, q = debts.first[a], debts.first[b]
        while p < debts.first[a + 1] or q < debts.first[b + 1]:
            if q == debts.first[b + 1] or (
                p < debts.first[a + 1] and debts.debtor[p] < debts.debtor[q]
            ):
                _pass_on_debt(books, n, p, claim, LONG, MID, face_value)
                p += 1
            else:
                _pass_on_debt(books, n, q, claim, MID, SHORT, face_value)
                q += 1


@njit
def _pass_on_debt(
    books: Books, n: int, p: int, claim: int, giver: int, taker: int, face_value: int
) -> None:
    debts = books.debts
    if not debts.live[p] & (1 << claim):
        return
    face = debts.face[claim, p]
    if claim != RING:
        full = face // face_value
        _pass_on_tickets(books, n, claim, giver, taker, full, face - full * face_value, face_value)
        return
    for holder in range(VBT, N_CLAIMS):
        held = debts.vbt_face[p] if holder == VBT else debts.dealer_face[p]
        if held:
            rest = debts.rest[p] if debts.rest_holder[p] == holder else 0
            full = (held - rest) // face_value
            _pass_on_tickets(books, n, holder, giver, taker, full, rest, face_value)


@njit
def _pass_on_tickets(
    books: Books,
    n: int,
    holder: int,
    giver: int,
    taker: int,
    full: int,
    rest: int,
    face_value: int,
) -> None:
    """Pass *full* whole tickets and one of face *rest* on, each paid as far as the cash goes.

    Equal tickets cost the same and the taker has no receipts in between, so that together they
    cost what they would cost one by one.
    """
    cash, desks = books.cash, books.desks
    mid = desks.mid[taker]
    price = full * rounded(mid * face_value) + rounded(mid * rest)
    paid = min(price, cash[desk(n, holder, taker)])
    cash[desk(n, holder, taker)] -= paid
    cash[desk(n, holder, giver)] += paid
    face = full * face_value + rest
    desks.held[holder, giver] -= face
    desks.held[holder, taker] += face
