"""Numbers and lists of numbers are read in every form in which they come."""

import itertools
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from bilancio.errors import InvalidInput, shown
from bilancio.experiments.configs import BalancedSweep, RingSweep, SingleRun
from tests.test_errors import alias_bomb

HALVES = ("0.5", "1", "1.5")


@pytest.mark.parametrize(
    "given",
    [
        "0.5,1,1.5",
        " 0.5 , 1, 1.5, ",
        "0.5:1.5:0.5",
        "1.5:0.5:-0.5",
        "[0.5, 1, 1.5]",
        '["0.5", "1:1.5:0.5"]',
        ["0.5", "1:1.5:0.5"],
        ["0.5:1:0.5", 1.5],
        (Decimal("0.5"), 1, Fraction(3, 2)),
        {1.5, 1, Decimal("0.5")},
        np.array([0.5, 1, 1.5]),
        np.array([0.5, 1, 1.5], np.float32),
        [np.float64(0.5), np.int64(1), np.float32(1.5)],
        (each / 2 for each in range(1, 4)),
    ],
    ids=lambda given: f"{type(given).__name__} {given}"[:40],
)
def test_a_list_is_read_in_every_form(given):
    kappas = RingSweep(kappas=given).as_dict()["kappas"]
    assert sorted(kappas, key=float) == list(HALVES)


@pytest.mark.parametrize(
    ("given", "exact"),
    [
        (0.1, "0.1"),
        ("1e-3", "0.001"),
        (np.float32(0.3), "0.3"),
        (np.float64(0.30000000000000004), "0.30000000000000004"),
        (np.array(0.3), "0.3"),
        (Fraction(1, 8), "0.125"),
        (Fraction(1, 3), "0.3333333333333333"),
        (Decimal("0.30"), "0.3"),
    ],
    ids=repr,
)
def test_a_single_number_is_a_list_of_one_and_stays_exact(given, exact):
    assert RingSweep(kappas=given).as_dict()["kappas"] == [exact]
    assert SingleRun(kappa=given).as_dict()["kappa"] == exact


def test_a_range_has_exact_steps_and_its_end_only_where_they_meet_it():
    assert RingSweep(mus="0.1:0.5:0.1").as_dict()["mus"] == ["0.1", "0.2", "0.3", "0.4", "0.5"]
    assert RingSweep(mus="0:1:0.3").as_dict()["mus"] == ["0", "0.3", "0.6", "0.9"]
    assert RingSweep(mus="1:1:1").as_dict()["mus"] == ["1"]


def test_a_range_may_have_ten_thousand_values_and_no_more():
    assert len(RingSweep(seeds="1:10000:1").seeds) == 10_000
    with pytest.raises(InvalidInput, match="seeds: got '0:10000:1'; allowed: a range of at most"):
        RingSweep(seeds="0:10000:1")


def test_an_iterator_may_give_a_hundred_thousand_values_and_no_more():
    assert len(RingSweep(seeds=iter(range(100_000))).seeds) == 100_000
    with pytest.raises(InvalidInput, match="an iterator gives at most 100,000 values"):
        RingSweep(seeds=iter(range(100_001)))


def test_seeds_are_read_like_other_lists():
    assert RingSweep(seeds="1:9:4").seeds == (1, 5, 9)
    assert RingSweep(seeds=range(3)).seeds == (0, 1, 2)
    assert RingSweep(seeds="7").seeds == (7,)
    assert RingSweep(seeds=np.arange(3)).seeds == (0, 1, 2)


def test_ranges_of_hypercubes_and_points_are_read_as_text_too():
    config = BalancedSweep(
        lhs="3",
        kappa_range="[0.2, 5]",
        mu_range=np.array([0, 1]),
        points='[{"mu": "0.5"}, {"kappa": 0.1}]',
    )
    assert config.as_dict()["kappa_range"] == ["0.2", "5"]
    assert config.as_dict()["mu_range"] == ["0", "1"]
    assert [point["kappa"] for point in config.as_dict()["points"]] == ["1", "0.1"]
    assert RingSweep(points=['{"mu": 0.5}']) == RingSweep(points={"mu": "0.5"})


