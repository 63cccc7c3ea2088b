"""Numbers along axes are round, and stand apart."""

import itertools

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bilancio.report.ticks import apart, room_for, round_ticks, tick_texts, written

NUMBERS = st.floats(-1e9, 1e9)


@given(NUMBERS, st.floats(1e-6, 1e9), st.integers(2, 12))
def test_ticks_are_inside_and_few(low, span, most):
    high = low + span
    assume(span > 1e-6 * abs(low))  # doubles have the digits to tell ticks apart
    ticks = round_ticks(low, high, most)
    assert len(ticks) <= most + 1
    assert (ticks >= low - 1e-6 * span).all()
    assert (ticks <= high + 1e-6 * span).all()


def test_ticks_are_written_with_as_many_decimals_as_tell_them_apart():
    assert tick_texts(round_ticks(0, 1, 5)) == ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]
    assert tick_texts(round_ticks(-200, 100, 4)) == ["−200", "−100", "0", "100"]
    assert tick_texts(np.array([0.0])) == ["0"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.1234], "+0.123"),
        ([-1234.5], "−1234"),
        ([0.0], "0"),
        ([1e-7], "+1e-07".replace("-", "−")),
    ],
)
def test_numbers_have_three_digits_and_a_sign_that_is_a_minus(values, expected):
    assert written(np.array(values), sign=True)(values[0]) == expected


@given(st.lists(st.floats(0, 300), min_size=1, max_size=9))
def test_labels_stand_a_gap_apart_and_near_where_they_belong(wanted):
    found = apart(wanted, 20, 0, 300)
    ordered = sorted(found)
    assert all(b - a >= 20 - 1e-6 for a, b in itertools.pairwise(ordered))
    if len(wanted) == 1:
        assert found[0] == pytest.approx(min(max(wanted[0], 10), 290))


def test_labels_are_left_out_evenly_where_they_would_touch():
    places = [0, 10, 20, 30, 40]
    assert room_for(places, [5] * 5, 2) == [0, 1, 2, 3, 4]
    assert room_for(places, [15] * 5, 2) == [0, 2, 4]
    assert room_for(places, [500] * 5, 2) == [0]
