"""Intervals as strips of characters, all on one scale, with a mark at 0."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeGuard

from bilancio.text import number

LEAST, MOST = 15, 33  # characters of a strip
ZERO, INTERVAL, VALUE, CROSSING = "│", "━", "●", "┿"

Bound = float | None


@dataclass(frozen=True, slots=True)
class Strips:
    """Strips, and the ends of their scale above them."""

    heading: str
    rows: list[str]


def strips(
    values: Sequence[Bound], lows: Sequence[Bound], highs: Sequence[Bound], width: int
) -> Strips | None:
    """Draw each value with its interval, beside 0.

    Parameters
    ----------
    values, lows, highs
        None or NaN where there is none.
    width
        Characters that there is room for.

    Returns
    -------
    Strips or None
        None where no interval has a width, or there is too little room.
    """
    width = min(width, MOST)
    finite = [each for each in (0.0, *values, *lows, *highs) if _known(each)]
    least, most = min(finite), max(finite)
    wide = any(_known(a) and _known(b) and a < b for a, b in zip(lows, highs, strict=True))
    if width < LEAST or not wide or not math.isfinite(most - least):
        return None

    def place(value: float) -> int:
        return round((value - least) / (most - least) * (width - 1))

    rows = []
    for value, low, high in zip(values, lows, highs, strict=True):
        row = [" "] * width
        row[place(0.0)] = ZERO
        if _known(low) and _known(high):
            for at in range(place(low), place(high) + 1):
                row[at] = CROSSING if row[at] == ZERO else INTERVAL
        if _known(value):
            row[place(value)] = VALUE
        rows.append("".join(row))
    ends = number(least), number(most)
    gap = width - sum(map(len, ends))
    return Strips(f"{ends[0]}{' ' * gap}{ends[1]}" if gap > 0 else "", rows)


def _known(value: Bound) -> TypeGuard[float]:
    return value is not None and math.isfinite(value)
