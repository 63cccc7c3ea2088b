import pytest
from hypothesis import HealthCheck, given, settings

from bilancio.model import simulate
from tests import oracle
from tests.model.agreement import assert_agreement
from tests.model.strategies import runs

thorough = settings(
    max_examples=400,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.mark.parametrize("kind", ["ring", "passive", "active"])
def test_engine_finds_what_the_oracle_finds(kind):
    @thorough
    @given(runs(kinds=[kind]))
    def agree(fields):
        assert_agreement(simulate(**fields), oracle.simulate(**fields))

    agree()


@pytest.mark.slow
def test_engine_finds_what_the_oracle_finds_in_larger_rings():
    @settings(thorough, max_examples=40)
    @given(runs(kinds=["active"], max_agents=60))
    def agree(fields):
        assert_agreement(simulate(**fields), oracle.simulate(**fields))

    agree()
