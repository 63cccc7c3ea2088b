"""Debts per agent, and what is cut off where debts are smaller than a unit of money."""

import math

import numpy as np
import pytest

from bilancio.errors import InvalidInput
from bilancio.model import simulate
from bilancio.model.parameters import parameters_of
from bilancio.model.tables import PARAMETER_ROW, parameter_table
from bilancio.model.truncation import truncated_share
from tests.model.agreement import EXACT, MONEY, outcome
from tests.oracle.scenario import Parameters, start


def cut_off(seeds=60, **fields):
    """Return the share of the debts' total that is cut off in the oracle's balance sheets."""
    lost = []
    for seed in range(seeds):
        p = Parameters(seed=seed, **fields)
        shares = 1 if p.kind == "ring" else 1 + p.vbt_share + p.dealer_share
        lost.append(1 - sum(debt.face for debt in start(p).debts) / (p.debts * shares))
    return sum(lost) / seeds


@pytest.mark.nojit
@pytest.mark.parametrize("concentration", [0.1, 1, 5])
@pytest.mark.parametrize("q_per_agent", [0.5, 1, 10, 100])
def test_the_share_that_is_cut_off_is_foretold(q_per_agent, concentration):
    fields = {"n_agents": 200, "q_per_agent": q_per_agent, "concentration": concentration}
    told = truncated_share(200 * q_per_agent, 200, concentration)
    assert told == pytest.approx(cut_off(**fields), abs=0.02)
    told = truncated_share(200 * q_per_agent, 200, concentration, (1, 0.25, 0.125))
    assert told == pytest.approx(cut_off(kind="balanced", mu=0.5, **fields), abs=0.02)


@pytest.mark.nojit
def test_the_share_that_is_cut_off_is_that_of_exponential_debts_in_large_rings():
    assert truncated_share(10**4, 10**4, 1) == pytest.approx(1 - 1 / (math.e - 1), abs=0.004)
    assert truncated_share(10**4, 10**5, 1) > 0.99


@pytest.mark.nojit
def test_the_share_that_is_cut_off_is_a_share_where_every_draw_underflows():
    assert 0 <= truncated_share(100, 5, 1e-9) <= 1


@pytest.mark.parametrize("kind", ["ring", "balanced"])
def test_debts_per_agent_are_a_total(kind):
    fields = {"kind": kind, "n_agents": 30, "kappa": 0.5, "mu": 0.5, "seed": 3}
    each, total = simulate(**fields, q_per_agent=70), simulate(**fields, q_total=2100)
    assert outcome(each, (*EXACT, *MONEY)) == outcome(total, (*EXACT, *MONEY))
    assert (each.parameters.q_total, each.parameters.q_per_agent) == (None, 70)
    assert (total.parameters.q_total, total.parameters.q_per_agent) == (2100, None)
    assert parameters_of(each.parameters.model_dump()) == each.parameters


def test_debts_per_agent_grow_with_the_rows_agents():
    """The engine multiplies, so that a sweep may vary either."""
    from bilancio.model import simulate_many

    rows, _ = parameter_table([parameters_of({"kind": "ring", "kappa": 0.5, "q_per_agent": 100})])
    rows = np.repeat(rows, 2)
    rows["n_agents"] = [20, 40]
    found = simulate_many(rows)
    alone = [simulate(kind="ring", kappa=0.5, n_agents=n, q_total=100 * n) for n in (20, 40)]
    assert found["delta_total"].tolist() == [run.delta_total for run in alone]
    assert PARAMETER_ROW["q_per_agent"] == np.float64


@pytest.mark.nojit
@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        (
            {"q_per_agent": 3, "q_total": 5},
            "q_per_agent: got 3, beside q_total 5; allowed: either q_per_agent or q_total, not ",
        ),
        (
            {"q_per_agent": 10**8},
            "q_per_agent: got 1e+08; allowed: at most 1e+07 with n_agents 100: Q is at most 1,0",
        ),
        ({"q_per_agent": 0}, "q_per_agent: got 0; allowed: numbers above 0 and up to 1000000000."),
    ],
    ids=["both", "too much", "none"],
)
def test_debts_that_cannot_be_are_refused(fields, sentence):
    with pytest.raises(InvalidInput) as error:
        parameters_of({"kind": "ring", **fields})
    assert str(error.value).startswith(sentence)
