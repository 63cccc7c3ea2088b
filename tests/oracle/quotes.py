"""Section 6: outside quotes, the dealer's quotes, and at what price a ticket trades.

Prices are doubles per unit of face; evaluated in the order written in MODEL.md.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

from tests.oracle.scenario import MICRO

GUARD = 0.02  # at this anchor and below the dealer quotes the outside


class Quote(NamedTuple):
    """What a bucket's VBT (A, B) and dealer (bid, ask) quote, and how that came about.

    ``layoff``, ``inside_width`` and ``midline`` are None where the dealer
    quotes the outside.
    """

    outside_ask: float
    outside_bid: float
    capacity: int  # X*, in face
    layoff: float | None  # lambda
    inside_width: float | None  # I
    midline: float | None  # p
    bid: float
    ask: float


def outside_quotes(mid: float, width: float) -> tuple[float, float]:
    """Return A and B, at which the VBT stands ready."""
    return mid + width / 2, max(0.0, mid - width / 2)


def quote(*, mid: float, width: float, ticket_size: int, inventory: int, cash: float) -> Quote:
    """Return the quotes of a bucket with anchors M and O, and a dealer with x and C (money)."""
    outside_ask, outside_bid = outside_quotes(mid, width)
    carries = 0
    if mid > GUARD:
        value = mid * inventory + cash  # V
        carries = math.floor(value / (mid * ticket_size))  # K*
    if carries <= 0:
        return Quote(outside_ask, outside_bid, 0, None, None, None, outside_bid, outside_ask)
    capacity = ticket_size * carries
    layoff = ticket_size / (capacity + ticket_size)
    inside = layoff * width
    midline = mid - width / (capacity + 2 * ticket_size) * (inventory - capacity / 2)
    ask = min(outside_ask, midline + inside / 2)
    bid = max(outside_bid, midline - inside / 2)
    return Quote(outside_ask, outside_bid, capacity, layoff, inside, midline, bid, ask)


def cash_leg(price: float, face: int) -> int:
    """Return what a ticket costs, in micro-units (section 0)."""
    return round(price * face * MICRO)


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """One bucket at one moment: its quotes and what its two desks can do. Cash in micro-units."""

    quote: Quote
    inventory: int
    dealer_cash: int
    vbt_cash: int
    unlimited: bool = False


class Deal(NamedTuple):
    """The price at which a ticket would in fact trade now, and whether with the dealer."""

    price: float
    interior: bool


def deal_if_sold(market: Market, face: int) -> Deal | None:
    """Return on what terms a customer can sell a ticket of *face* now, None if it cannot."""
    q = market.quote
    if (
        q.bid > 0
        and market.inventory + face <= q.capacity
        and market.dealer_cash >= cash_leg(q.bid, face)
    ):
        return Deal(q.bid, interior=True)
    vbt_can_pay = market.unlimited or market.vbt_cash >= cash_leg(q.outside_bid, face)
    if q.outside_bid > 0 and vbt_can_pay:
        return Deal(q.outside_bid, interior=False)
    return None


def deal_if_bought(market: Market, face: int) -> Deal:
    """Return on what terms a customer buys a ticket of *face* that dealer or VBT has."""
    q = market.quote
    if q.capacity > 0 and market.inventory >= face:
        return Deal(q.ask, interior=True)
    return Deal(q.outside_ask, interior=False)


def loss_rate(paid: int, gone: int) -> float:
    """Return 1 − P/F for P paid and F of face gone, both in micro-units; 0 if F = 0."""
    return 1 - paid / gone if gone else 0.0


def updated_anchor(
    mid: float, width: float, *, loss: float, phi_m: float, phi_o: float
) -> tuple[float, float]:
    """Return M and O after a loss rate."""
    return max(0.0, mid - phi_m * loss), width + phi_o * loss
