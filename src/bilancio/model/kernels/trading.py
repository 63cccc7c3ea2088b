"""One day's trading: who sells, what, to whom and at what price.

A trader owes on one day only and holds tickets of one debt only (see ``books``), so that section
7 comes down to this. Its forward gap is largest on its own due day; as only tickets due on that
day or later can be sold, and receipts due before it are then none, its need is what it owes less
its cash. A purchase lowers the need by the cash leg. Whether a bucket takes a ticket depends on
the ticket's face alone, and a smaller one is taken where a larger one is.

Rows of ``trader`` used here, for one day: ``SELLER`` lists agents with a need and a ticket, in
agent order; of these ``NEED`` is the cash still lacking, in micro-units, 0 or less when all is had
or sold, and ``BUCKET`` that of the tickets. ``CAN_SELL``, by agent, is 1 where one of the tickets
has an executable bid; ``BLOCK`` counts these by 32 agents; both are 0 when a day's trading is over.
For the whole run, ``LOOK_AGAIN`` is the first day on which an agent may have become a seller.

Rows ``SMALL`` + bucket of ``sized`` list sellers with a small last ticket, as ``face << 17 |
agent``, ascending. Rows of ``desk``: ``INVENTORY``, face that the dealer holds without what is due
today; ``TAKES``, which tickets the bucket is known to take; ``N_SMALL``, length of the list, and
``TAKEN``, how many of its first ones are taken.

References
----------
MODEL.md, sections 6 and 7.
"""

import math

from bilancio.model.kernels.books import (
    ABLE,
    BID,
    BLOCK,
    BUCKET,
    CAN_SELL,
    CAPACITY,
    DEALER,
    DEALER_FACE,
    DUE_TODAY,
    FIRST,
    FIRST_BIT,
    FULL,
    INJECTION,
    INVENTORY,
    LIVE,
    LOOK_AGAIN,
    MICRO,
    MID,
    N_BUCKETS,
    N_INTERIOR,
    N_PASSTHROUGH,
    N_SMALL,
    NEED,
    NEXT_DUE,
    OUTSIDE_BID,
    PLACE,
    REST,
    REST_HOLDER,
    RING,
    SCRATCH,
    SELLER,
    SHORT,
    SMALL,
    SOLD,
    SPREAD,
    TAKEN,
    TAKES,
    TERM,
    TRADED_FACE,
    VBT,
    VBT_FACE,
    ZERO,
    Doubles,
    Flags,
    Ints,
    Recorder,
    Stream,
    int64,
)
from bilancio.model.kernels.compiled import part
from bilancio.model.kernels.conventions import bucket_of, desk_of, rounded
from bilancio.model.kernels.dealer import quote
from bilancio.model.kernels.random import randrange
from bilancio.model.kernels.recording import (
    FROM_OUTSIDE,
    NO_AGENT,
    SOLD_TO_DESK,
    record,
)
from bilancio.model.kernels.sorting import sort

_BLOCK_SIZE = 32  # traders counted together, so that the k-th able one is found fast
_NOT_SORTED = -1
_NOTHING, _SMALL, _FULL = 0, 1, 2  # which tickets a bucket is known to take

_NEVER = int64(1 << 62)  # a day after all days

_AGENT_BITS = 17  # agents are fewer than 2¹⁷, faces fewer than 2³⁰: both fit one key
_AGENT_MASK = (1 << _AGENT_BITS) - 1


