"""The judge is judged: golden runs, the vectors of section 9, the published dealer examples."""

import itertools
import random

import pytest

from tests.golden import dealer_examples, golden_rows
from tests.oracle import simulate
from tests.oracle.books import Books, Defaulted, Quoted, Rebucketed, Settled, Traded, WrittenOff
from tests.oracle.quotes import (
    Market,
    cash_leg,
    deal_if_bought,
    deal_if_sold,
    loss_rate,
    outside_quotes,
    quote,
    updated_anchor,
)
from tests.oracle.scenario import (
    MICRO,
    InitialDebt,
    Parameters,
    Start,
    ring_amounts,
    ring_due_days,
    to_micro,
)
from tests.oracle.settlement import roll_over, settle
from tests.oracle.trading import TradingDay, order_flow, rebucket

FILES = "reference_ring", "reference_balanced_passive", "oracle_balanced_active"
PARTS = 8  # of a file, so that a test takes seconds
EXAMPLES = dealer_examples()
TOLERANCE = {"phi_total": 1e-12, "delta_total": 1e-12, "dealer_pnl": 1e-6, "vbt_pnl": 1e-6}


def named(examples):
    return [pytest.param(example, id=example["name"]) for example in examples]


def as_printed(value):
    return None if value is None else pytest.approx(value, abs=5.001e-5)


# The golden runs.


def differences(row):
    """Yield what a run found and what was recorded, where the two differ."""
    outcome = simulate(**row.inputs)
    for name, expected in row.expected.items():
        got = getattr(outcome, name)
        tolerance = TOLERANCE.get(name) if None not in {got, expected} else None
        same = got == expected if tolerance is None else abs(got - expected) <= tolerance
        if not same:
            yield f"{row.name}: {name} is {got!r}, not {expected!r}"
    if outcome.cash_end_micro != outcome.cash_start_micro + outcome.injection_micro:
        yield f"{row.name}: cash is not conserved"


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("file", FILES)
def test_golden_runs_come_out_as_recorded(file, part):
    rows = golden_rows(file)[part::PARTS]
    assert [each for row in rows for each in differences(row)] == []


# Section 9.


@pytest.mark.parametrize(
    ("alpha", "drawn"),
    [
        (1, [1.020060287274801, 0.02532883904273889, 0.3216240640749656]),
        (0.5, [0.573113778473856, 0.10602716941289642, 1.3652932954931298]),
        (2, [1.1428765860350905, 3.620073783908602, 1.6675339911160236]),
    ],
)
def test_standard_library_draws_the_gammas_of_section_9(alpha, drawn):
    stream = random.Random(42)
    assert [stream.gammavariate(alpha, 1) for _ in drawn] == drawn


@pytest.mark.parametrize(
    ("concentration", "seed", "monotonicity", "faces"),
    [
        (1, 42, 0, [172, 4, 54, 42, 225]),
        (0.5, 42, 0, [121, 22, 289, 52, 14]),
        (2, 7, 0.5, [92, 203, 154, 28, 21]),
        (1, 42, 1, [225, 172, 54, 42, 4]),
        (0.1, 3, -0.3, [0, 0, 0, 2, 497]),
    ],
)
def test_ring_draws_the_debts_of_section_9(concentration, seed, monotonicity, faces):
    amounts = ring_amounts(
        n_agents=5,
        concentration=concentration,
        monotonicity=monotonicity,
        q_total=500,
        seed=seed,
    )
    assert [int(amount) for amount in amounts] == faces


@pytest.mark.parametrize(
    ("maturity_days", "mu", "due_days"),
    [
        (10, 0, [1, 1, 1, 1, 1, 1]),
        (10, 0.25, [9, 1, 3, 5, 7, 9]),
        (10, 0.5, [7, 1, 5, 9, 3, 7]),
        (10, 0.55, [6, 1, 6, 1, 6, 1]),
        (10, 0.75, [4, 1, 8, 5, 2, 9]),
        (10, 1, [2, 1, 10, 9, 8, 7]),
        (3, 0.5, [3, 1, 2, 3, 1, 2]),
        (5, 0.5, [4, 1, 3, 5, 2, 4]),
    ],
)
def test_due_days_step_round_the_ring_as_in_section_9(maturity_days, mu, due_days):
    assert ring_due_days(n_agents=6, mu=mu, maturity_days=maturity_days) == due_days


