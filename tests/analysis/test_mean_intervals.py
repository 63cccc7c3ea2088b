import math
from statistics import fmean

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats

from bilancio.analysis.intervals import (
    at_levels,
    mean_intervals,
    measure_intervals,
    ratio_intervals,
    two_way_interval,
    two_way_intervals,
)

UNHURRIED = settings(deadline=None)  # the first interval loads scipy

NAN = math.nan
SHAPES = st.tuples(st.integers(1, 4), st.integers(0, 6))
NUMBERS = st.floats(-1e9, 1e9) | st.sampled_from([0.0, 1.0, NAN])
ANY_NUMBER = st.floats() | NUMBERS


def rows(elements=NUMBERS, shape=SHAPES):
    return arrays.arrays(np.float64, shape, elements=elements)


@st.composite
def fractions(draw, elements=ANY_NUMBER):
    shape = draw(SHAPES)
    return draw(rows(elements, shape)), draw(rows(elements, shape))


def bounds(found, row=0):
    return [found.low[row], found.high[row]]


def assert_sane(found):
    """Check that an interval, or its lack, is one that can be shown."""
    for row, lack in enumerate(found.lack.tolist()):
        low, high = bounds(found, row)
        if lack:
            assert math.isnan(low)
            assert math.isnan(high)
            assert found.reason(row)
        else:
            assert found.n_seeds[row] > 1
            assert low <= found.estimate[row] <= high
            assert low < high
            assert found.reason(row) == ""


@given(rows(st.floats(-100, 100) | st.just(NAN)))
@UNHURRIED
def test_an_interval_of_a_mean_is_that_of_scipy(values):
    found = mean_intervals(values)
    for number, row in enumerate(values):
        known = row[~np.isnan(row)]
        assert found.n_seeds[number] == len(known)
        if found.lack[number]:
            continue
        expected = stats.ttest_1samp(known, 0).confidence_interval(0.95)
        assert found.estimate[number] == pytest.approx(fmean(known.tolist()), abs=1e-9)
        assert bounds(found, number) == pytest.approx(list(expected), rel=1e-6, abs=1e-6)


@given(rows(ANY_NUMBER))
@UNHURRIED
def test_an_interval_of_a_mean_contains_it(values):
    assert_sane(mean_intervals(values))


@given(fractions())
@UNHURRIED
def test_an_interval_of_a_ratio_contains_it(fraction):
    found = ratio_intervals(*fraction)
    for row in np.flatnonzero(found.lack == 0):
        assert found.low[row] <= found.estimate[row] <= found.high[row]


@given(
    arrays.arrays(np.float64, st.tuples(st.integers(0, 4), st.integers(0, 4)), elements=ANY_NUMBER)
)
@UNHURRIED
def test_an_interval_of_cells_and_seeds_contains_its_mean(values):
    assert_sane(two_way_interval(values))


def test_values_of_any_size_have_their_interval():
    values = np.array([[1.0, 2.0, 4.0]])
    plain = bounds(mean_intervals(values))
    for size in (1e-300, 1e300):
        scaled = mean_intervals(values * size)
        assert [bound / size for bound in bounds(scaled)] == pytest.approx(plain)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ([0.1, 0.1, 0.1], "all 3 seeds equal"),
        ([0.0, 0.0, NAN], "all 2 seeds equal"),
        ([0.3, 0.1 + 0.2, 0.3], "all 3 seeds equal"),
        ([5.0, NAN], "one seed shows no spread; run two or more"),
        ([NAN, NAN], "nothing was observed"),
        ([], "nothing was observed"),
        ([1.0, math.inf], "some values are infinite or too large"),
        ([1.0, 2.0], ""),
    ],
)
def test_a_mean_says_why_it_has_no_interval(row, reason):
    found = mean_intervals(np.array([row]))
    assert found.reason(0) == reason
    assert_sane(found)


def test_the_mean_of_equal_seeds_is_their_value():
    assert mean_intervals(np.full((1, 10), 0.1)).estimate[0] == 0.1


def jackknife(top, bottom):
    """Return the ratio of means and its 95 % interval, in plain Python."""
    n = len(top)
    without = [
        (sum(top) - each) / (sum(bottom) - below) for each, below in zip(top, bottom, strict=True)
    ]
    spread = sum((each - fmean(without)) ** 2 for each in without)
    half = stats.t.ppf(0.975, n - 1) * math.sqrt((n - 1) / n * spread)
    ratio = sum(top) / sum(bottom)
    return ratio, [ratio - half, ratio + half]


POSITIVE = st.tuples(st.floats(-9, 9), st.floats(0.5, 9))


