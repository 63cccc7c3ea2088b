"""Numbers along axes are round, and stand apart."""

import itertools

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bilancio.report.ticks import (
    apart,
    logarithmic_ticks,
    room_for,
    round_ticks,
    tick_texts,
    written,
)

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
    assert tick_texts(round_ticks(0, 5e12, 3)) == ["0", "2e+12", "4e+12"]
    assert tick_texts(round_ticks(1e6, 1e6 + 1, 2)) == ["1000000.0", "1000000.5", "1000001.0"]


@given(st.floats(-12, 12), st.floats(0.05, 12), st.integers(3, 12))
def test_ticks_of_a_logarithmic_scale_are_round_and_few(low, span, most):
    ticks = logarithmic_ticks(10**low, 10 ** (low + span), most)
    assert 1 <= len(ticks) <= most
    assert (np.diff(ticks) > 0).all()
    if len(ticks) > 1:
        assert {f"{each:.3e}"[0] for each in ticks} <= {"1", "2", "5"}
        assert ticks[0] >= 10**low * (1 - 1e-6)
        assert ticks[-1] <= 10 ** (low + span) * (1 + 1e-6)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.1234], "+0.123"),
        ([-1234.5], "−1234"),
        ([0.0], "0"),
        ([1e-7], "+1.00e−07"),
        ([0.0, 1e9], "0"),
        ([1e9, 2.345e9], "+1.00e+09"),
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
