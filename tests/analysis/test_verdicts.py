import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats

from bilancio.analysis.intervals import mean_intervals
from bilancio.analysis.verdicts import adjusted, holm, p_values, verdicts

UNHURRIED = settings(deadline=None)  # the first interval loads scipy

ROWS = arrays.arrays(
    np.float64,
    st.tuples(st.integers(1, 6), st.integers(2, 5)),
    elements=st.sampled_from([-1.0, 0.0, 0.1, 0.5, 1.0, 1.2, np.nan]),
)


def rejected_by_steps(p, alpha):
    """Return which hypotheses Holm's procedure rejects, step by step."""
    rejected = [False] * len(p)
    order = sorted((value, place) for place, value in enumerate(p) if value == value)  # noqa: PLR0124
    for step, (value, place) in enumerate(order):
        if value > alpha / (len(order) - step):
            break
        rejected[place] = True
    return rejected


def test_p_values_are_those_of_scipy():
    values = np.random.default_rng(1).normal(0.3, 1, (5, 8))
    expected = stats.ttest_1samp(values, 0, axis=1).pvalue
    np.testing.assert_allclose(p_values(mean_intervals(values)), expected)


def test_adjusted_p_values_are_those_of_holm():
    """The example of p.adjust in R: .01, .02, .03, .04, .05 give .05, .08, .09, .09, .09."""
    p = np.array([0.05, 0.04, 0.03, np.nan, 0.02, 0.01])
    expected = [0.09, 0.09, 0.09, np.nan, 0.08, 0.05]
    np.testing.assert_allclose(holm(p), expected)


@given(st.lists(st.floats(0, 1) | st.just(np.nan), max_size=8))
@UNHURRIED
def test_what_holm_rejects_has_an_adjusted_p_value_of_at_most_alpha(p):
    alpha = 0.0512345
    adjusted_p = holm(np.array(p))
    assert (adjusted_p <= alpha).tolist() == rejected_by_steps(p, alpha)


@given(ROWS)
@UNHURRIED
def test_an_adjusted_interval_excludes_zero_exactly_where_holm_rejects(values):
    found = mean_intervals(values)
    within = adjusted(found)
    excluded = (within.low > 0) | (within.high < 0)
    assert excluded.tolist() == rejected_by_steps(p_values(found).tolist(), 0.05)


@given(ROWS)
@UNHURRIED
def test_an_adjusted_interval_contains_the_plain_one(values):
    found = mean_intervals(values)
    within = adjusted(found)
    known = found.lack == 0
    assert (within.low <= found.low)[known].all()
    assert (within.high >= found.high)[known].all()


def test_one_row_needs_no_adjustment():
    found = mean_intervals(np.array([[1.0, 2.0, 4.0], [3.0, 3.0, 3.0]]))
    assert adjusted(found).low[0] == pytest.approx(found.low[0])


def test_the_order_of_rows_with_equal_p_values_does_not_matter():
    row = [1.0, 1.2, 0.9]
    found = adjusted(mean_intervals(np.array([row, row])))
    assert found.low[0] == found.low[1]


def test_verdicts_are_words():
    values = np.array(
        [
            [1.0, 1.1, 0.9, 1.05],
            [-1.0, -1.1, -0.9, -1.05],
            [1.0, -1.1, 0.9, -1.05],
            [0.0, 0.0, 0.0, 0.0],
            [0.2, 0.2, 0.2, np.nan],
            [0.2, np.nan, np.nan, np.nan],
        ]
    )
    assert verdicts(mean_intervals(values)) == [
        "helps",
        "hurts",
        "undecided",
        "all 4 seeds equal",
        "all 3 seeds equal",
        "undecided",
    ]
    assert verdicts(mean_intervals(values), ("more", "less"))[:2] == ["more", "less"]


def test_many_rows_make_a_verdict_harder():
    row = [0.1, 0.5, 0.4, 0.2, 0.7]
    noise = np.random.default_rng(4).normal(size=(50, 5))
    assert verdicts(mean_intervals(np.array([row]))) == ["helps"]
    assert verdicts(mean_intervals(np.vstack([row, noise])))[0] == "undecided"


def test_no_rows_have_no_verdicts():
    assert verdicts(mean_intervals(np.empty((0, 3)))) == []
