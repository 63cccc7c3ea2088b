"""Who owes whom and who has what, while a run goes on; and the records of what happened."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.oracle.scenario import BUCKETS, Parameters, Start, bucket_of, dealer_of, vbt_of


@dataclass(slots=True, eq=False)
class Ticket:
    """The part of a debt that is traded as one; only its holder changes by trade (section 6)."""

    debt: "Debt"
    position: int
    face: int
    holder: int

    @property
    def name(self) -> tuple[int, int]:
        return self.debt.number, self.position


@dataclass(slots=True, eq=False)
class Debt:
    """A contract, *live* until it is settled, defaulted on or written off (section 3)."""

    number: int
    debtor: int
    issued: int
    due: int
    initial: bool
    live: bool = True
    tickets: list[Ticket] = field(default_factory=list)

    @property
    def face(self) -> int:
        return sum(ticket.face for ticket in self.tickets)

    @property
    def maturity(self) -> int:
        """ΔT: days from issue to the due day."""
        return self.due - self.issued


# What happened. Agents are places in the order of agents, debts places in the
# order of contracts; a ticket is (debt, position). Cash in micro-units.


@dataclass(frozen=True, slots=True)
class Settled:
    day: int
    debt: int
    debtor: int
    face: int


@dataclass(frozen=True, slots=True)
class Defaulted:
    day: int
    debt: int
    debtor: int
    face: int
    paid: int


@dataclass(frozen=True, slots=True)
class WrittenOff:
    day: int
    debt: int
    debtor: int
    face: int


@dataclass(frozen=True, slots=True)
class RolledOver:
    day: int
    debt: int
    new_debt: int
    face: int
    lent: int


@dataclass(frozen=True, slots=True)
class Rebucketed:
    day: int
    ticket: tuple[int, int]
    giver: int
    taker: int
    paid: int


@dataclass(frozen=True, slots=True)
class Quoted:
    """A bucket's quotes: after re-bucketing, and after each trade in it."""

    day: int
    bucket: int
    mid: float
    width: float
    outside_bid: float
    outside_ask: float
    bid: float
    ask: float
    inventory: int
    capacity: int


@dataclass(frozen=True, slots=True)
class Traded:
    """*side* is the customer's; *injected* is what came from outside to pay for it."""

    day: int
    side: str
    customer: int
    desk: int
    ticket: tuple[int, int]
    face: int
    bucket: int
    price: float
    cash: int
    interior: bool
    injected: int


@dataclass(frozen=True, slots=True)
class AnchorMoved:
    day: int
    bucket: int
    loss: float
    mid: float
    width: float


Event = Settled | Defaulted | WrittenOff | RolledOver | Rebucketed | Quoted | Traded | AnchorMoved


class Books:
    """Cash, debts, anchors and events of one run."""

    def __init__(self, p: Parameters, begin: Start) -> None:
        self.parameters = p
        self.cash = list(begin.cash)
        self.defaulted: set[int] = set()
        self.mids = [p.outside_mid_ratio for _ in BUCKETS]
        self.widths = list(p.spreads)
        self.injected = 0
        self.events: list[Event] = []
        self._debts: list[Debt] = []
        self._issued = 0
        for debtor, creditor, face, due_day in begin.debts:
            parts = [(part, creditor) for part in self._split(face)]
            self.issue(debtor, parts, day=0, due=due_day, initial=True)

    def _split(self, face: int) -> list[int]:
        """Section 6: tickets of S and a last one with the rest; one of 0 for a debt of 0.

        In passive runs nothing tells the tickets of a debt apart, so it stays whole.
        """
        size = self.parameters.face_value
        if not self.parameters.active or face == 0:
            return [face]
        whole, rest = divmod(face, size)
        return [size] * whole + [rest] * (rest > 0)

    def issue(
        self,
        debtor: int,
        parts: list[tuple[int, int]],
        *,
        day: int,
        due: int,
        initial: bool = False,
    ) -> Debt:
        """Append a contract with one ticket for each (face, holder) of *parts*."""
        debt = Debt(self._issued, debtor, day, due, initial)
        debt.tickets = [Ticket(debt, k, face, holder) for k, (face, holder) in enumerate(parts)]
        self._issued += 1
        self._debts.append(debt)
        return debt

    def live_debts(self) -> list[Debt]:
        """Return the live debts in contract order."""
        self._debts = [debt for debt in self._debts if debt.live]
        return list(self._debts)

    def live_tickets(self) -> Iterator[Ticket]:
        """Yield the tickets of live debts in ticket order."""
        for debt in self.live_debts():
            yield from debt.tickets

    def pay(self, payer: int, payee: int, amount: int) -> None:
        """Move *amount*, which the payer has, from one to the other."""
        assert 0 <= amount <= self.cash[payer]
        self.cash[payer] -= amount
        self.cash[payee] += amount

    def vbt(self, bucket: int) -> int:
        return vbt_of(bucket, self.parameters.n_agents)

    def dealer(self, bucket: int) -> int:
        return dealer_of(bucket, self.parameters.n_agents)

    def is_trader(self, agent: int) -> bool:
        return agent < self.parameters.n_agents


def issue_bucket(debt: Debt) -> int:
    """Return the bucket of ΔT, in which the anchor update counts a debt."""
    return bucket_of(debt.maturity)


def bucket_today(ticket: Ticket, day: int) -> int:
    """Return the bucket of τ, to which a ticket with τ ≥ 1 belongs today."""
    return bucket_of(ticket.debt.due - day)
