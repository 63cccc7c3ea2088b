"""Numbers, times and sweeps in words that a person reads."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def number(value: object) -> str:
    """Write a value of a table: four significant digits, none invented, empty for none."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    if not math.isfinite(value):
        return ""
    if value == int(value) and abs(value) < 1e15:  # noqa: PLR2004 - doubles count so far
        return f"{int(value):,}"
    size = abs(value)
    if size >= 1000:  # noqa: PLR2004 - decimals say nothing beside thousands
        return f"{value:,.1f}"
    return f"{value:.4f}" if 1e-4 <= size < 1 else f"{value:.4g}"  # noqa: PLR2004 - as above


def duration(seconds: float) -> str:
    """Write a time span: 0.4 s, 12 s, 3 min 20 s, 2 h 5 min, 3 d 4 h."""
    if seconds < 10:  # noqa: PLR2004 - tenths matter below
        return f"{max(seconds, 0):.1f} s"
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    for size, unit, smaller, below in (
        (_DAY, "d", _HOUR, "h"), (_HOUR, "h", _MINUTE, "min"), (_MINUTE, "min", 1, "s"),
    ):  # fmt: skip
        if whole >= size:
            rest = whole % size // smaller
            return f"{whole // size} {unit}" + (f" {rest} {below}" if rest else "")
    raise AssertionError  # the last unit is a minute


def ago(moment: datetime, now: datetime) -> str:
    """Say how long ago something was, in one unit."""
    seconds = (now - moment).total_seconds()
    if seconds < 10:  # noqa: PLR2004 - nobody counts these
        return "just now"
    for size, unit in ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute"), (1, "second")):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    raise AssertionError  # the last unit is a second


def when(moment: datetime, now: datetime) -> str:
    """Write a moment in local time, and how long ago it was."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S} ({ago(moment, now)})"


def runs(count: int) -> str:
    """Count runs: 1 run, 1,000 runs."""
    return f"{count:,} run{'' if count == 1 else 's'}"


def values(given: object) -> str:
    """Write the value of a parameter on one line; a long list by its ends."""
    if isinstance(given, bool):
        return "yes" if given else "no"
    if isinstance(given, Sequence) and not isinstance(given, str):
        parts = [values(each) for each in given]
        if len(parts) > 8:  # noqa: PLR2004 - what one takes in at a glance
            return f"{', '.join(parts[:3])} … {parts[-1]} ({len(parts)} values)"
        return ", ".join(parts)
    if isinstance(given, Mapping):
        return " ".join(f"{name} {value}" for name, value in given.items() if value is not None)
    return str(given)


def sweep(config: Mapping[str, Any], defaults: Mapping[str, Any]) -> str:
    """Say in a line what a sweep varies and sets: what is not at its default."""
    told = [
        f"{name} {values(value)}"
        for name, value in config.items()
        if name not in {"sweep_type", "cloud"}
        and value is not None
        and (value != defaults.get(name) or name == "n_agents")
    ]
    return "; ".join(told)


class NextStep(StrEnum):
    """What one would do next with a job; each interface says it by a command or tool of its own."""

    START = "start"
    WATCH = "watch"
    RESULTS = "results"
    RESUME = "resume"


def next_step(state: str) -> NextStep:
    """Return what one would do next with a job in *state* (a status, or `stalled`)."""
    match state:
        case "pending":
            return NextStep.START
        case "running":
            return NextStep.WATCH
        case "completed":
            return NextStep.RESULTS
        case _:
            return NextStep.RESUME
