"""The numbers printed in MODEL.md, section 9, and in the published examples of the dealer."""

import math

import numpy as np
import pytest

from bilancio.model import End, parameters_of, simulate
from bilancio.model.kernels.books import DEBTOR, DUE_DAY, RING
from bilancio.model.kernels.dealer import quote
from bilancio.model.rows import simulate_rows
from bilancio.model.tables import METRIC_ROW, parameter_table
from tests.golden import dealer_examples

EXAMPLES = dealer_examples()

pytestmark = pytest.mark.nojit


def opening(**fields):
    """Return faces and due days of H1, H2, … : a run that ends on its first day leaves them."""
    run = {"kind": "ring", "default_handling": "fail-fast", "kappa": 0.01, "seed": 42} | fields
    table, weights = parameter_table([parameters_of(run)])
    books = simulate_rows(table, weights, np.zeros(1, METRIC_ROW))
    return books.debt[RING][np.argsort(books.debt[DEBTOR])], books.trader[DUE_DAY]


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
def test_debts_are_those_printed(concentration, seed, monotonicity, faces):
    drawn, _ = opening(
        n_agents=5, q_total=500, concentration=concentration, seed=seed, monotonicity=monotonicity
    )
    assert drawn.tolist() == faces


@pytest.mark.parametrize(
    ("days", "mu", "due"),
    [
        (10, 0, [1, 1, 1, 1, 1, 1]),
        (10, 0.25, [9, 1, 3, 5, 7, 9]),
        (10, 0.5, [7, 1, 5, 9, 3, 7]),
        (10, 0.55, [6, 1, 6, 1, 6, 1]),
        (10, 0.75, [4, 1, 8, 5, 2, 9]),
        (10, 1, [2, 1, 10, 9, 8, 7]),
        (3, 0.5, [3, 1, 2, 3, 1, 2]),
        (5, 0.5, [4, 1, 3, 5, 2, 4]),
        (1, 1, [1, 1, 1, 1, 1, 1]),
    ],
)
def test_due_days_are_those_printed(days, mu, due):
    assert opening(n_agents=6, maturity_days=days, mu=mu)[1].tolist() == due


def test_the_ring_printed_ends_as_printed():
    run = simulate(
        kind="ring", n_agents=5, kappa=0.5, concentration=1, mu=0.5, maturity_days=3, q_total=500,
        seed=42, rollover=False,
    )  # fmt: skip
    assert run.phi_total == pytest.approx(0.20120724346, abs=1e-11)
    assert (run.days_simulated, run.time_to_stability, run.end) == (6, 3, End.STABLE)
    assert run.cash.tolist() == [0, 146_000_000, 0, 62_000_000, 42_000_000]
    assert (run.n_defaults, run.defaulted_face, run.recovered_micro) == (2, 397, 150_000_000)


@pytest.mark.parametrize("early_stop", [True, False])
def test_the_balanced_run_printed_ends_as_printed(early_stop):
    run = simulate(
        kind="balanced", n_agents=4, kappa=0.5, concentration=1, mu=0.5, maturity_days=10,
        q_total=1000, seed=42, outside_mid_ratio=0.75, early_stop=early_stop,
    )  # fmt: skip
    assert run.phi_total == pytest.approx(0.31405563689, abs=1e-11)
    assert run.days_simulated == 30
    assert run.cash[:4].tolist() == [155_000_000, 422_500_000, 15_000_000, 261_750_000]
    assert run.cash[6] == pytest.approx(176_075_950, abs=10)
    untouched = run.cash[[4, 5, 7, 8, 9]].tolist()
    assert untouched == [2_932_304, 1_466_152, 77_662_976, 29_241_744, 14_620_872]


@pytest.mark.parametrize("example", EXAMPLES["quotes"], ids=lambda example: example["name"])
def test_quotes_are_those_published(example):
    names = ("X_star", "lambda", "I", "midline", "bid", "ask")
    inputs = [float(example[name]) for name in ("M", "O", "S", "x", "C")]
    for name, got in zip(names, quote(*inputs), strict=True):
        expected = example[name]
        assert math.isnan(got) if expected is None else got == pytest.approx(expected, abs=5e-5)


@pytest.mark.parametrize("example", EXAMPLES["trades"], ids=lambda example: example["name"])
def test_paths_of_trades_are_those_published(example):
    mid, spread, size = float(example["M"]), float(example["O"]), float(example["S"])
    held, cash = float(example["x"]), float(example["C"])
    for side, price, held_after, cash_after in example["path"]:
        capacity, _, _, _, bid, ask = quote(mid, spread, size, held, cash)
        if side == "sell":
            interior = bid > 0 and held + size <= capacity and cash >= bid * size
            got = bid if interior else max(0.0, mid - spread / 2)
            change = size
        else:
            interior = held >= size and capacity > 0
            got = ask if interior else mid + spread / 2
            change = -size
        if interior:
            held, cash = held + change, cash - got * change
        assert (got, held, cash) == pytest.approx((price, held_after, cash_after), abs=5e-5)
