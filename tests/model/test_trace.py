import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from bilancio.model import simulate
from bilancio.model.tables import SimEvent, code
from tests import oracle
from tests.model.strategies import runs
from tests.oracle.books import Defaulted, Settled, Traded

few = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)

ORACLES = (Traded, Settled, Defaulted)
SALE = (
    ("day", "day"),
    ("agent", "customer"),
    ("desk", "desk"),
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
    for what, kind in ((SimEvent.SETTLED, Settled), (SimEvent.DEFAULTED, Defaulted)):
        assert events(run, what)["day"].tolist() == [event.day for event in happened[kind]]
        assert events(run, what)["face"].tolist() == [event.face for event in happened[kind]]


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
    told = [(names[e["event"]], e["day"], e["agent"] + 1, e["face"]) for e in run.trace.events]
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
        "day": 1, "event": "settled", "debtor": "H2", "creditor": "H3", "buyer": None,
        "face": 4, "cash": 4.0, "price": None,
    }  # fmt: skip
    *_, last = run.trace.balance_rows()
    assert last == {"after_day": 5, "H1": 0.0, "H2": 146.0, "H3": 0.0, "H4": 62.0, "H5": 42.0}
    assert list(run.trace.quote_rows()) == []
    assert [path.name for path in run.trace.write(tmp_path)] == [
        "events.csv", "events.jsonl", "balances.csv",
    ]  # fmt: skip


@few
@given(runs())
def test_in_a_plain_ring_what_was_paid_adds_up_to_the_balances(fields):
    run = simulate(trace=True, **fields)
    if run.parameters.kind == "ring":
        start, *_, end = [dict(row) for row in run.trace.balance_rows()]
        for row in run.trace.event_rows():
            way = -1 if row["event"] == "rolled-over" else 1
            start[row["debtor"]] -= way * row["cash"]
            start[row["creditor"]] += way * row["cash"]
        del start["after_day"], end["after_day"]
        assert start == pytest.approx(end, abs=1e-3)
