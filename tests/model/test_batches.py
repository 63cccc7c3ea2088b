import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bilancio.model import parameters_of, simulate, simulate_many
from bilancio.model.tables import METRIC_ROW, PARAMETER_ROW, parameter_table
from tests.model.strategies import runs

few = settings(max_examples=40, deadline=None, derandomize=True)


def batch_of(fields):
    return parameter_table([parameters_of(each) for each in fields])


@few
@given(st.lists(runs(), min_size=2, max_size=12), st.integers(0, 10**6))
def test_a_run_finds_the_same_in_any_batch_and_order(fields, shuffle):
    table, weights = batch_of(fields)
    together = simulate_many(table, weights)
    order = random.Random(shuffle).sample(range(len(table)), len(table))
    shuffled = simulate_many(table[order], weights)
    alone = np.concatenate([simulate_many(table[[i]], weights) for i in range(len(table))])
    assert together[order].tobytes() == shuffled.tobytes()
    assert together.tobytes() == alone.tobytes()


@few
@given(runs(kinds=["active"]))
def test_the_second_run_of_a_pair_finds_what_it_finds_alone(fields):
    table, weights = batch_of([fields | {"arm": "passive"}, fields])
    assert simulate_many(table, weights)[1].tobytes() == simulate_many(table[1:], weights).tobytes()


@few
@given(runs())
def test_a_row_says_what_the_run_says(fields):
    run = simulate(**fields)
    (row,) = simulate_many(*batch_of([fields]))
    for name in METRIC_ROW.names:
        got, expected = row[name], getattr(run, name)
        if expected is None:
            assert np.isnan(got) or got == -1
        elif name != "end":
            assert got == expected


@given(runs(kinds=["passive", "active"]))
@few
def test_cash_is_neither_made_nor_destroyed(fields):
    run = simulate(**fields)
    assert run.cash_end_micro == run.cash_start_micro + run.injection_micro == run.cash.sum()
    assert run.cash.min() >= 0
    if fields.get("outside_depth") != "unlimited" or fields["arm"] == "passive":
        assert run.injection_micro == 0


@given(runs(kinds=["ring"]))
@few
def test_a_ring_keeps_its_cash(fields):
    run = simulate(**fields)
    assert run.cash_end_micro == run.cash_start_micro == run.cash.sum()


@pytest.mark.nojit
def test_no_rows_give_no_metrics():
    assert simulate_many(np.zeros(0, PARAMETER_ROW)).tolist() == []


def test_rows_that_are_not_contiguous_are_simulated_all_the_same():
    table, _ = batch_of([{"kind": "ring", "seed": seed} for seed in range(6)])
    assert simulate_many(table[::2]).tobytes() == simulate_many(table)[::2].tobytes()


def test_rows_may_share_their_weights():
    table, weights = batch_of(
        [{"kind": "ring", "n_agents": 3, "liquidity_mode": "vector", "liquidity_vector": "1 2 3"}]
    )
    first, second = simulate_many(np.repeat(table, 2), weights)
    assert first.tobytes() == second.tobytes()


def test_rows_that_point_outside_of_the_weights_are_refused():
    table, weights = batch_of(
        [{"kind": "ring", "n_agents": 3, "liquidity_mode": "vector", "liquidity_vector": "1 2 3"}]
    )
    with pytest.raises(ValueError, match="liquidity_vector: got 2 weights; allowed: 3 or more"):
        simulate_many(table, weights[:2])


def test_a_table_of_another_kind_is_refused():
    with pytest.raises(ValueError, match="parameters: got float64"):
        simulate_many(np.zeros(3))


def test_large_rings_are_drawn_and_simulated_within_their_bounds():
    """A ticket of one unit each, and as many agents as there can be."""
    run = simulate(kind="balanced", arm="active", n_agents=10**5, q_total=10**6, face_value=1)
    assert run.cash_end_micro == run.cash_start_micro
    assert run.n_trades > 10**4


@pytest.mark.parametrize("kind", ["ring", "balanced"])
def test_runs_of_one_seed_and_of_many_find_what_they_find_alone(kind):
    """Streams are started for the next eight seeds at once, and shared by the runs of a seed."""
    arm = {} if kind == "ring" else {"arm": "active"}
    seeds = [7, 7, 7, 8, 7, *range(30), 2**32 - 1, 2**32, 2**32, 10**12, 29, 0, 0]
    table, weights = batch_of(
        [
            {"kind": kind, "n_agents": 20, "kappa": 0.5, "mu": 1, "seed": seed, "q_total": 999 + i}
            | arm
            for i, seed in enumerate(seeds)
        ]
    )
    alone = np.concatenate([simulate_many(table[[i]], weights) for i in range(len(table))])
    assert simulate_many(table, weights).tobytes() == alone.tobytes()
