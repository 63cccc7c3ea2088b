"""Sections 6 and 7: re-bucketing, trading to avoid default, and the update of anchors."""

import random
from collections import Counter
from typing import NamedTuple

from tests.oracle.books import (
    AnchorMoved,
    Books,
    Quoted,
    Rebucketed,
    Ticket,
    Traded,
    bucket_today,
)
from tests.oracle.quotes import (
    Deal,
    Market,
    cash_leg,
    deal_if_sold,
    loss_rate,
    quote,
    updated_anchor,
)
from tests.oracle.scenario import BUCKETS, MICRO
from tests.oracle.settlement import Settlement


def order_flow(seed: int) -> random.Random:
    """Return the stream of the order flow, which is its own (section 0)."""
    return random.Random(1_000_003 * (seed + 1))


def rebucket(books: Books, day: int) -> None:
    """Pass tickets of dealers and VBTs on to the desk of their bucket today (section 6)."""
    vbts = [books.vbt(b) for b in BUCKETS]
    for ticket in books.live_tickets():
        if ticket.debt.due <= day or books.is_trader(ticket.holder):
            continue
        bucket = bucket_today(ticket, day)
        taker = books.vbt(bucket) if ticket.holder in vbts else books.dealer(bucket)
        giver = ticket.holder
        if giver == taker:
            continue
        paid = min(cash_leg(books.mids[bucket], ticket.face), books.cash[taker])
        books.pay(taker, giver, paid)
        ticket.holder = taker
        books.events.append(Rebucketed(day, ticket.name, giver, taker, paid))


class Offer(NamedTuple):
    """The ticket that a trader offers, and on what terms it would be sold now."""

    ticket: Ticket
    deal: Deal


class Need(NamedTuple):
    """What a trader will be short of, in micro-units, and on which day first that much."""

    amount: int
    day: int


class TradingDay:
    """Traders that see a shortfall coming sell tickets to dealers and VBTs (section 7)."""

    def __init__(self, books: Books, day: int, stream: random.Random) -> None:
        self.books = books
        self.day = day
        self.stream = stream
        p = books.parameters
        self.last_day = day + p.looks_ahead
        self.traders = [i for i in range(p.n_agents) if i not in books.defaulted]

        # What each agent has to pay and to receive by day, in whole units; the
        # tickets that each could sell, in ticket order.
        self.dues = [Counter() for _ in books.cash]
        self.receivables = [Counter() for _ in books.cash]
        self.sellable: list[list[Ticket]] = [[] for _ in books.cash]
        for ticket in books.live_tickets():
            due = ticket.debt.due
            self.dues[ticket.debt.debtor][due] += ticket.face
            self.receivables[ticket.holder][due] += ticket.face
            if ticket.face > 0 and due > day:
                self.sellable[ticket.holder].append(ticket)

        self.needs = {trader: self.need(trader) for trader in self.traders}
        self.markets = [self.market(b) for b in BUCKETS]
        self.deals: list[dict[int, Deal | None]] = [{} for _ in BUCKETS]

    def need(self, trader: int) -> Need:
        """Section 7.1: the largest forward gap, and the first day of that maximum."""
        gap = -self.books.cash[trader]
        worst = Need(0, self.day)
        for day in range(self.day, self.last_day + 1):
            gap += self.dues[trader][day] * MICRO
            if gap > worst.amount:
                worst = Need(gap, day)
            gap -= self.receivables[trader][day] * MICRO
        return worst

    def market(self, bucket: int) -> Market:
        """Quote a bucket (section 6)."""
        books, dealer = self.books, self.books.dealer(bucket)
        mid, width = books.mids[bucket], books.widths[bucket]
        inventory = sum(ticket.face for ticket in self.sellable[dealer])
        q = quote(
            mid=mid,
            width=width,
            ticket_size=books.parameters.face_value,
            inventory=inventory,
            cash=books.cash[dealer] / MICRO,
        )
        outside = q.outside_bid, q.outside_ask
        shown = (mid, width, *outside, q.bid, q.ask, inventory, q.capacity)
        books.events.append(Quoted(self.day, bucket, *shown))
        return Market(
            quote=q,
            inventory=inventory,
            dealer_cash=books.cash[dealer],
            vbt_cash=books.cash[books.vbt(bucket)],
            unlimited=books.parameters.outside_depth == "unlimited",
        )

    def deal(self, ticket: Ticket) -> Deal | None:
        """Return the terms for a ticket; remembered, for they depend on bucket and face only."""
        bucket, face = bucket_today(ticket, self.day), ticket.face
        remembered = self.deals[bucket]
        if face not in remembered:
            remembered[face] = deal_if_sold(self.markets[bucket], face)
        return remembered[face]

    def offer(self, trader: int) -> Offer | None:
        """Section 7.2: of the tickets that mature late enough, the one with the highest bid."""
        need = self.needs[trader]
        if need.amount == 0:
            return None
        best = None
        for ticket in self.sellable[trader]:
            if ticket.debt.due < need.day:
                continue
            deal = self.deal(ticket)
            if deal and (best is None or _better(Offer(ticket, deal), best)):
                best = Offer(ticket, deal)
        return best

    def carry_out(self) -> None:
        """Section 7.3: while any trader can sell, one drawn by lot sells one ticket."""
        while True:
            offers = [offer for trader in self.traders if (offer := self.offer(trader))]
            if not offers:
                return
            self.sell(offers[self.stream.randrange(len(offers))])

    def sell(self, offer: Offer) -> None:
        """Move the ticket one way and the cash the other; quote and reckon again."""
        books, (ticket, deal) = self.books, offer
        seller, bucket = ticket.holder, bucket_today(ticket, self.day)
        desk = books.dealer(bucket) if deal.interior else books.vbt(bucket)
        cash = cash_leg(deal.price, ticket.face)
        injected = max(0, cash - books.cash[desk])
        books.cash[desk] += injected
        books.injected += injected
        books.pay(desk, seller, cash)
        ticket.holder = desk

        self.receivables[seller][ticket.debt.due] -= ticket.face
        self.receivables[desk][ticket.debt.due] += ticket.face
        self.sellable[seller].remove(ticket)
        self.sellable[desk].append(ticket)
        terms = ticket.face, bucket, deal.price, cash, deal.interior, injected
        books.events.append(Traded(self.day, "sell", seller, desk, ticket.name, *terms))

        self.markets[bucket] = self.market(bucket)
        self.deals[bucket] = {}
        self.needs[seller] = self.need(seller)


def _better(offer: Offer, best: Offer) -> bool:
    """Tell whether an offer later in ticket order is to be preferred: bid, then due day."""
    if offer.deal.price != best.deal.price:
        return offer.deal.price > best.deal.price
    return offer.ticket.debt.due < best.ticket.debt.due


def update_anchors(books: Books, today: Settlement, day: int) -> None:
    """Lower the mids and widen the spreads by the day's losses (section 6)."""
    p = books.parameters
    if not p.anchor_update:
        return
    for b in BUCKETS:
        loss = loss_rate(today.paid[b], today.gone[b])
        books.mids[b], books.widths[b] = updated_anchor(
            books.mids[b], books.widths[b], loss=loss, phi_m=p.phi_m, phi_o=p.phi_o
        )
        if loss:
            books.events.append(AnchorMoved(day, b, loss, books.mids[b], books.widths[b]))
