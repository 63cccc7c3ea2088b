import math

import numpy as np
import pytest
from scipy import stats

from bilancio.analysis.sobol import sobol_indices

NAN = math.nan
DISTS = [stats.uniform(-math.pi, 2 * math.pi)] * 3
FIRST = [0.3139, 0.4424, 0]  # of Ishigami, analytically
TOTAL = [0.5576, 0.4424, 0.2437]


def ishigami(x):
    return np.sin(x[0]) + 7 * np.sin(x[1]) ** 2 + 0.1 * x[2] ** 4 * np.sin(x[0])


def design(n, seed=1):
    """Return the points A, B and AB of a Saltelli design, (3, n), (3, n) and (3, 3, n)."""
    points = stats.qmc.Sobol(6, rng=np.random.default_rng(seed)).random(n).T
    points = (2 * points - 1) * math.pi
    a, b = points[:3], points[3:]
    ab = np.stack([np.where(np.arange(3)[:, np.newaxis] == k, b, a) for k in range(3)])
    return a, b, ab


def evaluated(n, seed=1, function=ishigami):
    a, b, ab = design(n, seed)
    return function(a), function(b), np.stack([function(each) for each in ab])


def test_indices_are_those_of_scipy():
    f_a, f_b, f_ab = evaluated(256)
    expected = stats.sobol_indices(
        func={"f_A": f_a[np.newaxis], "f_B": f_b[np.newaxis], "f_AB": f_ab[:, np.newaxis]}, n=256
    )
    found = sobol_indices(f_a, f_b, f_ab)
    np.testing.assert_allclose(found.first.estimate, expected.first_order)
    np.testing.assert_allclose(found.total.estimate, expected.total_order)


def test_the_indices_of_ishigami_are_in_their_intervals():
    found = sobol_indices(*evaluated(1024))
    for interval, truth in ((found.first, FIRST), (found.total, TOTAL)):
        np.testing.assert_allclose(interval.estimate, truth, atol=0.05)
        assert (interval.low <= truth).all()
        assert (truth <= interval.high).all()
        assert (interval.high - interval.low < 0.4).all()


def test_the_standard_error_is_the_jackknife_over_base_points():
    f_a, f_b, f_ab = evaluated(32)
    found = sobol_indices(f_a, f_b, f_ab)
    without = [
        sobol_indices(np.delete(f_a, i), np.delete(f_b, i), np.delete(f_ab, i, axis=1))
        for i in range(32)
    ]
    for order in ("first", "total"):
        estimates = np.array([getattr(each, order).estimate for each in without])
        error = np.sqrt(31 / 32 * ((estimates - estimates.mean(axis=0)) ** 2).sum(axis=0))
        np.testing.assert_allclose(getattr(found, order).error, error)


def noisy(n, n_seeds, scale, seed=1):
    rng = np.random.default_rng(seed)
    f_a, f_b, f_ab = evaluated(n, seed)
    shift = rng.normal(size=n_seeds)  # of each seed, the same at all points
    f_a, f_b, f_ab = (
        f[..., np.newaxis] + shift + rng.normal(size=(*f.shape, n_seeds)) * scale
        for f in (f_a, f_b, f_ab)
    )
    return f_a, f_b, f_ab


def test_equal_seeds_change_nothing():
    f_a, f_b, f_ab = evaluated(64)
    plain = sobol_indices(f_a, f_b, f_ab)
    copies = [np.repeat(f[..., np.newaxis], 4, axis=-1) for f in (f_a, f_b, f_ab)]
    found = sobol_indices(*copies)
    for order in ("first", "total"):
        one, many = getattr(plain, order), getattr(found, order)
        np.testing.assert_allclose(many.estimate, one.estimate)
        np.testing.assert_allclose(many.error, one.error)


def test_noise_of_seeds_is_not_counted_as_interactions():
    f_a, f_b, f_ab = noisy(1024, 5, scale=6)
    found = sobol_indices(f_a, f_b, f_ab)
    of_means = sobol_indices(f_a.mean(axis=1), f_b.mean(axis=1), f_ab.mean(axis=2))
    np.testing.assert_allclose(found.total.estimate, TOTAL, atol=0.15)
    assert of_means.total.estimate[2] > TOTAL[2] + 0.15
    assert (found.total.low <= TOTAL).all()
    assert (found.total.high >= TOTAL).all()


def test_a_parameter_that_changes_nothing_says_so():
    f_a, f_b, f_ab = evaluated(64, function=lambda x: x[0] + x[1] ** 2)
    found = sobol_indices(f_a, f_b, f_ab)
    assert found.total.estimate[2] == found.first.estimate[2] == 0
    assert found.total.reason(2) == "it changes nothing at any of the points"


@pytest.mark.parametrize(
    ("n_seeds", "reason"),
    [
        (1, "one seed shows no spread; run two or more"),
        (2, "two seeds do not show how sure this is; run three or more"),
        (3, ""),
    ],
)
def test_few_seeds_are_told(n_seeds, reason):
    assert sobol_indices(*noisy(16, n_seeds, 0.1)).total.reason(0) == reason


def test_a_constant_has_no_indices():
    found = sobol_indices(*evaluated(16, function=lambda x: 0 * x[0] + 0.1))
    assert np.isnan(found.first.estimate).all()
    assert found.first.reason(0) == "the cells differ no more than seeds do"


def test_base_points_with_missing_values_are_left_out():
    f_a, f_b, f_ab = evaluated(32)
    expected = sobol_indices(f_a[:31], f_b[:31], f_ab[:, :31])
    f_ab[1, 31] = NAN
    found = sobol_indices(f_a, f_b, f_ab)
    assert found.n_points == 31
    np.testing.assert_array_equal(found.total.estimate, expected.total.estimate)


def test_nothing_computed_has_no_indices():
    found = sobol_indices(np.full(4, NAN), np.ones(4), np.ones((2, 4)))
    assert found.first.reason(0) == "nothing was observed"


def test_what_changes_values_by_rounding_alone_changes_nothing():
    f_a, f_b, f_ab = evaluated(64)
    f_a, f_b, f_ab = f_a + 3, f_b + 3, f_ab + 3
    f_ab[2] = f_a * (1 + 2e-16)
    found = sobol_indices(f_a, f_b, f_ab)
    for order in (found.first, found.total):
        assert order.estimate[2] == 0
        assert np.isnan(order.low[2])
        assert order.reason(2) == "it changes nothing at any of the points"
