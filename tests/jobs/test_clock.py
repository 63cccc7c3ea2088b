from datetime import UTC, datetime, timedelta, timezone

import pytest

from bilancio.jobs.clock import from_text, to_text


@pytest.mark.parametrize(
    "moment",
    [
        datetime(1, 1, 2, tzinfo=UTC),
        datetime(2026, 3, 1, 12, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(2026, 3, 1, 12, tzinfo=timezone(timedelta(hours=5, minutes=30))),
    ],
)
def test_a_moment_reads_back_the_same(moment):
    assert from_text(to_text(moment)) == moment
    assert len(to_text(moment)) == 27


def test_text_sorts_as_time_does():
    moments = [datetime(year, 1, 2, tzinfo=UTC) for year in (1, 99, 999, 2026, 9999)]
    assert sorted(map(to_text, moments)) == list(map(to_text, moments))


@pytest.mark.parametrize("text", ["", "yesterday", "2026-01-01T00:00:00", "2026-13-01T00:00:00Z"])
def test_text_that_is_no_moment_in_utc_is_refused(text):
    with pytest.raises(ValueError, match=r"time zone|Invalid isoformat|month"):
        from_text(text)