def test_ring_of_section_9_ends_as_told():
    outcome = simulate(n_agents=5, kappa=0.5, mu=0.5, maturity_days=3, q_total=500)
    assert outcome.initial_cash == (50 * MICRO,) * 5
    assert outcome.initial_debts == (
        (0, 1, 172, 3),
        (1, 2, 4, 1),
        (2, 3, 54, 2),
        (3, 4, 42, 3),
        (4, 0, 225, 1),
    )
    assert outcome.events == (
        Settled(day=1, debt=1, debtor=1, face=4),
        Defaulted(day=1, debt=4, debtor=4, face=225, paid=50 * MICRO),
        Settled(day=2, debt=2, debtor=2, face=54),
        Defaulted(day=3, debt=0, debtor=0, face=172, paid=100 * MICRO),
        Settled(day=3, debt=3, debtor=3, face=42),
    )
    assert (outcome.days_simulated, outcome.end, outcome.time_to_stability) == (6, "stable", 3)
    assert outcome.phi_total == 100 / 497
    assert outcome.cash == tuple(whole * MICRO for whole in (0, 146, 0, 62, 42))


BALANCED = {
    "kind": "balanced",
    "n_agents": 4,
    "kappa": 0.5,
    "mu": 0.5,
    "q_total": 1000,
    "outside_mid_ratio": 0.75,
}
BALANCED_CASH = (
    *(218_750_000,) * 4,
    *(2_932_304, 1_466_152, 155_325_953, 77_662_976, 29_241_744, 14_620_872),
)
BALANCED_DEBTS = (  # debtor, creditor, face, due day
    *((0, 1, 629, 7), (1, 2, 15, 1), (2, 3, 198, 5), (3, 0, 155, 9)),
    *((0, 6, 157, 7), (1, 4, 3, 1), (2, 6, 49, 5), (3, 8, 38, 9)),
    *((0, 7, 78, 7), (1, 5, 1, 1), (2, 7, 24, 5), (3, 9, 19, 9)),
)


@pytest.mark.parametrize("arm", ["passive", "active"])
def test_both_arms_start_from_the_balance_sheets_of_section_9(arm):
    outcome = simulate(**BALANCED, arm=arm)
    assert outcome.initial_cash == BALANCED_CASH
    assert outcome.initial_debts == BALANCED_DEBTS


@pytest.mark.parametrize("early_stop", [False, True])
def test_balanced_passive_run_of_section_9_ends_as_told(early_stop):
    outcome = simulate(**BALANCED, early_stop=early_stop)
    assert outcome.phi_total == pytest.approx(0.31405563689, abs=1e-11)
    assert outcome.days_simulated == 30
    traders, desks = outcome.cash[:4], outcome.cash[4:]
    assert traders == (155_000_000, 422_500_000, 15_000_000, 261_750_000)
    assert desks[2] == pytest.approx(176_075_950, abs=10)
    assert (*desks[:2], *desks[3:]) == (*BALANCED_CASH[4:6], *BALANCED_CASH[7:])


# The published dealer examples.


@pytest.mark.parametrize("example", named(EXAMPLES["quotes"]))
def test_dealer_quotes_the_published_numbers(example):
    found = quote(
        mid=example["M"],
        width=example["O"],
        ticket_size=example["S"],
        inventory=example["x"],
        cash=example["C"],
    )
    assert found.capacity == example["X_star"]
    assert found.layoff == as_printed(example["lambda"])
    assert found.inside_width == as_printed(example["I"])
    assert found.midline == as_printed(example["midline"])
    assert found.bid == as_printed(example["bid"])
    assert found.ask == as_printed(example["ask"])


