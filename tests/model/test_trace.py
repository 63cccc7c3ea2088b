from collections import Counter, defaultdict
from itertools import groupby

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from bilancio.model import simulate
from bilancio.model.tables import SimEvent, code
from tests import oracle
from tests.model.strategies import runs
from tests.oracle.books import Defaulted, Rebucketed, RolledOver, Settled, Traded

few = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)

ORACLES = (Traded, Settled, Defaulted, RolledOver, Rebucketed)
SALE = (
    ("day", "day"),
    ("holder", "customer"),
    ("payee", "customer"),
    ("payer", "desk"),
    ("face", "face"),
    ("price", "price"),
    ("cash_micro", "cash"),
)


def events(run, what):
    return run.trace.events[run.trace.events["event"] == code(what)]


def test_a_run_is_not_traced_unless_asked():
    assert simulate(kind="ring", n_agents=5).trace is None


@few
@given(runs())
def test_a_traced_run_finds_what_an_untraced_one_finds(fields):
    run, traced = simulate(**fields), simulate(trace=True, **fields)
    assert run == traced
    assert run.cash.tolist() == traced.cash.tolist() == traced.trace.balances[-1].tolist()
    assert traced.trace.balances[0].sum() == run.cash_start_micro


@few
@given(runs())
def test_what_happened_adds_up_to_the_metrics(fields):
    run = simulate(trace=True, **fields)
    assert events(run, SimEvent.DEFAULTED)["face"].sum() == run.defaulted_face
    assert events(run, SimEvent.DEFAULTED)["cash_micro"].sum() == run.recovered_micro
    assert events(run, SimEvent.WRITTEN_OFF)["face"].sum() == run.written_off_face
    assert events(run, SimEvent.SOLD)["face"].sum() == run.traded_face
    assert events(run, SimEvent.INJECTED)["cash_micro"].sum() == run.injection_micro
    assert len(events(run, SimEvent.SOLD)) == run.n_trades
    assert max(events(run, SimEvent.SETTLED)["day"], default=None) == run.time_to_stability


@few
@given(runs(kinds=["active"]))
def test_sales_settlements_and_defaults_are_the_oracles_one_by_one(fields):
    run, judge = simulate(trace=True, **fields), oracle.simulate(**fields)
    happened = {kind: [e for e in judge.events if isinstance(e, kind)] for kind in ORACLES}
    sold = events(run, SimEvent.SOLD)
    for column, name in SALE:
        assert sold[column].tolist() == [getattr(trade, name) for trade in happened[Traded]]
    for what, kind, paid in (
        (SimEvent.SETTLED, Settled, lambda event: event.face * 10**6),
        (SimEvent.DEFAULTED, Defaulted, lambda event: event.paid),
        (SimEvent.ROLLED_OVER, RolledOver, lambda event: event.lent),
    ):
        assert debts(events(run, what)) == [(e.day, e.face, paid(e)) for e in happened[kind]]
    passed_on = Counter()
    for event in happened[Rebucketed]:
        passed_on[event.day, event.giver, event.taker] += event.paid
    for row in events(run, SimEvent.REBUCKETED):
        assert row["payee"] == row["holder"]
        passed_on[row["day"], row["holder"], row["payer"]] -= row["cash_micro"]
    assert not any(passed_on.values())


def debts(rows):
    """Return day, face and cash of each debt, whose holders have a row each."""
    found = []
    for (day, *_), parts in groupby(
        rows, key=lambda row: (row["day"], row["debtor"], row["claim"])
    ):
        held = [(int(row["face"]), int(row["cash_micro"])) for row in parts]
        found.append((day, *map(sum, zip(*held, strict=True))))
    return found


@few
@given(runs())
def test_everybodys_cash_follows_from_the_events(fields):
    """On each day, to the last micro-unit, and nobody pays what it does not have."""
    trace = simulate(trace=True, **fields).trace
    cash = trace.balances[0].copy()
    for day, balances in enumerate(trace.balances[1:]):
        for row in trace.events[trace.events["day"] == day]:
            if row["payer"] >= 0:
                cash[row["payer"]] -= row["cash_micro"]
                assert cash[row["payer"]] >= 0
            if row["payee"] >= 0:
                cash[row["payee"]] += row["cash_micro"]
        assert cash.tolist() == balances.tolist()


