"""Time as the store keeps it: UTC, ISO 8601 with microseconds and Z."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the present moment, in UTC."""
    return datetime.now(UTC)


def to_text(moment: datetime) -> str:
    """Write a moment so that text sorts as time does."""
    there = moment.astimezone(UTC).replace(tzinfo=None)
    return f"{there.isoformat(timespec='microseconds')}Z"


def from_text(text: str) -> datetime:
    """Read what `to_text` wrote.

    Raises
    ------
    ValueError
        It is not a moment, or says no time zone.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        message = f"{text!r} says no time zone"
        raise ValueError(message)
    return moment
