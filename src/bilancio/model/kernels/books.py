"""What a run is made of: arrays, allocated once per batch and used again by every run.

Three facts about the model let a run do without a list of contracts:

1. All live debts of one debtor fall due on the same day, always. Its debts to the
   VBT and the dealer are due with its ring debt at the start and are renewed with the same
   ΔT on the same day; what is not settled on it is written off.
2. So debts are grouped by ΔT, here their *term*: those of one term fall due on each multiple of it. The
   contract order of what is due on a day is: terms from the longest to the shortest, as the
   longer was issued earlier; within a term ring debts, debts to VBTs, debts to dealers;
   within these debtors in agent order. Renewal appends them in the same order again.
3. A ring ticket is with the debtor's creditor until that one sells it, and a desk keeps what it
   bought but for re-bucketing. A seller offers its first full ticket or the smaller last
   one. So the tickets of a ring debt are, in order: full ones sold, full ones still with the
   creditor, and the last one; of the sold ones one bit tells whose they are.

Debtors are kept in order of term, then agent; their index in this order is their *place*, so
that what is due on a day is contiguous. Traders are agents 0 to n − 1 here, desks follow:
VBT and dealer of the short, the mid and the long bucket.

References
----------
MODEL.md, sections 0 to 2 and 5 to 7.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from bilancio.model.kernels.compiled import njit
from bilancio.model.kernels.random import Stream, new_stream

Ints = npt.NDArray[np.int64]
Indices = npt.NDArray[np.int32]
Flags = npt.NDArray[np.uint8]
Doubles = npt.NDArray[np.float64]

MICRO = 1_000_000  # micro-units of cash in a unit of money

SHORT, MID, LONG = 0, 1, 2
N_BUCKETS = 3
N_DESKS = 6

# Claims on a debtor, by its first holder; also who holds a ticket.
RING, VBT, DEALER = 0, 1, 2
N_CLAIMS = 3

# Places of `tally`.
N_DEFAULTS, DEFAULTED_FACE, WRITTEN_OFF_FACE, RECOVERED = 0, 1, 2, 3
SETTLED_INITIAL_FACE, N_INTERIOR, N_PASSTHROUGH, TRADED_FACE, INJECTION = 4, 5, 6, 7, 8
N_TALLIES = 9

SELLER_BLOCK = 32  # traders counted together where the k-th seller is looked up


class Scenario(NamedTuple):
    """What is drawn or computed before the first day.

    Attributes
    ----------
    stream : uint32 (625,)
        The run's random numbers: first the scenario's, then the order flow's.
    amount : float64 (n,), money
        Debt sizes a_i by agent, before truncation.
    scratch : float64 (n,)
        Room for sorting.
    due_day : int32 (n,), day
        First due day of the debts of an agent, which is their term.
    """

    stream: Stream
    amount: Doubles
    scratch: Doubles
    due_day: Indices


class Debts(NamedTuple):
    """Debts and their tickets, by place.

    Attributes
    ----------
    term : int32 (n_terms,), days
        Different terms, longest first.
    first : int32 (n_terms + 1,)
        Places of a term: from ``first[k]`` to before ``first[k + 1]``.
    place : int32 (n,)
        Place of an agent's debts; by agent.
    debtor : int32 (n,)
        Agent at a place.
    term_at : int32 (n,), days
        Term of the debts at a place.
    face : int64 (3, n), money
        Whole face by claim.
    live, settled_today : uint8 (n,)
        Bit ``1 << claim`` for each debt that is live, or was settled today.
    dealer_face, vbt_face : int64 (n,), money
        Face of the ring debt's tickets that dealers and VBTs hold.
    full, sold : int32 (n,)
        Full tickets of the ring debt, and how many of them desks hold: the first ones.
    rest : int32 (n,), money
        Face of the ring debt's last ticket if it is smaller than the others, else 0.
    rest_holder : uint8 (n,)
        Who holds it: RING (the creditor), VBT or DEALER.
    first_bit : int64 (n,)
        Bit of the ring debt's first full ticket.
    dealer_bits : uint8 (n_bits / 8,)
        One bit per full ticket sold: 1 where a dealer holds it. Bits of tickets not sold are noise.
    next_due : int32 (D + 1,), day
        By term: next day, today included, on which live debts of the term fall due.
    """

    term: Indices
    first: Indices
    place: Indices
    debtor: Indices
    term_at: Indices
    face: Ints
    live: Flags
    settled_today: Flags
    dealer_face: Ints
    vbt_face: Ints
    full: Indices
    sold: Indices
    rest: Indices
    rest_holder: Flags
    first_bit: Ints
    dealer_bits: Flags
    next_due: Indices


class Desks(NamedTuple):
    """VBTs and dealers by bucket, and what the day's debts of a bucket paid.

    Attributes
    ----------
    held : int64 (3, 3), money
        Face of live tickets that desks hold, by ``VBT`` or ``DEALER`` and by bucket.
    mid, spread : float64 (3,), money per unit of face
        Outside mid M and spread O.
    paid, fell : int64 (3,), micro-units
        By bucket at issue: paid today; face settled, defaulted on or written off today.
    """

    held: Ints
    mid: Doubles
    spread: Doubles
    paid: Ints
    fell: Ints


class Market(NamedTuple):
    """Sellers and quotes of one day.

    Attributes
    ----------
    need : int64 (n,), micro-units
        Cash that a seller still lacks, by agent.
    bucket : uint8 (n,)
        Bucket of the tickets that a seller has, by agent.
    seller : int32 (n,)
        Agents that see a shortfall and have a ticket, in agent order.
    can_sell : uint8 (n,)
        Whether one of an agent's tickets has an executable bid.
    block : int32 (n / 32 + 1,)
        How many of each 32 agents can sell.
    small : int64 (3, n)
        By bucket: sellers that hold a small last ticket, as ``face << 17 | agent``, ascending.
    scratch : int64 (n,)
        Room for sorting.
    bid, outside_bid, capacity : float64 (3,)
        By bucket: the dealer's bid, the VBT's, and X* of the dealer.
    inventory : int64 (3,), money
        Face that the dealer holds, without what is due today.
    takes : uint8 (3,)
        By bucket: whether it takes full tickets, or small ones only.
    n_small, taken : int64 (3,)
        By bucket: length of ``small``, and how many of its first ones are taken.
    able : int64 (1,)
        How many agents can sell.
    """

    need: Ints
    bucket: Flags
    seller: Indices
    can_sell: Flags
    block: Indices
    small: Ints
    scratch: Ints
    bid: Doubles
    outside_bid: Doubles
    capacity: Doubles
    inventory: Ints
    takes: Flags
    n_small: Ints
    taken: Ints
    able: Ints


class Books(NamedTuple):
    """Everything that a run changes; ``cash`` is by agent, desks included, in micro-units."""

    scenario: Scenario
    cash: Ints
    defaulted: Flags
    debts: Debts
    desks: Desks
    market: Market
    tally: Ints


@njit
def new_books(n_agents: int, maturity_days: int, n_bits: int) -> Books:
    """Allocate for the largest run of a batch; *n_bits* counts the full ring tickets."""
    n = n_agents
    scenario = Scenario(
        stream=new_stream(),
        amount=np.empty(n, np.float64),
        scratch=np.empty(n, np.float64),
        due_day=np.empty(n, np.int32),
    )
    debts = Debts(
        term=np.empty(maturity_days, np.int32),
        first=np.empty(maturity_days + 1, np.int32),
        place=np.empty(n, np.int32),
        debtor=np.empty(n, np.int32),
        term_at=np.empty(n, np.int32),
        face=np.empty((N_CLAIMS, n), np.int64),
        live=np.empty(n, np.uint8),
        settled_today=np.empty(n, np.uint8),
        dealer_face=np.empty(n, np.int64),
        vbt_face=np.empty(n, np.int64),
        full=np.empty(n, np.int32),
        sold=np.empty(n, np.int32),
        rest=np.empty(n, np.int32),
        rest_holder=np.empty(n, np.uint8),
        first_bit=np.empty(n, np.int64),
        dealer_bits=np.empty(n_bits // 8 + 1, np.uint8),
        next_due=np.empty(maturity_days + 1, np.int32),
    )
    desks = Desks(
        held=np.empty((N_CLAIMS, N_BUCKETS), np.int64),
        mid=np.empty(N_BUCKETS, np.float64),
        spread=np.empty(N_BUCKETS, np.float64),
        paid=np.empty(N_BUCKETS, np.int64),
        fell=np.empty(N_BUCKETS, np.int64),
    )
    market = Market(
        need=np.empty(n, np.int64),
        bucket=np.empty(n, np.uint8),
        seller=np.empty(n, np.int32),
        can_sell=np.empty(n, np.uint8),
        block=np.empty(n // SELLER_BLOCK + 1, np.int32),
        small=np.empty((N_BUCKETS, n), np.int64),
        scratch=np.empty(n, np.int64),
        bid=np.empty(N_BUCKETS, np.float64),
        outside_bid=np.empty(N_BUCKETS, np.float64),
        capacity=np.empty(N_BUCKETS, np.float64),
        inventory=np.empty(N_BUCKETS, np.int64),
        takes=np.empty(N_BUCKETS, np.uint8),
        n_small=np.empty(N_BUCKETS, np.int64),
        taken=np.empty(N_BUCKETS, np.int64),
        able=np.empty(1, np.int64),
    )
    return Books(
        scenario=scenario,
        cash=np.empty(n + N_DESKS, np.int64),
        defaulted=np.empty(n, np.uint8),
        debts=debts,
        desks=desks,
        market=market,
        tally=np.empty(N_TALLIES, np.int64),
    )


@njit
def bucket_of(days: int) -> int:
    """Return the maturity bucket of *days* to maturity, 1 or more."""
    if days <= 3:
        return SHORT
    return MID if days <= 8 else LONG


@njit
def desk(n_agents: int, holder: int, bucket: int) -> int:
    """Return the agent that is the VBT or the dealer (*holder*) of a bucket."""
    return n_agents + 2 * bucket + holder - 1


@njit
def rounded(money: float) -> int:
    """Return *money* in micro-units, rounded half to even."""
    return np.int64(np.rint(money * 1e6))
