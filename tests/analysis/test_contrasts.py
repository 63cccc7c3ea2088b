import numpy as np
import pytest
from scipy import stats

from bilancio.analysis.contrasts import contrasts, differences, level_pairs
from bilancio.analysis.intervals import ratio_intervals

NAN = np.nan


def test_a_contrast_is_paired_by_seed():
    values = np.random.default_rng(1).normal(size=(3, 9))
    found = contrasts((values, None), np.array([[1, 0], [2, 1]]))
    for row, (first, second) in enumerate([(1, 0), (2, 1)]):
        expected = stats.ttest_rel(values[first], values[second]).confidence_interval(0.95)
        assert [found.low[row], found.high[row]] == pytest.approx(list(expected))


def test_a_contrast_is_over_the_seeds_that_are_whole_in_both_groups():
    values = np.array([[1.0, NAN, 3.0, 7.0], [2.0, 5.0, NAN, 9.0]])
    found = contrasts((values, None), np.array([[1, 0]]))
    assert (found.estimate[0], found.n_seeds[0]) == (1.5, 2)


def test_groups_that_are_equal_up_to_rounding_do_not_differ():
    values = np.array([[0.3, 0.6, 0.3], [0.1 + 0.2, 0.6, 0.1 + 0.2]])
    found = contrasts((values, None), np.array([[1, 0]]))
    assert (found.estimate[0], found.reason(0)) == (0, "all 3 seeds equal")


def test_a_contrast_of_ratios_is_a_difference_of_ratios_of_means():
    rng = np.random.default_rng(2)
    top, bottom = rng.uniform(1, 2, (2, 6)), rng.uniform(1, 2, (2, 6))
    bottom[0, 2] = NAN
    found = contrasts((top, bottom), np.array([[1, 0]]))
    kept = [0, 1, 3, 4, 5]
    alone = ratio_intervals(
        top[1:, kept], bottom[1:, kept], minus=(top[:1, kept], bottom[:1, kept])
    )
    assert found.n_seeds[0] == 5
    assert found.estimate[0] == pytest.approx(alone.estimate[0])
    assert found.error[0] == pytest.approx(alone.error[0])


def test_two_jobs_are_compared_row_by_row():
    before = np.array([[1.0, 2.0, 3.0]])
    found = differences((np.array([[2.0, 3.0, 7.0]]), None), (before, None))
    assert found.estimate[0] == 2


def test_levels_are_compared_with_the_reference_at_the_same_other_parameters():
    level = np.array([0, 1, 2, 0, 1, 2, 1])
    context = np.array([0, 0, 0, 1, 1, 1, 2])
    assert level_pairs(level, context).tolist() == [[1, 0], [2, 0], [4, 3], [5, 3]]
    assert level_pairs(level, context, reference=2).tolist() == [[0, 2], [1, 2], [3, 5], [4, 5]]


def test_one_level_gives_no_pairs():
    assert level_pairs(np.zeros(3, np.int64), np.arange(3)).shape == (0, 2)
    assert contrasts((np.ones((3, 2)), None), np.empty((0, 2), np.int64)).estimate.shape == (0,)
