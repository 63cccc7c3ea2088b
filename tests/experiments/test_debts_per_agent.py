"""Sweeps whose debts are given per agent, and those whose debts are mostly cut off."""

import subprocess
import sys

import pytest

from bilancio.errors import InvalidInput
from bilancio.experiments.configs import BalancedSweep, RingSweep, SingleRun
from bilancio.jobs import AsyncJobManager, JobConfig

SWEEPS = [SingleRun, RingSweep, BalancedSweep]


@pytest.mark.parametrize("sweep", SWEEPS)
def test_a_sweep_says_which_of_the_two_was_given_and_reads_it_back(sweep):
    config = sweep(n_agents=1000, q_per_agent="100")
    stored = config.as_dict()
    assert (stored["q_total"], stored["q_per_agent"]) == (None, "100")
    assert sweep(**stored) == config
    assert config.asked() == {"n_agents": 1000, "q_per_agent": "100"}
    assert sweep(**stored).digest() == config.digest() != sweep(n_agents=1000).digest()
    assert (sweep().as_dict()["q_total"], sweep().as_dict()["q_per_agent"]) == ("10000", None)
    assert sweep(q_total=None) == sweep(q_per_agent=None) == sweep()


@pytest.mark.parametrize("sweep", SWEEPS)
def test_a_total_and_debts_per_agent_together_are_refused(sweep):
    with pytest.raises(InvalidInput, match="q_per_agent: got 3, beside q_total 5; allowed: either"):
        sweep(q_total=5, q_per_agent=3)
    with pytest.raises(InvalidInput, match="q_per_agent: got 1e\\+06; allowed: at most 100000 "):
        sweep(n_agents=10_000, q_per_agent=10**6)


async def test_a_sweep_by_debts_per_agent_finds_what_one_by_their_total_finds():
    def config(**debts):
        return JobConfig(
            sweep_type="balanced", n_agents=20, kappas=["0.5"], mus=["0.5"], n_replicates=3, **debts
        )

    async with AsyncJobManager() as manager:
        each, total = [
            await manager.run_job((await manager.create_job("debts", config(**debts))).job_id)
            for debts in ({"q_per_agent": 100}, {"q_total": 2000})
        ]
    assert each.summary == total.summary


def test_debts_that_are_mostly_cut_off_are_remarked_on():
    advice = "of the debts' total is truncated to whole units; give q_per_agent, such as 100."
    assert RingSweep(n_agents=10_000).remarks == (f"At n_agents 10000, 42 % {advice}",)
    assert SingleRun(n_agents=10_000).remarks == RingSweep(n_agents=10_000).remarks
    assert BalancedSweep(n_agents=10_000).remarks == (f"At n_agents 10000, 56 % {advice}",)
    assert RingSweep(n_agents=10_000, q_per_agent=100).remarks == ()
    (remark,) = RingSweep(n_agents=10_000, q_per_agent=1).remarks
    assert remark.endswith("is truncated to whole units; give a larger q_per_agent.")


def test_the_concentration_with_most_cut_off_is_the_one_remarked_on():
    """At n = Q large debts keep more of themselves than small ones."""
    given = {"n_agents": 10_000, "concentrations": ["0.1"]}
    (few,) = RingSweep(**given).remarks
    (range_up,) = RingSweep(**given, lhs=2, concentration_range="0.1:5").remarks
    (point,) = RingSweep(**given, points=[{"concentration": 5}]).remarks
    assert few < range_up == point


def test_ordinary_sweeps_are_remarked_on_without_numpy():
    code = (
        "import sys\n"
        "from bilancio.experiments.configs import BalancedSweep, RingSweep, SingleRun\n"
        "print([sweep().remarks for sweep in (BalancedSweep, RingSweep, SingleRun)])\n"
        "print('numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[(), (), ()]", "False"]
