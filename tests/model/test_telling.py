"""A run told day by day tells what its metrics and balances say."""

import itertools

import pytest
from hypothesis import given, settings

from bilancio.model import simulate
from bilancio.model.tables import SimEvent
from bilancio.model.telling import KINDS, agent_name, clause, told_days, totals
from bilancio.model.trace import DESKS, MICRO
from tests.model.strategies import runs

ALL = 10**6


def traced(**fields):
    run = simulate(trace=True, **fields)
    return run, list(run.trace.event_rows())


@settings(max_examples=30, deadline=None)
@given(runs())
def test_totals_are_the_metrics_of_the_run(fields):
    run, rows = traced(**fields)
    told = totals(rows)
    assert len(told.defaulting) == run.n_defaults
    assert told.counts.get("sold", 0) == run.n_trades
    assert told.faces.get("sold", 0) == run.traded_face
    assert told.faces.get("written-off", 0) == run.written_off_face
    assert told.faces.get("defaulted", 0) == run.defaulted_face
    assert told.paid.get("defaulted", 0) * MICRO == pytest.approx(run.recovered_micro)
    assert told.paid.get("injected", 0) * MICRO == pytest.approx(run.injection_micro)


@settings(max_examples=30, deadline=None)
@given(runs())
def test_days_add_up_to_the_whole_run(fields):
    _, rows = traced(**fields)
    days = told_days(rows, limit=3)
    whole = totals(rows)
    for kind in KINDS:
        count = sum(day.told.counts.get(kind, 0) * (day.last - day.day + 1) for day in days)
        assert count == whole.counts.get(kind, 0)
        face = sum(day.told.faces.get(kind, 0) * (day.last - day.day + 1) for day in days)
        assert face == whole.faces.get(kind, 0)


def test_cash_of_an_agent_follows_from_what_is_told_of_it():
    run, rows = traced(kind="balanced", arm="active", n_agents=10, kappa=0.5, mu=0.5)
    start, *_, end = run.trace.balance_rows()
    for agent in ("H2", "H7", *DESKS):
        days = told_days(rows, agents=[agent], limit=ALL)
        events = [row for row in rows if agent in {row["payer"], row["payee"]}]
        told = [event for day in days for event in day.events]
        assert all(any(clause(row) in event for event in told) for row in events)
        change = sum(
            row["cash"] * ((row["payee"] == agent) - (row["payer"] == agent)) for row in events
        )
        assert end[agent] - start[agent] == pytest.approx(change, abs=1e-6)


def test_days_on_which_the_same_happened_to_an_agent_are_told_once():
    _, rows = traced(kind="balanced", arm="active", n_agents=10, kappa=0.5, mu=0)
    days = told_days(rows, agents=["H2"], limit=ALL)
    assert days[-1].events
    assert days[-1].last - days[-1].day > 20
    for one, other in itertools.pairwise(days):
        assert (one.events, one.last + 1) != (other.events, other.day)


def test_the_ring_printed_in_the_model_is_told():
    """MODEL.md, section 9."""
    ring = {"kind": "ring", "n_agents": 5, "kappa": 0.5, "mu": 0.5, "maturity_days": 3}
    _, rows = traced(**ring, q_total=500)
    days = {day.day: day for day in told_days(rows, limit=3)}
    assert days[1].told.sentence.startswith("H5 defaults, paying 50 of 225")
    assert days[1].events[0] == "H5 fails to pay H1: 50 of 225"
    assert days[3].events[0] == "H1 fails to pay H2: 100 of 172"
    (picked,) = told_days(rows, days=[3], agents=["H5"], limit=9)
    assert picked.events == ("H4 pays H5 42",)


def test_a_holder_paid_in_full_out_of_a_default_is_not_told_as_unpaid():
    fields = {"kind": "balanced", "arm": "active", "n_agents": 100, "kappa": 0.25, "mu": 1}
    _, rows = traced(**fields, seed=49)
    told = [(row, clause(row)) for row in rows if row["event"] == "defaulted"]
    in_full = [said for row, said in told if row["cash"] == row["face"]]
    assert "H67 pays vbt_short all of 60, out of a debt in default" in in_full
    assert not any("fails" in said for said in in_full)
    assert all("fails" in said for row, said in told if row["cash"] < row["face"])


def test_every_kind_of_event_has_a_clause_and_a_rank():
    assert {*KINDS} == {event.value for event in SimEvent}


@pytest.mark.parametrize("given", [7, "7", "h7", " H7 "])
def test_a_number_stands_for_a_trader(given):
    assert agent_name(given) == "H7"
