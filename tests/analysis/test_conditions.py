import itertools
import operator
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bilancio.analysis.conditions import where
from bilancio.errors import InvalidInput

UNHURRIED = settings(deadline=None)  # the first misspelt name loads rapidfuzz

KAPPAS, MUS = (0.25, 0.3, 0.5, 1.0), (0.0, 0.5)
CELLS = list(itertools.product(KAPPAS, MUS))
COLUMNS = {
    "kappa": np.array([kappa for kappa, _ in CELLS]),
    "mu": np.array([mu for _, mu in CELLS]),
    "n_agents": np.array([10, 100, 1000, 10, 100, 1000, 10, 100]),
    "handling": np.array(["fail-fast", "expel-agent"] * 4),
    "rollover": np.array([True, False] * 4),
    "quiet": np.array([np.nan, 1.0] * 4),
}


def held(condition):
    return np.flatnonzero(where(condition, COLUMNS)).tolist()


@pytest.mark.parametrize(
    ("condition", "cells"),
    [
        ("kappa < 0.5 and mu = 0", [0, 2]),
        ("kappa<.5 AND mu==0.0", [0, 2]),
        ("kappa = 0.3", [2, 3]),
        ("kappa != 0.3 and mu ≠ 0", [1, 5, 7]),
        ("kappa >= 1 or kappa <= 0.25", [0, 1, 6, 7]),
        ("kappa ≥ 1 or kappa ≤ 2.5e-1", [0, 1, 6, 7]),
        ("mu = 0 and kappa = 1 or kappa = 0.25", [0, 1, 6]),
        ("mu = 0 and (kappa = 1 or kappa = 0.25)", [0, 6]),
        ("not kappa > 0.3", [0, 1, 2, 3]),
        ("not (kappa > 0.3 or mu = 0)", [1, 3]),
        ("kappa in (0.3, 1) and mu in [0]", [2, 6]),
        ("kappa not in (0.3, 1)", [0, 1, 4, 5]),
        ("0.25 < kappa <= 0.5", [2, 3, 4, 5]),
        ("0.5 >= kappa", [0, 1, 2, 3, 4, 5]),
        ("kappa > -1", [0, 1, 2, 3, 4, 5, 6, 7]),
        ("n_agents = 100", [1, 4, 7]),
        ("n_agents > 99.5 and n_agents < 1e3", [1, 4, 7]),
        ("handling = fail-fast and kappa = 1", [6]),
        ("handling = 'expel-agent' and kappa = 1", [7]),
        ('handling != "Fail_Fast" and kappa = 1', [7]),
        ("handling in (fail-fast, expel-agent) and kappa = 1", [6, 7]),
        ("rollover = true and kappa = 1", [6]),
        ("rollover != true and kappa = 1", [7]),
        ("quiet < 2 and kappa = 1", [7]),
        ("quiet != 2 and kappa = 1", [7]),
        ("  ", [0, 1, 2, 3, 4, 5, 6, 7]),
        ("kappa > 5", []),
    ],
)
def test_a_text_says_which_cells(condition, cells):
    assert held(condition) == cells


@pytest.mark.parametrize(
    ("condition", "cells"),
    [
        ({}, [0, 1, 2, 3, 4, 5, 6, 7]),
        ({"kappa": "<0.5", "mu": 0}, [0, 2]),
        ({"kappa": [0.25, "0.3"], "mu": Decimal("0.5")}, [1, 3]),
        ({"kappa": "> 0.25 and <= 0.5"}, [2, 3, 4, 5]),
        ({"kappa": "not in (0.3, 1)"}, [0, 1, 4, 5]),
        ({"kappa": "0.3"}, [2, 3]),
        ({"kappa": np.array([0.3])}, [2, 3]),
        ({"handling": "fail-fast", "kappa": 1}, [6]),
        ({"handling": "!= fail-fast", "kappa": 1}, [7]),
        ({"rollover": True, "kappa": 1}, [6]),
        ({"n_agents": {10, 1000}}, [0, 2, 3, 5, 6]),
    ],
)
def test_a_mapping_says_which_cells(condition, cells):
    assert held(condition) == cells


SIGNS = {
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    ">": operator.gt,
}


@given(
    st.sampled_from(KAPPAS),
    st.sampled_from(MUS),
    st.sampled_from(sorted(SIGNS)),
    st.sampled_from(["and", "or"]),
    st.booleans(),
)
@UNHURRIED
def test_a_condition_means_what_it_means_in_python(kappa, mu, sign, joined, negated):
    text = f"{'not ' * negated}(kappa {sign} {kappa} {joined} mu = {mu})"
    both = {"and": operator.and_, "or": operator.or_}[joined]
    expected = [both(SIGNS[sign](cell[0], kappa), cell[1] == mu) is not negated for cell in CELLS]
    assert where(text, COLUMNS).tolist() == expected


