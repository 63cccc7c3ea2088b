"""Questions about results that cannot be meant as they are asked."""

import itertools
from decimal import Decimal

import numpy as np
import pytest

from bilancio.errors import InvalidInput
from bilancio.experiments import questions
from bilancio.experiments.questions import check_names, question

KNOWN = ("kappa", "mu", "seed")


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"bins": "3"}, "bins: got '3'; allowed: whole numbers from 1 to 1,000."),
        ({"bins": 2.5}, "bins: got 2.5; allowed: whole numbers from 1 to 1,000."),
        ({"bins": True}, "bins: got True; allowed: whole numbers from 1 to 1,000."),
        ({"precision": "small"}, "precision: got 'small'; allowed: finite numbers above 0."),
        ({"precision": [1]}, "precision: got [1]; allowed: finite numbers above 0."),
        ({"precision": True}, "precision: got True; allowed: finite numbers above 0."),
        ({"precision": float("inf")}, "precision: got inf; allowed: finite numbers above 0."),
        ({"precision": float("nan")}, "precision: got nan; allowed: finite numbers above 0."),
        ({"precision": 0}, "precision: got 0; allowed: finite numbers above 0."),
        ({"effects": "false"}, "effects: got 'false'; allowed: true or false."),
        ({"effects": 1}, "effects: got 1; allowed: true or false."),
        ({"order_by": "kappa,-kappa"}, "order_by: got kappa twice; allowed: each name once."),
        (
            {"pivot": "mu", "measures": "delta_active,delta_passive"},
            "measures: got delta_active, delta_passive; allowed: one measure beside pivot.",
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_asked_for_has_its_type(asked, sentence):
    with pytest.raises(InvalidInput) as error:
        question(**asked)
    assert str(error.value) == sentence


def test_a_precision_too_large_for_a_double_is_refused():
    with pytest.raises(InvalidInput, match="allowed: finite numbers above 0"):
        question(precision=10**400)


@pytest.mark.parametrize("given", [0.01, Decimal("0.01"), np.float64(0.01)])
def test_a_precision_is_any_kind_of_number(given):
    found = question(precision=given, bins=np.int64(3))
    assert (found.precision, found.bins) == (0.01, 3)
    assert type(found.precision) is float
    assert type(found.bins) is int


@pytest.mark.parametrize("field", ["group_by", "measures", "order_by"])
def test_names_are_not_counted_without_end(field):
    with pytest.raises(InvalidInput) as error:
        question(**{field: ["kappa"] * 100_000})
    assert str(error.value) == (
        f"{field}: got 100,000 names; allowed: at most {questions.MAX_NAMES} names."
    )


def test_many_unknown_names_get_one_list_of_those_that_are_known():
    with pytest.raises(InvalidInput) as error:
        check_names("group_by", [f"n{number}" for number in range(20)], KNOWN)
    lines = str(error.value).splitlines()
    assert lines[0] == "group_by: got 'n0'; allowed: kappa, mu, seed."
    assert lines[1] == "group_by: got 'n1'."
    assert lines[-1] == "… and 10 more problems."


def test_a_long_unknown_name_is_shown_by_its_beginning():
    with pytest.raises(InvalidInput) as error:
        check_names("group_by", ["x" * 100_000], KNOWN)
    assert "(100,000 characters); allowed: kappa, mu, seed." in str(error.value)


def test_an_unknown_name_given_twice_gets_one_sentence():
    with pytest.raises(InvalidInput) as error:
        check_names("group_by", ["kapa", "kapa"], KNOWN)
    assert str(error.value) == (
        "group_by: got 'kapa'; allowed: kappa, mu, seed. Did you mean kappa?"
    )


def test_an_endless_list_of_names_is_refused():
    with pytest.raises(InvalidInput, match="allowed: a list of names"):
        question(group_by=itertools.count())
