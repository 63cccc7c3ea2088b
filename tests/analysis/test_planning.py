import math

import numpy as np
import pytest
from scipy import stats

from bilancio.analysis.intervals import mean_intervals
from bilancio.analysis.planning import FIRST_LOT, more_seeds, reached, seeds_for, seeds_needed

NAN = math.nan


def seen(n_seeds, spread=1.0, rows=1, seed=1):
    values = np.random.default_rng(seed).normal(size=(rows, n_seeds))
    values -= values.mean(axis=1, keepdims=True)
    return values / values.std(axis=1, ddof=1, keepdims=True) * spread


@pytest.mark.parametrize(("spread", "half_width"), [(1, 0.5), (1, 0.1), (0.03, 0.005), (1, 20)])
def test_the_seeds_needed_are_the_fewest_whose_interval_is_narrow_enough(spread, half_width):
    (needed,) = seeds_needed(mean_intervals(seen(10, spread)), half_width)

    def half(n):
        return stats.t.ppf(0.975, n - 1) * spread / math.sqrt(n)

    assert half(needed) <= half_width
    assert needed == 2 or half(needed - 1) > half_width


def test_the_seeds_needed_for_the_present_width_are_the_present_ones():
    found = mean_intervals(seen(37))
    half = (found.high[0] - found.low[0]) / 2
    assert seeds_for(half * (1 + 1e-9), found) == 37
    assert seeds_for(half * (1 - 1e-9), found) == 38


def test_the_widest_row_says_how_many_seeds_all_need():
    found = mean_intervals(np.vstack([seen(10), seen(10, 3), seen(10, 2)]))
    assert seeds_for(0.5, found) == seeds_needed(found, 0.5)[1] == seeds_needed(found, 0.5).max()


def test_rows_without_spread_say_nothing_of_the_seeds_needed():
    values = np.array([[0.2, 0.2, 0.2], [0.1, NAN, NAN], [NAN, NAN, NAN]])
    found = mean_intervals(values)
    assert seeds_needed(found, 0.01).tolist() == [3, 0, 0]
    assert seeds_for(0.01, found) == 3
    assert seeds_for(0.01, mean_intervals(values[1:])) is None


def test_a_precision_that_no_job_will_reach_takes_a_number_of_seeds_too():
    assert seeds_for(1e-12, mean_intervals(seen(10))) == 10**12


def test_the_first_lot_comes_first():
    assert more_seeds(mean_intervals(np.empty((1, 0))), 0.1, 0, 100) == FIRST_LOT
    assert more_seeds(mean_intervals(seen(5)), 0.1, 5, 100) == FIRST_LOT - 5
    assert more_seeds(mean_intervals(np.empty((1, 0))), 0.1, 0, 10) == 10


@pytest.mark.parametrize(
    ("wanted", "at_most", "added"),
    [
        (10, 1000, 0),
        (0.45, 1000, 2),  # a tenth at least, though 22 seeds would do
        (0.35, 1000, 14),
        (0.1, 1000, 20),  # no more than there are
        (0.1, 25, 5),
        (0.1, 20, 0),
    ],
)
def test_seeds_are_added_toward_the_number_that_the_spread_asks_for(wanted, at_most, added):
    assert more_seeds(mean_intervals(seen(20)), wanted, 20, at_most) == added


def test_the_widest_row_decides_how_many_are_added():
    found = mean_intervals(np.vstack([seen(20, 0.1), seen(20)]))
    assert more_seeds(found, 0.35, 20, 1000) == 14
    assert reached(found, 0.35).tolist() == [True, False]


def test_equal_seeds_have_their_precision_and_missing_values_are_not_waited_for():
    values = np.full((2, 20), [[0.2], [NAN]])
    found = mean_intervals(values)
    assert more_seeds(found, 0.01, 20, 1000) == 0
    assert reached(found, 0.01).tolist() == [True, False]


def test_a_row_of_one_seed_waits_for_more():
    values = np.full((1, 20), NAN)
    values[0, 0] = 1
    assert more_seeds(mean_intervals(values), 0.01, 20, 1000) == 20


def test_each_round_comes_closer_until_the_precision_is_reached():
    every = np.random.default_rng(5).normal(size=(3, 5000))
    n, rounds = 0, []
    while added := more_seeds(mean_intervals(every[:, :n]), 0.05, n, 5000):
        n += added
        rounds.append(n)
    assert rounds[:6] == [20, 40, 80, 160, 320, 640]
    assert len(rounds) <= 10
    assert reached(mean_intervals(every[:, :n]), 0.05).all()
    assert n < 2000
