"""Settlement, default and rollover of the debts due on a day.

In active runs the tickets that desks hold of a debt due today are in the short
bucket: re-bucketing has brought them there by the day before. In passive runs nothing moves, and
a claim of a desk is in the bucket of its first due day.

References
----------
MODEL.md, sections 3 to 5; section 6 for tickets and for what the anchor update needs.
"""

from bilancio.model.kernels.books import (
    DEALER,
    DEALER_FACE,
    DEBTOR,
    DEFAULTED,
    DEFAULTED_FACE,
    DUE_TODAY,
    FELL,
    FIRST,
    FIRST_BIT,
    FULL,
    LENGTH,
    LIVE,
    MICRO,
    N_DEFAULTS,
    NEXT_DUE,
    PAID,
    RECOVERED,
    REST,
    REST_HOLDER,
    RING,
    SETTLED,
    SETTLED_INITIAL_FACE,
    SHORT,
    SOLD,
    VBT,
    VBT_FACE,
    WRITTEN_OFF_FACE,
    Flags,
    Ints,
    Recorder,
)
from bilancio.model.kernels.compiled import part
from bilancio.model.kernels.conventions import bucket_of, desk_of
from bilancio.model.kernels.recording import (
    DEFAULTED_ON,
    ROLLED_OVER,
    SETTLED_IN_FULL,
    WRITTEN_OFF,
    cash_of_holders,
    record_parts,
)

QUIET, IMPACT, FIRST_DEFAULT, ALL_DEFAULTED = 0, 1, 2, 4  # may be added up but for QUIET


@part
def find_due_terms(term: Ints, n_terms: int, day: int) -> int:
    """List the terms that fall due today, and move ``NEXT_DUE`` on; return how many there are.

    A day's other parts need not divide by each term's length then.

    The arguments are described in `books`.
    """
    n_due = 0
    for k in range(n_terms):
        length = term[LENGTH, k]
        if term[NEXT_DUE, length] < day:
            term[NEXT_DUE, length] += length
        if term[NEXT_DUE, length] == day:
            term[DUE_TODAY, n_due] = k
            n_due += 1
    return n_due


@part
def settle_day(
    cash: Ints,
    debt: Ints,
    trader: Ints,
    term: Ints,
    desk: Ints,
    dealer_bits: Flags,
    tally: Ints,
    n: int,
    n_due: int,
    n_claims: int,
    day: int,
    active: bool,
    fail_fast: bool,
    recorder: Recorder | None,
) -> int:
    """Pay what is due today, debt by debt in contract order.

    Other arguments are described in `books`.

    Parameters
    ----------
    cash, debt, trader, desk, tally
        Changed in place; row ``SETTLED`` of *debt* marks what was settled.
    n_claims
        1 in a plain ring, 3 where traders also owe VBTs and dealers.

    Returns
    -------
    int
        IMPACT if a debt was settled in full, plus FIRST_DEFAULT or ALL_DEFAULTED if the run
        ends by it.

    Notes
    -----
    Total cash is conserved.
    """
    outcome = QUIET
    for due in range(n_due):
        k = term[DUE_TODAY, due]
        length = term[LENGTH, k]
        bucket = SHORT if active else bucket_of(length)
        issued_in = bucket_of(length)
        to_vbts, to_dealers, settled, ended = 0, 0, 0, 0
        for claim in range(n_claims):
            bit = 1 << claim
            for p in range(term[FIRST, k], term[FIRST, k + 1]):
                if not debt[LIVE, p] & bit:
                    continue
                face = debt[claim, p]
                i = debt[DEBTOR, p]
                left = cash[i] - face * MICRO
                if left < 0:
                    if fail_fast:
                        ended = FIRST_DEFAULT
                        break
                    # Desks never default, so that where there are some not everybody can.
                    if n_claims == 1 and tally[N_DEFAULTS] + 1 == n:
                        ended = ALL_DEFAULTED
                        break
                    had = cash_of_holders(cash, debt, n, p, bucket)
                    _pay_what_is_left(cash, debt, dealer_bits, n, p, claim, bucket)
                    if recorder is not None:
                        record_parts(
                            recorder, DEFAULTED_ON, cash, debt, n, day, p, claim, bucket, had
                        )
                    desk[PAID, issued_in] += cash[i]
                    tally[RECOVERED] += cash[i]
                    cash[i] = 0
                    trader[DEFAULTED, i] = 1
                    fell = _write_off(
                        cash, debt, desk, tally, n, n_claims, p, claim, bucket, day, recorder
                    )
                    desk[FELL, issued_in] += fell * MICRO
                    continue
                cash[i] = left
                debt[LIVE, p] ^= bit
                debt[SETTLED, p] |= bit
                settled += face
                outcome = IMPACT
                if recorder is not None:
                    had = cash_of_holders(cash, debt, n, p, bucket)
                    record_parts(
                        recorder, SETTLED_IN_FULL, cash, debt, n, day, p, claim, bucket, had
                    )
                if claim == RING:
                    of_vbts, of_dealers = debt[VBT_FACE, p], debt[DEALER_FACE, p]
                    to_vbts += of_vbts
                    to_dealers += of_dealers
                    cash[i + 1 if i + 1 < n else 0] += (face - of_vbts - of_dealers) * MICRO
                elif claim == VBT:
                    to_vbts += face
                else:
                    to_dealers += face
            if ended:
                break
        if n_claims > 1:  # desks owe nothing, so that what they got can be booked at the end
            cash[desk_of(n, VBT, bucket)] += to_vbts * MICRO
            cash[desk_of(n, DEALER, bucket)] += to_dealers * MICRO
            desk[VBT, bucket] -= to_vbts
            desk[DEALER, bucket] -= to_dealers
            desk[PAID, issued_in] += settled * MICRO
            desk[FELL, issued_in] += settled * MICRO
        if day == length:
            tally[SETTLED_INITIAL_FACE] += settled
        if ended:
            return outcome + ended
    return outcome