@part
def open_trading(trader: Ints, tally: Ints, n: int) -> None:
    """Have every trader looked at on day 0, and none able to sell yet.

    The arguments are described in `books`.
    """
    for i in range(n):
        trader[LOOK_AGAIN, i] = 0
        trader[CAN_SELL, i] = 0
    for block in range(n // _BLOCK_SIZE + 1):
        trader[BLOCK, block] = 0
    tally[ABLE] = 0


@part
def find_sellers(
    cash: Ints, debt: Ints, trader: Ints, term: Ints, n: int, day: int, horizon: int
) -> int:
    """List the traders that lack cash and have a ticket to sell; return how many there are.

    Writes rows ``SELLER``, ``NEED`` and ``BUCKET`` of *trader*.

    The cash of a trader that sells nothing changes only on the days on which its debts or its
    claim fall due, and so does what it owes and is owed. So one that is no seller is looked at
    again after the next of these days: daily looks at all took a quarter of an active run.

    The arguments are described in `books`.
    """
    n_sellers = 0
    for i in range(n):
        if trader[LOOK_AGAIN, i] > day:
            continue
        own, claim = trader[PLACE, i], _claim_of(trader, n, i)
        live = debt[LIVE, own]
        sold = debt[DEALER_FACE, claim] + debt[VBT_FACE, claim]
        if not (live and debt[LIVE, claim] & (1 << RING)) or debt[RING, claim] == sold:
            trader[LOOK_AGAIN, i] = _NEVER  # what is gone in the morning does not return
            continue
        claim_due, own_due = term[NEXT_DUE, debt[TERM, claim]], term[NEXT_DUE, debt[TERM, own]]
        trader[LOOK_AGAIN, i] = min(claim_due, own_due) + 1
        if claim_due < own_due or claim_due == day:
            continue
        if own_due > day + horizon:
            trader[LOOK_AGAIN, i] = own_due - horizon
            continue
        owed = 0
        for each in range(RING, DEALER + 1):
            if live & (1 << each):
                owed += debt[each, own]
        need = owed * MICRO - cash[i]
        if need > 0:
            trader[NEED, i] = need
            trader[LOOK_AGAIN, i] = day + 1
            trader[BUCKET, i] = bucket_of(claim_due - day)
            trader[SELLER, n_sellers] = i
            n_sellers += 1
    return n_sellers


@part
def sell_tickets(
    stream: Stream,
    cash: Ints,
    debt: Ints,
    trader: Ints,
    term: Ints,
    desk: Ints,
    price: Doubles,
    small: Doubles,
    dealer_bits: Flags,
    tally: Ints,
    n: int,
    n_due: int,
    n_sellers: int,
    day: int,
    face_value: int,
    unlimited: bool,
    recorder: Recorder | None,
) -> None:
    """Trade one ticket after the other, each of a seller drawn at random, until none can sell.

    Other arguments are described in `books`.

    Parameters
    ----------
    stream : uint32 (STREAM_SIZE,)
        The order flow's.
    cash, debt, desk, tally
        Changed in place.
    n_sellers
        How many traders ``find_sellers`` listed.
    unlimited
        Whether cash that a VBT lacks comes from outside; it is added to ``INJECTION``.

    Notes
    -----
    Total cash grows by what comes from outside, else it is conserved.
    """
    open_inventories(debt, term, desk, n_due)
    for bucket in range(N_BUCKETS):
        desk[N_SMALL, bucket] = _NOT_SORTED
        desk[TAKES, bucket] = _NOTHING
    bucket, opened, interior = 0, 0, True
    while opened < N_BUCKETS or tally[ABLE]:
        if opened < N_BUCKETS:
            bucket = opened
            opened += 1
        else:
            i = _kth_able(trader, randrange(stream, tally[ABLE]))
            bucket = trader[BUCKET, i]
            interior = _sell_ticket(
                cash, debt, trader, desk, price, dealer_bits, tally,
                n, i, day, face_value, unlimited, recorder,
            )  # fmt: skip
        if interior:
            _quote_bucket(cash, desk, price, n, bucket, face_value)
        _review_bucket(
            cash, debt, trader, desk, price, small, tally,
            n, n_sellers, bucket, face_value, unlimited,
        )  # fmt: skip


@part
def open_inventories(debt: Ints, term: Ints, desk: Ints, n_due: int) -> None:
    """Count what dealers hold, leaving out what is due today: it is all in the short bucket.

    The arguments are described in `books`.
    """
    for bucket in range(N_BUCKETS):
        desk[INVENTORY, bucket] = desk[DEALER, bucket]
    for due in range(n_due):
        k = term[DUE_TODAY, due]
        for p in range(term[FIRST, k], term[FIRST, k + 1]):
            if debt[LIVE, p] & (1 << RING):
                desk[INVENTORY, SHORT] -= debt[DEALER_FACE, p]
            if debt[LIVE, p] & (1 << DEALER):
                desk[INVENTORY, SHORT] -= debt[DEALER, p]


@part
def _quote_bucket(
    cash: Ints, desk: Ints, price: Doubles, n: int, bucket: int, face_value: int
) -> None:
    """Write the day's opening quotes of a bucket.

    The arguments are described in `books`.
    """
    mid, spread = price[MID, bucket], price[SPREAD, bucket]
    money = cash[desk_of(n, DEALER, bucket)] / MICRO
    inventory = float(desk[INVENTORY, bucket])
    capacity, _, _, _, bid, _ = quote(mid, spread, float(face_value), inventory, money)
    price[CAPACITY, bucket] = capacity
    price[BID, bucket] = bid
    price[OUTSIDE_BID, bucket] = max(0.0, mid - spread / 2.0)


@part
def _executable_bid(
    cash: Ints, desk: Ints, price: Doubles, n: int, bucket: int, face: int, unlimited: bool
) -> tuple[float, int]:
    """Return the price at which a ticket would be sold now, and whether to VBT or DEALER.

    The price is 0 where there is no buyer.

    The arguments are described in `books`.
    """
    bid = price[BID, bucket]
    if (
        bid > 0.0
        and desk[INVENTORY, bucket] + face <= price[CAPACITY, bucket]
        and cash[desk_of(n, DEALER, bucket)] >= rounded(bid * face)
    ):
        return bid, DEALER
    bid = price[OUTSIDE_BID, bucket]
    if unlimited or cash[desk_of(n, VBT, bucket)] >= rounded(bid * face):
        return bid, VBT
    return 0.0, VBT


@part
def _review_bucket(
    cash: Ints,
    debt: Ints,
    trader: Ints,
    desk: Ints,
    price: Doubles,
    small: Doubles,
    tally: Ints,
    n: int,
    n_sellers: int,
    bucket: int,
    face_value: int,
    unlimited: bool,
) -> None:
    """Find out anew who can sell in a bucket, after quotes or cash have changed in it.

    As long as a full ticket is taken, everybody with a need can sell. Else only those with a small
    last ticket can, up to the size that is taken; they are sorted by it once a day, and ``TAKEN``
    counts how far down the list tickets are taken.

    The arguments are described in `books`.
    """
    takes = desk[TAKES, bucket]
    if _executable_bid(cash, desk, price, n, bucket, face_value, unlimited)[0] > 0.0:
        if takes != _FULL:
            desk[TAKES, bucket] = _FULL
            for s in range(n_sellers):
                i = trader[SELLER, s]
                if trader[BUCKET, i] == bucket and trader[NEED, i] > 0:
                    _set_able(trader, tally, i, able=True)
        return
    if takes != _SMALL:
        if desk[N_SMALL, bucket] == _NOT_SORTED:
            desk[N_SMALL, bucket] = _sort_small(debt, trader, small, n, n_sellers, bucket)
        for s in range(n_sellers):
            i = trader[SELLER, s]
            if trader[BUCKET, i] == bucket:
                _set_able(trader, tally, i, able=False)
        desk[TAKES, bucket] = _SMALL
        desk[TAKEN, bucket] = 0
    taken = desk[TAKEN, bucket]
    while taken > 0 and not _fits(cash, desk, price, small, n, bucket, taken - 1, unlimited):
        taken -= 1
        _set_able(trader, tally, _agent(small, bucket, taken), able=False)
    while taken < desk[N_SMALL, bucket] and _fits(
        cash, desk, price, small, n, bucket, taken, unlimited
    ):
        i = _agent(small, bucket, taken)
        if trader[NEED, i] > 0 and debt[REST_HOLDER, _claim_of(trader, n, i)] == RING:
            _set_able(trader, tally, i, able=True)
        taken += 1
    desk[TAKEN, bucket] = taken


@part
def _fits(
    cash: Ints,
    desk: Ints,
    price: Doubles,
    small: Doubles,
    n: int,
    bucket: int,
    at: int,
    unlimited: bool,
) -> bool:
    """Return whether a bucket takes the ticket listed in its place *at* of ``small``.

    The arguments are described in `books`.
    """
    face = int(small[SMALL + bucket, at]) >> _AGENT_BITS
    return _executable_bid(cash, desk, price, n, bucket, face, unlimited)[0] > 0.0


@part
def _agent(small: Doubles, bucket: int, at: int) -> int:
    """Return the seller of the small ticket *at* a place of a *bucket* in *small*."""
    return int(small[SMALL + bucket, at]) & _AGENT_MASK


@part
def _sort_small(
    debt: Ints, trader: Ints, small: Doubles, n: int, n_sellers: int, bucket: int
) -> int:
    """List a bucket's sellers with a small last ticket, smallest first; return their number.

    The arguments are described in `books`.
    """
    count = ZERO
    for s in range(n_sellers):
        i = trader[SELLER, s]
        claim = _claim_of(trader, n, i)
        if trader[BUCKET, i] == bucket and debt[REST, claim] and debt[REST_HOLDER, claim] == RING:
            small[SMALL + bucket, count] = (debt[REST, claim] << _AGENT_BITS) | i
            count += 1
    sort(small[SMALL + bucket], small[SCRATCH], count)
    return count


@part
def _sell_ticket(
    cash: Ints,
    debt: Ints,
    trader: Ints,
    desk: Ints,
    price: Doubles,
    dealer_bits: Flags,
    tally: Ints,
    n: int,
    i: int,
    day: int,
    face_value: int,
    unlimited: bool,
    recorder: Recorder | None,
) -> bool:
    """Sell one ticket of trader *i*; return whether the dealer bought it.

    The arguments are described in `books`.
    """
    bucket, claim = trader[BUCKET, i], _claim_of(trader, n, i)
    full = debt[SOLD, claim] < debt[FULL, claim]
    face = face_value
    bid, buyer = 0.0, VBT
    if full:
        bid, buyer = _executable_bid(cash, desk, price, n, bucket, face, unlimited)
    if debt[REST, claim] and debt[REST_HOLDER, claim] == RING:
        other = _executable_bid(cash, desk, price, n, bucket, debt[REST, claim], unlimited)
        if other[0] > bid:
            bid, buyer = other
            face, full = debt[REST, claim], False
    leg, desk_buying = rounded(bid * face), desk_of(n, buyer, bucket)
    if cash[desk_buying] < leg:  # only with unlimited depth
        missing = leg - cash[desk_buying]
        tally[INJECTION] += missing
        cash[desk_buying] = leg
        if recorder is not None:
            record(
                recorder, FROM_OUTSIDE, day, NO_AGENT, RING, NO_AGENT, NO_AGENT, desk_buying,
                ZERO, missing, math.nan,
            )  # fmt: skip
    cash[desk_buying] -= leg
    cash[i] += leg
    if full:
        bit = debt[FIRST_BIT, claim] + debt[SOLD, claim]
        mask = 1 << (bit & 7)
        others = dealer_bits[bit >> 3] & (255 ^ mask)
        dealer_bits[bit >> 3] = others | mask if buyer == DEALER else others
        debt[SOLD, claim] += 1
    else:
        debt[REST_HOLDER, claim] = buyer
    desk[buyer, bucket] += face
    debt[DEALER_FACE if buyer == DEALER else VBT_FACE, claim] += face
    if buyer == DEALER:
        desk[INVENTORY, bucket] += face
    tally[N_INTERIOR if buyer == DEALER else N_PASSTHROUGH] += 1
    tally[TRADED_FACE] += face
    left = debt[RING, claim] - debt[DEALER_FACE, claim] - debt[VBT_FACE, claim]
    trader[NEED, i] = trader[NEED, i] - leg if left else 0
    if trader[NEED, i] <= 0 or (not full and desk[TAKES, bucket] == _SMALL):
        _set_able(trader, tally, i, able=False)
    if recorder is not None:
        debtor = i - 1 if i else n - 1
        record(recorder, SOLD_TO_DESK, day, debtor, RING, i, desk_buying, i, face, leg, bid)
    return buyer == DEALER


@part
def _claim_of(trader: Ints, n: int, i: int) -> int:
    """Return the place of the ring debt that is owed to trader *i*.

    The arguments are described in `books`.
    """
    return int(trader[PLACE, i - 1 if i else n - 1])


@part
def _set_able(trader: Ints, tally: Ints, i: int, able: bool) -> None:
    """Note whether trader *i* can sell.

    The arguments are described in `books`.
    """
    change = int(able) - trader[CAN_SELL, i]
    trader[CAN_SELL, i] += change
    trader[BLOCK, i // _BLOCK_SIZE] += change
    tally[ABLE] += change


@part
def _kth_able(trader: Ints, k: int) -> int:
    """Return the *k*-th trader that can sell, in agent order, counted from 0."""
    block = 0
    while k >= trader[BLOCK, block]:
        k -= trader[BLOCK, block]
        block += 1
    i = block * _BLOCK_SIZE
    while k or not trader[CAN_SELL, i]:
        k -= trader[CAN_SELL, i]
        i += 1
    return i
