"""One day's trading: who sells, what, to whom and at what price.

A trader owes on one day only and holds tickets of one debt only (see ``books``), so that section
7 comes down to this. Its forward gap is largest on its own due day; as only tickets due on that
day or later can be sold, and receipts due before it are then none, its need is what it owes less
its cash. A purchase lowers the need by the cash leg. Whether a bucket takes a ticket depends on
the ticket's face alone, and a smaller one is taken where a larger one is.

References
----------
MODEL.md, sections 6 and 7.
"""

import numpy as np

from bilancio.model.kernels.books import (
    DEALER,
    INJECTION,
    MICRO,
    N_BUCKETS,
    N_CLAIMS,
    N_INTERIOR,
    N_PASSTHROUGH,
    RING,
    SELLER_BLOCK,
    SHORT,
    TRADED_FACE,
    VBT,
    Books,
    Debts,
    Market,
    bucket_of,
    desk,
    rounded,
)
from bilancio.model.kernels.compiled import njit
from bilancio.model.kernels.dealer import quote, rebucket
from bilancio.model.kernels.random import randrange, seed_stream
from bilancio.model.kernels.sorting import sort

_NOT_SORTED = -1
_NOTHING, _SMALL, _FULL = 0, 1, 2  # which tickets a bucket is known to take

_AGENT_BITS = 17  # agents are fewer than 2¹⁷, faces fewer than 2³⁰: both fit one key
_AGENT_MASK = (1 << _AGENT_BITS) - 1


@njit
def trade_day(
    books: Books,
    n: int,
    n_terms: int,
    day: int,
    horizon: int,
    face_value: int,
    unlimited: bool,
    order_seed: int,
    seeded: bool,
) -> bool:
    """Let traders with a shortfall sell tickets until none of them can.

    Parameters
    ----------
    books
        Changed in place.
    unlimited
        Whether cash that a VBT lacks comes from outside; it is added to ``tally[INJECTION]``.
    order_seed, seeded
        Seed of the order flow, and whether ``scenario.stream`` carries it already.

    Returns
    -------
    bool
        Whether the stream carries the order flow now: it is seeded when first drawn from.

    Notes
    -----
    Total cash grows by what comes from outside, else it is conserved.
    """
    rebucket(books, n, n_terms, day, face_value)
    _find_due_days(books.debts, n_terms, day)
    n_sellers = _find_sellers(books, n, day, horizon)
    if n_sellers == 0:
        return seeded
    if not seeded:
        seed_stream(books.scenario.stream, order_seed)
    _sell(books, n, n_terms, n_sellers, day, face_value, unlimited)
    return True


@njit
def _find_due_days(debts: Debts, n_terms: int, day: int) -> None:
    for k in range(n_terms):
        term = debts.term[k]
        if debts.next_due[term] < day:
            debts.next_due[term] += term


@njit
def _find_sellers(books: Books, n: int, day: int, horizon: int) -> int:
    """List the traders with a need and a ticket to sell; return how many there are."""
    debts, market, cash = books.debts, books.market, books.cash
    face, live, place, next_due = debts.face, debts.live, debts.place, debts.next_due
    n_sellers = 0
    q = place[n - 1]
    for i in range(n):
        p = place[i]
        claim, q = q, p
        if not live[claim] & (1 << RING) or not live[p]:
            continue
        claim_due, own_due = next_due[debts.term_at[claim]], next_due[debts.term_at[p]]
        if claim_due < own_due or claim_due == day or own_due > day + horizon:
            continue
        if face[RING, claim] == debts.dealer_face[claim] + debts.vbt_face[claim]:
            continue
        owed = 0
        for each in range(N_CLAIMS):
            if live[p] & (1 << each):
                owed += face[each, p]
        need = owed * MICRO - cash[i]
        if need > 0:
            market.need[i] = need
            market.bucket[i] = bucket_of(claim_due - day)
            market.seller[n_sellers] = i
            n_sellers += 1
    return n_sellers


