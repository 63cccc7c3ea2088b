"""What a traced run records: numba leaves all of it out where there is no recorder.

A recorder is passed as ``None`` to a run that is not traced; the branches behind
``recorder is not None`` are then not even compiled, so that both kinds of run are one source.
"""

import math

from bilancio.model.kernels.books import (
    DEALER,
    DEALER_FACE,
    DEBTOR,
    INVENTORY,
    MICRO,
    MID,
    N_BUCKETS,
    RING,
    SPREAD,
    VBT,
    VBT_FACE,
    Doubles,
    Ints,
    Recorder,
    int64,
)
from bilancio.model.kernels.compiled import part
from bilancio.model.kernels.conventions import desk_of
from bilancio.model.kernels.dealer import quote
from bilancio.model.tables import SimEvent, code

SETTLED_IN_FULL = int64(code(SimEvent.SETTLED))
DEFAULTED_ON = int64(code(SimEvent.DEFAULTED))
WRITTEN_OFF = int64(code(SimEvent.WRITTEN_OFF))
ROLLED_OVER = int64(code(SimEvent.ROLLED_OVER))
SOLD_TO_DESK = int64(code(SimEvent.SOLD))
PASSED_ON = int64(code(SimEvent.REBUCKETED))
FROM_OUTSIDE = int64(code(SimEvent.INJECTED))

NO_AGENT = int64(-1)  # an event has no debtor, holder, payer or payee


@part
def record(
    recorder: Recorder,
    event: int,
    day: int,
    debtor: int,
    claim: int,
    holder: int,
    payer: int,
    payee: int,
    face: int,
    cash: int,
    price: float,
) -> None:
    """Write one event down; columns as in ``tables.EVENTS``.

    The arguments are described in `books`.
    """
    at = recorder.n_events[0]
    recorder.n_events[0] += 1
    if at < len(recorder.events):
        row = recorder.events[at]
        row["event"] = event
        row["day"] = day
        row["debtor"] = debtor
        row["claim"] = claim
        row["holder"] = holder
        row["payer"] = payer
        row["payee"] = payee
        row["face"] = face
        row["cash_micro"] = cash
        row["price"] = price


@part
def cash_of_holders(cash: Ints, debt: Ints, n: int, p: int, bucket: int) -> tuple[int, int, int]:
    """Return the cash of a debt's creditor in the ring, and of VBT and dealer of the *bucket*.

    The arguments are described in `books`.
    """
    i = debt[DEBTOR, p]
    creditor = cash[i + 1 if i + 1 < n else 0]
    return creditor, cash[desk_of(n, VBT, bucket)], cash[desk_of(n, DEALER, bucket)]


@part
def record_parts(
    recorder: Recorder,
    event: int,
    cash: Ints,
    debt: Ints,
    n: int,
    day: int,
    p: int,
    claim: int,
    bucket: int,
    had: tuple[int, int, int],
) -> None:
    """Write down what happened to a debt: a row for each holder of a part of it.

    Other arguments are described in `books`.

    Parameters
    ----------
    event
        ``SETTLED_IN_FULL``, ``DEFAULTED_ON``, ``WRITTEN_OFF`` or ``ROLLED_OVER``.
    bucket
        Of the desks that hold parts of the debt.
    had : micro-units
        ``cash_of_holders`` before. What they have more or less now was paid or lent, unless the
        debt was settled, which desks book later: then its face was paid.
    """
    i = debt[DEBTOR, p]
    has = cash_of_holders(cash, debt, n, p, bucket)
    for holder in range(RING, DEALER + 1):
        if claim != RING:
            face = debt[claim, p] if holder == claim else 0
        elif holder == RING:
            face = debt[RING, p] - debt[VBT_FACE, p] - debt[DEALER_FACE, p]
        else:
            face = debt[VBT_FACE if holder == VBT else DEALER_FACE, p]
        if face == 0 and (holder != claim or debt[claim, p]):
            continue
        owner = desk_of(n, holder, bucket)
        if holder == RING:
            owner = i + 1 if i + 1 < n else 0
        payer, payee = i, owner
        if event == ROLLED_OVER:
            payer, payee = owner, i
        elif event == WRITTEN_OFF:
            payer, payee = NO_AGENT, NO_AGENT
        moved = face * MICRO if event == SETTLED_IN_FULL else abs(has[holder] - had[holder])
        record(recorder, event, day, i, claim, owner, payer, payee, face, moved, math.nan)


@part
def record_balances(recorder: Recorder, cash: Ints, at: int) -> None:
    """Write everybody's cash down, *at* days after the start.

    The arguments are described in `books`.
    """
    for i in range(recorder.balances.shape[1]):
        recorder.balances[at, i] = cash[i]


@part
def record_quotes(
    recorder: Recorder, cash: Ints, desk: Ints, price: Doubles, n: int, day: int, face_value: int
) -> None:
    """Write the quotes down with which a trading day opens.

    The arguments are described in `books`.
    """
    for bucket in range(N_BUCKETS):
        mid, spread = price[MID, bucket], price[SPREAD, bucket]
        money = cash[desk_of(n, DEALER, bucket)] / MICRO
        inventory = float(desk[INVENTORY, bucket])
        capacity, _, _, _, bid, ask = quote(mid, spread, float(face_value), inventory, money)
        row = recorder.quotes[day * N_BUCKETS + bucket]
        row["day"] = day
        row["bucket"] = bucket
        row["mid"] = mid
        row["spread"] = spread
        row["bid"] = bid
        row["ask"] = ask
        row["capacity"] = capacity
        row["inventory"] = inventory
