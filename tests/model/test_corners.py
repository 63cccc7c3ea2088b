"""Corners of MODEL.md that no random run meets: engine and oracle answer alike."""

import math

import pytest

from bilancio.model import simulate
from tests import oracle
from tests.model.agreement import assert_agreement

pytestmark = pytest.mark.nojit


def found(**fields):
    """Return a run, once the oracle has found the same."""
    run = simulate(**fields)
    assert_agreement(run, oracle.simulate(**fields))
    return run


def test_the_last_trader_owes_all_where_every_draw_underflows():
    """Gamma draws of a concentration of 10⁻⁶ are 0, or nearly always so: Q · 0 / 0 counts as 0."""
    run = found(kind="ring", n_agents=5, concentration=1e-6, seed=3, kappa=0.1)
    assert (run.n_defaults, run.defaulted_face) == (1, 9_999)


def test_the_remainder_of_the_cash_is_never_negative():
    """Rounded up four times, the others' shares exceed L by a micro-unit."""
    run = found(
        kind="ring", n_agents=5, kappa=0.0777, q_total=777.77, liquidity_mode="vector",
        liquidity_vector=[1 / 3, 1 / 3, 1 / 3, 0.7, 1e-9], default_handling="fail-fast",
    )  # fmt: skip
    assert run.cash_start_micro == round(0.0777 * 777.77 * 1e6) + 1


def test_a_settlement_counts_for_stability_on_the_day_on_which_a_run_ends_at_once():
    """H2 settles on day 1 before H5 fails; nothing had been settled earlier."""
    run = found(
        kind="ring", n_agents=5, kappa=0.5, mu=0.5, maturity_days=3, q_total=500,
        default_handling="fail-fast",
    )  # fmt: skip
    assert (run.end, run.days_simulated, run.time_to_stability) == ("default", 1, 1)


def test_a_run_that_ends_at_once_before_anything_is_settled_has_no_time_to_stability():
    run = found(kind="ring", n_agents=5, kappa=0.01, default_handling="fail-fast")
    assert (run.end, run.days_simulated, run.time_to_stability) == ("default", 1, None)


def test_debts_are_sorted_from_a_monotonicity_of_a_billionth_on():
    edge = 1e-9
    fields = {"kind": "ring", "n_agents": 20, "kappa": 0.3, "mu": 0.5}
    drawn = found(**fields)
    assert (
        found(**fields, monotonicity=math.nextafter(edge, 0)).cash.tolist() == drawn.cash.tolist()
    )
    assert found(**fields, monotonicity=edge).cash.tolist() != drawn.cash.tolist()


def test_debts_stay_sorted_from_a_monotonicity_of_almost_one_on():
    fields = {"kind": "ring", "n_agents": 300, "kappa": 0.3, "mu": 0.5}
    sorted_ones = found(**fields, monotonicity=1).cash.tolist()
    assert found(**fields, monotonicity=1 - 1e-9).cash.tolist() == sorted_ones
    assert found(**fields, monotonicity=1 - 1e-4).cash.tolist() != sorted_ones


def test_a_difference_of_rounding_decides_on_a_whole_unit():
    """A hundred gaps of 0.01 add up to a little more than 1; the correction gives the rest back."""
    run = found(kind="ring", n_agents=101, concentration=1e-6, seed=3, kappa=0.1)
    assert run.defaulted_face == 9_999


@pytest.mark.parametrize("horizon", [0, 1, 2, 4])
def test_traders_sell_on_the_first_day_on_which_they_see_their_debts(horizon):
    """Not on day 0, on which most trade: their debts come into sight *horizon* days ahead."""
    runs = [
        found(
            kind="balanced", arm="active", n_agents=8, mu=0.75, kappa=0.25, maturity_days=12,
            seed=seed, horizon=horizon, rollover=False,
        )
        for seed in range(6)
    ]  # fmt: skip
    assert sum(run.n_trades for run in runs) > 0
