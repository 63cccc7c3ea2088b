"""Sections 3 and 8: the days of a run, and what is measured of it."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from tests.oracle.books import Books, Defaulted, Event, Settled, Traded, WrittenOff
from tests.oracle.scenario import BUCKETS, MICRO, InitialDebt, Parameters, Start, start
from tests.oracle.settlement import Settlement, roll_over, settle
from tests.oracle.trading import TradingDay, order_flow, rebucket, update_anchors


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A run's metrics (section 8), where it started, where it ended, what happened.

    Faces are in whole units, P&L is in money, names ending in ``_micro`` and
    the tuples of cash (by agent, in the order of agents) in micro-units.
    """

    phi_total: float | None
    delta_total: float | None
    n_defaults: int
    days_simulated: int
    end: str
    cash_start_micro: int
    cash_end_micro: int
    injection_micro: int
    defaulted_face: int
    written_off_face: int
    recovered_micro: int
    time_to_stability: int | None
    n_trades: int
    n_interior: int
    n_passthrough: int
    traded_face: int
    dealer_pnl: float
    vbt_pnl: float
    dealer_start: float
    dealer_return: float | None
    initial_cash: tuple[int, ...]
    initial_debts: tuple[InitialDebt, ...]
    cash: tuple[int, ...]
    events: tuple[Event, ...]


def simulate(**parameters: Any) -> Outcome:
    """Carry out one run; keywords and defaults are the fields of ``Parameters``."""
    p = Parameters(**parameters)
    begin = start(p)
    books = Books(p, begin)
    vbts_before, dealers_before = _desks_value(books, books.vbt), _desks_value(books, books.dealer)
    days_simulated, end = _carry_out(books)
    vbt_pnl = _desks_value(books, books.vbt) - vbts_before - books.injected / MICRO
    dealer_pnl = _desks_value(books, books.dealer) - dealers_before

    def happened(kind: type[Event]) -> list[Any]:
        return [event for event in books.events if isinstance(event, kind)]

    settled, defaults, trades = happened(Settled), happened(Defaulted), happened(Traded)
    phi = _clearing_rate(begin, settled)
    return Outcome(
        phi_total=None if phi is None else float(phi),
        delta_total=None if phi is None else float(1 - phi),
        n_defaults=len(books.defaulted),
        days_simulated=days_simulated,
        end=end,
        cash_start_micro=sum(begin.cash),
        cash_end_micro=sum(books.cash),
        injection_micro=books.injected,
        defaulted_face=sum(default.face for default in defaults),
        written_off_face=sum(event.face for event in happened(WrittenOff)),
        recovered_micro=sum(default.paid for default in defaults),
        time_to_stability=max((event.day for event in settled), default=None),
        n_trades=len(trades),
        n_interior=sum(trade.interior for trade in trades),
        n_passthrough=sum(not trade.interior for trade in trades),
        traded_face=sum(trade.face for trade in trades),
        dealer_pnl=dealer_pnl,
        vbt_pnl=vbt_pnl,
        dealer_start=dealers_before,
        dealer_return=dealer_pnl / dealers_before if dealers_before else None,
        initial_cash=begin.cash,
        initial_debts=begin.debts,
        cash=tuple(books.cash),
        events=tuple(books.events),
    )


def _carry_out(books: Books) -> tuple[int, str]:
    """Go from day to day (section 3); return the days completed and how the run ended."""
    p = books.parameters
    stream = order_flow(p.seed)
    most_days = max(30, p.maturity_days + 5)
    quiet = 0
    for day in range(most_days):
        if p.active:
            rebucket(books, day)
            TradingDay(books, day, stream).carry_out()
        today = settle(books, day)
        if today.end:
            return day, today.end
        _close_day(books, today, day)
        quiet = 0 if today.settled else quiet + 1
        if quiet >= p.quiet_days and _nothing_to_wait_for(books):
            return day + 1, "stable"
    return most_days, "max-days"


def _close_day(books: Books, today: Settlement, day: int) -> None:
    if books.parameters.rolls_over:
        roll_over(books, today.settled, day)
    if books.parameters.active:
        update_anchors(books, today, day)


def _nothing_to_wait_for(books: Books) -> bool:
    if not books.parameters.rolls_over:
        return not books.live_debts()
    return books.parameters.early_stop or not any(debt.initial for debt in books.live_debts())


def _clearing_rate(begin: Start, settled: list[Settled]) -> Fraction | None:
    """Return phi over the initial debts, which are the first contracts; None if all are 0."""
    owed = sum(debt.face for debt in begin.debts)
    cleared = sum(event.face for event in settled if event.debt < len(begin.debts))
    return Fraction(cleared, owed) if owed else None


def _desks_value(books: Books, desk_of: Callable[[int], int]) -> float:
    """Return the desks' cash and their live tickets at M_b, in money; 0 in the plain ring."""
    if books.parameters.kind == "ring":
        return 0.0
    value = 0.0
    for b in BUCKETS:
        desk = desk_of(b)
        held = sum(ticket.face for ticket in books.live_tickets() if ticket.holder == desk)
        value += books.cash[desk] / MICRO + books.mids[b] * held
    return value
