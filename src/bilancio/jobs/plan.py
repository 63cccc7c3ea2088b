"""What is left to do of a sweep, and how much of it to do at once."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]

TARGET_S = 0.3
FIRST_CHUNK = 64
LARGEST_CHUNK = 100_000
GROWTH = 8


def missing(recorded: Iterable[tuple[int, int]], total: int) -> list[tuple[int, int]]:
    """Return the ranges of runs, both ends included, that have no results.

    Parameters
    ----------
    recorded
        Ranges with results, increasing, not overlapping.
    total
        Number of runs of the sweep.
    """
    gaps, start = [], 0
    for first, last in recorded:
        if first > start:
            gaps.append((start, first - 1))
        start = last + 1
    if start < total:
        gaps.append((start, total - 1))
    return gaps


class Plan:
    """Hands out the missing runs in order, in batches that take about `TARGET_S` seconds.

    Parameters
    ----------
    gaps
        Ranges to do.
    together
        Runs that share a start and are best computed in one batch.
    workers
        Batches that compute at the same time.
    """

    def __init__(self, gaps: Iterable[tuple[int, int]], *, together: int, workers: int) -> None:
        self._gaps = list(gaps)[::-1]
        self._together = together
        self._left = sum(last - first + 1 for first, last in self._gaps)
        self._workers = workers
        self._size = FIRST_CHUNK

    def next_batch(self) -> Indices | None:
        """Return the next runs to compute; None when all are handed out."""
        if not self._gaps:
            return None
        fair = -(-self._left // (2 * self._workers))  # leaves work for all cores at the end
        wanted = max(min(self._size, fair), 1)
        wanted = -(-wanted // self._together) * self._together
        parts = []
        while wanted and self._gaps:
            first, last = self._gaps.pop()
            taken = min(wanted, last - first + 1)
            parts.append(np.arange(first, first + taken))
            if first + taken <= last:
                self._gaps.append((first + taken, last))
            wanted -= taken
            self._left -= taken
        return np.concatenate(parts)

    def learn(self, runs: int, seconds: float) -> None:
        """Take note of how long a batch took, for the size of the next ones."""
        wanted = runs * TARGET_S / max(seconds, 1e-6)
        self._size = int(min(max(wanted, 1), self._size * GROWTH, LARGEST_CHUNK))
