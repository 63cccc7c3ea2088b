"""The engine reproduces every golden run: a few tests, each of one file."""

import math

import pytest

from bilancio.model import simulate
from tests.golden import golden_rows

FILES = ("reference_ring", "reference_balanced_passive", "oracle_balanced_active")
TOLERANCE = {"phi_total": 1e-12, "delta_total": 1e-12, "dealer_pnl": 1e-6, "vbt_pnl": 1e-6}
SMALL = 10  # agents of runs that are quick without compilation


def differences(row):
    """Yield what a run found and what was expected, where the two differ."""
    run = simulate(**row.inputs)
    for name, expected in row.expected.items():
        got = getattr(run, name)
        tolerance = TOLERANCE.get(name, 0) if None not in {got, expected} else 0
        same = math.isclose(got, expected, rel_tol=0, abs_tol=tolerance) if tolerance else False
        if not (same or got == expected):
            yield f"{row.name}: {name} is {got!r}, not {expected!r}"


@pytest.mark.parametrize("file", FILES)
def test_engine_reproduces_the_golden_runs(file):
    rows = golden_rows(file)
    assert len(rows) > 100
    assert [each for row in rows for each in differences(row)] == []


@pytest.mark.nojit
@pytest.mark.parametrize("file", FILES)
def test_engine_reproduces_small_golden_runs_without_compilation_too(file):
    rows = [each for each in golden_rows(file) if each.inputs["n_agents"] <= SMALL]
    few = [each for each in rows if each.inputs["seed"] % 4 == 0]
    assert few
    assert [each for row in few for each in differences(row)] == []