@few
@given(runs())
def test_who_holds_which_part_of_a_debt_follows_from_the_events(fields):
    run = simulate(trace=True, **fields)
    n = run.parameters.n_agents
    held = defaultdict(Counter)
    for debtor, creditor, face, _ in oracle.simulate(**fields).initial_debts:
        claim = 0 if creditor < n else 1 + (creditor - n) % 2
        held[debtor, claim] = Counter({creditor: face})
    names = list(SimEvent)
    what = ["event", "debtor", "claim", "day"]
    for (code_of_event, *debt, _), rows in groupby(run.trace.events, lambda row: row[what].item()):
        event, of_debt, told = names[code_of_event], held[tuple(debt)], list(rows)
        if event in {SimEvent.SOLD, SimEvent.REBUCKETED}:
            for row in told:
                assert 0 < row["face"] <= of_debt[row["holder"]]
                of_debt[row["holder"]] -= row["face"]
                of_debt[row["payer"]] += row["face"]
        elif event != SimEvent.INJECTED:
            now = Counter({int(row["holder"]): int(row["face"]) for row in told})
            assert now <= of_debt if event == SimEvent.ROLLED_OVER else +now == +of_debt
            held[tuple(debt)] = now


@pytest.mark.nojit
def test_quotes_of_a_day_open_at_the_anchors():
    run = simulate(kind="balanced", arm="active", n_agents=10, mu=0.5, trace=True)
    quotes = run.trace.quotes
    assert len(quotes) == 3 * run.days_simulated
    assert quotes["mid"][:3].tolist() == [1.0, 1.0, 1.0]
    assert quotes["spread"][:3].tolist() == [0.20, 0.30, 0.40]
    assert np.all(quotes["bid"] <= quotes["ask"])


@pytest.mark.nojit
def test_the_ring_printed_happens_as_printed():
    run = simulate(
        kind="ring", n_agents=5, kappa=0.5, mu=0.5, maturity_days=3, q_total=500, trace=True
    )
    names = list(SimEvent)
    told = [(names[e["event"]], e["day"], e["debtor"] + 1, e["face"]) for e in run.trace.events]
    assert told == [
        ("settled", 1, 2, 4),
        ("defaulted", 1, 5, 225),
        ("settled", 2, 3, 54),
        ("defaulted", 3, 1, 172),
        ("settled", 3, 4, 42),
    ]


def test_rows_of_a_trace_name_agents_and_write_money(tmp_path):
    run = simulate(
        kind="ring", n_agents=5, kappa=0.5, mu=0.5, maturity_days=3, q_total=500, trace=True
    )
    assert next(run.trace.event_rows()) == {
        "day": 1, "event": "settled", "debtor": "H2", "creditor": "H3", "holder": "H3",
        "payer": "H2", "payee": "H3", "face": 4, "cash": 4.0, "price": None,
    }  # fmt: skip
    *_, last = run.trace.balance_rows()
    assert last == {"after_day": 5, "H1": 0.0, "H2": 146.0, "H3": 0.0, "H4": 62.0, "H5": 42.0}
    assert list(run.trace.quote_rows()) == []
    assert [path.name for path in run.trace.write(tmp_path)] == [
        "events.csv", "events.jsonl", "balances.csv",
    ]  # fmt: skip


@pytest.mark.nojit
@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "ring", "rollover": True},
        {"kind": "ring", "default_handling": "fail-fast"},
        {"kind": "balanced", "mu": 0.5},
        {"kind": "balanced", "mu": 0.5, "arm": "active"},
        {"kind": "balanced", "mu": 1, "arm": "active", "outside_depth": "unlimited", "phi_m": 0},
    ],
    ids=["ring", "fail-fast", "passive", "active", "unlimited"],
)
def test_everybodys_money_follows_from_the_rows_that_are_written(fields):
    run = simulate(n_agents=12, kappa=0.3, trace=True, **fields)
    cash, *later = [dict(row) for row in run.trace.balance_rows()]
    cash[None] = 0
    for row in run.trace.event_rows():
        cash[row["payer"]] -= row["cash"]
        cash[row["payee"]] += row["cash"]
    del cash["after_day"], later[-1]["after_day"]
    assert -cash.pop(None) == pytest.approx(run.injection_micro / 10**6, abs=1e-6)
    assert cash == pytest.approx(later[-1], abs=1e-6)
    assert (run.injection_micro > 0) == ("outside_depth" in fields)


def test_rows_of_a_debt_that_was_sold_in_part_name_each_holder():
    run = simulate(kind="balanced", arm="active", n_agents=10, kappa=0.5, mu=0.5, trace=True)
    rows = [row for row in run.trace.event_rows() if row["debtor"] == "H4"]
    sold = {row["payer"] for row in rows if row["event"] == "sold"}
    assert sold == {"dealer_long", "vbt_long"}
    assert all(row["holder"] == row["payee"] == "H5" for row in rows if row["event"] == "sold")
    ended = [row for row in rows if row["event"] in {"settled", "defaulted"}]
    assert {row["creditor"] for row in ended if row["holder"].endswith("short")} >= {"H5"}
    assert all(row["payer"] == "H4" and row["payee"] == row["holder"] for row in ended)
    renewed = [row for row in rows if row["event"] == "rolled-over"]
    assert all(row["payer"] == row["holder"] and row["payee"] == "H4" for row in renewed)
