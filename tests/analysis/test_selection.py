from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bilancio.analysis.selection import bins, order, pivot
from bilancio.errors import InvalidInput

UNHURRIED = settings(deadline=None)  # other programs may have the cores

TABLE = {
    "kappa": np.array([0.25, 0.25, 1.0, 1.0]),
    "effect": np.array([0.1, np.nan, 0.3, 0.1]),
    "word": np.array(["b", "a", "b", "c"]),
    "verdict": np.array([None, "helps", "hurts", "helps"], object),
}


@pytest.mark.parametrize(
    ("order_by", "places"),
    [
        ("effect", [0, 3, 2, 1]),
        ("-effect", [2, 0, 3, 1]),
        ("-kappa, effect", [3, 2, 0, 1]),
        (["word", "-kappa"], [1, 2, 0, 3]),
        ("verdict", [1, 3, 2, 0]),
        ("-verdict", [2, 1, 3, 0]),
    ],
)
def test_rows_are_ordered_by_columns_and_missing_values_stand_last(order_by, places):
    assert order(order_by, TABLE).tolist() == places


@pytest.mark.parametrize(
    ("order_by", "sentence"),
    [
        (
            "-efect",
            "order_by: got '-efect'; allowed: kappa, effect, word, verdict. Did you mean effect?",
        ),
        ("", "order_by: got ''; allowed: names of columns: kappa, effect, word, verdict."),
    ],
)
def test_an_order_by_an_unknown_column_is_refused(order_by, sentence):
    with pytest.raises(InvalidInput) as error:
        order(order_by, TABLE)
    assert str(error.value) == sentence


def test_bins_are_of_equal_width():
    found = bins(np.array([0, 0.1, 0.25, 0.5, 1, 1.1, np.nan]), Decimal(0), Decimal(1), 4)
    assert found.labels == ("0:0.25", "0.25:0.5", "0.5:0.75", "0.75:1")
    assert found.bin.tolist() == [0, 0, 1, 2, 3, -1, -1]


def test_bins_of_a_logarithmic_parameter_are_of_equal_width_on_its_scale():
    found = bins(np.array([0.3, 1.9, 2.1]), Decimal("0.25"), Decimal(4), 4, logarithmic=True)
    assert found.labels == ("0.25:0.5", "0.5:1", "1:2", "2:4")
    assert found.bin.tolist() == [0, 2, 3]
    third = bins(np.array([]), Decimal("0.3"), Decimal(3), 3, logarithmic=True)
    assert third.labels == ("0.3:0.64633", "0.64633:1.39248", "1.39248:3")


def test_edges_have_as_many_digits_as_tell_them_apart():
    found = bins(np.array([]), Decimal(1_000_000), Decimal(1_000_001), 2)
    assert found.labels == ("1000000:1000000.5", "1000000.5:1000001")


@given(st.lists(st.floats(0.3, 7)), st.integers(1, 20), st.booleans())
@UNHURRIED
def test_each_value_of_the_range_is_in_one_bin_between_its_edges(values, n_bins, logarithmic):
    low, high = Decimal("0.3"), Decimal(7)
    found = bins(np.array(values, float), low, high, n_bins, logarithmic=logarithmic)
    assert len(found.labels) == n_bins
    for value, place in zip(values, found.bin.tolist(), strict=True):
        assert float(found.edges[place]) <= value <= float(found.edges[place + 1])


@pytest.mark.parametrize("n_bins", [0, -1, 1001, True, 2.5, "5"])
def test_a_number_of_bins_is_a_whole_number(n_bins):
    with pytest.raises(InvalidInput, match="allowed: whole numbers from 1 to 1,000"):
        bins(np.array([1.0]), Decimal(0), Decimal(1), n_bins)


def test_a_pivot_sets_one_parameter_against_another():
    table = pivot([0.5, 0.5, 0.25], [0, 1, 1], np.array([1.0, 2.0, 3.0]))
    assert table.rows == (0.5, 0.25)
    assert table.columns == (0, 1)
    np.testing.assert_array_equal(table.cells, [[1, 2], [np.nan, 3]])


def test_a_pivot_of_nothing_is_empty():
    assert pivot([], [], np.empty(0)).cells.shape == (0, 0)
