from hypothesis import given
from hypothesis import strategies as st

from bilancio.jobs.models import InFlightBatch
from bilancio.jobs.ranges import missing
from bilancio.jobs.worker.batching import LARGEST_BATCH, BatchSizer, split_off_suspects


@given(st.sets(st.integers(0, 199)), st.integers(1, 3), st.integers(1, 4))
def test_every_missing_run_is_handed_out_once(done, group_size, workers):
    gaps = missing([(each, each) for each in sorted(done)], 200)
    sizer = BatchSizer(gaps, group_size=group_size, workers=workers)
    handed = []
    while (batch := sizer.next_batch()) is not None:
        handed += batch.tolist()
        sizer.observe(len(batch), 0.05)
    assert handed == [each for each in range(200) if each not in done]


def test_batches_grow_until_they_take_the_time_wanted_and_no_further():
    sizer = BatchSizer([(0, 10**7 - 1)], group_size=2, workers=2)
    sizes = []
    for _ in range(12):
        size = len(sizer.next_batch())
        sizes.append(size)
        sizer.observe(size, size * 1e-5)
    assert sizes == [64, 512, 4096, *[30_000] * 9]


def test_batches_take_a_hundredth_of_a_second_for_each_worker_that_there_is_by_now():
    sizer = BatchSizer([(0, 10**7 - 1)], group_size=1, workers=1)
    sizes = []
    for workers in (30, 64, 200, 2):
        sizer.resize(workers)
        sizer.observe(4096, 4.096)
        sizes.append(len(sizer.next_batch()))
    assert sizes == [300, 640, 2000, 300]


def test_no_batch_is_larger_than_the_largest_however_fast_it_is():
    sizer = BatchSizer([(0, 10**7 - 1)], group_size=1, workers=2)
    for _ in range(6):
        sizer.observe(len(sizer.next_batch()), 0.0)
    assert len(sizer.next_batch()) == LARGEST_BATCH


def test_runs_that_take_longer_than_a_batch_should_are_handed_out_one_by_one():
    sizer = BatchSizer([(0, 999)], group_size=1, workers=2)
    sizer.observe(len(sizer.next_batch()), 1000.0)
    assert len(sizer.next_batch()) == 1


def test_batches_shrink_towards_the_end_so_that_all_workers_have_some_but_not_without_limit():
    sizer = BatchSizer([(0, 999)], group_size=1, workers=2, first_size=400)
    sizes = []
    while (batch := sizer.next_batch()) is not None:
        sizes.append(len(batch))
    assert sizes == [250, 188, 141, 106, 79, 59, *[50] * 3, 27]


def test_arms_of_one_start_stay_group_size():
    sizer = BatchSizer([(0, 9)], group_size=2, workers=8)
    while (batch := sizer.next_batch()) is not None:
        assert len(batch) % 2 == 0


def test_runs_that_workers_died_over_are_split_off_with_one_more_death():
    in_flight = [InFlightBatch(2, 4, 0), InFlightBatch(8, 9, 2), InFlightBatch(20, 21, 0)]
    rest, suspects = split_off_suspects([(0, 3), (6, 9)], in_flight)
    assert rest == [(0, 1), (6, 7)]
    assert [(list(runs), deaths) for runs, deaths in suspects] == [([2, 3], 1), ([8, 9], 3)]
