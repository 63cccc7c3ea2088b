"""What a run is made of: a few arrays, allocated once per batch and used again by every run.

Three facts about the model let a run do without a list of contracts:

1. All live debts of one debtor fall due on the same day, always. Its debts to the VBT and the
   dealer are due with its ring debt at the start and are renewed with the same ΔT on the same day;
   what is not settled on it is written off.
2. So debts are grouped by ΔT, here their *term*: those of one term fall due on each multiple of
   it. The contract order of what is due on a day is: terms from the longest to the shortest, as
   the longer was issued earlier; within a term ring debts, debts to VBTs, debts to dealers;
   within these debtors in agent order. Renewal appends them in the same order again.
3. A ring ticket is with the debtor's creditor until that one sells it, and desks keep what they
   bought but for re-bucketing. A seller offers its first full ticket or the smaller last one. So
   the tickets of a ring debt are, in order: full ones sold, full ones still with the creditor,
   and the last one. Of the sold ones a bit each tells whose they are.

Debtors are kept in order of term, then agent; their index in this order is their *place*, so
that what is due on a day is contiguous. Traders are agents 0 to n − 1 here, desks follow: VBT and
dealer of the short, the mid and the long bucket.

Each array is a table whose rows are named below and whose columns are places, agents, terms or
buckets: many arrays of one dimension would cost a kernel ten words each at every call.

``debt`` : int64 (N_DEBT_ROWS, n), by place
    ``RING``, ``VBT``, ``DEALER``: face in money of the debt with this claim on the debtor.
    ``LIVE``, ``SETTLED``: bit ``1 << claim`` for each debt that is live, or was settled today.
    ``DEBTOR``: agent. ``TERM``: days. ``DEALER_FACE``, ``VBT_FACE``: face of the ring debt's
    tickets that desks hold. ``FULL``, ``SOLD``: full tickets of the ring debt, and how many of
    them desks hold, the first ones. ``REST``: face of its last ticket if that is smaller, else 0.
    ``REST_HOLDER``: who holds that one, with ``RING`` for the creditor. ``FIRST_BIT``: bit of its
    first full ticket in ``dealer_bits``. The last six matter in active runs only.
``trader`` : int64 (N_TRADER_ROWS, n), by agent
    ``PLACE``. ``DUE_DAY``: first due day of its debts, which is their term. ``DEFAULTED``: 0, 1.
    The others are of active runs: see ``trading``.
``term`` : int64 (N_TERM_ROWS, D + 2)
    ``LENGTH``: different terms, longest first. ``FIRST``: places of the k-th, from ``FIRST, k`` to
    before ``FIRST, k + 1``. ``NEXT_DUE``, by length: next day, today included, on which debts of
    the term fall due. ``DUE_TODAY``: which terms fall due today, longest first.
``desk`` : int64 (N_DESK_ROWS, 3), by bucket
    ``VBT``, ``DEALER``: face in money of the live tickets that they hold. ``PAID``, ``FELL``, by
    bucket at issue, in micro-units: paid today, and face of what was settled, defaulted on or
    written off today. The others are of one trading day.
``price`` : float64 (N_PRICE_ROWS, 3), by bucket
    ``MID``, ``SPREAD``: outside M and O, per unit of face. ``BID``, ``OUTSIDE_BID``: of dealer and
    VBT. In money ``CAPACITY``: X* of the dealer, and ``RING_TOTAL``: ring debts at the start, T.
``sized`` : float64 (N_SIZED_ROWS, n)
    ``AMOUNT``, by agent, in money: debt sizes a_i before truncation. ``SCRATCH``: room for
    sorting. ``SMALL`` + bucket: small tickets on offer; see ``trading``.
``cash`` : int64 (n + 6,), micro-units, by agent
``stream`` : uint32 (STREAM_SIZE,)
    What random numbers are drawn from; see `random`. ``started`` : uint32 (N_STREAMS, LANES, WORDS)
    and ``keys`` : int64 (N_STREAMS, N_KEY_ROWS, LANES): words and seeds of streams that were
    started ahead, by ``SCENARIO`` and ``ORDER_FLOW``.
``tally`` : int64 (N_TALLIES,)
    What the metrics count, and ``ABLE``: how many traders can sell now.
``dealer_bits`` : uint8
    One bit per full ticket sold: 1 where a dealer holds it. Those of tickets not sold are noise,
    so that pages without any are never touched.

Scalars that kernels share, beside the parameters of `row`, a row of ``PARAMETER_ROW``:

``n``, ``n_agents``: traders. ``n_terms``: different terms. ``n_due``: terms due today.
    ``n_claims``: 1 in a plain ring, else 3. ``n_sellers``: traders that may sell today.
``day``: from 0. ``k``: place of a term. ``p``: place of a debtor. ``claim``: ``RING``, ``VBT`` or
    ``DEALER``. ``bucket``: ``SHORT``, ``MIDDLE`` or ``LONG``. ``holder``, ``giver``: ``VBT`` or
    ``DEALER``. ``small``: the rows of ``sized`` from ``SMALL`` on.
``face``, ``face_value``: in money; the latter of a full ticket, S.
``active``, ``fail_fast``, ``unlimited``: whether the arm is active, a default ends the run, a VBT
    buys with cash from outside.
``parameters``, ``r``: the rows of a batch, and which of them this run is.
``weights``, ``liquidity``: weights of the allotment of cash, of all runs and of this one.
``metrics``: a row of ``METRIC_ROW``, written. ``recorder``: see `recording`; None in most runs.

References
----------
MODEL.md, sections 0 to 2 and 5 to 7.
"""