def test_columns_of_objects_are_numbers_booleans_or_words():
    columns = {
        "kappa": np.array([Decimal("0.3"), Decimal("0.5")], object),
        "roll": np.array([True, False], object),
        "word": np.array(["a", "b"], object),
    }
    assert where("kappa = 0.3 and roll = yes and word = a", columns).tolist() == [True, False]


NAMES = "kappa, mu, n_agents, handling, rollover, quiet"


@pytest.mark.parametrize(
    ("condition", "sentence"),
    [
        ("kapa < 0.5", f"where: got 'kapa'; allowed: {NAMES}. Did you mean kappa?"),
        ({"kapa": 1}, f"where: got 'kapa'; allowed: {NAMES}. Did you mean kappa?"),
        ("0.5 > kapa", f"where: got 'kapa'; allowed: {NAMES}. Did you mean kappa?"),
        ("very low", f"where: got 'very low'; allowed: {NAMES}."),
        ("kappa < low", "where.kappa: got 'low'; allowed: a number."),
        ("kappa < nan", "where.kappa: got 'nan'; allowed: a number."),
        (
            "handling = fail-fats",
            (
                "where.handling: got 'fail-fats'; allowed: expel-agent, fail-fast. "
                "Did you mean fail-fast?"
            ),
        ),
        (
            "handling < fail-fast",
            "where.handling: got '<'; allowed: =, != or in: its values have no order.",
        ),
        (
            "rollover = tru",
            "where.rollover: got 'tru'; allowed: true or false. Did you mean true?",
        ),
        ({"kappa": []}, "where.kappa: got []; allowed: at least one value."),
        (
            {"kappa": None},
            "where.kappa: got None; allowed: a number, a word, true or false, or a list of these.",
        ),
        (
            ["kappa"],
            (
                "where: got ['kappa']; allowed: text such as kappa < 0.5 and mu in (0, 0.5), "
                "or a mapping."
            ),
        ),
    ],
)
def test_a_condition_on_what_does_not_exist_is_refused(condition, sentence):
    with pytest.raises(InvalidInput) as error:
        where(condition, COLUMNS)
    assert str(error.value) == sentence


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("kappa", "=, !=, <, <=, >, >= or in after 'kappa'"),
        ("kappa <", "a value after 'kappa <'"),
        ("kappa < < 0.5", "a value after 'kappa <'"),
        ("kappa in 0.5", "values in parentheses after 'kappa in'"),
        ("kappa in (0.5", "a comma or ) after 'kappa in (0.5'"),
        ("(kappa < 0.5", "and, or, or ) after '(kappa < 0.5'"),
        ("kappa < 0.5)", "and, or, or nothing more after 'kappa < 0.5'"),
        ("kappa < 0.5 and", "a name after 'kappa < 0.5 and'"),
        ("kappa not 0.5", "=, !=, <, <=, >, >= or in after 'kappa not'"),
        ("0.5", "=, !=, <, <=, > or >= after '0.5'"),
        ("0.5 < 1", "a name after '0.5 <'"),
        ("kappa < 0.5 ; drop", "and, or, or nothing more after 'kappa < 0.5'"),
        ("'kappa' < 0.5", "a name"),
        ("$", "a name"),
    ],
)
def test_a_text_that_cannot_be_read_says_where_and_what_could_stand_there(condition, expected):
    with pytest.raises(InvalidInput) as error:
        where(condition, COLUMNS)
    assert str(error.value) == (
        f"where: got {condition!r}; allowed: {expected}, as in kappa < 0.5 and mu in (0, 0.5)."
    )


def test_a_sentence_about_an_entry_names_it_and_shows_columns_that_there_are():
    columns = {"lines": np.array(["one", "two"]), "rate": np.array([0.5, 0.9])}
    with pytest.raises(InvalidInput) as error:
        where({"rate": "<"}, columns)
    assert str(error.value) == (
        "where.rate: got '<'; allowed: a value after '<', as in rate < 0.5."
    )
    with pytest.raises(InvalidInput, match="as in lines = …"):
        where("lines", {"lines": columns["lines"]})


