"""Ranges of runs: first and last index, both included, increasing and not overlapping.

However many runs a job has, what is recorded and what is missing of it are a few ranges.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]
Range = tuple[int, int]
Ranges = list[Range]


def count(ranges: Iterable[Range]) -> int:
    """Return how many runs there are in *ranges*."""
    return sum(last - first + 1 for first, last in ranges)


def missing(recorded: Iterable[Range], total: int) -> Ranges:
    """Return the ranges of runs that have no results.

    Parameters
    ----------
    recorded
        Ranges with results.
    total
        Number of runs of the sweep, or of those at its beginning that are looked at.
    """
    gaps, start = [], 0
    for first, last in recorded:
        if first >= total:
            break
        if first > start:
            gaps.append((start, first - 1))
        start = last + 1
    if start < total:
        gaps.append((start, total - 1))
    return gaps


def parted(ranges: Iterable[Range], low: int, high: int) -> tuple[Ranges, Ranges]:
    """Return what of *ranges* lies from *low* to *high*, and what lies outside."""
    inside: Ranges = []
    outside: Ranges = []
    for first, last in ranges:
        if first < low:
            outside.append((first, min(last, low - 1)))
        if last >= low and first <= high:
            inside.append((max(first, low), min(last, high)))
        if last > high:
            outside.append((max(first, high + 1), last))
    return inside, outside


def page(ranges: Iterable[Range], offset: int, limit: int) -> Ranges:
    """Return the ranges of so many runs, after those that are passed over."""
    found: Ranges = []
    for first, last in ranges:
        start = first + offset
        if start > last:
            offset -= last - first + 1
        elif limit > 0:
            end = min(last, start + limit - 1)
            found.append((start, end))
            offset, limit = 0, limit - (end - start + 1)
        else:
            break
    return found


def indices_of(ranges: Iterable[Range]) -> Indices:
    """Return the runs one by one."""
    parts = [np.arange(first, last + 1) for first, last in ranges]
    return np.concatenate([*parts, np.empty(0, np.int64)])


def ranges_of(indices: Indices) -> Ranges:
    """Return increasing indices as ranges."""
    edges = np.flatnonzero(np.diff(indices) != 1) + 1
    return [(int(part[0]), int(part[-1])) for part in np.split(indices, edges) if len(part)]


def whole_starts(ranges: Sequence[Range], most: int, n_arms: int) -> Ranges:
    """Return the ranges of the first runs, at most so many; no start is cut through."""
    if count(ranges) <= most:
        return list(ranges)
    first_ones = page(ranges, 0, most)
    end = (first_ones[-1][1] + 1) // n_arms * n_arms if first_ones else 0
    return parted(first_ones, 0, end - 1)[0]


def stretches(ranges: Iterable[Range], at_once: int, n_arms: int = 1) -> Iterator[Range]:
    """Join neighbouring ranges into stretches of runs that are looked at together.

    Parameters
    ----------
    at_once
        A stretch ends with the range by which it comes to so many runs, recorded or not.
    n_arms
        It ends with the last arm of a start: the arms of one start belong together.
    """
    first, last, before = None, -1, -1
    for low, high in ranges:
        if high <= before:
            continue
        first = max(low, before + 1) if first is None else first
        last = high
        if last - first + 1 >= at_once:
            before = last + -(last + 1) % n_arms
            yield first, before
            first = None
    if first is not None:
        yield first, last
