"""Sections 0 to 2: what a run is given, and the balance sheets on which it starts."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

MICRO = 10**6
SMALLEST = 0.01  # epsilon of section 1.2, and the amount left out in section 2.2
SHORT, MID, LONG = BUCKETS = (0, 1, 2)
BUCKET_NAMES = ("short", "mid", "long")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """Everything a run depends on, with the defaults of section 2."""

    kind: str = "ring"
    arm: str = "passive"
    n_agents: int = 100
    kappa: float = 1
    concentration: float = 1
    mu: float = 0
    monotonicity: float = 0
    maturity_days: int = 10
    q_total: float | None = None  # without q_per_agent either: 10 000
    q_per_agent: float | None = None
    seed: int = 42
    liquidity_mode: str = "uniform"
    liquidity_agent: int | None = None
    liquidity_vector: Sequence[float] | None = None
    default_handling: str = "expel-agent"
    rollover: bool | None = None  # None: on in the balanced scenario, off in the plain ring
    early_stop: bool = False
    quiet_days: int = 2
    face_value: int = 20
    outside_mid_ratio: float = 1.0
    vbt_share: float = 0.25
    dealer_share: float = 0.125
    anchor_update: bool = True
    outside_depth: str = "balance-sheet"
    horizon: int | None = None  # None: maturity_days
    phi_m: float = 1.0
    phi_o: float = 0.6
    spread_short: float = 0.20
    spread_mid: float = 0.30
    spread_long: float = 0.40

    def __post_init__(self) -> None:
        """Refuse words that mean nothing; ranges of numbers are the engine's to check."""
        allowed = {
            "kind": ("ring", "balanced"),
            "arm": ("passive", "active") if self.kind == "balanced" else ("passive",),
            "liquidity_mode": ("uniform", "single_at", "vector"),
            "default_handling": ("expel-agent", "fail-fast"),
            "outside_depth": ("balance-sheet", "unlimited"),
        }
        for field, words in allowed.items():
            if getattr(self, field) not in words:
                raise ValueError(f"{field} is {getattr(self, field)!r}, not one of {words}.")

    @property
    def debts(self) -> float:
        """Q, the total of the ring's debts."""
        if self.q_per_agent is not None:
            return self.q_per_agent * self.n_agents
        return 10_000 if self.q_total is None else self.q_total

    @property
    def active(self) -> bool:
        return self.arm == "active"

    @property
    def rolls_over(self) -> bool:
        return self.kind == "balanced" if self.rollover is None else self.rollover

    @property
    def looks_ahead(self) -> int:
        return self.maturity_days if self.horizon is None else self.horizon

    @property
    def spreads(self) -> tuple[float, float, float]:
        return self.spread_short, self.spread_mid, self.spread_long


class InitialDebt(NamedTuple):
    """What *debtor* owes *creditor* (places in the order of agents), in whole units."""

    debtor: int
    creditor: int
    face: int
    due_day: int


class Start(NamedTuple):
    """Initial balance sheets: cash in micro-units by agent, debts in contract order."""

    cash: tuple[int, ...]
    debts: tuple[InitialDebt, ...]


def start(p: Parameters) -> Start:
    """Return the balance sheets on which every arm of these parameters starts."""
    return balanced_start(p) if p.kind == "balanced" else ring_start(p)


# Section 0: conventions.


def plain_sum(values: Iterable[float]) -> float:
    """Add from left to right in doubles, without the compensation of newer ``sum``."""
    total = 0.0
    for value in values:
        total += value
    return total


def to_micro(amount: float) -> int:
    """Round money, a double, half to even to whole micro-units."""
    return round(amount * MICRO)


def bucket_of(days: int) -> int:
    """Return the bucket of a number of days: short to 3, mid 4 to 8, long from 9."""
    if days <= 3:
        return SHORT
    return MID if days <= 8 else LONG


# Section 1: the ring.


def ring_amounts(
    *,
    n_agents: int,
    concentration: float,
    monotonicity: float,
    q_total: float,
    seed: int,
) -> list[float]:
    """Draw a_1 … a_n, not yet truncated (sections 1.1 to 1.3)."""
    stream = random.Random(seed)
    drawn = _dirichlet(n_agents, concentration, q_total, stream)
    return _ordered(_clamped(drawn, q_total), monotonicity, stream)


def _dirichlet(n: int, concentration: float, q_total: float, stream: random.Random) -> list[float]:
    """Section 1.1: the last amount is what the others leave of Q, all where every draw is 0."""
    weights = [stream.gammavariate(concentration, 1) for _ in range(n)]
    whole = plain_sum(weights)
    amounts = [q_total * weight / whole if whole else 0.0 for weight in weights[:-1]]
    return [*amounts, q_total - plain_sum(amounts)]


def _clamped(amounts: list[float], q_total: float) -> list[float]:
    """Section 1.2: no amount below epsilon, and all of them together Q."""
    gaps = plain_sum(SMALLEST - amount for amount in amounts if amount <= 0)
    amounts = [SMALLEST if amount <= 0 else amount for amount in amounts]
    amounts = _taken_from_largest(amounts, gaps)
    excess = plain_sum(amounts) - q_total
    if excess > 0:
        amounts = _taken_from_largest(amounts, excess)
    else:
        amounts[-1] -= excess
    amounts = [max(amount, SMALLEST) for amount in amounts]
    amounts[-1] = max(SMALLEST, amounts[-1] + (q_total - plain_sum(amounts)))
    return amounts


