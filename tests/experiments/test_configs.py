import subprocess
import sys
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bilancio.errors import InvalidInput
from bilancio.experiments.configs import BalancedSweep, RingSweep, SingleRun
from bilancio.jobs import JobConfig

BAD = {
    "empty list": (
        {"kappas": []},
        (
            "kappas: got an empty list; allowed: at least one value: "
            "a list of numbers above 0 and up to 1000."
        ),
    ),
    "same decimal": ({"kappas": ["0.5", "0.50"]}, "kappas: got 0.50 twice; allowed: each value"),
    "seed twice": ({"seeds": [7, 7]}, "seeds: got 7 twice; allowed: each value once."),
    "no seeds": ({"seeds": []}, "seeds: got an empty list; allowed: at least one value"),
    "negative seed": ({"seeds": [-1]}, "seeds[0]: got -1; allowed: whole numbers from 0 to"),
    "kappa of 0": ({"kappas": [0]}, "kappas[0]: got 0; allowed: numbers above 0 and up to 1000."),
    "negative kappa": ({"kappas": [1, "-0.5"]}, "kappas[1]: got '-0.5'; allowed: numbers above 0"),
    "NaN": ({"kappas": ["nan"]}, "kappas[0]: got 'nan'; allowed: numbers above 0"),
    "infinity": ({"kappas": [float("inf")]}, "kappas[0]: got inf; allowed: numbers above 0"),
    "no double": ({"kappas": ["1e-400"]}, "kappas[0]: got 1E-400; allowed: a number that a double"),
    "two agents": ({"n_agents": 2}, "n_agents: got 2; allowed: whole numbers from 3 to 100000."),
    "a billion agents": ({"n_agents": 10**9}, "n_agents: got 1000000000; allowed: whole numbers"),
    "1001 days": ({"maturity_days": 1001}, "maturity_days: got 1001; allowed: whole numbers from"),
    "too much debt": ({"q_total": 1e10}, "q_total: got 10000000000.0; allowed: numbers above 0"),
    "mu past 1": ({"mus": ["1.1"]}, "mus[0]: got '1.1'; allowed: numbers from 0 to 1."),
    "monotonicity": ({"monotonicities": [-2]}, "monotonicities[0]: got -2; allowed: numbers from"),
    "too many runs": (
        {"kappas": [1, 2], "n_replicates": 10**7},
        "grid: got 20,000,000 runs; allowed: at most 10,000,000 runs in one job.",
    ),
    "no replicates": ({"n_replicates": 0}, "n_replicates: got 0; allowed: whole numbers from 1 to"),
    "seeds in two ways": (
        {"seeds": [1], "n_replicates": 3},
        "seeds: got a list and n_replicates 3; allowed: either seeds or n_replicates, not both.",
    ),
    "seeds and base": ({"seeds": [1], "base_seed": 3}, "seeds: got a list and base_seed 3;"),
    "true as kappa": ({"kappas": [True]}, "kappas[0]: got True; allowed: a number, not a"),
    "true as a count": ({"n_agents": True}, "n_agents: got True; allowed: a number, not a"),
    "true as days": ({"maturity_days": True}, "maturity_days: got True; allowed: a number"),
    "true as seed": ({"seeds": [True]}, "seeds[0]: got True; allowed: a number, not a"),
    "true as replicates": ({"n_replicates": True}, "n_replicates: got True; allowed: a number"),
    "true as quiet days": ({"quiet_days": True}, "quiet_days: got True; allowed: a number"),
    "true as failures": ({"max_failures": True}, "max_failures: got True; allowed: a number"),
    "text for a list": ({"kappas": "abc"}, "kappas[0]: got 'abc'; allowed: numbers above 0"),
    "near miss of a word": (
        {"default_handling": "expel"},
        "default_handling: got 'expel'; allowed: fail-fast or expel-agent. Did you mean expel-ag",
    ),
    "too few weights": (
        {"liquidity_mode": "vector", "liquidity_vector": [1, 2]},
        "liquidity_vector: got 2 weights; allowed: 100 positive weights, one per trader.",
    ),
}


@pytest.mark.parametrize(("given", "sentence"), BAD.values(), ids=BAD)
def test_bad_input_is_answered_with_field_value_and_what_is_allowed(given, sentence):
    with pytest.raises(InvalidInput) as error:
        JobConfig(sweep_type="ring", **given)
    assert str(error.value).startswith(sentence)


@pytest.mark.parametrize("field", ["face_value", "horizon", "vbt_share", "outside_mid_ratios"])
def test_dealers_take_no_truth_values_for_numbers(field):
    value = [True] if field == "outside_mid_ratios" else True
    with pytest.raises(InvalidInput, match="a number, not a boolean"):
        BalancedSweep(**{field: value})


def test_an_unknown_field_is_named_with_the_nearest_that_there_is():
    with pytest.raises(InvalidInput) as error:
        JobConfig(sweep_type="ring", kapas=[1])
    assert str(error.value).startswith("kapas: unknown field; did you mean kappas? Known fields: ")


def test_every_wrong_field_is_named_at_once():
    with pytest.raises(InvalidInput) as error:
        JobConfig(sweep_type="ring", kappas=[0], n_agents=2)
    assert [problem.field for problem in error.value.problems] == ["n_agents", "kappas[0]"]


@pytest.mark.parametrize(
    ("sweep_type", "sentence"),
    [
        ("rings", "sweep_type: got 'rings'; allowed: single, ring, balanced. Did you mean ring?"),
        (None, "sweep_type: got nothing; allowed: single, ring, balanced."),
        (3, "sweep_type: got 3; allowed: single, ring, balanced."),
    ],
)
def test_an_unknown_sweep_type_is_answered_with_those_there_are(sweep_type, sentence):
    with pytest.raises(InvalidInput) as error:
        JobConfig(sweep_type=sweep_type)
    assert str(error.value) == sentence


@pytest.mark.parametrize("model", [SingleRun, RingSweep, BalancedSweep])
def test_every_parameter_is_written_out_and_reads_back_the_same(model):
    config = model()
    written = config.as_dict()
    assert written.keys() == model.model_fields.keys()
    assert JobConfig.model_validate(written) == config


def test_defaults_that_depend_on_other_fields_are_written_out():
    written = BalancedSweep(maturity_days=7, frontier=True, kappa_range="1:2").as_dict()
    assert written["horizon"] == 7
    assert written["seeds"] == [42]
    assert written["grid"] is False
    assert (written["frontier_delta"], written["frontier_tolerance"]) == ("0.05", "0.01")


def test_decimals_stay_exact():
    written = RingSweep(kappas=[0.1, "1e-3", Decimal("0.30")], q_total="1e4").as_dict()
    assert written["kappas"] == ["0.1", "0.001", "0.3"]
    assert written["q_total"] == "10000"


@given(st.lists(st.decimals("0.000001", 1000, places=6), min_size=1, unique=True))
def test_any_grid_reads_back_from_json_as_it_was(kappas):
    config = RingSweep(kappas=kappas)
    again = JobConfig.model_validate_json(config.model_dump_json())
    assert again.kappas == tuple(kappas)
    assert again.digest() == config.digest()


def test_configurations_are_read_without_the_heavy_libraries():
    code = (
        "import sys; from bilancio.jobs.models import JobConfig;"
        "c = JobConfig(sweep_type='ring', lhs=9, kappa_range='1:2', frontier=True);"
        "c.total_runs, c.digest();"
        "print([m for m in ('numpy', 'scipy', 'numba', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