from typing import NamedTuple, cast

import numpy as np
import numpy.typing as npt

from bilancio.model.parameters import Arm
from bilancio.model.tables import code

Rows = npt.NDArray[np.void]
Stream = npt.NDArray[np.uint32]
Words = npt.NDArray[np.uint32]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.uint8]
Doubles = npt.NDArray[np.float64]

WORDS = 624  # of MT19937
STREAM_SIZE = 2 * WORDS + 1
LANES = 8  # streams that are started together
MICRO = 1_000_000  # micro-units of cash in a unit of money


def int64(number: int) -> int:
    """Return *number* as numpy's: numba compiles a function anew for each literal."""
    return cast("int", np.int64(number))


ZERO = int64(0)
SHORT, MIDDLE, LONG = map(int64, range(3))
N_BUCKETS = 3
N_DESKS = 6

# Claims on a debtor, by their first holder; also who holds a ticket.
RING, VBT, DEALER = map(int64, range(3))
N_CLAIMS = 3

# Rows of `debt` after the three claims.
LIVE, SETTLED, DEBTOR, TERM = 3, 4, 5, 6
DEALER_FACE, VBT_FACE, FULL, SOLD, REST, REST_HOLDER, FIRST_BIT = 7, 8, 9, 10, 11, 12, 13
N_DEBT_ROWS = 14

# Rows of `trader`.
PLACE, DUE_DAY, DEFAULTED = 0, 1, 2
LOOK_AGAIN, NEED, BUCKET, SELLER, CAN_SELL, BLOCK = 3, 4, 5, 6, 7, 8
N_TRADER_ROWS = 9

# Rows of `sized`.
AMOUNT, SCRATCH, SMALL = 0, 1, 2
N_SIZED_ROWS = SMALL + N_BUCKETS

# Rows of `term`.
LENGTH, FIRST, NEXT_DUE, DUE_TODAY = 0, 1, 2, 3
N_TERM_ROWS = 4

# Rows of `desk` after VBT and DEALER, and of `price`.
PAID, FELL, INVENTORY, TAKES, N_SMALL, TAKEN = 3, 4, 5, 6, 7, 8
N_DESK_ROWS = 9
MID, SPREAD, BID, OUTSIDE_BID, CAPACITY, RING_TOTAL = 0, 1, 2, 3, 4, 5
N_PRICE_ROWS = 6

# Streams of a run, and rows of `keys`.
SCENARIO, ORDER_FLOW = map(int64, range(2))
N_STREAMS = 2
SEED, ODD, EVEN = 0, 1, 2
N_KEY_ROWS = 3

# Places of `tally`.
N_DEFAULTS, DEFAULTED_FACE, WRITTEN_OFF_FACE, RECOVERED = 0, 1, 2, 3
SETTLED_INITIAL_FACE, N_INTERIOR, N_PASSTHROUGH, TRADED_FACE, INJECTION, ABLE = 4, 5, 6, 7, 8, 9
N_TALLIES = 10


class Books(NamedTuple):
    """The arrays described above, for the runs of a batch one after the other."""

    stream: Stream
    started: Words
    keys: Ints
    sized: Doubles
    cash: Ints
    debt: Ints
    trader: Ints
    term: Ints
    desk: Ints
    price: Doubles
    dealer_bits: Flags
    tally: Ints


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

    events: Rows
    n_events: Ints
    quotes: Rows
    balances: Ints


def new_books(parameters: Rows) -> Books:
    """Allocate what the largest of some runs needs; pages that no run touches cost nothing.

    The arguments are described in `books`.
    """
    n = int(parameters["n_agents"].max(initial=3))
    maturity_days = int(parameters["maturity_days"].max(initial=1))
    # After the clamp the debts can exceed Q by ε each.
    per_agent = parameters["q_per_agent"] * parameters["n_agents"]
    most = np.maximum(parameters["q_total"], per_agent) + parameters["n_agents"]
    tickets = most / np.maximum(parameters["face_value"], 1)
    n_bits = int(tickets[parameters["arm"] == code(Arm.ACTIVE)].max(initial=0)) + 1
    return Books(
        stream=np.empty(STREAM_SIZE, np.uint32),
        started=np.empty((N_STREAMS, LANES, WORDS), np.uint32),
        keys=np.empty((N_STREAMS, N_KEY_ROWS, LANES), np.int64),
        sized=np.empty((N_SIZED_ROWS, n)),
        cash=np.empty(n + N_DESKS, np.int64),
        debt=np.empty((N_DEBT_ROWS, n), np.int64),
        trader=np.empty((N_TRADER_ROWS, n), np.int64),
        term=np.empty((N_TERM_ROWS, maturity_days + 2), np.int64),
        desk=np.empty((N_DESK_ROWS, N_BUCKETS), np.int64),
        price=np.empty((N_PRICE_ROWS, N_BUCKETS)),
        dealer_bits=np.empty(n_bits // 8 + 1, np.uint8),
        tally=np.empty(N_TALLIES, np.int64),
    )
