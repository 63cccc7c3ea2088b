import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from bilancio.analysis.effects import effects


def anova(values, shape):
    """Return (SS_E - df_E · MS_{E×seed}) / (C·R) of each term, in plain Python.

    The effects of each set of axes are found by inclusion and exclusion of marginal means.
    """
    cells = list(itertools.product(*map(range, shape)))
    seeds = range(values.shape[1])
    table = {
        (cell, seed): float(values[place, seed])
        for place, cell in enumerate(cells)
        for seed in seeds
    }
    axes = range(len(shape))
    subsets = [s for size in range(len(shape) + 1) for s in itertools.combinations(axes, size)]

    def marginal(cell, axes_kept, seed):
        alike = [
            value
            for (other, at), value in table.items()
            if all(other[axis] == cell[axis] for axis in axes_kept) and seed in {None, at}
        ]
        return math.fsum(alike) / len(alike)

    def effect(cell, term, seed):
        return math.fsum(
            (-1) ** (len(term) - len(inner)) * marginal(cell, inner, seed)
            for inner in subsets
            if set(inner) <= set(term)
        )

    found = {}
    for term in subsets[1:]:
        df = math.prod(shape[axis] - 1 for axis in term)
        if not df:
            continue
        of_term = len(seeds) * sum(effect(cell, term, None) ** 2 for cell in cells)
        noise = sum(
            (effect(cell, term, seed) - effect(cell, term, None)) ** 2
            for cell in cells
            for seed in seeds
        )
        mean_square = noise / (df * (len(seeds) - 1))
        key = term if len(term) < 3 else ()
        part = (of_term - df * mean_square) / (len(cells) * len(seeds))
        found[key] = found.get(key, 0) + part
    return found


UNHURRIED = settings(deadline=None)  # the first interval loads scipy
SHAPES = st.sampled_from([(2,), (3, 2), (2, 1, 3), (2, 2, 2), (2, 3, 2), (2, 2, 2, 2)])


@st.composite
def grids(draw):
    shape = draw(SHAPES)
    n_seeds = draw(st.integers(2, 4))
    values = draw(
        arrays.arrays(np.float64, (math.prod(shape), n_seeds), elements=st.integers(-9, 9))
    )
    return values, shape


@given(grids())
@settings(max_examples=40, deadline=None)
def test_components_are_those_of_the_analysis_of_variance(grid):
    values, shape = grid
    found = effects(values, shape)
    expected = anova(values, shape)
    assert set(found.terms) == set(expected)
    for term, variance in zip(found.terms, found.variance, strict=True):
        assert variance == pytest.approx(max(expected[term], 0), abs=1e-9)


@given(grids())
@UNHURRIED
def test_shares_are_parts_of_one_within_their_intervals(grid):
    shares = effects(*grid).shares
    known = ~np.isnan(shares.estimate)
    if known.any():
        assert shares.estimate.sum() == pytest.approx(1)
    for row in np.flatnonzero(shares.lack == 0):
        assert 0 <= shares.low[row] <= shares.estimate[row] <= shares.high[row] <= 1


def test_an_effect_of_one_axis_alone_has_the_whole_share():
    values = np.repeat([[1.0], [2.0], [3.0]], 4, axis=0).repeat(3, axis=1)
    found = effects(values, (3, 2, 2))
    assert found.terms == ((0,), (1,), (2,), (0, 1), (0, 2), (1, 2), ())
    assert found.shares.estimate.tolist() == pytest.approx([1, 0, 0, 0, 0, 0, 0], abs=1e-12)
    assert found.variance[0] == pytest.approx(2 / 3)
    assert found.shares.reason(0) == "all 3 seeds equal"


def test_an_effect_of_each_seed_alone_is_no_difference_between_cells():
    values = np.tile([1.0, 5.0, 9.0], (4, 1))
    shares = effects(values, (2, 2)).shares
    assert np.isnan(shares.estimate).all()
    assert shares.reason(0) == "the cells differ no more than seeds do"


def test_an_interval_is_the_jackknife_over_seeds():
    rng = np.random.default_rng(1)
    values = np.arange(6.0)[:, np.newaxis] + rng.normal(size=(6, 5))
    found = effects(values, (3, 2))
    without = []
    for seed in range(5):
        parts = anova(np.delete(values, seed, axis=1), (3, 2))
        without.append(np.array([parts[term] for term in found.terms]) / sum(parts.values()))
    error = np.sqrt(4 / 5 * ((without - np.mean(without, axis=0)) ** 2).sum(axis=0))
    np.testing.assert_allclose(found.shares.error, error)


@pytest.mark.slow
def test_components_are_right_on_average():
    """Known components: 1 of the first axis, 0.25 of the interaction, none of the second."""
    rng = np.random.default_rng(2)
    first = np.array([-1.0, 1.0])[:, np.newaxis]
    second = np.array([-1.0, 0.0, 1.0])
    truth = first + 0.5 * math.sqrt(1.5) * first * second
    found = []
    for _ in range(2000):
        noise = rng.normal(size=(6, 4)) + rng.normal(size=4)
        found.append(effects(truth.reshape(6, 1) + noise, (2, 3)).variance)
    np.testing.assert_allclose(np.mean(found, axis=0)[[0, 2]], [1, 0.25], rtol=0.08)
    assert np.mean(found, axis=0)[1] < 0.1


@pytest.mark.parametrize(
    ("n_seeds", "reason"),
    [
        (0, "nothing was observed"),
        (1, "one seed shows no spread; run two or more"),
        (2, "two seeds do not show how sure this is; run three or more"),
        (3, ""),
    ],
)
def test_few_seeds_are_told(n_seeds, reason):
    values = np.arange(4.0)[:, np.newaxis] + np.random.default_rng(3).normal(
        size=(4, n_seeds), scale=0.1
    )
    assert effects(values, (2, 2)).shares.reason(0) == reason


def test_seeds_that_are_not_whole_are_left_out():
    rng = np.random.default_rng(4)
    values = rng.normal(size=(4, 6))
    values[2, 3] = np.nan
    found = effects(values, (2, 2))
    assert found.shares.n_seeds[0] == 5
    np.testing.assert_array_equal(
        found.variance, effects(np.delete(values, 3, axis=1), (2, 2)).variance
    )


def test_many_seeds_are_taken_block_by_block():
    values = np.random.default_rng(5).normal(size=(1000, 600)) + np.arange(1000)[:, np.newaxis]
    shares = effects(values, (10, 10, 10)).shares
    assert shares.estimate[0] == pytest.approx(100 / (100 + 1 + 0.01), abs=1e-4)


def test_shares_that_are_rounding_alone_are_none():
    """Two axes that add up exactly, of values that doubles cannot hold."""
    rng = np.random.default_rng(3)
    cells = np.add.outer(np.array([0.1, 0.7]), np.array([0.3, 1.1, 2.3])).ravel()
    found = effects(cells[:, np.newaxis] + rng.normal(size=9), (2, 3))
    assert found.variance[2] == 0
    assert found.shares.estimate[2] == 0
