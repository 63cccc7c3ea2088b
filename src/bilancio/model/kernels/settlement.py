"""Settlement, default and rollover of the debts due on a day.

Whoever holds them, tickets of a debt that is due today are at the desks of the short bucket:
re-bucketing has brought them there by the day before. In passive runs nothing
moves, and a claim of a desk is at the bucket of its first due day.

References
----------
MODEL.md, sections 3 to 5; section 6 for tickets and for what the anchor update needs.
"""

from bilancio.model.kernels.books import (
    DEALER,
    DEFAULTED_FACE,
    MICRO,
    N_DEFAULTS,
    RECOVERED,
    RING,
    SETTLED_INITIAL_FACE,
    SHORT,
    VBT,
    WRITTEN_OFF_FACE,
    Books,
    Ints,
    bucket_of,
    desk,
)
from bilancio.model.kernels.compiled import njit

GOES_ON, FIRST_DEFAULT, ALL_DEFAULTED = 0, 1, 2


@njit
def settle_day(
    books: Books, n: int, n_terms: int, n_claims: int, day: int, active: bool, fail_fast: bool
) -> tuple[int, bool]:
    """Pay what is due today, debt by debt in contract order.

    Parameters
    ----------
    books
        Changed in place; ``settled_today`` marks the debts that were settled.
    n_claims
        1 in a plain ring, 3 where traders also owe VBTs and dealers.

    Returns
    -------
    how : int
        GOES_ON, or why the run ends now.
    impact : bool
        Whether a debt was settled in full.

    Notes
    -----
    Total cash is conserved.
    """
    debts, impact = books.debts, False
    if day == 0:
        return GOES_ON, impact
    for k in range(n_terms):
        term = debts.term[k]
        if day % term:
            continue
        bucket = SHORT if active else bucket_of(term)
        how, settled = _settle_term(books, n, k, n_claims, day, bucket, fail_fast)
        impact = impact or settled
        if how != GOES_ON:
            return how, impact
    return GOES_ON, impact


@njit
def _settle_term(
    books: Books, n: int, k: int, n_claims: int, day: int, bucket: int, fail_fast: bool
) -> tuple[int, bool]:
    debts, cash = books.debts, books.cash
    face, live, settled_today = debts.face, debts.live, debts.settled_today
    debtor, dealer_face, vbt_face = debts.debtor, debts.dealer_face, debts.vbt_face
    first, end = debts.first[k], debts.first[k + 1]
    term = debts.term[k]
    to_vbts, to_dealers, settled_face = 0, 0, 0
    how, impact = GOES_ON, False
    for claim in range(n_claims):
        bit = 1 << claim
        for p in range(first, end):
            if not live[p] & bit:
                continue
            i = debtor[p]
            due = face[claim, p] * MICRO
            if cash[i] < due:
                how = _default(books, n, n_claims, p, claim, bucket, term, fail_fast)
                if how != GOES_ON:
                    break
                continue
            cash[i] -= due
            live[p] ^= bit
            settled_today[p] |= bit
            settled_face += face[claim, p]
            impact = True
            if claim == RING:
                to_dealers += dealer_face[p]
                to_vbts += vbt_face[p]
                creditor = i + 1 if i + 1 < n else 0
                cash[creditor] += due - (dealer_face[p] + vbt_face[p]) * MICRO
            elif claim == VBT:
                to_vbts += face[claim, p]
            else:
                to_dealers += face[claim, p]
        if how != GOES_ON:
            break
    # Desks never pay here, so that what they got can be booked once per term.
    if n_claims > 1:
        cash[desk(n, VBT, bucket)] += to_vbts * MICRO
        cash[desk(n, DEALER, bucket)] += to_dealers * MICRO
        books.desks.held[VBT, bucket] -= to_vbts
        books.desks.held[DEALER, bucket] -= to_dealers
        issued_in = bucket_of(term)
        books.desks.paid[issued_in] += settled_face * MICRO
        books.desks.fell[issued_in] += settled_face * MICRO
    if day == term:
        books.tally[SETTLED_INITIAL_FACE] += settled_face
    return how, impact