def test_weights_and_counts_are_read_like_other_numbers():
    config = RingSweep(
        n_agents=np.int32(3), liquidity_mode="vector", liquidity_vector="1,2,0.5", n_replicates="2"
    )
    assert (config.n_agents, config.n_seeds) == (3, 2)
    assert config.as_dict()["liquidity_vector"] == ["1", "2", "0.5"]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"kappas": "1:2:0"}, "kappas: got '1:2:0'; allowed: low:high:step, such as 0.1:0.5:0.1"),
        ({"kappas": "1:2:-1"}, "kappas: got '1:2:-1'; allowed: low:high:step"),
        ({"kappas": "1:2"}, "kappas: got '1:2'; allowed: low:high:step"),
        ({"kappas": "1:nan:1"}, "kappas: got '1:nan:1'; allowed: low:high:step"),
        ({"kappas": "1:a:1"}, "kappas: got '1:a:1'; allowed: low:high:step"),
        ({"kappas": "1:2:1e-9"}, "kappas: got '1:2:1e-9'; allowed: a range of at most 10,000"),
        ({"kappas": "1:2:1e-999999"}, "kappas: got '1:2:1e-999999'; allowed: a range of at most"),
        ({"kappas": "[1, 2"}, "kappas: got '[1, 2'; allowed: JSON text that can be read: it is "),
        ({"kappas": "1,,2"}, "kappas[1]: got ''; allowed: numbers above 0 and up to 1000."),
        ({"kappas": ""}, "kappas: got an empty list; allowed: at least one value"),
        ({"kappas": [True]}, "kappas[0]: got True; allowed: a number, not a boolean."),
        ({"kappas": np.array([True])}, "kappas[0]: got True; allowed: a number, not a boolean."),
        ({"kappas": True}, "kappas[0]: got True; allowed: a number, not a boolean."),
        ({"kappas": [[1]]}, "kappas[0]: got [1]; allowed: numbers above 0"),
        ({"kappas": {"a": 1}}, "kappas: got {'a': 1}; allowed: a list of numbers"),
        ({"kappas": np.array([[1.0, 2.0]])}, "kappas[0]: got [1. 2.]; allowed: numbers above 0"),
        ({"kappas": [float("nan")]}, "kappas[0]: got nan; allowed: numbers above 0"),
        ({"kappas": [np.float32("inf")]}, "kappas[0]: got inf; allowed: numbers above 0"),
        ({"kappas": [Decimal("sNaN")]}, "kappas[0]: got sNaN; allowed: numbers above 0"),
        ({"kappas": [1j]}, "kappas[0]: got 1j; allowed: numbers above 0"),
        ({"kappas": ["0.3", "0.30000000000000000001"]}, "kappas: got 0.3 and 0.30000000000000000"),
        ({"seeds": [1.5]}, "seeds[0]: got 1.5; allowed: whole numbers from 0"),
        ({"seeds": "0:1:0.5"}, "seeds[1]: got 0.5; allowed: whole numbers from 0"),
        ({"n_agents": np.bool_(True)}, "n_agents: got True; allowed: a number, not a boolean."),
        ({"n_agents": "ten"}, "n_agents: got 'ten'; allowed: whole numbers from 3 to 100000."),
        ({"n_agents": 10**5000}, "n_agents: got a number of about 4,983 digits; allowed: whole"),
        ({"kappas": "1:1e9999999:1"}, "kappas: got '1:1e9999999:1'; allowed: a range of at most"),
        ({"n_agents": np.array([[5]])}, "n_agents: got [[5]]; allowed: whole numbers from 3"),
        ({"kappa_range": np.array(5)}, "kappa_range: got 5; allowed: two numbers, low:high."),
        ({"max_failures": Decimal("1e999")}, "max_failures: got 1E+999; allowed: whole numbers fr"),
        ({"liquidity_mode": alias_bomb()}, "liquidity_mode: got [[[[…], […]], "),
        ({"points": "[[1]]"}, "points[0]: got [1]; allowed: values by parameter name."),
    ],
    ids=lambda each: shown(each)[:40],
)
def test_a_value_that_is_not_one_is_refused_in_a_sentence(given, sentence):
    with pytest.raises(InvalidInput) as error:
        RingSweep(**given)
    assert str(error.value).startswith(sentence)


def test_a_list_without_an_end_is_refused():
    with pytest.raises(InvalidInput, match=r"seeds: got repeat\(1\); allowed: a list; an iterator"):
        RingSweep(seeds=itertools.repeat(1))


@pytest.mark.parametrize(
    "given",
    [{"kappas": ["0.5"]}, {"kappas": "0.5"}, {"kappa": [0.5]}, {"kappas": np.array([0.5])}],
    ids=str,
)
def test_a_single_run_takes_lists_of_one(given):
    assert SingleRun(**given, mus=[0], seeds=[7]) == SingleRun(kappa="0.5", seed=7)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"kappas": [1, 2]}, "kappas: got [1, 2]; allowed: one value: this is a single run."),
        ({"seeds": []}, "seeds: got []; allowed: one value: this is a single run."),
        ({"kappas": [1], "kappa": 2}, "kappas: got 1, beside kappa 2; allowed: either kappas or"),
        ({"kappas": ["much"]}, "kappa: got 'much'; allowed: numbers above 0 and up to 1000."),
    ],
    ids=lambda each: shown(each)[:40],
)
def test_a_single_run_refuses_lists_of_several(given, sentence):
    with pytest.raises(InvalidInput) as error:
        SingleRun(**given)
    assert str(error.value).startswith(sentence)


def test_values_that_are_all_but_equal_are_remarked_on():
    config = RingSweep(
        kappas=[0.3, 0.1 + 0.2, 1], points=[{"kappa": 1, "mu": "0.0000000001"}], grid=True
    )
    assert config.remarks == (
        "kappas: 0.3 and 0.30000000000000004 differ by less than 1e-9, and are cells of their own.",
        "mus: 0 and 0.0000000001 differ by less than 1e-9, and are cells of their own.",
    )
    assert RingSweep(kappas="0.1:0.5:0.1").remarks == ()
