import pytest

from bilancio.model import simulate
from tests.golden import golden_rows

FILES = ("reference_ring", "reference_balanced_passive", "oracle_balanced_active")
TOLERANCE = {"phi_total": 1e-12, "delta_total": 1e-12, "dealer_pnl": 1e-6, "vbt_pnl": 1e-6}
SMALL = 10  # agents of runs that are quick without compilation


def _case(row):
    small = row.inputs["n_agents"] <= SMALL and row.inputs["seed"] % 4 == 0
    return pytest.param(row, id=row.name, marks=[pytest.mark.nojit] if small else [])


@pytest.mark.parametrize("row", [_case(row) for name in FILES for row in golden_rows(name)])
def test_engine_reproduces_the_golden_run(row):
    run = simulate(**row.inputs)
    for name, expected in row.expected.items():
        got = getattr(run, name)
        if name in TOLERANCE and expected is not None:
            assert got == pytest.approx(expected, rel=0, abs=TOLERANCE[name]), name
        else:
            assert got == expected, name