def _taken_from_largest(amounts: list[float], gap: float) -> list[float]:
    """Take *gap* from the largest amounts first; each keeps epsilon."""
    amounts = list(amounts)
    for i in sorted(range(len(amounts)), key=lambda i: -amounts[i]):
        if gap <= 0:
            break
        taken = min(gap, max(0.0, amounts[i] - SMALLEST))
        amounts[i] -= taken
        gap -= taken
    return amounts


def _ordered(amounts: list[float], monotonicity: float, stream: random.Random) -> list[float]:
    """Section 1.3: sort, then disturb the order by swaps of neighbours."""
    if abs(monotonicity) < 1e-9:
        return amounts
    n = len(amounts)
    strength = min(abs(monotonicity), 1)
    ordered = sorted(amounts, reverse=monotonicity >= 0)
    if strength < 1 - 1e-9:
        for _ in range(min(round((1 - strength) * n * max(1, n - 1)), n * (n - 1))):
            i = stream.randrange(n - 1)
            ordered[i], ordered[i + 1] = ordered[i + 1], ordered[i]
    return ordered


def ring_due_days(*, n_agents: int, mu: float, maturity_days: int) -> list[int]:
    """Return the due days of H_1 … H_n (section 1.5)."""
    if maturity_days <= 1:
        return [1] * n_agents
    step = min(max(round(mu * (maturity_days - 1)), 0), maturity_days - 1)
    if step == 0:
        return [1] * n_agents
    return [1 + (i - 2) * step % maturity_days for i in range(1, n_agents + 1)]


def ring_cash(p: Parameters) -> list[int]:
    """Allot L = kappa·Q to the traders, in micro-units (section 1.6)."""
    n = p.n_agents
    liquidity = p.kappa * p.debts
    if p.liquidity_mode == "uniform":
        return [to_micro(liquidity / n)] * n
    if p.liquidity_mode == "single_at":
        return [to_micro(liquidity) if i == p.liquidity_agent else 0 for i in range(1, n + 1)]
    weights = p.liquidity_vector
    whole = plain_sum(weights)
    cash = [to_micro(liquidity * weight / whole) for weight in weights[:-1]]
    return [*cash, max(0, to_micro(liquidity) - sum(cash))]


def ring_start(p: Parameters) -> Start:
    """H_i owes H_{i+1}, H_n owes H_1 (sections 1.4 and 1.7)."""
    debts = [
        InitialDebt(i, (i + 1) % p.n_agents, int(amount), due_day)
        for i, (amount, due_day) in enumerate(zip(_amounts(p), _due_days(p), strict=True))
    ]
    return Start(tuple(ring_cash(p)), tuple(debts))


def _amounts(p: Parameters) -> list[float]:
    return ring_amounts(
        n_agents=p.n_agents,
        concentration=p.concentration,
        monotonicity=p.monotonicity,
        q_total=p.debts,
        seed=p.seed,
    )


def _due_days(p: Parameters) -> list[int]:
    return ring_due_days(n_agents=p.n_agents, mu=p.mu, maturity_days=p.maturity_days)


# Section 2: the balanced scenario.


def vbt_of(bucket: int, n_agents: int) -> int:
    """Return the place of a bucket's VBT in the order of agents (section 2.5)."""
    return n_agents + 2 * bucket


def dealer_of(bucket: int, n_agents: int) -> int:
    """Return the place of a bucket's dealer in the order of agents (section 2.5)."""
    return n_agents + 2 * bucket + 1


def balanced_start(p: Parameters) -> Start:
    """Add to the ring, per bucket, a VBT and a dealer that hold claims on its traders."""
    n = p.n_agents
    ring = ring_start(p)
    amounts, due_days = _amounts(p), _due_days(p)
    buckets = [bucket_of(due_day) for due_day in due_days]

    totals = [  # T_b, section 2.1
        plain_sum(a for a, bucket in zip(amounts, buckets, strict=True) if bucket == b)
        for b in BUCKETS
    ]
    vbt_claims = [p.vbt_share * total for total in totals]  # V_b, section 2.2
    dealer_claims = [p.dealer_share * total for total in totals]  # E_b

    to_vbts, to_dealers = [], []
    for i, (amount, due_day, b) in enumerate(zip(amounts, due_days, buckets, strict=True)):
        owed_to_vbt = vbt_claims[b] * (amount / totals[b])
        owed_to_dealer = dealer_claims[b] * (amount / totals[b])
        if owed_to_vbt > SMALLEST:
            to_vbts.append(InitialDebt(i, vbt_of(b, n), int(owed_to_vbt), due_day))
        if owed_to_dealer > SMALLEST:
            to_dealers.append(InitialDebt(i, dealer_of(b, n), int(owed_to_dealer), due_day))

    extra = to_micro((plain_sum(vbt_claims) + plain_sum(dealer_claims)) / n)  # x, section 2.3
    cash = [own + extra for own in ring.cash]
    for b in BUCKETS:  # section 2.4, in the order of section 2.5
        cash.append(to_micro(p.outside_mid_ratio * vbt_claims[b]))
        cash.append(to_micro(p.outside_mid_ratio * dealer_claims[b]))
    return Start(tuple(cash), (*ring.debts, *to_vbts, *to_dealers))
