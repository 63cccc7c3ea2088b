"""The engine against the oracle, over runs drawn at random; in parts that take seconds."""

import pytest
from hypothesis import HealthCheck, given, seed, settings

from bilancio.model import simulate
from tests import oracle
from tests.model.agreement import assert_agreement
from tests.model.strategies import runs
from tests.night import nightly

EXAMPLES = 25
PARTS = {"ring": 16, "passive": 16, "active": 8}
BY_NIGHT = range(8, 16)  # of runs in which dealers trade, which take the oracle longest
thorough = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.mark.parametrize(
    ("kind", "part"),
    [
        *((kind, part) for kind, parts in PARTS.items() for part in range(parts)),
        *nightly(*(("active", part) for part in BY_NIGHT)),
    ],
)
def test_engine_finds_what_the_oracle_finds(kind, part):
    @seed(part)
    @thorough
    @given(runs(kinds=[kind]))
    def agree(fields):
        assert_agreement(simulate(**fields), oracle.simulate(**fields))

    agree()


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_engine_finds_what_the_oracle_finds_in_larger_rings(part):
    @seed(part)
    @settings(thorough, max_examples=10)
    @given(runs(kinds=["active"], max_agents=60))
    def agree(fields):
        assert_agreement(simulate(**fields), oracle.simulate(**fields))

    agree()
