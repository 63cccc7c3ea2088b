import numpy as np

from bilancio.analysis.measures import Measure, weighted_sum

EFFECT = Measure(name="effect", numerator={"delta@passive": 1, "delta@active": -1})
RELIEF = Measure(
    name="relief",
    numerator={"delta@passive": 1, "delta@active": -1},
    denominator={"delta@passive": 1},
)


def columns(passive, active):
    return {"delta@passive": np.array([passive]), "delta@active": np.array([active])}


def test_a_measure_names_each_column_that_it_needs_once():
    assert EFFECT.columns == RELIEF.columns == ("delta@passive", "delta@active")


def test_a_measure_is_a_weighted_sum_of_columns_under_each_seed():
    numerator, denominator = EFFECT.per_seed(columns([0.5, np.nan], [0.25, 0.5]))
    assert denominator is None
    np.testing.assert_array_equal(numerator, [[0.25, np.nan]])


def test_a_ratio_gives_its_numerator_and_denominator_under_each_seed():
    numerator, denominator = RELIEF.per_seed(columns([0.5, 1.0], [0.25, 0.5]))
    np.testing.assert_array_equal(numerator, [[0.25, 0.5]])
    np.testing.assert_array_equal(denominator, [[0.5, 1.0]])


def test_a_measure_of_one_column_does_not_share_it():
    given = {"delta": np.array([[1.0, 2.0]])}
    numerator, _ = Measure(name="delta", numerator={"delta": 1}).per_seed(given)
    numerator[:] = 0
    assert given["delta"].tolist() == [[1, 2]]


def test_parts_that_cancel_up_to_rounding_cancel():
    third = np.array([0.1 + 0.2, 1.0])
    assert weighted_sum([(1, third), (-1, np.array([0.3, 0.5]))]).tolist() == [0, 0.5]


def test_infinite_and_large_parts_do_not_cancel():
    large = np.array([np.inf, np.inf, 1.7e308, -1.7e308])
    other = np.array([5.0, np.inf, 1.6e308, 1.7e308])
    found = weighted_sum([(1, large), (-1, other)])
    np.testing.assert_allclose(found, [np.inf, np.nan, 1e307, -np.inf])
