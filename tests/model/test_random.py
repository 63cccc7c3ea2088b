import random

import numpy as np
import pytest

from bilancio.model.kernels.books import LANES, N_KEY_ROWS, SEED, STREAM_SIZE, WORDS
from bilancio.model.kernels.random import (
    draw_gammas,
    next_word,
    randrange,
    start_stream,
    start_words,
)

SEEDS = [*range(600), *(random.Random(1).randrange(10**12) for _ in range(300)), 10**12]
ORDER_FLOWS = [1_000_003 * (seed + 1) for seed in SEEDS[-100:]]


def streams_of(seeds):
    """Start a stream for each of up to ``LANES`` *seeds*."""
    keys = np.zeros((N_KEY_ROWS, LANES), np.int64)
    keys[SEED, : len(seeds)] = seeds
    started = np.zeros((LANES, WORDS), np.uint32)
    start_words(started, keys)
    streams = np.zeros((len(seeds), STREAM_SIZE), np.uint32)
    for stream, words in zip(streams, started, strict=False):
        start_stream(stream, words)
    return streams


def stream_of(seed):
    return streams_of([seed])[0]


def gammas(stream, alpha, count):
    drawn = np.zeros(count)
    draw_gammas(stream, alpha, drawn, count)
    return drawn.tolist()


@pytest.mark.parametrize("seed", [pytest.param(0, marks=pytest.mark.nojit), 42, 2**32, 2**33 + 5])
def test_stream_is_that_of_the_standard_library_over_several_renewals(seed):
    stream, ours = random.Random(seed), stream_of(seed)
    assert [next_word(ours) for _ in range(2000)] == [stream.getrandbits(32) for _ in range(2000)]


def test_a_thousand_seeds_start_the_same_streams_in_any_lane():
    seeds = SEEDS + ORDER_FLOWS
    for first in range(0, len(seeds), LANES):
        lanes = seeds[first : first + LANES]
        for seed, ours in zip(lanes, streams_of(lanes), strict=True):
            stream = random.Random(seed)
            drawn = [next_word(ours) for _ in range(3)]
            assert drawn == [stream.getrandbits(32) for _ in range(3)], seed


@pytest.mark.parametrize("alpha", [0.001, 0.1, 0.2, 0.5, 0.999, 1.0, 1.001, 1.5, 2.0, 5.0, 300.0])
def test_gamma_draws_are_those_of_the_standard_library(alpha):
    for seed in range(100):
        stream, ours = random.Random(seed), stream_of(seed)
        expected = [stream.gammavariate(alpha, 1) for _ in range(20)]
        assert gammas(ours, alpha, 20) == expected, seed


@pytest.mark.parametrize("alpha", [0.2, 1.0, 2.0])
def test_what_is_drawn_after_gammas_comes_next_in_the_stream(alpha):
    stream, ours = random.Random(7), stream_of(7)
    assert gammas(ours, alpha, 1000) == [stream.gammavariate(alpha, 1) for _ in range(1000)]
    for stop in [9, 99, 999] * 400:
        assert randrange(ours, stop) == stream.randrange(stop)


@pytest.mark.nojit
@pytest.mark.parametrize(
    ("alpha", "drawn"),
    [
        (1.0, [1.020060287274801, 0.02532883904273889, 0.3216240640749656]),
        (0.5, [0.573113778473856, 0.10602716941289642, 1.3652932954931298]),
        (2.0, [1.1428765860350905, 3.620073783908602, 1.6675339911160236]),
    ],
)
def test_gamma_draws_are_those_printed_in_the_model(alpha, drawn):
    assert gammas(stream_of(42), alpha, 3) == drawn


@pytest.mark.parametrize("seed", ORDER_FLOWS[:20])
def test_whole_numbers_are_those_of_the_standard_library(seed):
    stream, ours = random.Random(seed), stream_of(seed)
    for stop in [1, 1, 2, 3, 4, 7, 8, 31, 32, 33, 100, 9_999, 10**5] * 5:
        assert randrange(ours, stop) == stream.randrange(stop)
