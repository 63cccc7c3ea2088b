from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from bilancio.errors import InvalidInput
from bilancio.jobs.moments import day_or_moment, read_span

NOW = datetime(2026, 11, 27, 14, 30, tzinfo=UTC)  # a Friday


def at(*numbers):
    return datetime(*numbers, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given", "start", "end"),
    [
        ("2026-11-18", at(2026, 11, 18), at(2026, 11, 19)),
        (date(2026, 11, 18), at(2026, 11, 18), at(2026, 11, 19)),
        ("today", at(2026, 11, 27), at(2026, 11, 28)),
        ("Yesterday", at(2026, 11, 26), at(2026, 11, 27)),
        ("this week", at(2026, 11, 23), at(2026, 11, 30)),
        ("last week", at(2026, 11, 16), at(2026, 11, 23)),
        ("this month", at(2026, 11, 1), at(2026, 12, 1)),
        ("last  month", at(2026, 10, 1), at(2026, 11, 1)),
        ("this year", at(2026, 1, 1), at(2027, 1, 1)),
        ("2026-12", at(2026, 12, 1), at(2027, 1, 1)),
        ("2025", at(2025, 1, 1), at(2026, 1, 1)),
        ("friday", at(2026, 11, 27), at(2026, 11, 28)),
        ("last friday", at(2026, 11, 20), at(2026, 11, 21)),
        ("monday", at(2026, 11, 23), at(2026, 11, 24)),
        ("since on Tuesday", at(2026, 11, 24), at(2026, 11, 25)),
        ("this Tuesday", at(2026, 11, 24), at(2026, 11, 25)),
        ("this morning", at(2026, 11, 27), at(2026, 11, 28)),
        ("last night", at(2026, 11, 26), at(2026, 11, 27)),
        ("the day before yesterday", at(2026, 11, 25), at(2026, 11, 26)),
        ("24 Nov", at(2026, 11, 24), at(2026, 11, 25)),
        ("on the 24th of November", at(2026, 11, 24), at(2026, 11, 25)),
        ("Nov. 24", at(2026, 11, 24), at(2026, 11, 25)),
        ("December 24", at(2025, 12, 24), at(2025, 12, 25)),
        ("November 24, 2025", at(2025, 11, 24), at(2025, 11, 25)),
        ("24 sept 2025", at(2025, 9, 24), at(2025, 9, 25)),
        ("in November", at(2026, 11, 1), at(2026, 12, 1)),
        ("december", at(2025, 12, 1), at(2026, 1, 1)),
        ("May 2025", at(2025, 5, 1), at(2025, 6, 1)),
    ],
)
def test_days_are_whole_and_weeks_begin_on_monday(given, start, end):
    assert read_span("since", given, NOW) == (start, end)


@pytest.mark.parametrize(
    ("given", "moment"),
    [
        ("now", NOW),
        ("7d", NOW - timedelta(days=7)),
        ("7 days ago", NOW - timedelta(days=7)),
        ("last 7 days", NOW - timedelta(days=7)),
        ("12h", NOW - timedelta(hours=12)),
        ("90 min", NOW - timedelta(minutes=90)),
        ("2w", NOW - timedelta(weeks=2)),
        ("a week ago", NOW - timedelta(weeks=1)),
        ("in the last 3 days", NOW - timedelta(days=3)),
        ("within the past three days", NOW - timedelta(days=3)),
        ("two weeks ago", NOW - timedelta(weeks=2)),
        ("a fortnight ago", NOW - timedelta(weeks=2)),
        ("a couple of days ago", NOW - timedelta(days=2)),
        ("9 months ago", at(2026, 2, 27, 14, 30)),
        ("1 year", at(2025, 11, 27, 14, 30)),
        ("2026-11-18T14:30", at(2026, 11, 18, 14, 30)),
        ("2026-11-18 14:30+02:00", at(2026, 11, 18, 12, 30)),
        ("2026-11-18T14:30:00Z", at(2026, 11, 18, 14, 30)),
        (datetime(2026, 11, 18), at(2026, 11, 18)),  # noqa: DTZ001 - read as UTC
        (
            datetime(2026, 11, 18, 1, tzinfo=timezone(timedelta(hours=2))),
            at(2026, 11, 17, 23),
        ),
    ],
)
def test_spans_and_moments_are_to_the_second_in_utc(given, moment):
    assert read_span("since", given, NOW) == (moment, moment)


def test_a_month_before_a_long_one_ends_with_its_last_day():
    now = datetime(2026, 3, 31, 9, tzinfo=UTC)
    assert read_span("since", "1 month", now).start == at(2026, 2, 28, 9)


def test_words_are_read_in_utc_wherever_the_clock_is():
    late = datetime(2026, 11, 27, 1, tzinfo=timezone(timedelta(hours=5)))
    assert read_span("since", "today", late).start == at(2026, 11, 26)


@pytest.mark.parametrize(
    "given",
    [
        "", " ", "soon", "7", "7x", "-7d", "7.5d", "99999999 years", "999999999d", "2026-13",
        "2026-02-30", "2026-11-18T25:00", "0000", "9999", "tomorrow or so", "d", "last",
        "x" * 10**6, 7, None, 3.5, [], "18.11.2026",
    ],
)  # fmt: skip
def test_nonsense_is_refused_with_examples(given):
    with pytest.raises(InvalidInput, match=r"since: got .*; allowed: a day \(2026-11-18\)"):
        read_span("since", given, NOW)


def test_a_span_is_said_by_its_first_and_last_day():
    week = read_span("until", "last week", NOW)
    assert (day_or_moment(week.start), day_or_moment(week.last)) == ("2026-11-16", "2026-11-22")
    assert day_or_moment(NOW) == "2026-11-27 14:30 UTC"
