"""What a traced run records: numba leaves all of it out where there is no recorder.

A recorder is passed as ``None`` to a run that is not traced; the branches behind
``recorder is not None`` are then not even compiled, so that both kinds of run are one source.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from bilancio.model.kernels.books import (
    DEALER,
    INVENTORY,
    MICRO,
    MID,
    N_BUCKETS,
    SPREAD,
    Doubles,
    Ints,
    desk_of,
)
from bilancio.model.kernels.compiled import part
from bilancio.model.kernels.dealer import quote
from bilancio.model.tables import SimEvent, code

SETTLED_IN_FULL = code(SimEvent.SETTLED)
DEFAULTED_ON = code(SimEvent.DEFAULTED)
WRITTEN_OFF = code(SimEvent.WRITTEN_OFF)
ROLLED_OVER = code(SimEvent.ROLLED_OVER)
SOLD_TO_DESK = code(SimEvent.SOLD)


class Recorder(NamedTuple):
    """Room for what happens.

    Attributes
    ----------
    events : EVENTS (room,)
        Filled from the start; what finds no room is counted only.
    n_events : int64 (1,)
    quotes : QUOTES (days · 3,)
        By day, then bucket.
    balances : int64 (days + 1, n_agents), micro-units
        Cash of all agents at the start, then after each day.
    """

    events: npt.NDArray[np.void]
    n_events: Ints
    quotes: npt.NDArray[np.void]
    balances: Ints


@part
def record(
    recorder: Recorder,
    event: int,
    day: int,
    agent: int,
    claim: int,
    desk: int,
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
        row["agent"] = agent
        row["claim"] = claim
        row["desk"] = desk
        row["face"] = face
        row["cash_micro"] = cash
        row["price"] = price


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
