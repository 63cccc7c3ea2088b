from decimal import Decimal

import pytest

from bilancio.errors import InvalidInput
from bilancio.experiments.configs import BalancedSweep, RingSweep
from bilancio.jobs import JobConfig

BRACKET = {"frontier": True, "kappa_range": "0.2:5"}
BAD = {
    "range the wrong way round": (
        {"lhs": 9, "kappa_range": "5:0.2"},
        "kappa_range: got 5:0.2; allowed: low:high with low below high.",
    ),
    "range of one value": (
        {"lhs": 9, "mu_range": ["0.5", "0.50"]},
        "mu_range: got 0.5:0.5; allowed: low:high with low below high.",
    ),
    "one end": ({"lhs": 9, "mu_range": "0.5"}, "mu_range: got '0.5'; allowed: two numbers, low:hi"),
    "three ends": ({"lhs": 9, "mu_range": [0, 0.5, 1]}, "mu_range: got [0, 0.5, 1]; allowed: two"),
    "end out of bounds": (
        {"lhs": 9, "mu_range": [0, 2]},
        "mu_range[1]: got 2; allowed: numbers from 0 to 1.",
    ),
    "end that is not a number": (
        {"lhs": 9, "kappa_range": "a:5"},
        "kappa_range[0]: got 'a'; allowed: numbers above 0 and up to 1000.",
    ),
    "no samples": (
        {"lhs": 0, "kappa_range": "1:2"},
        "lhs: got 0; allowed: whole numbers from 1 to 10000000.",
    ),
    "negative samples": ({"lhs": -5, "kappa_range": "1:2"}, "lhs: got -5; allowed: whole numbers"),
    "true as samples": ({"lhs": True, "kappa_range": "1:2"}, "lhs: got True; allowed: a number"),
    "absurdly many samples": (
        {"lhs": 10**8, "kappa_range": "1:2"},
        "lhs: got 100000000; allowed: whole numbers from 1 to 10000000.",
    ),
    "too many runs of samples": (
        {"lhs": 10**6, "kappa_range": "1:2", "n_replicates": 11},
        "lhs: got 11,000,000 runs; allowed: at most 10,000,000 runs in one job.",
    ),
    "too many runs of designs together": (
        {"lhs": 10**6, "kappa_range": "1:2", "n_replicates": 10, "grid": True},
        "grid and lhs: got 10,000,010 runs; allowed: at most 10,000,000 runs in one job.",
    ),
    "too many runs of a search": (
        {**BRACKET, "n_replicates": 10**6},
        "frontier: got 11,000,000 runs; allowed: at most 10,000,000 runs in one job.",
    ),
    "samples of nothing": (
        {"lhs": 5},
        (
            "lhs: got 5 samples of nothing; allowed: one range or more: kappa_range, "
            "concentration_range, mu_range, monotonicity_range, or low:high in vary."
        ),
    ),
    "sampling with a list": (
        {"lhs": 5, "kappa_range": "1:2", "mus": [0, 1]},
        "mus: got 2 values, of which lhs takes one; allowed: one value, or a mu_range.",
    ),
    "range for nothing": (
        {"kappa_range": "1:2"},
        "kappa_range: got 1:2; allowed: nothing, unless lhs, sobol or frontier is asked for.",
    ),
    "range that a search does not use": (
        {**BRACKET, "mu_range": "0:1"},
        "mu_range: got 0:1; allowed: nothing, unless lhs or sobol is asked for.",
    ),
    "seed for nothing": (
        {"lhs_seed": 3},
        "lhs_seed: got 3; allowed: nothing, unless lhs is asked for.",
    ),
    "search without a bracket": (
        {"frontier": True},
        (
            "frontier: got true without kappa_range; allowed: a kappa_range too, low:high, "
            "the bracket that is searched."
        ),
    ),
    "limit for nothing": (
        {"frontier_delta": "0.1"},
        "frontier_delta: got 0.1; allowed: nothing, unless frontier is asked for.",
    ),
    "tolerance of 0": (
        {**BRACKET, "frontier_tolerance": 0},
        "frontier_tolerance: got 0; allowed: numbers from 0.0001 to 1.",
    ),
    "negative tolerance": (
        {**BRACKET, "frontier_tolerance": "-0.1"},
        "frontier_tolerance: got '-0.1'; allowed: numbers from 0.0001 to 1.",
    ),
    "limit of everything": (
        {**BRACKET, "frontier_delta": 1},
        "frontier_delta: got 1; allowed: numbers from 0 and below 1.",
    ),
    "unknown parameter": (
        {"points": [{"kapa": 1}]},
        "points[0].kapa: unknown field; did you mean kappa? Known fields: kappa, ",
    ),
    "parameter of dealers in a ring": (
        {"points": [{"outside_mid_ratio": 1}]},
        "points[0].outside_mid_ratio: unknown field; known fields:",
    ),
    "point out of bounds": (
        {"points": [{"kappa": 1}, {"kappa": -1}]},
        "points[1].kappa: got -1; allowed: numbers above 0 and up to 1000.",
    ),
    "point twice": (
        {"points": [{"kappa": 1}, {"kappa": 2}, {"kappa": "2.0", "mu": 0}]},
        "points[2]: got the same values as points[1]; allowed: each point once.",
    ),
    "no points": ({"points": []}, "points: got an empty list; allowed: at least one value"),
    "number for a point": ({"points": [3]}, "points[0]: got 3; allowed: values by parameter name."),
    "text for points": ({"points": "kappa"}, "points: got 'kappa'; allowed: a list of"),
    "point with a choice": (
        {"points": [{"mu": 1}], "kappas": [1, 2]},
        "points[0].kappa: got nothing; allowed: a value, for kappas has 2.",
    ),
    "no design": (
        {"grid": False},
        "grid: got false; allowed: true, unless lhs, sobol, points or frontier is asked for.",
    ),
}