@part
def _write_off(
    cash: Ints,
    debt: Ints,
    desk: Ints,
    tally: Ints,
    n: int,
    n_claims: int,
    p: int,
    claim: int,
    bucket: int,
    day: int,
    recorder: Recorder | None,
) -> int:
    """Take the debts of a debtor that defaults on one of them off the books; return their face.

    The arguments are described in `books`.
    """
    tally[N_DEFAULTS] += 1
    tally[DEFAULTED_FACE] += debt[claim, p]
    fell = 0
    for each in range(n_claims):
        if not debt[LIVE, p] & (1 << each):
            continue
        fell += debt[each, p]
        if recorder is not None and each != claim:
            had = cash_of_holders(cash, debt, n, p, bucket)
            record_parts(recorder, WRITTEN_OFF, cash, debt, n, day, p, each, bucket, had)
        if each == RING:
            desk[VBT, bucket] -= debt[VBT_FACE, p]
            desk[DEALER, bucket] -= debt[DEALER_FACE, p]
        else:
            desk[each, bucket] -= debt[each, p]
    tally[WRITTEN_OFF_FACE] += fell - debt[claim, p]
    debt[LIVE, p] = 0
    return fell


@part
def _pay_what_is_left(
    cash: Ints, debt: Ints, dealer_bits: Flags, n: int, p: int, claim: int, bucket: int
) -> None:
    """Give a debtor's cash to the holders of a debt's tickets, the first ones first.

    The cash is left to the caller to be taken from the debtor.

    The arguments are described in `books`.
    """
    i = debt[DEBTOR, p]
    left = cash[i]
    if claim != RING:
        cash[desk_of(n, claim, bucket)] += left
        return
    creditor = i + 1 if i + 1 < n else 0
    full = debt[FULL, p] if debt[VBT_FACE, p] + debt[DEALER_FACE, p] else 0
    if full:
        size = (debt[RING, p] - debt[REST, p]) // full * MICRO
        for ticket in range(full):
            holder = creditor
            if ticket < debt[SOLD, p]:
                bit = debt[FIRST_BIT, p] + ticket
                dealers = (dealer_bits[bit >> 3] >> (bit & 7)) & 1
                holder = desk_of(n, DEALER if dealers else VBT, bucket)
            paid = min(left, size)
            cash[holder] += paid
            left -= paid
            if left == 0:
                return
    holder = debt[REST_HOLDER, p]
    cash[creditor if holder == RING else desk_of(n, holder, bucket)] += left


@part
def roll_over_day(
    cash: Ints,
    debt: Ints,
    trader: Ints,
    term: Ints,
    desk: Ints,
    n: int,
    n_due: int,
    n_claims: int,
    day: int,
    active: bool,
    recorder: Recorder | None,
) -> None:
    """Renew the debts settled today in the order of settlement (section 5).

    Lenders pay as far as their cash goes; total cash is conserved.

    The arguments are described in `books`.
    """
    for due in range(n_due):
        k = term[DUE_TODAY, due]
        length = term[LENGTH, k]
        bucket = SHORT if active else bucket_of(length)
        for claim in range(n_claims):
            bit = 1 << claim
            lender, lent = desk_of(n, claim, bucket), 0
            for p in range(term[FIRST, k], term[FIRST, k + 1]):
                i = debt[DEBTOR, p]
                if not debt[SETTLED, p] & bit or trader[DEFAULTED, i]:
                    continue
                had = cash_of_holders(cash, debt, n, p, bucket)
                if claim == RING:
                    of_desks = debt[VBT_FACE, p] + debt[DEALER_FACE, p]
                    creditor = i + 1 if i + 1 < n else 0
                    if not trader[DEFAULTED, creditor]:
                        _lend(cash, creditor, i, debt[RING, p] - of_desks)
                    elif of_desks:
                        _drop_tickets_of_creditor(debt, p, of_desks)
                    else:
                        continue
                    if of_desks:
                        _lend(cash, desk_of(n, VBT, bucket), i, debt[VBT_FACE, p])
                        _lend(cash, desk_of(n, DEALER, bucket), i, debt[DEALER_FACE, p])
                        desk[VBT, bucket] += debt[VBT_FACE, p]
                        desk[DEALER, bucket] += debt[DEALER_FACE, p]
                else:
                    _lend(cash, lender, i, debt[claim, p])
                    lent += debt[claim, p]
                debt[LIVE, p] |= bit
                if recorder is not None:
                    record_parts(recorder, ROLLED_OVER, cash, debt, n, day, p, claim, bucket, had)
            if claim != RING:
                desk[claim, bucket] += lent
        for p in range(term[FIRST, k], term[FIRST, k + 1]):
            debt[SETTLED, p] = 0


@part
def _drop_tickets_of_creditor(debt: Ints, p: int, of_desks: int) -> None:
    """Leave out of a renewed ring debt the tickets of its creditor, which has defaulted.

    The arguments are described in `books`.
    """
    debt[RING, p] = of_desks
    debt[FULL, p] = debt[SOLD, p]
    if debt[REST_HOLDER, p] == RING:
        debt[REST, p] = 0


@part
def _lend(cash: Ints, lender: int, debtor: int, face: int) -> None:
    """Pay the debtor *face*, or what the lender has.

    A lender's tickets of one debt lend in one payment: it has no receipts in between, so that
    what the tickets would pay one by one adds up to the same.

    The arguments are described in `books`.
    """
    paid = min(face * MICRO, cash[lender])
    cash[lender] -= paid
    cash[debtor] += paid
