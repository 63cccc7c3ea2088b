"""Re-bucketing: tickets that desks hold pass to the desks of the bucket that they belong to.

References
----------
MODEL.md, section 6.
"""

from bilancio.model.kernels.books import (
    DEALER,
    DEALER_FACE,
    DEBTOR,
    FIRST,
    LENGTH,
    LIVE,
    LONG,
    MID,
    MIDDLE,
    N_CLAIMS,
    NEXT_DUE,
    REST,
    REST_HOLDER,
    RING,
    SHORT,
    VBT,
    VBT_FACE,
    ZERO,
    Doubles,
    Ints,
    Recorder,
)
from bilancio.model.kernels.compiled import part
from bilancio.model.kernels.conventions import bucket_of, desk_of, rounded
from bilancio.model.kernels.recording import PASSED_ON, record


@part
def rebucket(
    cash: Ints,
    debt: Ints,
    term: Ints,
    desk: Ints,
    price: Doubles,
    n: int,
    n_terms: int,
    day: int,
    face_value: int,
    recorder: Recorder | None,
) -> None:
    """Pass tickets of desks to the desks of the bucket that they belong to today.

    Three kinds of debts have tickets in the wrong bucket: those with 8 days left come from long
    to mid, those with 3 from mid to short, and those renewed yesterday from short to where their
    term puts them. The first two go in order of issue, the longer term first where that is the
    same; initial debts, all issued on day 0, go by claim, then agent. The third come last.

    The arguments are described in `books`.
    """
    a, b = ZERO, ZERO
    while day > 0:
        a = _next_term(term, n_terms, a, day + 8, day)
        b = _next_term(term, n_terms, b, day + 3, day)
        if a == n_terms and b == n_terms:
            break
        issued_a = day + 8 - term[LENGTH, a] if a < n_terms else day
        issued_b = day + 3 - term[LENGTH, b] if b < n_terms else day
        # One term and none, which index n_terms stands for, or two where both are initial.
        from_long = a if issued_a <= issued_b else n_terms
        from_mid = b if issued_b < issued_a or issued_b == 0 else n_terms
        _pass_on(
            cash, debt, term, desk, price, n, from_long, from_mid, LONG, MIDDLE, day, face_value,
            recorder,
        )  # fmt: skip
        a += 1 if from_long < n_terms else 0
        b += 1 if from_mid < n_terms else 0
    for k in range(n_terms if day > 1 else 0):
        length = term[LENGTH, k]
        if length > 4 and term[NEXT_DUE, length] == day - 1 + length:
            taker = bucket_of(length - 1)
            _pass_on(
                cash, debt, term, desk, price, n, k, n_terms, SHORT, taker, day, face_value,
                recorder,
            )  # fmt: skip


@part
def _next_term(term: Ints, n_terms: int, k: int, due: int, day: int) -> int:
    """Return the first term from *k* on whose debts due on *due* were issued early enough.

    Those issued yesterday are another matter, unless yesterday was day 0.

    The arguments are described in `books`.
    """
    while k < n_terms:
        issued = due - term[LENGTH, k]
        if (issued == 0 or 0 < issued < day - 1) and term[NEXT_DUE, term[LENGTH, k]] == due:
            return k
        k += 1
    return k


@part
def _pass_on(
    cash: Ints,
    debt: Ints,
    term: Ints,
    desk: Ints,
    price: Doubles,
    n: int,
    a: int,
    b: int,
    giver: int,
    taker: int,
    day: int,
    face_value: int,
    recorder: Recorder | None,
) -> None:
    """Pass on the debts of term *a* from *giver* to *taker*, and those of *b* from mid to short.

    The arguments are described in `books`.
    """
    for claim in range(N_CLAIMS):
        p, end_p = term[FIRST, a], term[FIRST, a + 1]
        q, end_q = term[FIRST, b], term[FIRST, b + 1]
        while p < end_p or q < end_q:
            if q == end_q or (p < end_p and debt[DEBTOR, p] < debt[DEBTOR, q]):
                place, source, target = p, giver, taker
                p += 1
            else:
                place, source, target = q, MIDDLE, SHORT
                q += 1
            if not debt[LIVE, place] & (1 << claim):
                continue
            for holder in range(VBT, DEALER + 1):
                face, rest = ZERO, ZERO
                if claim == holder:
                    face = debt[claim, place]
                    rest = face % face_value
                elif claim == RING:
                    face = debt[VBT_FACE if holder == VBT else DEALER_FACE, place]
                    rest = debt[REST, place] if debt[REST_HOLDER, place] == holder else 0
                if not face:
                    continue
                paid = _pass_on_tickets(
                    cash, desk, price, n, holder, source, target, face, rest, face_value
                )
                if recorder is not None:
                    owner, buyer = desk_of(n, holder, source), desk_of(n, holder, target)
                    record(
                        recorder, PASSED_ON, day, debt[DEBTOR, place], claim, owner, buyer, owner,
                        face, paid, price[MID, target],
                    )  # fmt: skip


@part
def _pass_on_tickets(
    cash: Ints,
    desk: Ints,
    price: Doubles,
    n: int,
    holder: int,
    giver: int,
    taker: int,
    face: int,
    rest: int,
    face_value: int,
) -> int:
    """Pass on tickets of *face* in all, one of them of face *rest*, each paid as the cash allows.

    Return what was paid, in micro-units.

    Equal tickets cost the same and the taker has no receipts in between, so that together they
    cost what they would cost one by one.

    The arguments are described in `books`.
    """
    mid = price[MID, taker]
    full = (face - rest) // face_value
    due = full * rounded(mid * face_value) + rounded(mid * rest)
    paid = min(due, cash[desk_of(n, holder, taker)])
    cash[desk_of(n, holder, taker)] -= paid
    cash[desk_of(n, holder, giver)] += paid
    desk[holder, giver] -= face
    desk[holder, taker] += face
    return int(paid)
