"""Which stream of random numbers a run draws from, and when it is started.

References
----------
MODEL.md, section 0.
"""

import numpy as np

from bilancio.model.kernels.books import (
    LANES,
    N_STREAMS,
    SCENARIO,
    SEED,
    Ints,
    Rows,
    Stream,
    Words,
)
from bilancio.model.kernels.compiled import part, whole
from bilancio.model.kernels.random import start_stream, start_words

_NO_SEED = -1


@part
def forget_seeds(keys: Ints) -> None:
    """Note that no stream has been started.

    The arguments are described in `books`.
    """
    for use in range(N_STREAMS):
        for lane in range(LANES):
            keys[use, SEED, lane] = _NO_SEED


@part
def start(stream: Stream, started: Words, keys: Ints, parameters: Rows, r: int, use: int) -> None:
    """Start *stream* as run *r* does for a *use*, ``SCENARIO`` or ``ORDER_FLOW``.

    Runs of one seed, neighbours in a sweep, are started from the same words. Those of the next
    seeds are made along with them, at a quarter of the time that each takes alone.

    The other arguments are described in `books`.
    """
    seed = _seed_of(parameters[r], use)
    lane = 0
    while lane < LANES and keys[use, SEED, lane] != seed:
        lane += 1
    if lane == LANES:
        lane, filled, last = 0, 0, _NO_SEED
        while r < len(parameters) and filled < LANES:
            seed = _seed_of(parameters[r], use)
            if seed != last:
                keys[use, SEED, filled] = seed
                filled += 1
                last = seed
            r += 1
        start_words(started[use], keys[use])
    start_stream(stream, started[use, lane])


@part
def _seed_of(row: np.void, use: int) -> int:
    """Return the seed of a *use* in the run of a *row*."""
    seed = whole(row["seed"])
    return seed if use == SCENARIO else 1_000_003 * (seed + 1)
