import math
from statistics import fmean

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from bilancio.analysis.seeds import seed_means, whole

UNHURRIED = settings(deadline=None)  # other programs may have the cores

SIZES = st.tuples(st.integers(1, 4), st.integers(1, 6), st.integers(1, 2))


@st.composite
def cubes(draw):
    """Return what is recorded, values of the first arm, groups of the cells and their number."""
    n_seeds, n_cells, n_arms = draw(SIZES)
    recorded = draw(arrays.arrays(np.bool_, (n_seeds, n_cells, n_arms)))
    values = draw(
        arrays.arrays(np.float64, (n_seeds, n_cells), elements=st.floats(-9, 9) | st.just(math.nan))
    )
    n_groups = draw(st.integers(1, 4))
    group = draw(arrays.arrays(np.int64, n_cells, elements=st.integers(-1, n_groups - 1)))
    return recorded, np.where(recorded[:, :, 0], values, np.nan), group, n_groups


@given(cubes())
@UNHURRIED
def test_a_seed_is_whole_in_a_group_when_all_its_cells_have_results_in_all_arms(given_cube):
    recorded, _, group, n_groups = given_cube
    expected = [
        [
            bool((group == number).any()) and bool(recorded[seed, group == number].all())
            for seed in range(len(recorded))
        ]
        for number in range(n_groups)
    ]
    assert whole(recorded, group, n_groups).tolist() == expected


@given(cubes())
@UNHURRIED
def test_means_under_a_seed_are_those_of_plain_python(given_cube):
    recorded, values, group, n_groups = given_cube
    complete = whole(recorded, group, n_groups)
    means = seed_means(values, complete, group, n_groups)
    for number in range(n_groups):
        for seed in range(len(values)):
            known = [x for x in values[seed, group == number].tolist() if not math.isnan(x)]
            if complete[number, seed] and known:
                assert means[number, seed] == pytest.approx(fmean(known), abs=1e-12)
            else:
                assert math.isnan(means[number, seed])


def many(n_seeds, n_cells, n_groups):
    rng = np.random.default_rng(1)
    group = rng.integers(-1, n_groups, n_cells)
    return rng.random((n_seeds, n_cells)), group


@pytest.mark.parametrize("shape", [(700, 1000, 7), (3, 300_000, 5), (100_000, 7, 2)])
def test_seeds_of_many_blocks_are_those_of_each_alone(shape):
    values, group = many(*shape)
    n_groups = shape[2]
    recorded = np.ones((*values.shape, 1), bool)
    recorded[-1, np.flatnonzero(group == 0)[0]] = False
    complete = whole(recorded, group, n_groups)
    assert not complete[0, -1]
    assert complete.sum() == complete.size - 1
    means = seed_means(values, complete, group, n_groups)
    for seed in (0, len(values) // 2, len(values) - 1):
        alone = seed_means(values[seed : seed + 1], complete[:, seed : seed + 1], group, n_groups)
        np.testing.assert_array_equal(means[:, seed], alone[:, 0])


def test_later_seeds_change_no_mean_of_an_earlier_one():
    values, group = many(600, 1000, 3)
    complete = np.ones((3, 600), bool)
    means = seed_means(values, complete, group, 3)
    prefix = seed_means(values[:41], complete[:, :41], group, 3)
    np.testing.assert_array_equal(means[:, :41], prefix)


def test_each_cell_may_be_a_group_of_its_own():
    values, _ = many(5, 2000, 1)
    complete = np.ones((2000, 5), bool)
    means = seed_means(values, complete, np.arange(2000), 2000)
    np.testing.assert_array_equal(means, values.T)


def test_a_view_of_one_arm_is_taken_as_it_is():
    cube = np.arange(12.0).reshape(2, 3, 2)
    complete = np.ones((1, 2), bool)
    assert seed_means(cube[:, :, 1], complete, np.zeros(3, np.int64), 1).tolist() == [[3, 9]]


def test_nothing_recorded_gives_no_seeds():
    group = np.zeros(3, np.int64)
    nothing = whole(np.empty((0, 3, 2), bool), group, 1)
    assert nothing.shape == (1, 0)
    assert seed_means(np.empty((0, 3)), nothing, group, 1).shape == (1, 0)


def test_no_groups_give_no_rows():
    group = np.full(3, -1)
    complete = whole(np.ones((2, 3, 1), bool), group, 0)
    assert complete.shape == seed_means(np.ones((2, 3)), complete, group, 0).shape == (0, 2)
