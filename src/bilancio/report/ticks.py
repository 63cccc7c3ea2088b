"""Numbers along axes: which are written, and how."""

import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

MINUS = "−"
MOST_DECIMALS = 6
MOST_DIGITS = 5  # of a number beside a power of ten
PLAIN = (1e-4, 1e6)  # sizes that are written without a power of ten


def number(value: float, decimals: int, *, sign: bool = False) -> str:
    """Write a number with so many decimals; 0 without a sign."""
    text = f"{value:{'+' if sign else ''}.{decimals}f}"
    if float(text) == 0:
        text = text.lstrip("+-")
    return text.replace("-", MINUS)


def decimals_for(values: Values, digits: int = 3) -> int:
    """Return how many decimals show the largest of some values with so many digits."""
    finite = np.abs(values[np.isfinite(values)])
    largest = float(finite.max(initial=0.0))
    if not largest:
        return 0
    return min(max(digits - 1 - math.floor(math.log10(largest)), 0), MOST_DECIMALS)


def written(values: Values, *, sign: bool = False, digits: int = 3) -> Callable[[float], str]:
    """Return what writes numbers of the size of these: all alike, in powers of ten where needed."""
    finite = np.abs(values[np.isfinite(values)])
    largest = float(finite.max(initial=0.0))
    if largest and not PLAIN[0] <= largest < PLAIN[1]:
        form = f"{{:{'+' if sign else ''}.{digits - 1}e}}"
        return lambda value: form.format(value).replace("-", MINUS) if value else "0"
    decimals = decimals_for(values, digits)
    return lambda value: number(value, decimals, sign=sign)


def round_ticks(low: float, high: float, most: int) -> Values:
    """Return round numbers from *low* to *high*, at most so many."""
    span = high - low
    if not (span > 0 and math.isfinite(span)):
        return np.array([low])
    power = 10.0 ** math.floor(math.log10(span / most))
    step = next(
        factor * power for factor in (1, 2, 5, 10, 20, 50) if span / (factor * power) <= most
    )
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    found: Values = np.arange(first, last + 1, dtype=np.float64) * step
    return found


def logarithmic_ticks(low: float, high: float, most: int) -> Values:
    """Return powers of ten, or 1, 2 and 5 times such, from *low* to *high*: at most so many.

    Parameters
    ----------
    low, high
        Both above 0.
    """
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors, step in (((1, 2, 5), 1), *(((1,), step) for step in range(1, len(powers) + 1))):
        every = [factor * 10.0**power for power in powers[::step] for factor in factors]
        found = [each for each in every if low * (1 - 1e-9) <= each <= high * (1 + 1e-9)]
        if 1 <= len(found) <= most:
            return np.array(found, np.float64)
    return np.array([low])


def tick_texts(ticks: Values) -> list[str]:
    """Write ticks with the decimals that tell them apart."""
    largest = float(np.abs(ticks).max(initial=0.0))
    step = float(np.diff(ticks).min()) if len(ticks) > 1 else largest or 1.0
    digits = math.ceil(math.log10(largest / step) - 1e-9) + 1 if largest else 1
    if largest and digits <= MOST_DIGITS and not PLAIN[0] <= largest < PLAIN[1]:
        return [f"{each:.{max(digits, 3)}g}".replace("-", MINUS) for each in ticks.tolist()]
    decimals = min(max(-math.floor(math.log10(step) + 1e-9), 0), 2 * MOST_DECIMALS)
    return [number(each, decimals) for each in ticks.tolist()]


def room_for(
    places: Sequence[float], widths: Sequence[float], gap: float, *, least: int = 1
) -> list[int]:
    """Return which labels are written so that none runs into another one: evenly, from the first.

    Parameters
    ----------
    places, widths
        Middles and widths in pixels.
    """
    n = len(places)
    for step in range(least, n + 1):
        kept = list(range(0, n, step))
        clear = all(
            abs(places[b] - places[a]) >= (widths[a] + widths[b]) / 2 + gap
            for a, b in itertools.pairwise(kept)
        )
        if clear:
            return kept
    return [0] if n else []


def apart(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Move labels as little as it takes for them to be a gap apart, between two ends.

    Parameters
    ----------
    wanted
        Where each should stand, in pixels.
    """

    def inside(middle: float, n: int) -> float:
        half = n * gap / 2
        return min(max(middle, low + half), max(high - half, low + half))

    order = sorted(range(len(wanted)), key=lambda place: wanted[place])
    groups: list[tuple[float, int]] = []  # middle and number of labels that touch
    for place in order:
        middle, n = inside(wanted[place], 1), 1
        while groups and middle - n * gap / 2 < groups[-1][0] + groups[-1][1] * gap / 2:
            before, m = groups.pop()
            middle, n = inside((before * m + middle * n) / (m + n), m + n), m + n
        groups.append((middle, n))
    found = [0.0] * len(wanted)
    places = [middle + (each - (n - 1) / 2) * gap for middle, n in groups for each in range(n)]
    for place, at in zip(order, places, strict=True):
        found[place] = at
    return found
