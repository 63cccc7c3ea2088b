from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from bilancio.errors import InvalidInput
from bilancio.model import BalancedParameters, RingParameters, parameters_of, simulate

pytestmark = pytest.mark.nojit


UP_TO_A_BILLION = "numbers above 0 and up to 1000000000"
WEIGHTS = "100 positive weights, one per trader"

WRONG_IN_A_RING = [
    ({"n_agents": 2}, "2", "whole numbers from 3 to 100000"),
    ({"n_agents": 3.5}, "3.5", "whole numbers from 3 to 100000"),
    ({"kappa": 0}, "0", "numbers above 0 and up to 1000"),
    ({"kappa": "much"}, "'much'", "numbers above 0 and up to 1000"),
    ({"kappa": float("nan")}, "nan", "numbers above 0 and up to 1000"),
    ({"kappa": True}, "True", "a number, not a boolean"),
    ({"q_total": float("inf")}, "inf", UP_TO_A_BILLION),
    ({"concentration": -1}, "-1", UP_TO_A_BILLION),
    ({"mu": 1.01}, "1.01", "numbers from 0 to 1"),
    ({"monotonicity": -2}, "-2", "numbers from -1 to 1"),
    ({"maturity_days": 0}, "0", "whole numbers from 1 to 1000"),
    ({"seed": -1}, "-1", "whole numbers from 0 to 1000000000000"),
    ({"quiet_days": 0}, "0", "whole numbers from 1 to 1000000000"),
    ({"arm": "active"}, "'active'", "passive"),
    ({"rollover": "perhaps"}, "'perhaps'", "true or false"),
    ({"liquidity_agent": 1}, "1", "nothing, unless liquidity_mode is single_at"),
    ({"liquidity_vector": [1]}, "1 weights", "nothing, unless liquidity_mode is vector"),
]
WRONG_WHERE_ONE_GETS_ALL = [
    ({"liquidity_agent": ""}, "nothing", "whole numbers from 1 to 100"),
    ({"liquidity_agent": 101}, "101", "whole numbers from 1 to 100"),
]
WRONG_BY_VECTOR = [
    ({"liquidity_vector": ""}, "nothing", WEIGHTS),
    ({"liquidity_vector": "1 2"}, "2 weights", WEIGHTS),
]
WRONG_WITH_DEALERS = [
    ({"arm": "busy"}, "'busy'", "passive or active"),
    ({"face_value": 2.5}, "2.5", "whole numbers from 1 to 1000000000"),
    ({"outside_mid_ratio": 2.1}, "2.1", "numbers from 0 to 2"),
    ({"vbt_share": 1.5}, "1.5", "numbers from 0 to 1"),
    ({"spread_mid": -0.1}, "-0.1", "numbers from 0 to 1000000"),
    ({"horizon": -1}, "-1", "whole numbers from 0 to 1000000000"),
]
CASES = [
    ({"kind": "ring"}, WRONG_IN_A_RING),
    ({"kind": "ring", "liquidity_mode": "single_at"}, WRONG_WHERE_ONE_GETS_ALL),
    ({"kind": "ring", "liquidity_mode": "vector"}, WRONG_BY_VECTOR),
    ({"kind": "balanced"}, WRONG_WITH_DEALERS),
]


@pytest.mark.parametrize(
    ("right", "wrong", "got", "allowed"),
    [(right, *case) for right, cases in CASES for case in cases],
)
def test_a_wrong_value_is_named_with_what_is_allowed(right, wrong, got, allowed):
    (field,) = wrong
    with pytest.raises(InvalidInput) as refusal:
        simulate(**right, **wrong)
    assert str(refusal.value) == f"{field}: got {got}; allowed: {allowed}."


def test_a_run_without_a_kind_is_told_the_kinds():
    with pytest.raises(InvalidInput, match=r"kind: got nothing; allowed: ring or balanced\."):
        simulate()
    with pytest.raises(InvalidInput, match=r"kind: got 'rng'; .* Did you mean ring\?"):
        simulate(kind="rng")


def test_a_misspelt_field_is_named_with_the_nearest_right_one():
    with pytest.raises(InvalidInput, match=r"kapa: unknown field; did you mean kappa\?"):
        simulate(kind="ring", kapa=1)


def test_a_field_of_the_other_scenario_is_refused_unless_it_is_empty():
    assert parameters_of({"kind": "ring", "face_value": "", "horizon": None}) == RingParameters()
    with pytest.raises(InvalidInput, match="face_value: unknown field"):
        simulate(kind="ring", face_value=20)


def test_every_wrong_field_has_its_sentence():
    with pytest.raises(InvalidInput) as refusal:
        simulate(kind="ring", kappa=-1, mu=7)
    assert [problem.field for problem in refusal.value.problems] == ["kappa", "mu"]


def test_values_may_come_as_text_decimals_or_numpy_numbers():
    fields = {
        "kind": "balanced", "n_agents": "3", "kappa": "0.25", "mu": Decimal("0.5"),
        "face_value": 20.0, "q_total": np.float64(500), "seed": np.int64(7), "rollover": "False",
        "horizon": "",
        "liquidity_mode": "vector", "liquidity_vector": "1 2 3.5",
    }  # fmt: skip
    assert parameters_of(fields) == BalancedParameters(
        n_agents=3, kappa=0.25, mu=0.5, face_value=20, q_total=500.0, seed=7, rollover=False,
        liquidity_mode="vector", liquidity_vector=(1.0, 2.0, 3.5),
    )  # fmt: skip


def test_every_field_says_what_it_means():
    for model in (RingParameters, BalancedParameters):
        for name, field in model.model_fields.items():
            schema = model.model_json_schema()["properties"][name]
            options = [schema, *schema.get("anyOf", [])]
            assert field.description or any("description" in option for option in options), name


def test_fractions_and_weights_with_commas_are_read_as_numbers():
    fields = {"kind": "ring", "n_agents": 3, "liquidity_mode": "vector"}
    run = simulate(**fields, kappa=Fraction(1, 2), liquidity_vector="1, 2,3")
    assert run == simulate(**fields, kappa="0.5", liquidity_vector=[1, 2, 3])
