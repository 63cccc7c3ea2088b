"""Moments and days as a person names them: 2026-11-18, 7d, last week, yesterday. All in UTC."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from bilancio.errors import invalid

ALLOWED = (
    "a day (2026-11-18), a month (2026-11), a moment (2026-11-18T14:30), a time span before now "
    "(7d, 12h, 2 weeks) or words: today, yesterday, Tuesday, last week, this month, 24 Nov, May"
)
MAX_LENGTH = 60

_DAY = timedelta(days=1)
_UNITS = {
    "min": timedelta(minutes=1), "minute": timedelta(minutes=1), "h": timedelta(hours=1),
    "hour": timedelta(hours=1), "d": _DAY, "day": _DAY, "w": timedelta(weeks=1),
    "week": timedelta(weeks=1), "fortnight": timedelta(weeks=2),
}  # fmt: skip
_MONTHS = {"mo": 1, "month": 1, "y": 12, "year": 12}
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_COUNTED = {"a": 1, "an": 1, "a couple of": 2} | {word: n for n, word in enumerate(_NUMBERS, 1)}
_DAYS = {
    "today": 0, "this morning": 0, "this afternoon": 0, "this evening": 0, "tonight": 0,
    "yesterday": 1, "last night": 1, "day before yesterday": 2,
}  # fmt: skip
_NAMED_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
_SHORTEST = 3  # letters of a month that is written short

_BEFORE = re.compile(r"(?:(?:since|from|in|within|during|over|on) )*(?:the )?")
_SPAN = re.compile(
    rf"(?:(?:last|past) )?(\d{{1,9}}|{'|'.join(sorted(_COUNTED, key=len, reverse=True))}) ?"
    r"([a-z]+?)s?(?: ago)?"
)
_DATE = re.compile(
    r"(?:(?P<day>\d{1,2})(?:st|nd|rd|th)?(?: of)? )?(?P<month>[a-z]{3,9})\.?"
    r"(?: (?P<after>\d{1,2})(?:st|nd|rd|th)?(?=,|$| \d{4}))?,?(?: (?P<year>\d{4}))?"
)
_PERIOD = re.compile(r"(this|last|previous) (week|month|year)")
_MONTH = re.compile(r"(\d{4})(?:-(\d{2}))?")


class Span(NamedTuple):
    """From *start* up to, but not with, *end*; a moment where the two are the same."""

    start: datetime
    end: datetime

    @property
    def last(self) -> datetime:
        """Its end as one says it: of days the last one."""
        return self.end if self.start == self.end else self.end - _DAY


def read_span(field: str, given: object, now: datetime) -> Span:
    """Return the days, or the moment, that *given* names.

    Parameters
    ----------
    field
        Of which *given* is the value, for errors.
    given
        Text, a date, or a datetime, which is in UTC where it says no zone.
    now
        What spans and words such as `yesterday` are counted from.

    Raises
    ------
    InvalidInput
        It names none.
    """
    try:
        span = _read(given, now.astimezone(UTC))
    except (ValueError, OverflowError):
        span = None
    if span is None:
        raise invalid(field, given, ALLOWED)
    return span


def day_or_moment(moment: datetime) -> str:
    """Write a moment as briefly as it can be: midnight as the day that begins."""
    form = "%Y-%m-%d" if moment.time() == time() else "%Y-%m-%d %H:%M UTC"
    return f"{moment:{form}}"


def _read(given: object, now: datetime) -> Span | None:
    match given:
        case datetime():
            return _moment(given)
        case date():
            return _days(given, 1)
        case str() if len(given) <= MAX_LENGTH:
            words = _BEFORE.sub("", " ".join(given.lower().split()), count=1)
            return _first(words, now, _word, _period, _ago, _date, _month, _iso)
    return None


def _first(
    words: str, now: datetime, *readers: Callable[[str, datetime], Span | None]
) -> Span | None:
    return next((span for read in readers if (span := read(words, now)) is not None), None)


def _word(words: str, now: datetime) -> Span | None:
    today = now.date()
    if words == "now":
        return _moment(now)
    if words in _DAYS:
        return _days(today - _DAYS[words] * _DAY, 1)
    named = words.removeprefix("last ").removeprefix("this ")
    if named in _WEEKDAYS:
        back = (today.weekday() - _WEEKDAYS.index(named)) % 7
        return _days(today - timedelta(days=back or (7 if words.startswith("last") else 0)), 1)
    return None


def _period(words: str, now: datetime) -> Span | None:
    """Read a week, a month or a year of the calendar, this or the one before; weeks are ISO's."""
    found = _PERIOD.fullmatch(words)
    if found is None:
        return None
    today, back = now.date(), found[1] != "this"
    if found[2] == "week":
        monday = today - timedelta(days=today.weekday() + 7 * back)
        return _days(monday, 7)
    if found[2] == "month":
        return _months(today.year * 12 + today.month - 1 - back, 1)
    return _months((today.year - back) * 12, 12)


def _ago(words: str, now: datetime) -> Span | None:
    found = _SPAN.fullmatch(words)
    if found is None:
        return None
    number, unit = _COUNTED.get(found[1]) or int(found[1]), found[2]
    if unit in _UNITS:
        return _moment(now - number * _UNITS[unit])
    if unit in _MONTHS:
        months = now.year * 12 + now.month - 1 - number * _MONTHS[unit]
        first = now.replace(year=months // 12, month=months % 12 + 1, day=1)
        after = _months(months, 1).end.date() - _DAY
        return _moment(first.replace(day=min(now.day, after.day)))
    return None


def _date(words: str, now: datetime) -> Span | None:
    """Read a day or a month by its name; without a year it is the last one that has begun."""
    found = _DATE.fullmatch(words)
    if found is None or (found["day"] and found["after"]):
        return None
    written = "sep" if found["month"] == "sept" else found["month"]
    months = [each for each in _NAMED_MONTHS if each.startswith(written)]
    if len(months) != 1 or (len(written) > _SHORTEST and written not in months):
        return None
    month, day = _NAMED_MONTHS.index(months[0]) + 1, found["day"] or found["after"]
    year = int(found["year"] or now.year)
    if not found["year"] and date(year, month, int(day or 1)) > now.date():
        year -= 1
    if day is None:
        return _months(year * 12 + month - 1, 1)
    return _days(date(year, month, int(day)), 1)


def _month(words: str, _: datetime) -> Span | None:
    """Read a month, or a year."""
    found = _MONTH.fullmatch(words)
    if found is None:
        return None
    year = int(found[1]) * 12
    return _months(year, 12) if found[2] is None else _months(year + _number_of(found[2]), 1)


def _number_of(month: str) -> int:
    return date(2000, int(month), 1).month - 1


def _iso(words: str, _: datetime) -> Span | None:
    text = words.upper()
    if "T" in text or ":" in text:
        return _moment(datetime.fromisoformat(text))
    return _days(date.fromisoformat(text), 1)


def _moment(moment: datetime) -> Span:
    at = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return Span(at, at)


def _days(first: date, count: int) -> Span:
    start = datetime.combine(first, time(), UTC)
    return Span(start, start + count * _DAY)


def _months(first: int, count: int) -> Span:
    """Return the span of *count* months, of which the first is the *first* since the year 0."""
    begins, ends = (
        datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC) for month in (first, first + count)
    )
    return Span(begins, ends)
