"""Sections 4 and 5: debts due today are paid or defaulted on, then rolled over."""

from dataclasses import dataclass, field

from tests.oracle.books import (
    Books,
    Debt,
    Defaulted,
    RolledOver,
    Settled,
    WrittenOff,
    issue_bucket,
)
from tests.oracle.scenario import BUCKETS, MICRO


@dataclass(slots=True)
class Settlement:
    """What settlement did on one day.

    ``end`` says why the run ended at once, None if it goes on. ``paid`` and
    ``gone`` are by bucket of ΔT, in micro-units: the amount paid on debts, and
    the face of debts settled, defaulted on or written off.
    """

    settled: list[Debt] = field(default_factory=list)
    end: str | None = None
    paid: list[int] = field(default_factory=lambda: [0 for _ in BUCKETS])
    gone: list[int] = field(default_factory=lambda: [0 for _ in BUCKETS])


def settle(books: Books, day: int) -> Settlement:
    """Take the debts due today one by one in contract order (section 4)."""
    today = Settlement()
    for debt in books.live_debts():
        if debt.due != day or not debt.live:  # written off a moment ago, perhaps
            continue
        if books.cash[debt.debtor] >= debt.face * MICRO:
            _settle_in_full(books, debt, day, today)
        elif books.parameters.default_handling == "fail-fast":
            today.end = "default"
        elif len(books.defaulted) + 1 == len(books.cash):
            today.end = "all-defaulted"
        else:
            _expel(books, debt, day, today)
        if today.end:
            break
    return today


def _settle_in_full(books: Books, debt: Debt, day: int, today: Settlement) -> None:
    _pay_holders(books, debt, today)
    _close(debt, today)
    today.settled.append(debt)
    books.events.append(Settled(day, debt.number, debt.debtor, debt.face))


def _expel(books: Books, debt: Debt, day: int, today: Settlement) -> None:
    """Pay out all the debtor's cash, mark it, write off every other debt it owes."""
    paid = _pay_holders(books, debt, today)
    _close(debt, today)
    books.defaulted.add(debt.debtor)
    books.events.append(Defaulted(day, debt.number, debt.debtor, debt.face, paid))
    for other in books.live_debts():
        if other.debtor == debt.debtor:
            _close(other, today)
            books.events.append(WrittenOff(day, other.number, other.debtor, other.face))


def _pay_holders(books: Books, debt: Debt, today: Settlement) -> int:
    """Pay the tickets in ticket order until they are paid or the debtor's cash is gone."""
    paid = 0
    for ticket in debt.tickets:
        amount = min(ticket.face * MICRO, books.cash[debt.debtor])
        books.pay(debt.debtor, ticket.holder, amount)
        paid += amount
    today.paid[issue_bucket(debt)] += paid
    return paid


def _close(debt: Debt, today: Settlement) -> None:
    debt.live = False
    today.gone[issue_bucket(debt)] += debt.face * MICRO


def roll_over(books: Books, settled: list[Debt], day: int) -> None:
    """Renew the debts settled today, in the order of settlement (section 5)."""
    for debt in settled:
        if debt.debtor in books.defaulted:
            continue
        renewed = [t for t in debt.tickets if t.holder not in books.defaulted]
        if not renewed:
            continue
        lent = 0
        for ticket in renewed:
            amount = min(ticket.face * MICRO, books.cash[ticket.holder])
            books.pay(ticket.holder, debt.debtor, amount)
            lent += amount
        parts = [(ticket.face, ticket.holder) for ticket in renewed]
        new = books.issue(debt.debtor, parts, day=day, due=day + debt.maturity)
        books.events.append(RolledOver(day, debt.number, new.number, new.face, lent))
