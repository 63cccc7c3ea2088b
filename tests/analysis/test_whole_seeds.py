"""From recorded runs to what is said of them: what holds whichever runs are recorded."""

import math
from statistics import fmean

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from bilancio.analysis.intervals import mean_intervals
from bilancio.analysis.measures import Measure
from bilancio.analysis.seeds import seed_means, whole

UNHURRIED = settings(deadline=None)  # the first interval loads scipy

EFFECT = Measure(name="effect", numerator={"delta@passive": 1, "delta@active": -1})
ARMS = ("passive", "active")
N_CELLS = 4
GROUP = np.array([0, 1, 0, 1])


@st.composite
def jobs(draw):
    """Return which runs are recorded, and the default rates of all, (n_seeds, n_cells, n_arms)."""
    shape = (draw(st.integers(0, 5)), N_CELLS, len(ARMS))
    likely = st.sampled_from([True, True, True, True, True, False])
    recorded = draw(arrays.arrays(np.bool_, shape, elements=likely))
    return recorded, draw(arrays.arrays(np.float64, shape, elements=st.floats(0, 1)))


def effects(recorded, delta, group=GROUP):
    n_groups = group.max() + 1
    complete = whole(recorded, group, n_groups)
    known = np.where(recorded, delta, np.nan)
    columns = {
        f"delta@{arm}": seed_means(known[:, :, place], complete, group, n_groups)
        for place, arm in enumerate(ARMS)
    }
    return mean_intervals(EFFECT.per_seed(columns)[0])


@given(jobs(), st.sampled_from([GROUP, np.zeros(N_CELLS, np.int64), np.arange(N_CELLS)]))
@UNHURRIED
def test_estimate_interval_and_number_are_of_the_whole_seeds(job, group):
    recorded, delta = job
    found = effects(recorded, delta, group)
    for number in range(group.max() + 1):
        cells = [cell for cell in range(N_CELLS) if group[cell] == number]
        means = [
            fmean(delta[seed, cell, 0] - delta[seed, cell, 1] for cell in cells)
            for seed in range(len(delta))
            if all(recorded[seed, cell, arm] for cell in cells for arm in range(2))
        ]
        assert found.n_seeds[number] == len(means)
        if means:
            assert found.estimate[number] == pytest.approx(fmean(means), abs=1e-12)
        if not found.lack[number]:
            assert found.low[number] <= found.estimate[number] <= found.high[number]


@given(jobs(), st.data())
@UNHURRIED
def test_a_prefix_of_a_job_is_a_smaller_job(job, data):
    """Runs are recorded seeds first: those of later seeds change nothing of what is said."""
    _, delta = job
    n_seeds = data.draw(st.integers(0, len(delta)))
    n_runs = n_seeds * N_CELLS * len(ARMS)
    more = data.draw(st.integers(0, N_CELLS * len(ARMS) - 1))
    recorded = np.arange(delta.size).reshape(delta.shape) < n_runs + more
    found = effects(recorded, delta, np.zeros(N_CELLS, np.int64))
    smaller = effects(np.ones((n_seeds, *delta.shape[1:]), bool), delta[:n_seeds], GROUP * 0)
    for mine, other in (
        (found.estimate, smaller.estimate),
        (found.low, smaller.low),
        (found.high, smaller.high),
        (found.n_seeds, smaller.n_seeds),
    ):
        np.testing.assert_array_equal(mine, other)


def test_a_seed_that_is_not_whole_is_in_no_estimate():
    delta = np.zeros((3, N_CELLS, 2))
    delta[:, :, 0] = np.array([[0.1], [0.3], [0.9]])
    recorded = np.ones(delta.shape, bool)
    recorded[2, 1, 1] = False
    found = effects(recorded, delta)
    assert found.estimate.tolist() == pytest.approx([(0.1 + 0.3 + 0.9) / 3, 0.2])
    assert found.n_seeds.tolist() == [3, 2]
    assert not math.isnan(found.low[1])
