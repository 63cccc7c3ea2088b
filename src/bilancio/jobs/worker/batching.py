"""Which runs of a sweep are missing, and how they are divided into batches."""

from collections.abc import Iterable, Sequence

import numpy as np

from bilancio.executors.base import BATCH_S, Indices, Outcome
from bilancio.jobs.models import InFlightBatch
from bilancio.jobs.ranges import Range, Ranges, count, indices_of, parted

TARGET_S_OF_A_WORKER = 0.01  # recording a batch takes about as long, and one worker records all
FIRST_BATCH = 64
FIRST_BATCH_IN_PROCESS = 1
LARGEST_BATCH = 50_000
GROWTH = 8
SMALLEST_SHARE = 8


def split_off_suspects(
    gaps: Iterable[Range], in_flight: Iterable[InFlightBatch]
) -> tuple[Ranges, list[tuple[Indices, int]]]:
    """Split the runs that were in flight when a worker ended off *gaps*.

    An orderly stop counts, for a run can ask for it; a cancellation does not.

    Returns
    -------
    rest
        The gaps without them.
    suspects
        Of each such batch the runs that are missing, and how many workers ended over it.
    """
    rest = list(gaps)
    suspects = []
    for batch in in_flight:
        inside, rest = parted(rest, batch.first, batch.last)
        if inside:
            suspects.append((indices_of(inside), batch.deaths + 1))
    return rest, suspects


class BatchSizer:
    """Divides the missing runs, in order, into batches of much the same duration.

    They take about *batch_s* seconds, or longer where so many are computed at the same time that
    recording them would not keep up.

    Parameters
    ----------
    gaps
        Ranges of missing runs, both ends included.
    group_size
        Runs that share a start and are best computed in one batch.
    workers
        Batches that compute at the same time.
    first_size
        Runs in the first batch, before any duration is known.
    """

    def __init__(
        self,
        gaps: Iterable[Range],
        *,
        group_size: int,
        workers: int,
        first_size: int = FIRST_BATCH,
        batch_s: float = BATCH_S,
    ) -> None:
        self._gaps = list(gaps)[::-1]
        self._group_size = group_size
        self._left = count(self._gaps)
        self._workers = workers
        self._batch_s = batch_s
        self._size = first_size

    def resize(self, workers: int) -> None:
        """Divide what is left for so many workers: those of a cluster come and go."""
        self._workers = workers

    def next_batch(self) -> Indices | None:
        """Return the next runs to compute; None when none is left."""
        if not self._gaps:
            return None
        # Towards the end batches shrink, so that all cores have work until it is over, but not so
        # far that recording them costs more than an idle core.
        fair = max(-(-self._left // (2 * self._workers)), self._size // SMALLEST_SHARE)
        wanted = max(min(self._size, fair), 1)
        wanted = -(-wanted // self._group_size) * self._group_size
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

    def observe(self, runs: int, seconds: float) -> None:
        """Adapt the size of the next batches to how long one took."""
        target_s = max(self._batch_s, TARGET_S_OF_A_WORKER * self._workers)
        wanted = runs * target_s / max(seconds, 1e-6)
        self._size = int(min(max(wanted, 1), self._size * GROWTH, LARGEST_BATCH))


class BatchQueue:
    """The batches of some missing runs; those that workers have died over come first, alone.

    Parameters
    ----------
    sizer
        Divides the runs that are not suspected.
    suspects
        Runs that were in flight when workers died, and how many died over them.
    """

    def __init__(self, sizer: BatchSizer, suspects: Sequence[tuple[Indices, int]]) -> None:
        self._sizer = sizer
        self._suspects = list(suspects)

    def take(self, count: int) -> dict[InFlightBatch, Indices]:
        """Return up to *count* batches and their runs; fewer when none is left."""
        taken: dict[InFlightBatch, Indices] = {}
        while len(taken) < count:
            indices, deaths = (
                self._suspects.pop() if self._suspects else (self._sizer.next_batch(), 0)
            )
            if indices is None:
                break
            taken[InFlightBatch(int(indices[0]), int(indices[-1]), deaths)] = indices
        return taken

    def observe(self, outcome: Outcome, workers: int) -> None:
        """Adapt the size of the next batches to *outcome*, and to how many compute now."""
        self._sizer.resize(workers)
        self._sizer.observe(len(outcome.indices) + len(outcome.failures), outcome.compute_s)
