"""Researchers' words lead to the fields that they mean, whoever reads them."""

import pytest

from bilancio.errors import InvalidInput
from bilancio.experiments import registry, vocabulary
from bilancio.experiments.configs import BalancedSweep, RingSweep
from bilancio.jobs import JobConfig


@pytest.mark.parametrize(
    ("word", "sweep_type"),
    [
        ("dealer", "balanced"), ("Dealers", "balanced"), ("comparison", "balanced"),
        ("dealer comparison", "balanced"), ("kalecki-ring", "ring"), ("one run", "single"),
        ("rnig", "ring"), ("blanced", "balanced"),
    ],
)  # fmt: skip
def test_a_word_for_a_sweep_is_answered_with_its_type(word, sweep_type):
    with pytest.raises(InvalidInput, match=f"Did you mean {sweep_type}\\?"):
        JobConfig(sweep_type=word)


@pytest.mark.parametrize(
    ("sweep_type", "word", "field"),
    [
        ("ring", "liquidity", "kappas"), ("single", "liquidity", "kappa"),
        ("ring", "inequality", "concentrations"), ("balanced", "rho", "outside_mid_ratios"),
        ("ring", "firms", "n_agents"), ("ring", "repetitions", "n_replicates"),
        ("balanced", "Traders", "n_agents"), ("ring", "kapas", "kappas"),
    ],
)  # fmt: skip
def test_a_word_for_a_field_is_answered_with_the_field_of_the_sweep(sweep_type, word, field):
    with pytest.raises(InvalidInput, match=f"unknown field; did you mean {field}\\?"):
        JobConfig(sweep_type=sweep_type, **{word: 1})


@pytest.mark.parametrize(
    ("sweep_type", "field", "meant"),
    [
        ("ring", "outside_mid_ratios", "sweep_type balanced, which has it"),
        ("single", "n_replicates", "sweep_type ring or balanced, which have it"),
    ],
)
def test_a_field_of_other_sweeps_is_answered_with_these(sweep_type, field, meant):
    with pytest.raises(InvalidInput, match=f"{field}: unknown field; did you mean {meant}\\?"):
        JobConfig(sweep_type=sweep_type, **{field: [1]})


def test_nobody_who_asks_for_arms_is_told_of_the_arm_of_a_search():
    with pytest.raises(InvalidInput) as error:
        BalancedSweep(arms=["passive"])
    assert "frontier" not in str(error.value)


def test_words_in_an_axis_lead_to_its_parameters():
    with pytest.raises(InvalidInput, match=r"vary.traders: unknown field; did you mean n_agents\?"):
        RingSweep(vary={"traders": [3]})


def test_every_word_leads_to_a_field_that_there_is():
    fields = {
        name for kind in registry.sweep_types() for name in registry.config_model(kind).model_fields
    }
    parameters = set(BalancedSweep.parameters_that_vary())
    meant = {field for candidates in vocabulary.FIELDS.values() for field in candidates}
    assert meant <= fields | parameters
    assert set(vocabulary.SWEEP_TYPES.values()) <= set(registry.sweep_types())
    assert not vocabulary.FIELDS.keys() & fields


@pytest.mark.parametrize("given", [[20, 40], "20, 40", "20:40:20", "[20, 40]", (20, 40)])
def test_several_values_of_one_parameter_are_an_axis_in_every_form(given):
    assert RingSweep(n_agents=given).vary == {"n_agents": (20, 40)}


def test_a_list_beside_an_axis_of_the_same_parameter_is_refused():
    with pytest.raises(InvalidInput, match=r"either n_agents or vary\.n_agents"):
        RingSweep(n_agents=[20, 40], vary={"n_agents": [5]})


def test_one_number_for_seeds_is_asked_about():
    with pytest.raises(InvalidInput, match=r"seeds: got 5; .* Did you mean n_replicates: 5\?"):
        RingSweep(seeds=5)
