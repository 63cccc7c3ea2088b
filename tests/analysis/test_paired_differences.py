"""Differences of two sampled sweeps, paired by cell and seed, where values are missing."""

import numpy as np
import pytest

from bilancio.analysis.intervals import two_way_differences, two_way_interval

N_SEEDS, N_CELLS = 6, 9


def drawn(seed):
    return np.random.default_rng(seed).normal(1, 0.3, (N_SEEDS, N_CELLS))


def row(first, second):
    whole, of_cell = np.ones((1, N_SEEDS), bool), np.zeros(N_CELLS, np.int64)
    found = two_way_differences(first, second, whole[:, : len(first[0])], of_cell)
    return [float(each[0]) for each in (found.estimate, found.low, found.high)]


@pytest.mark.parametrize("ratio", [False, True])
def test_seeds_without_a_pair_that_is_known_do_not_narrow_the_interval(ratio):
    first, second = ((drawn(at), drawn(at + 5) if ratio else None) for at in (1, 2))
    fewer = [tuple(None if each is None else each[1:] for each in side) for side in (first, second)]
    first[0][0] = np.nan
    assert row(first, second) == pytest.approx(row(*fewer))
    assert row(second, first) == pytest.approx(row(*fewer[::-1]))


def test_a_run_that_is_missing_on_one_side_is_left_out_of_both():
    first, second = drawn(1), drawn(2)
    second[0, 0] = 100.0  # without a partner it says nothing
    first[0, 0] = np.nan
    estimate, low, high = row((first, None), (second, None))
    assert estimate == pytest.approx(np.nanmean(first - second))
    assert low < estimate < high
    assert high - low < 1


def test_complete_pairs_have_the_interval_of_their_differences():
    first, second = drawn(1), drawn(2)
    expected = two_way_interval((first - second).T)
    found = row((first, None), (second, None))
    assert found == pytest.approx(
        [expected.estimate[0], expected.low[0], expected.high[0]], rel=1e-9
    )


def test_nothing_is_known_where_one_side_is_not():
    assert np.isnan(row((np.full((N_SEEDS, N_CELLS), np.nan), None), (drawn(2), None))).all()