@njit
def _sell(
    books: Books,
    n: int,
    n_terms: int,
    n_sellers: int,
    day: int,
    face_value: int,
    unlimited: bool,
) -> None:
    """Trade one ticket after the other, each of a seller drawn at random."""
    market, stream = books.market, books.scenario.stream
    market.can_sell[:n] = 0
    market.block[: n // SELLER_BLOCK + 1] = 0
    market.able[0] = 0
    _open_inventories(books, n_terms, day)
    for bucket in range(N_BUCKETS):
        market.n_small[bucket] = _NOT_SORTED
        market.takes[bucket] = _NOTHING
        _quote_bucket(books, n, bucket, face_value)
        _review_bucket(books, n, n_sellers, bucket, face_value, unlimited)
    while market.able[0]:
        i = _kth_able(market, randrange(stream, market.able[0]))
        bucket = np.int64(market.bucket[i])
        interior = _sell_ticket(books, n, i, bucket, face_value, unlimited)
        if interior:
            _quote_bucket(books, n, bucket, face_value)
        _review_bucket(books, n, n_sellers, bucket, face_value, unlimited)


@njit
def _open_inventories(books: Books, n_terms: int, day: int) -> None:
    """Count what dealers hold, leaving out what is due today: it is all in the short bucket."""
    debts, inventory = books.debts, books.market.inventory
    for bucket in range(N_BUCKETS):
        inventory[bucket] = books.desks.held[DEALER, bucket]
    for k in range(n_terms):
        if debts.next_due[debts.term[k]] != day:
            continue
        for p in range(debts.first[k], debts.first[k + 1]):
            if debts.live[p] & (1 << RING):
                inventory[SHORT] -= debts.dealer_face[p]
            if debts.live[p] & (1 << DEALER):
                inventory[SHORT] -= debts.face[DEALER, p]


@njit
def _quote_bucket(books: Books, n: int, bucket: int, face_value: int) -> None:
    desks, market = books.desks, books.market
    mid, spread = desks.mid[bucket], desks.spread[bucket]
    cash = books.cash[desk(n, DEALER, bucket)] / MICRO
    capacity, _, _, _, bid, _ = quote(mid, spread, face_value, market.inventory[bucket], cash)
    market.capacity[bucket] = capacity
    market.bid[bucket] = bid
    market.outside_bid[bucket] = max(0.0, mid - spread / 2.0)


@njit
def _dealer_takes(books: Books, n: int, bucket: int, face: int) -> bool:
    """Tell whether the dealer of a bucket would buy a ticket at its bid (interior trade)."""
    market = books.market
    bid = market.bid[bucket]
    return (
        bid > 0.0
        and market.inventory[bucket] + face <= market.capacity[bucket]
        and books.cash[desk(n, DEALER, bucket)] >= rounded(bid * face)
    )


@njit
def _vbt_takes(books: Books, n: int, bucket: int, face: int, unlimited: bool) -> bool:
    """Tell whether the VBT of a bucket would buy a ticket at its bid (pass-through)."""
    bid = books.market.outside_bid[bucket]
    return bid > 0.0 and (unlimited or books.cash[desk(n, VBT, bucket)] >= rounded(bid * face))


@njit
def _executable_bid(books: Books, n: int, bucket: int, face: int, unlimited: bool) -> float:
    """Return the price at which a ticket would be sold now, 0 where nobody would buy it."""
    if _dealer_takes(books, n, bucket, face):
        return books.market.bid[bucket]
    if _vbt_takes(books, n, bucket, face, unlimited):
        return books.market.outside_bid[bucket]
    return 0.0


@njit
def _review_bucket(
    books: Books, n: int, n_sellers: int, bucket: int, face_value: int, unlimited: bool
) -> None:
    """Find out anew who can sell in a bucket, after quotes or cash have changed in it.

    As long as a full ticket is taken, everybody with a need can sell. Else only those
    with a small last ticket can, up to the size that is taken; they are sorted by it once a day,
    and ``market.taken`` counts how far down the list the bucket takes tickets.
    """
    market = books.market
    if _executable_bid(books, n, bucket, face_value, unlimited) > 0.0:
        if market.takes[bucket] != _FULL:
            market.takes[bucket] = _FULL
            for s in range(n_sellers):
                i = market.seller[s]
                if market.bucket[i] == bucket and market.need[i] > 0:
                    _allow(market, i)
        return
    small = market.small[bucket]
    if market.takes[bucket] != _SMALL:
        if market.n_small[bucket] == _NOT_SORTED:
            _sort_small(books, n, n_sellers, bucket)
        if market.takes[bucket] == _FULL:
            for s in range(n_sellers):
                i = market.seller[s]
                if market.bucket[i] == bucket:
                    _forbid(market, i)
        market.takes[bucket] = _SMALL
        market.taken[bucket] = 0
    taken = market.taken[bucket]
    while taken > 0 and not (
        _executable_bid(books, n, bucket, small[taken - 1] >> _AGENT_BITS, unlimited) > 0.0
    ):
        taken -= 1
        _forbid(market, small[taken] & _AGENT_MASK)
    while taken < market.n_small[bucket] and (
        _executable_bid(books, n, bucket, small[taken] >> _AGENT_BITS, unlimited) > 0.0
    ):
        i = small[taken] & _AGENT_MASK
        if market.need[i] > 0 and books.debts.rest_holder[_claim_of(books, n, i)] == RING:
            _allow(market, i)
        taken += 1
    market.taken[bucket] = taken


@njit
def _sort_small(books: Books, n: int, n_sellers: int, bucket: int) -> None:
    """List the sellers of a bucket that have a small last ticket, the smallest first."""
    market, debts = books.market, books.debts
    count = 0
    for s in range(n_sellers):
        i = market.seller[s]
        claim = _claim_of(books, n, i)
        if market.bucket[i] == bucket and debts.rest[claim] and debts.rest_holder[claim] == RING:
            market.small[bucket, count] = np.int64(debts.rest[claim]) << _AGENT_BITS | i
            count += 1
    sort(market.small[bucket], market.scratch, count)
    market.n_small[bucket] = count


@njit
def _sell_ticket(
    books: Books, n: int, i: int, bucket: int, face_value: int, unlimited: bool
) -> bool:
    """Sell one ticket of trader *i*; tell whether the dealer bought it."""
    debts, market, tally, cash = books.debts, books.market, books.tally, books.cash
    claim = _claim_of(books, n, i)
    price, face = 0.0, np.int64(0)
    if debts.sold[claim] < debts.full[claim]:
        face = np.int64(face_value)
        price = _executable_bid(books, n, bucket, face, unlimited)
    if debts.rest[claim] and debts.rest_holder[claim] == RING:
        small = np.int64(debts.rest[claim])
        bid = _executable_bid(books, n, bucket, small, unlimited)
        if bid > price:
            price, face = bid, small
    interior = _dealer_takes(books, n, bucket, face)
    holder = DEALER if interior else VBT
    leg = rounded(price * face)
    buyer = desk(n, holder, bucket)
    if cash[buyer] < leg:  # only with unlimited depth
        tally[INJECTION] += leg - cash[buyer]
        cash[buyer] = leg
    cash[buyer] -= leg
    cash[i] += leg
    _hand_over(debts, claim, face == face_value, holder)
    books.desks.held[holder, bucket] += face
    if interior:
        debts.dealer_face[claim] += face
        market.inventory[bucket] += face
        tally[N_INTERIOR] += 1
    else:
        debts.vbt_face[claim] += face
        tally[N_PASSTHROUGH] += 1
    tally[TRADED_FACE] += face
    left = debts.face[RING, claim] - debts.dealer_face[claim] - debts.vbt_face[claim]
    market.need[i] = market.need[i] - leg if left else 0
    if market.need[i] <= 0 or (face < face_value and market.takes[bucket] == _SMALL):
        _forbid(market, i)
    return interior


@njit
def _hand_over(debts: Debts, claim: int, full: bool, holder: int) -> None:
    """Note who holds the ticket that was sold: the first full one left, or the small last one."""
    if not full:
        debts.rest_holder[claim] = holder
        return
    bit = debts.first_bit[claim] + debts.sold[claim]
    mask = 1 << (bit & 7)
    if holder == DEALER:
        debts.dealer_bits[bit >> 3] |= mask
    else:
        debts.dealer_bits[bit >> 3] &= 255 ^ mask
    debts.sold[claim] += 1


@njit
def _claim_of(books: Books, n: int, i: int) -> int:
    """Return the place of the ring debt that is owed to trader *i*."""
    return books.debts.place[i - 1 if i else n - 1]


@njit
def _allow(market: Market, i: int) -> None:
    if not market.can_sell[i]:
        market.can_sell[i] = 1
        market.block[i // SELLER_BLOCK] += 1
        market.able[0] += 1


@njit
def _forbid(market: Market, i: int) -> None:
    if market.can_sell[i]:
        market.can_sell[i] = 0
        market.block[i // SELLER_BLOCK] -= 1
        market.able[0] -= 1


@njit
def _kth_able(market: Market, k: int) -> int:
    """Return the *k*-th trader that can sell, in agent order, counted from 0."""
    block = 0
    while k >= market.block[block]:
        k -= market.block[block]
        block += 1
    i = block * SELLER_BLOCK
    while k or not market.can_sell[i]:
        k -= market.can_sell[i]
        i += 1
    return i
