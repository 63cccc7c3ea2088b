"""How closely two outcomes of one run must agree."""

import math

import pytest

EXACT = (
    "n_defaults", "defaulted_face", "written_off_face", "recovered_micro", "days_simulated",
    "time_to_stability", "end", "n_trades", "n_interior", "n_passthrough", "traded_face",
    "cash_start_micro", "cash_end_micro", "injection_micro", "phi_total", "delta_total",
)  # fmt: skip
MONEY = ("dealer_start", "dealer_pnl", "vbt_pnl", "dealer_return")


def outcome(run, names):
    return {name: getattr(run, name) for name in names}


def assert_agreement(run, oracle):
    """Compare bit for bit, but for sums of money that two readers may add up in different order."""
    assert outcome(run, EXACT) == outcome(oracle, EXACT)
    assert tuple(run.cash.tolist()) == oracle.cash
    for name in MONEY:
        expected, got = getattr(oracle, name), getattr(run, name)
        if expected is not None and not math.isfinite(expected):  # over a start of 10⁻³⁰⁸, say
            expected = None
        assert got == (expected if expected is None else pytest.approx(expected, rel=0, abs=1e-6))