@pytest.mark.parametrize("example", named(EXAMPLES["trades"]))
def test_dealer_trades_along_the_published_path(example):
    mid, width, size = example["M"], example["O"], example["S"]
    inventory, cash = example["x"], to_micro(example["C"])
    for side, price, inventory_after, cash_after in example["path"]:
        market = Market(
            quote=quote(
                mid=mid, width=width, ticket_size=size, inventory=inventory, cash=cash / MICRO
            ),
            inventory=inventory,
            dealer_cash=cash,
            vbt_cash=100 * MICRO,
        )
        deal, sign = (
            (deal_if_sold(market, size), 1)
            if side == "sell"
            else (deal_if_bought(market, size), -1)
        )
        if deal.interior:
            inventory += sign * size
            cash -= sign * cash_leg(deal.price, size)
        assert deal.price == as_printed(price)
        assert (inventory, cash / MICRO) == (inventory_after, as_printed(cash_after))


def test_anchor_moves_by_the_published_loss():
    example = EXAMPLES["anchor"]
    mid, width = updated_anchor(
        example["M"],
        example["O"],
        loss=example["loss_rate"],
        phi_m=example["phi_M"],
        phi_o=example["phi_O"],
    )
    assert (mid, width) == (as_printed(example["M_next"]), as_printed(example["O_next"]))
    assert mid - width / 2 == as_printed(example["B_next_unclipped"])
    assert outside_quotes(mid, width) == (as_printed(example["A_next"]), example["B_next"])


def test_loss_rate_is_what_was_not_paid_of_what_fell_away():
    assert loss_rate(0, 0) == 0
    assert loss_rate(25 * MICRO, 100 * MICRO) == 0.75


# Books small enough to do in one's head. Agents 0, 1, 2 are traders; in the
# balanced scenario the desks follow: vbt_short 3, dealer_short 4, … dealer_long 8.


def small_books(cash, debts, **parameters):
    begin = Start(tuple(to_micro(c) for c in cash), tuple(InitialDebt(*debt) for debt in debts))
    return Books(Parameters(n_agents=3, **parameters), begin)


def active_books(cash, debts, **parameters):
    return small_books(cash, debts, kind="balanced", arm="active", **parameters)


def test_ticket_passes_to_the_desk_of_its_new_bucket_at_the_published_price():
    example = EXAMPLES["rebucketing"]
    giver, taker = example["from"], example["to"]
    debts = [(0, 8, 1, 9), (0, 8, 1, 20), (0, 6, 1, 5)]
    cash = [0, 0, 0, 0, 0, 0, taker["C"][0], 0, giver["C"][0]]
    books = active_books(cash, debts, face_value=1, outside_mid_ratio=example["M_new"])
    rebucket(books, day=1)
    held = [ticket.holder for ticket in books.live_tickets()]
    assert (held.count(8), held.count(6)) == (giver["x"][1], taker["x"][1])
    assert (books.cash[8], books.cash[6]) == (to_micro(giver["C"][1]), to_micro(taker["C"][1]))
    assert books.events == [Rebucketed(day=1, ticket=(0, 0), giver=8, taker=6, paid=MICRO)]


RING_DUE_TODAY = [(0, 1, 10, 0), (1, 2, 10, 0), (2, 0, 10, 0)]


@pytest.mark.parametrize(("first_rich", "settled"), [(0, [0, 1, 2]), (1, [1, 2]), (2, [2])])
def test_receipts_pay_only_debts_later_in_the_order(first_rich, settled):
    """A single 10 goes round the ring if it starts with the first debtor, else not."""
    books = small_books([10 * (i == first_rich) for i in range(3)], RING_DUE_TODAY)
    today = settle(books, day=0)
    assert [debt.number for debt in today.settled] == settled


def test_expelled_debtor_pays_its_holders_in_ticket_order_and_owes_no_more():
    debts = [(0, 1, 50, 0), (0, 2, 7, 5)]
    books = active_books([30, 0, 0, 0, 0, 0, 0, 0, 0], debts, face_value=20)
    for ticket, holder in zip(books.live_debts()[0].tickets, (1, 2, 1), strict=True):
        ticket.holder = holder
    settle(books, day=0)
    assert books.cash[:3] == [0, 20 * MICRO, 10 * MICRO]
    assert books.events == [Defaulted(0, 0, 0, 50, 30 * MICRO), WrittenOff(0, 1, 0, 7)]


