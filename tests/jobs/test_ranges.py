from hypothesis import given
from hypothesis import strategies as st

from bilancio.jobs.ranges import (
    count,
    indices_of,
    missing,
    page,
    parted,
    ranges_of,
    stretches,
    whole_starts,
)

INDICES = st.sets(st.integers(0, 99)).map(sorted)


def ranges(indices):
    """Give ranges of one run each, or joined where the indices are next to each other."""
    return ranges_of(indices_of((each, each) for each in indices))


def test_what_is_missing_is_what_lies_between():
    assert missing([(2, 3), (5, 5), (9, 9)], 12) == [(0, 1), (4, 4), (6, 8), (10, 11)]
    assert missing([], 3) == [(0, 2)]
    assert missing([(0, 2)], 3) == []


def test_what_is_missing_of_the_first_runs_leaves_the_others_out():
    assert missing([(0, 1), (4, 5)], 4) == [(2, 3)]
    assert missing([(0, 1), (6, 9)], 4) == [(2, 3)]
    assert missing([(0, 9)], 4) == []


@given(INDICES)
def test_ranges_hold_the_runs_that_they_are_made_of(indices):
    assert indices_of(ranges(indices)).tolist() == indices
    assert count(ranges(indices)) == len(indices)


@given(INDICES, st.integers(0, 99), st.integers(0, 99))
def test_ranges_are_parted_into_what_is_inside_and_outside(indices, low, high):
    inside, outside = parted(ranges(indices), min(low, high), max(low, high))
    between = [each for each in indices if min(low, high) <= each <= max(low, high)]
    assert indices_of(inside).tolist() == between
    assert indices_of(outside).tolist() == [each for each in indices if each not in between]


@given(INDICES, st.integers(0, 110), st.integers(0, 110))
def test_a_page_of_ranges_is_a_cut_of_the_runs(indices, offset, limit):
    found = indices_of(page(ranges(indices), offset, limit)).tolist()
    assert found == indices[offset : offset + limit]


@given(INDICES, st.integers(0, 110), st.integers(1, 3))
def test_the_first_runs_end_with_a_whole_start(indices, most, n_arms):
    found = indices_of(whole_starts(ranges(indices), most, n_arms)).tolist()
    assert found == indices[: len(found)]
    assert len(found) <= most
    if len(found) < len(indices):
        assert {each // n_arms for each in found}.isdisjoint(
            each // n_arms for each in indices[len(found) :]
        )
        assert len(found) > min(most, len(indices)) - n_arms


@given(INDICES, st.integers(1, 30), st.integers(1, 3))
def test_stretches_cover_all_runs_once_and_cut_through_no_start(indices, at_once, n_arms):
    found = list(stretches([(each, each) for each in indices], at_once, n_arms))
    covered = [each for low, high in found for each in indices if low <= each <= high]
    assert covered == indices
    assert all((high + 1) % n_arms == 0 for _, high in found[:-1])
    assert all(high - low + 1 >= at_once for low, high in found[:-1])
