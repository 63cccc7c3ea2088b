"""Questions about results that cannot be meant as they are asked."""

import itertools
from decimal import Decimal

import numpy as np
import pytest

from bilancio.errors import InvalidInput
from bilancio.experiments import questions
from bilancio.experiments.questions import check_names, question
from bilancio.jobs import JobConfig
from tests.experiments.test_answers import answered, rows_of

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


# -- values that are missing in one arm ----------------------------------------------------------


def test_a_difference_of_arms_is_of_the_cells_known_in_both():
    """The mean of what one arm knows less the mean of what the other knows compares cells."""
    config = JobConfig(sweep_type="balanced", kappas=["0.5", "1", "2"], n_replicates=3)
    rows = np.zeros(config.total_runs, [("delta_total", float)])
    cube = config.layout.cube(rows["delta_total"])
    cube[:] = np.array([[0.9, 0.8], [0.5, 0.3], [0.2, 0.1]])  # by cell and arm
    cube[0, 0, 0] = cube[1, 2, 1] = np.nan
    (row,) = rows_of(answered(config, range(config.total_runs), rows).table)
    effects = [(0.2 + 0.1) / 2, (0.1 + 0.2) / 2, (0.1 + 0.2 + 0.1) / 3]
    assert row["trading_effect"] == pytest.approx(np.mean(effects))
    relief = np.mean(effects) / np.mean([(0.5 + 0.2) / 2, (0.9 + 0.5) / 2, (0.9 + 0.5 + 0.2) / 3])
    assert row["trading_relief_ratio"] == pytest.approx(relief)
    passive = [(0.5 + 0.2) / 2, (0.9 + 0.5 + 0.2) / 3, (0.9 + 0.5 + 0.2) / 3]
    assert row["delta_passive"] == pytest.approx(np.mean(passive))


def test_a_row_without_the_primary_measure_has_no_effect_to_decide_on():
    config = JobConfig(sweep_type="balanced", kappas=["0.5", "1"], n_replicates=3)
    rows = np.zeros(config.total_runs, [("delta_total", float)])
    cube = config.layout.cube(rows["delta_total"])
    cube[:] = np.arange(6).reshape(3, 1, 2) / 10
    cube[:, 0, 1] = np.nan
    table = answered(config, range(config.total_runs), rows, group_by="kappa").table
    assert [row["verdict"] for row in rows_of(table)] == [
        "nothing was observed",
        "all 3 seeds equal",
    ]


def test_probes_of_a_search_are_not_contrasted():
    config = JobConfig(
        sweep_type="ring", frontier=True, kappa_range="0.1:20", mus=[0, 1], kappas=["0.5", "1"],
        grid=True, n_replicates=2,
    )  # fmt: skip
    alone = JobConfig(sweep_type="ring", mus=[0, 1], kappas=["0.5", "1"], n_replicates=2)
    n = config.fixed_runs
    assert n == alone.total_runs
    rows = np.random.default_rng(4).random(n + 8)
    found = [
        answered(each, range(size), with_kappas(rows[:size]), contrast="mu").contrasts
        for each, size in ((config, n + 8), (alone, n))
    ]
    assert found[0].rows == found[1].rows


def test_a_sweep_of_searches_alone_has_nothing_to_contrast():
    config = JobConfig(
        sweep_type="ring", frontier=True, kappa_range="0.1:20", mus=[0, 1], n_replicates=2
    )
    rows = with_kappas(np.random.default_rng(4).random(8))
    for by in ("", "mu", "kappa"):
        with pytest.raises(InvalidInput) as error:
            answered(config, range(8), rows, contrast="mu", group_by=by)
        assert "contrast: got mu, which only a search has gone through" in str(error.value)


def with_kappas(deltas):
    rows = np.zeros(len(deltas), [("delta_total", float), ("kappa", float)])
    rows["delta_total"], rows["kappa"] = deltas, 1
    return rows


# -- what a table is of ------------------------------------------------------------------------


def test_a_table_says_what_its_columns_do_not():
    config = JobConfig(sweep_type="ring", kappas=["0.5", "1"], mus=[0, 1], n_replicates=3)
    rows = with_kappas(np.random.default_rng(4).random(12))
    answer = answered(
        config, range(12), rows, group_by="kappa", pivot="mu", contrast="mu", order_by="-kappa"
    )
    assert answer.table.title == "delta_total by mu"
    assert answer.contrasts.title == "mu against its lowest level: differences, paired by seed"
    assert answered(config, range(12), rows, group_by="kappa").table.title == ""


@pytest.mark.filterwarnings("error")
def test_a_hypercube_of_the_largest_doubles_is_answered_without_warnings():
    config = JobConfig(sweep_type="balanced", lhs=3, kappa_range="0.25:4", n_replicates=2)
    rows = np.zeros(config.total_runs, [("delta_total", float)])
    config.layout.cube(rows["delta_total"])[:] = [1.7e308, 1e307]  # by arm
    (row,) = rows_of(answered(config, range(config.total_runs), rows).table)
    assert row["trading_effect"] is row["trading_relief_ratio"] is None


def test_a_condition_by_names_may_be_json_text():
    assert question(where='{"kappa": "<0.5", "mu": [0, 1]}').where == {
        "kappa": "<0.5",
        "mu": [0, 1],
    }
    assert question(where="{kappa").where == "{kappa"