@pytest.mark.parametrize(
    ("words", "signs"),
    [
        ("kappa is 0.5", "kappa = 0.5"), ("kappa 0.5", "kappa = 0.5"),
        ("kappa: 0.5", "kappa = 0.5"), ("kappa equals 0.5", "kappa = 0.5"),
        ("kappa is not 0.5", "kappa != 0.5"), ("kappa below 0.5", "kappa < 0.5"),
        ("kappa is less than 0.5", "kappa < 0.5"), ("kappa over 0.25", "kappa > 0.25"),
        ("kappa is at most 0.5", "kappa <= 0.5"), ("kappa not below 0.5", "kappa >= 0.5"),
        ("kappa between 0.3 and 1", "0.3 <= kappa and kappa <= 1"),
        ("kappa is between 0.3 and 1 and mu is 0", "0.3 <= kappa <= 1 and mu = 0"),
        ("kappa < 1, mu = 0", "kappa < 1 and mu = 0"),
        ("kappa < 1 & mu = 0", "kappa < 1 and mu = 0"),
        ("kappa<1,mu=0", "kappa < 1 and mu = 0"), ("kappa<1&mu=0", "kappa < 1 and mu = 0"),
        ("kappa∈{0.25,1}", "kappa in (0.25, 1)"),
        ("kappa < 1 && mu = 0 || mu = 0.5", "kappa < 1 and mu = 0 or mu = 0.5"),
        ("kappa ∈ {0.25, 1}, mu is 0", "kappa in (0.25, 1) and mu = 0"),
        ("kappa is not in [0.25, 1]", "kappa not in (0.25, 1)"),
        ("handling is fail-fast", "handling = fail-fast"),
        ({"kappa": "at most 0.5"}, "kappa <= 0.5"),
        ({"kappa": "between 0.3 and 1", "mu": "is not 0"}, "0.3 <= kappa <= 1 and mu != 0"),
        ({"kappa": "above 0.25, at most 0.5"}, "0.25 < kappa <= 0.5"),
    ],
)  # fmt: skip
def test_words_for_comparisons_mean_their_signs(words, signs):
    assert held(words) == held(signs)


def test_columns_and_values_may_be_called_as_comparisons_are():
    columns = {
        "over": np.array([1, 2, 3]), "between": np.array([4, 5, 6]),
        "state": np.array(["up to date", "is", "over"]),
    }  # fmt: skip
    assert where("over over 1 and between between 4 and 5", columns).tolist() == [
        False, True, False,
    ]  # fmt: skip
    for at, word in enumerate(columns["state"].tolist()):
        assert where({"state": word}, columns).nonzero()[0].tolist() == [at]
        assert where(f"state = '{word}'", columns).nonzero()[0].tolist() == [at]


@pytest.mark.parametrize("condition", ["(" * 100, "not " * 100, "a" * 10_000])
def test_a_text_that_is_too_long_or_deep_is_refused(condition):
    with pytest.raises(InvalidInput, match="at most"):
        where(condition, COLUMNS)


@given(
    st.text("kmu <>=!().5'and,", max_size=30)
    | st.lists(
        st.sampled_from([
            "kappa", "mu", "0.5", "1", "is", "not", "between", "and", "or", "over", "at", "most",
            "low", "in", "(", ")", "{", "}", ",", "&", ":",
        ]),
        max_size=8,
    ).map(" ".join)
)  # fmt: skip
@UNHURRIED
def test_any_text_is_read_or_refused(text):
    try:
        mask = where(text, COLUMNS)
    except InvalidInput:
        return
    assert mask.shape == (8,)


@pytest.mark.parametrize(
    "values", [itertools.count(), range(10**12), [0.5] * 1001], ids=["endless", "range", "list"]
)
def test_a_list_of_too_many_values_is_refused(values):
    with pytest.raises(InvalidInput) as error:
        where({"kappa": values}, COLUMNS)
    assert str(error.value) == (
        "where.kappa: got more than 1,000 values; allowed: at most 1,000 values."
    )


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("name", ["kappa", "n_agents"])
def test_a_whole_number_past_all_doubles_equals_no_cell(name, sign):
    assert held({name: sign * 10**5000}) == []
    assert held(f"{name} < 1e400") == list(range(8))
    assert held(f"{name} < 1e300") == list(range(8))


def test_a_fraction_is_the_double_nearest_to_it():
    assert held({"kappa": Fraction(1, 4)}) == [0, 1]


def test_a_text_that_is_too_deep_is_told_how_deep_it_may_be():
    with pytest.raises(InvalidInput, match="allowed: nesting of at most 50 levels"):
        where("(" * 60, COLUMNS)