@given(st.lists(POSITIVE, min_size=2, max_size=8))
@UNHURRIED
def test_an_interval_of_a_ratio_is_the_jackknife_of_plain_python(seeds):
    top, bottom = map(list, zip(*seeds, strict=True))
    found = ratio_intervals(np.array([[*top, NAN, 3.0]]), np.array([[*bottom, 2.0, NAN]]))
    ratio, expected = jackknife(top, bottom)
    assert found.n_seeds[0] == len(top)
    assert found.estimate[0] == pytest.approx(ratio, abs=1e-9)
    if not found.lack[0]:
        assert bounds(found) == pytest.approx(expected, rel=1e-6, abs=1e-9)


@given(st.lists(st.tuples(POSITIVE, POSITIVE), min_size=2, max_size=8))
@UNHURRIED
def test_a_difference_of_ratios_leaves_a_seed_out_of_both(seeds):
    sides = np.array(seeds).transpose(1, 2, 0)[:, :, np.newaxis]
    (a, b), (c, d) = sides
    found = ratio_intervals(a, b, minus=(c, d))
    n = len(seeds)
    without = [
        np.delete(a, i).sum() / np.delete(b, i).sum()
        - np.delete(c, i).sum() / np.delete(d, i).sum()
        for i in range(n)
    ]
    error = math.sqrt((n - 1) / n * sum((each - fmean(without)) ** 2 for each in without))
    assert found.estimate[0] == pytest.approx(a.sum() / b.sum() - c.sum() / d.sum(), abs=1e-9)
    if not found.lack[0]:
        assert found.error[0] == pytest.approx(error, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(
    ("top", "bottom", "reason"),
    [
        ([1.0, 2.0], [0.0, 0.0], "the denominator is 0, or is 0 without one of the seeds"),
        ([1.0, 2.0], [0.0, 5.0], "the denominator is 0, or is 0 without one of the seeds"),
        ([0.1, 0.3], [0.2, 0.6], "all 2 seeds equal"),
        ([0.0, 0.0], [0.2, 0.5], "all 2 seeds equal"),
        ([1.0], [2.0], "one seed shows no spread; run two or more"),
        ([NAN], [2.0], "nothing was observed"),
        ([math.inf, 1.0], [2.0, 3.0], "some values are infinite or too large"),
        ([1.0, 2.0], [2.0, 3.0], ""),
    ],
)
def test_a_ratio_says_why_it_has_no_interval(top, bottom, reason):
    found = ratio_intervals(np.array([top]), np.array([bottom]))
    assert found.reason(0) == reason
    assert_sane(found)


def test_a_denominator_of_zero_gives_no_estimate():
    assert math.isnan(ratio_intervals(np.array([[1.0, 2.0]]), np.zeros((1, 2))).estimate[0])


def test_a_measure_has_the_interval_of_its_kind():
    top, bottom = np.array([[1.0, 2.0, 4.0]]), np.array([[2.0, 3.0, 3.0]])
    assert bounds(measure_intervals(top, None)) == bounds(mean_intervals(top))
    assert bounds(measure_intervals(top, bottom)) == bounds(ratio_intervals(top, bottom))


def two_way(values):
    """Return the variance of the grand mean by the mean squares, in plain Python."""
    n_cells, n_seeds = len(values), len(values[0])
    grand = fmean(fmean(row) for row in values)
    cells = [fmean(row) - grand for row in values]
    seeds = [fmean(row[seed] for row in values) - grand for seed in range(n_seeds)]
    rest = sum(
        (values[c][s] - grand - cells[c] - seeds[s]) ** 2
        for c in range(n_cells)
        for s in range(n_seeds)
    ) / ((n_cells - 1) * (n_seeds - 1))
    of_cells = n_seeds * sum(x * x for x in cells) / (n_cells - 1)
    of_seeds = n_cells * sum(x * x for x in seeds) / (n_seeds - 1)
    most = max(of_cells + of_seeds - rest, of_cells, of_seeds, rest)
    return most / n_cells / n_seeds


@given(
    arrays.arrays(
        np.float64, st.tuples(st.integers(2, 5), st.integers(2, 5)), elements=st.floats(-9, 9)
    )
)
@UNHURRIED
def test_the_variance_over_cells_and_seeds_is_that_of_the_mean_squares(values):
    found = two_way_interval(values)
    if not found.lack[0]:
        expected = math.sqrt(two_way(values.tolist()))
        assert found.error[0] == pytest.approx(expected, rel=1e-6, abs=1e-9)
        n_cells, n_seeds = values.shape
        least = min(n_cells, n_seeds) - 1
        assert least <= found.df[0] <= n_cells * n_seeds - 1


def test_without_differences_between_cells_the_interval_is_that_of_seeds():
    values = np.array([[1.0, 2.0, 4.0]] * 3)
    assert bounds(two_way_interval(values)) == pytest.approx(bounds(mean_intervals(values[:1])))


def test_without_differences_between_seeds_the_interval_is_that_of_cells():
    cells = np.array([1.0, 2.0, 4.0])
    values = np.tile(cells[:, np.newaxis], 5)
    expected = mean_intervals(cells[np.newaxis])
    assert bounds(two_way_interval(values)) == pytest.approx(bounds(expected))


def test_seeds_that_are_not_whole_are_left_out_of_the_two_way_layout():
    values = np.array([[1.0, 2.0, NAN], [3.0, 5.0, 100.0]])
    found = two_way_interval(values)
    assert (found.estimate[0], found.n_seeds[0]) == (2.75, 2)
    assert bounds(found) == bounds(two_way_interval(values[:, :2]))


def test_a_ratio_over_cells_and_seeds_is_a_ratio_of_means():
    rng = np.random.default_rng(2)
    bottom = rng.uniform(1, 2, (6, 5))
    top = rng.uniform(1, 2, (6, 5))
    found = two_way_interval(top, bottom)
    ratio = top.sum() / bottom.sum()
    linear = two_way_interval((top - ratio * bottom) / bottom.mean())
    assert found.estimate[0] == pytest.approx(ratio)
    assert found.error[0] == pytest.approx(linear.error[0])
    assert found.df[0] == pytest.approx(linear.df[0])


def test_groups_of_sampled_cells_have_their_own_two_way_intervals():
    cube = np.random.default_rng(6).random((5, 7))
    group = np.array([0, 1, 1, -1, 0, 0, 1])
    whole = np.array([[True] * 5, [True, False, True, True, False]])
    found = two_way_intervals((cube, None), whole, group)
    for number in (0, 1):
        alone = two_way_interval(cube[whole[number]][:, group == number].T)
        assert found.estimate[number] == alone.estimate[0]
        assert bounds(found, number) == bounds(alone)
        assert found.n_seeds[number] == alone.n_seeds[0]


def test_missing_values_are_left_out_of_a_two_way_interval():
    cube = np.random.default_rng(7).random((4, 6))
    cube[1, 2] = NAN
    known = ~np.isnan(cube)
    group, whole = np.zeros(6, np.int64), np.ones((1, 4), bool)
    found = two_way_intervals((cube, None), whole, group)
    assert found.estimate[0] == pytest.approx(np.nanmean(cube))
    alone = two_way_interval(np.where(known, cube, 0).T, known.T.astype(float))
    assert bounds(found) == bounds(alone)
    ratio = two_way_intervals((cube, cube + 1), whole, group)
    assert ratio.estimate[0] == pytest.approx(np.nansum(cube) / np.nansum(cube + 1))


def test_sampled_cells_without_any_value_say_so():
    found = two_way_intervals((np.full((3, 2), NAN), None), np.ones((1, 3), bool), np.zeros(2, int))
    assert found.reason(0) == "nothing was observed"
    nothing = two_way_intervals((np.ones((3, 2)), None), np.zeros((1, 3), bool), np.zeros(2, int))
    assert nothing.reason(0) == "nothing was observed"
    none = two_way_intervals((np.ones((3, 2)), None), np.ones((0, 3), bool), np.full(2, -1))
    assert none.estimate.shape == (0,)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([[1.0, 2.0]], "one cell shows no spread between cells; sample two or more"),
        ([[1.0], [2.0]], "one seed shows no spread; run two or more"),
        ([[NAN, 1.0], [2.0, NAN]], "nothing was observed"),
        ([[3.0, 3.0], [3.0, 3.0]], "all 2 seeds equal"),
        ([[3.0, math.inf], [3.0, 3.0]], "some values are infinite or too large"),
    ],
)
def test_a_two_way_layout_says_why_it_has_no_interval(values, reason):
    assert two_way_interval(np.array(values)).reason(0) == reason


def test_each_row_may_have_a_level_of_its_own():
    values = np.array([[1.0, 2.0, 4.0], [1.0, 2.0, 4.0]])
    found = at_levels(mean_intervals(values), np.array([0.1, 0.01]))
    assert bounds(found, 0) == pytest.approx(bounds(mean_intervals(values, 0.9)))
    assert bounds(found, 1) == pytest.approx(bounds(mean_intervals(values, 0.99)))


def test_rows_of_many_blocks_are_those_of_each_alone():
    values = np.random.default_rng(3).random((700, 1000))
    found = mean_intervals(values)
    for row in (0, 350, 699):
        assert bounds(found, row) == bounds(mean_intervals(values[row : row + 1]))