@pytest.mark.parametrize(("given", "sentence"), BAD.values(), ids=BAD)
def test_bad_designs_are_answered_with_field_value_and_what_is_allowed(given, sentence):
    with pytest.raises(InvalidInput) as error:
        JobConfig(sweep_type="ring", **given)
    assert str(error.value).startswith(sentence)


def test_an_arm_to_search_is_refused_where_nothing_is_searched():
    with pytest.raises(InvalidInput, match="frontier_arm: got active; allowed: nothing, unless"):
        BalancedSweep(frontier_arm="active")


@pytest.mark.parametrize("written", ["0.2:5", " 0.2 : 5 ", ["0.2", "5"], (0.2, 5), ["0.2:5"]])
def test_a_range_is_two_numbers_in_any_spelling(written):
    assert RingSweep(lhs=9, kappa_range=written).kappa_range == (Decimal("0.2"), Decimal(5))


GRIDS = {
    "nothing else is asked": ({}, {"grid": 1}),
    "lists alone": ({"kappas": [1, 2], "mus": [0, 1]}, {"grid": 4}),
    "samples": ({"lhs": 9, "kappa_range": "1:2"}, {"lhs": 9}),
    "samples of a parameter, a list of another": (
        {"lhs": 9, "mu_range": "0:1", "mus": [0, 1]},
        {"grid": 2, "lhs": 9},
    ),
    "samples and a grid on demand": (
        {"lhs": 9, "kappa_range": "1:2", "grid": True},
        {"grid": 1, "lhs": 9},
    ),
    "points": ({"points": [{"kappa": 3}, {}]}, {"points": 2}),
    "points beside a list": (
        {"points": [{"kappa": 3}], "kappas": [1, 2]},
        {"grid": 2, "points": 1},
    ),
    "points without the list's grid": (
        {"points": [{"kappa": 3}], "kappas": [1, 2], "grid": False},
        {"points": 1},
    ),
    "a search over lists": (
        {**BRACKET, "mus": [0, 1], "concentrations": [1, 5]},
        {"frontier": 4 * 11},
    ),
    "a search beside a list of κ": (
        {**BRACKET, "kappas": [1, 2]},
        {"grid": 2, "frontier": 11},
    ),
    "everything": (
        {**BRACKET, "lhs": 9, "kappas": [1, 2], "points": [{"kappa": 1}]},
        {"grid": 2, "lhs": 9, "points": 1, "frontier": 11},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("given", "blocks"), GRIDS.values(), ids=GRIDS)
def test_the_grid_takes_part_only_if_it_is_asked_for_or_a_list_is_left_unused(given, blocks):
    config = RingSweep(**given, n_replicates=3)
    assert config.blocks == blocks
    assert config.total_runs == 3 * sum(blocks.values())
    assert config.fixed_runs == config.total_runs - 3 * blocks.get("frontier", 0)
    assert JobConfig.model_validate(config.as_dict()) == config


def test_points_are_written_out_whole():
    config = BalancedSweep(points=[{"kappa": "0.50"}, {"outside_mid_ratio": 0}], mus=["0.25"])
    rest = {"concentration": "1", "mu": "0.25", "monotonicity": "0"}
    assert config.as_dict()["points"] == [
        {"kappa": "0.5", **rest, "outside_mid_ratio": "1"},
        {"kappa": "1", **rest, "outside_mid_ratio": "0"},
    ]


def test_both_arms_are_searched_unless_one_is_named():
    assert BalancedSweep(**BRACKET, mus=[0, 1]).n_searches == 4
    assert BalancedSweep(**BRACKET, mus=[0, 1], frontier_arm="active").n_searches == 2


@pytest.mark.parametrize(
    ("given", "probes"),
    [
        ({"kappa_range": "0.2:5", "frontier_tolerance": 1}, 2 + 3),  # 25 ≤ 2^(2^3)
        ({"kappa_range": "1:2", "frontier_tolerance": 1}, 2 + 1),  # a factor of 2, rounding apart
        ({"kappa_range": "1:1.9", "frontier_tolerance": 1}, 2),
        ({"kappa_range": "0.2:5", "frontier_tolerance": "0.01"}, 2 + 9),
        ({"kappa_range": "0.2:5", "frontier_tolerance": "0.0001"}, 2 + 16),
    ],
)
def test_the_number_of_probes_follows_from_bracket_and_tolerance(given, probes):
    assert RingSweep(frontier=True, **given).max_probes == probes


def test_a_bracket_of_a_hypercube_is_not_searched():
    config = RingSweep(lhs=4, kappa_range="0.2:5")
    assert (config.max_probes, config.n_searches) == (0, 0)
    assert not config.searches


def test_as_many_runs_as_a_job_may_have_are_accepted():
    assert RingSweep(n_replicates=10**7).total_runs == 10**7


def test_parameters_that_differ_between_runs_are_known_by_the_names_results_group_by():
    assert RingSweep().varied == ()
    assert RingSweep(kappas=[1, 2], seeds=[1, 2]).varied == ("kappa", "seed")
    assert RingSweep(lhs=9, mu_range="0:1").varied == ("mu",)
    assert RingSweep(points=[{"mu": 0}, {"mu": 1}], **BRACKET).varied == ("design", "kappa", "mu")
    assert BalancedSweep(**BRACKET).varied == ("design", "kappa")