def test_last_agent_standing_does_not_default():
    books = small_books([0, 0, 4], RING_DUE_TODAY)
    today = settle(books, day=0)
    assert (today.end, books.defaulted) == ("all-defaulted", {0, 1})
    assert books.cash == [0, 0, 4 * MICRO]


def test_fail_fast_ends_the_run_and_marks_nobody():
    books = small_books([4, 0, 10], RING_DUE_TODAY, default_handling="fail-fast")
    today = settle(books, day=0)
    assert (today.end, today.settled, books.defaulted) == ("default", [], set())
    assert books.cash == [4 * MICRO, 0, 10 * MICRO]


def test_claim_is_renewed_at_full_face_where_its_lender_is_short_of_cash():
    books = small_books([10, 0, 0], [(0, 1, 10, 1), (1, 2, 6, 1)])
    roll_over(books, settle(books, day=1).settled, day=1)
    assert [(debt.face, debt.due) for debt in books.live_debts()] == [(10, 2), (6, 2)]
    assert books.cash == [4 * MICRO, 6 * MICRO, 0]


def test_seller_offers_the_highest_bid_then_the_earliest_due_then_the_first_ticket():
    """Trader 0 lacks 10 on day 2. Its ticket due on day 1 comes too early to help by sale."""
    debts = [(1, 0, 1, 1), (1, 0, 1, 3), (1, 0, 1, 2), (2, 0, 1, 2), (2, 0, 1, 9), (0, 1, 12, 2)]
    books = active_books([0, 0, 0, 9, 0, 9, 0, 9, 0], debts)
    trading = TradingDay(books, 0, order_flow(42))
    assert (trading.needs[0].amount, trading.needs[0].day) == (11 * MICRO, 2)
    trading.carry_out()
    trades = [event for event in books.events if isinstance(event, Traded)]
    assert [trade.ticket for trade in trades] == [(2, 0), (3, 0), (1, 0), (4, 0)]


def test_first_of_equal_shortfalls_decides_what_can_be_sold():
    """Trader 0 lacks 10 on day 2, and again on day 4; the claim due on day 3 may go."""
    books = active_books([0] * 9, [(0, 1, 10, 2), (1, 0, 4, 3), (0, 1, 4, 4)])
    need = TradingDay(books, 0, order_flow(42)).needs[0]
    assert (need.amount, need.day) == (10 * MICRO, 2)


def test_trader_sells_no_more_than_it_needs():
    books = active_books([0, 0, 0, 99, 0, 0, 0, 0, 0], [(1, 0, 10, 2), (0, 1, 1, 1)], face_value=2)
    TradingDay(books, 0, order_flow(42)).carry_out()
    trades = [event for event in books.events if isinstance(event, Traded)]
    assert [(trade.face, trade.price, trade.interior) for trade in trades] == [(2, 0.9, False)]
    assert books.cash[:4] == [1_800_000, 0, 0, 97_200_000]


def test_unlimited_outside_pays_what_the_vbt_lacks():
    debts = [(1, 0, 10, 2), (0, 1, 5, 1)]
    books = active_books([0, 0, 0, 4, 0, 0, 0, 0, 0], debts, outside_depth="unlimited")
    TradingDay(books, 0, order_flow(42)).carry_out()
    assert books.injected == 5 * MICRO
    assert books.cash[:4] == [9 * MICRO, 0, 0, 0]


def test_quotes_are_recomputed_after_every_trade_in_the_bucket():
    outcome = simulate(**BALANCED, arm="active")
    shown = [event for event in outcome.events if isinstance(event, (Quoted, Traded))]
    for event, following in itertools.pairwise(shown):
        if isinstance(event, Traded):
            assert isinstance(following, Quoted)
            assert following.bucket == event.bucket


def test_same_parameters_give_the_same_run():
    assert simulate(**BALANCED, arm="active") == simulate(**BALANCED, arm="active")


def test_active_arm_of_the_plain_ring_is_refused():
    with pytest.raises(ValueError, match="arm is 'active'"):
        simulate(kind="ring", arm="active")
