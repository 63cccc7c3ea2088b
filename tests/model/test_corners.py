"""What MODEL.md leaves open: the engine's answer, so that it does not change unnoticed."""

import pytest

from bilancio.model import simulate

pytestmark = pytest.mark.nojit


def test_the_last_trader_owes_all_where_every_draw_underflows():
    """Gamma draws of a concentration of 10⁻⁶ are 0, or nearly always so: Q · 0 / 0 counts as 0."""
    run = simulate(kind="ring", n_agents=5, concentration=1e-6, seed=3, kappa=0.1)
    assert (run.n_defaults, run.defaulted_face) == (1, 9_999)


def test_the_remainder_of_the_cash_is_never_negative():
    """Rounded up four times, the others' shares exceed L by a micro-unit."""
    run = simulate(
        kind="ring", n_agents=5, kappa=0.0777, q_total=777.77, liquidity_mode="vector",
        liquidity_vector=[1 / 3, 1 / 3, 1 / 3, 0.7, 1e-9], default_handling="fail-fast",
    )  # fmt: skip
    assert run.cash_start_micro == round(0.0777 * 777.77 * 1e6) + 1