@njit
def _default(
    books: Books,
    n: int,
    n_claims: int,
    p: int,
    claim: int,
    bucket: int,
    term: int,
    fail_fast: bool,
) -> int:
    """Let the debtor at place *p* default on one debt and write off its others."""
    if fail_fast:
        return FIRST_DEFAULT
    debts, tally = books.debts, books.tally
    others = 0 if n_claims == 1 else 1  # desks never default, so that not everybody can
    if tally[N_DEFAULTS] + 1 == n and not others:
        return ALL_DEFAULTED
    i = debts.debtor[p]
    left = books.cash[i]
    books.cash[i] = 0
    if claim != RING:
        books.cash[desk(n, claim, bucket)] += left
    elif debts.dealer_face[p] + debts.vbt_face[p] == 0:
        books.cash[i + 1 if i + 1 < n else 0] += left
    else:
        _pay_in_ticket_order(books, n, p, bucket, left)
    tally[N_DEFAULTS] += 1
    tally[DEFAULTED_FACE] += debts.face[claim, p]
    tally[RECOVERED] += left
    fell = 0
    for each in range(n_claims):
        if not debts.live[p] & (1 << each):
            continue
        fell += debts.face[each, p]
        if each != claim:
            tally[WRITTEN_OFF_FACE] += debts.face[each, p]
        if each == RING:
            books.desks.held[VBT, bucket] -= debts.vbt_face[p]
            books.desks.held[DEALER, bucket] -= debts.dealer_face[p]
        else:
            books.desks.held[each, bucket] -= debts.face[each, p]
    books.desks.paid[bucket_of(term)] += left
    books.desks.fell[bucket_of(term)] += fell * MICRO
    debts.live[p] = 0
    books.defaulted[i] = 1
    return GOES_ON


@njit
def _pay_in_ticket_order(books: Books, n: int, p: int, bucket: int, left: int) -> None:
    """Pay the holders of a ring debt's tickets, the first ones first, until *left* is gone."""
    debts, cash = books.debts, books.cash
    i = debts.debtor[p]
    creditor = i + 1 if i + 1 < n else 0
    full, rest = debts.full[p], debts.rest[p]
    ticket = 0
    if full:
        whole = debts.face[RING, p]
        size = (whole - rest) // full * MICRO
        while ticket < full and left > 0:
            paid = min(left, size)
            left -= paid
            cash[_holder(books, n, p, ticket, bucket, creditor)] += paid
            ticket += 1
    if left > 0:
        holder = debts.rest_holder[p]
        cash[creditor if holder == RING else desk(n, holder, bucket)] += left


@njit
def _holder(books: Books, n: int, p: int, ticket: int, bucket: int, creditor: int) -> int:
    """Return the agent that holds a full ticket of the ring debt at place *p*."""
    debts = books.debts
    if ticket >= debts.sold[p]:
        return creditor
    bit = debts.first_bit[p] + ticket
    dealers = (debts.dealer_bits[bit >> 3] >> (bit & 7)) & 1
    return desk(n, DEALER if dealers else VBT, bucket)


@njit
def roll_over_day(
    books: Books, n: int, n_terms: int, n_claims: int, day: int, active: bool
) -> None:
    """Renew the debts settled today in the order of settlement (section 5).

    Lenders pay as far as their cash goes; total cash is conserved.
    """
    debts = books.debts
    for k in range(n_terms):
        term = debts.term[k]
        if day % term == 0:
            bucket = SHORT if active else bucket_of(term)
            _roll_over_term(books, n, k, n_claims, bucket)


@njit
def _roll_over_term(books: Books, n: int, k: int, n_claims: int, bucket: int) -> None:
    debts, cash, defaulted, held = books.debts, books.cash, books.defaulted, books.desks.held
    face, live, settled_today = debts.face, debts.live, debts.settled_today
    first, end = debts.first[k], debts.first[k + 1]
    for claim in range(n_claims):
        bit = 1 << claim
        for p in range(first, end):
            i = debts.debtor[p]
            if not settled_today[p] & bit or defaulted[i]:
                continue
            if claim == RING:
                if not _lend_again(books, n, p, bucket):
                    continue
            else:
                lent = face[claim, p]
                _lend(cash, desk(n, claim, bucket), i, lent)
                held[claim, bucket] += lent
            live[p] |= bit
    for p in range(first, end):
        settled_today[p] = 0


@njit
def _lend_again(books: Books, n: int, p: int, bucket: int) -> bool:
    """Have the holders of a ring debt's tickets lend again; tell whether there was any."""
    debts, cash = books.debts, books.cash
    i = debts.debtor[p]
    creditor = i + 1 if i + 1 < n else 0
    of_vbt, of_dealer = debts.vbt_face[p], debts.dealer_face[p]
    of_desks = of_vbt + of_dealer
    if books.defaulted[creditor]:
        if of_desks == 0:
            return False
        debts.face[RING, p] = of_desks
        debts.full[p] = debts.sold[p]
        if debts.rest_holder[p] == RING:
            debts.rest[p] = 0
    else:
        _lend(cash, creditor, i, debts.face[RING, p] - of_desks)
    if of_desks:
        _lend(cash, desk(n, VBT, bucket), i, of_vbt)
        _lend(cash, desk(n, DEALER, bucket), i, of_dealer)
        books.desks.held[VBT, bucket] += of_vbt
        books.desks.held[DEALER, bucket] += of_dealer
    return True


@njit
def _lend(cash: Ints, lender: int, debtor: int, face: int) -> None:
    """Pay the debtor *face*, or what the lender has.

    A lender's tickets of one debt lend in one payment: it has no receipts in
    between, so that what the tickets would pay one by one adds up to the same.
    """
    paid = min(face * MICRO, cash[lender])
    cash[lender] -= paid
    cash[debtor] += paid
