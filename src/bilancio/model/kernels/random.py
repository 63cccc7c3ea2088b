"""CPython's ``random.Random``, drawn inside a kernel: the same stream to the last bit.

A stream is a uint32 array of ``STREAM_SIZE``: the 624 words of MT19937, the same words tempered,
and the position of the next one, as CPython keeps it. Words are tempered when they are made, all
624 in a loop of its own: in vector instructions it takes 0.03 µs, less than a few words singly.

Words travel as int64, because numba turns int64 mixed with uint64 into doubles.

References
----------
MODEL.md, section 0. Matsumoto & Nishimura 1998; CPython ``_randommodule.c`` (seeding, 53-bit
doubles) and ``random.py`` (``gammavariate``, ``randrange``).
"""

import math

import numpy as np

from bilancio.model.kernels.books import (
    EVEN,
    LANES,
    ODD,
    SEED,
    WORDS,
    Doubles,
    Ints,
    Stream,
    Words,
    int64,
)
from bilancio.model.kernels.compiled import njit, part, whole

_POSITION = 2 * WORDS  # of the next word, after the words and the tempered ones

_MASK = 0xFFFFFFFF
_FIRST_MULTIPLIER, _SECOND_MULTIPLIER = int64(1664525), int64(1566083941)
_LOG4 = math.log(4.0)
_SG_MAGICCONST = 1.0 + math.log(4.5)


def _initial_words() -> Words:
    words = [19650218]
    for i in range(1, WORDS):
        words.append((1812433253 * (words[-1] ^ (words[-1] >> 30)) + i) & _MASK)
    return np.array(words, np.uint32)


_INITIAL = _initial_words()  # init_genrand(19650218), where init_by_array always starts


@njit
def start_words(started: Words, keys: Ints) -> None:
    """Make the words with which ``random.Random(seed)`` starts, for ``LANES`` seeds.

    Each word depends on the one before, so that a processor waits most of the time where it
    starts one stream. Eight abreast take the time of two of them.

    Parameters
    ----------
    started : uint32 (LANES, WORDS)
        Output.
    keys : int64 (N_KEY_ROWS, LANES)
        Row ``SEED``: seeds, 0 ≤ seed < 2⁶³. The others are written.
    """
    for lane in range(LANES):
        low, high = keys[SEED, lane] & _MASK, keys[SEED, lane] >> 32
        # A key of two words comes round by turns: (word 0 + 0), (word 1 + 1), (word 0 + 0), …
        keys[ODD, lane] = low
        keys[EVEN, lane] = high + 1 if high else low
        for i in range(WORDS):
            started[lane, i] = _INITIAL[i]
    for i in range(1, WORDS + 1):
        at, addend = i if i < WORDS else 1, ODD if i % 2 else EVEN  # the first word stays
        for lane in range(LANES):
            word = _stirred(started[lane, i - 1], started[lane, at], _FIRST_MULTIPLIER)
            started[lane, at] = (word + keys[addend, lane]) & _MASK
    for i in range(2, WORDS + 1):
        at = i if i < WORDS else 1
        for lane in range(LANES):
            word = _stirred(started[lane, i - 1], started[lane, at], _SECOND_MULTIPLIER)
            started[lane, at] = (word - at) & _MASK
    for lane in range(LANES):
        started[lane, 0] = 0x80000000


@part
def _stirred(before: int, word: int, multiplier: int) -> int:
    """Return *word* stirred with the one *before* it and a round's *multiplier*."""
    return whole(word) ^ ((whole(before) ^ (whole(before) >> 30)) * multiplier)


@njit
def start_stream(stream: Stream, words: Words) -> None:
    """Start *stream* with its *words*, a row of what ``start_words`` made."""
    for i in range(WORDS):
        stream[i] = words[i]
    stream[_POSITION] = WORDS


@part
def _mixed(word: int, following: int, distant: int) -> int:
    """Return the word that follows *word*, given the one *following* it and a *distant* one."""
    joined = (whole(word) & 0x80000000) | (whole(following) & 0x7FFFFFFF)
    return whole(distant) ^ (joined >> 1) ^ ((joined & 1) * 0x9908B0DF)


@part
def _renew(stream: Stream) -> None:
    """Make the next 624 words of *stream*, and temper them."""
    for i in range(227):
        stream[i] = _mixed(stream[i], stream[i + 1], stream[i + 397])
    for i in range(227, 623):
        stream[i] = _mixed(stream[i], stream[i + 1], stream[i - 227])
    stream[623] = _mixed(stream[623], stream[0], stream[396])
    for i in range(WORDS):
        word = whole(stream[i])
        word ^= word >> 11
        word ^= (word << 7) & 0x9D2C5680
        word ^= (word << 15) & 0xEFC60000
        stream[WORDS + i] = word ^ (word >> 18)


@njit
def next_word(stream: Stream) -> int:
    """Draw 32 bits from *stream*."""
    position = whole(stream[_POSITION])
    if position == WORDS:
        _renew(stream)
        position = 0
    stream[_POSITION] = position + 1
    return whole(stream[WORDS + position])


@part
def _uniform(stream: Stream, position: int) -> tuple[float, int]:
    """Return the double in [0, 1) at a *position*, as ``random()``, and the position after it.

    The position is even: only doubles, of two words each, have been drawn before. Those who
    draw many keep it, which is faster than to write it into *stream* each time.
    """
    if position == WORDS:
        _renew(stream)
        position = 0
    high = whole(stream[WORDS + position]) >> 5
    low = whole(stream[WORDS + position + 1]) >> 6
    return (high * 67108864.0 + low) * (1.0 / 9007199254740992.0), position + 2


@part
def bit_length(number: int) -> int:
    """Return how many bits *number* has."""
    bits = 0
    while number >> bits:
        bits += 1
    return bits


@part
def below(stream: Stream, stop: int, bits: int) -> int:
    """Draw from *stream* as ``randrange`` where the *bits* of *stop* are known."""
    number = next_word(stream) >> (32 - bits)
    while number >= stop:
        number = next_word(stream) >> (32 - bits)
    return number


@njit
def randrange(stream: Stream, stop: int) -> int:
    """Draw a whole number from 0 to *stop* − 1 from *stream*, for 1 ≤ stop < 2³².

    It takes bits even where only 0 can come out.
    """
    return below(stream, stop, bit_length(stop))


@njit
def draw_gammas(stream: Stream, alpha: float, drawn: Doubles, n: int) -> None:
    """Draw from *stream*, as its first draws: the gamma distribution of shape *alpha*, scale 1.

    Parameters
    ----------
    alpha
        Greater than 0.
    drawn : float64
        Output: the first *n*.
    """
    position = whole(stream[_POSITION])
    if alpha > 1.0:
        position = _draw_by_gb(stream, alpha, drawn, n, position)
    elif alpha == 1.0:
        for i in range(n):
            u, position = _uniform(stream, position)
            drawn[i] = -math.log(1.0 - u)
    else:
        position = _draw_by_gs(stream, alpha, drawn, n, position)
    stream[_POSITION] = position


@part
def _draw_by_gb(stream: Stream, alpha: float, drawn: Doubles, n: int, position: int) -> int:
    """Draw *n* gammas of shape *alpha* > 1 as Cheng 1977, algorithm GB.

    *stream* and *drawn* are as in `draw_gammas`; return the *position* after the draws.
    """
    ainv = math.sqrt(2.0 * alpha - 1.0)
    bbb = alpha - _LOG4
    ccc = alpha + ainv
    for i in range(n):
        while True:
            u1, position = _uniform(stream, position)
            if not 1e-7 < u1 < 0.9999999:
                continue
            u, position = _uniform(stream, position)
            u2 = 1.0 - u
            v = math.log(u1 / (1.0 - u1)) / ainv
            x = alpha * math.exp(v)
            z = u1 * u1 * u2
            r = bbb + ccc * v - x
            if r + _SG_MAGICCONST - 4.5 * z >= 0.0 or r >= math.log(z):
                drawn[i] = x
                break
    return position


@part
def _draw_by_gs(stream: Stream, alpha: float, drawn: Doubles, n: int, position: int) -> int:
    """Draw *n* gammas of shape *alpha* < 1 as Ahrens & Dieter 1974, algorithm GS.

    *stream* and *drawn* are as in `draw_gammas`; return the *position* after the draws.
    """
    b = (math.e + alpha) / math.e
    exponent = 1.0 / alpha
    for i in range(n):
        while True:
            u, position = _uniform(stream, position)
            p = b * u
            x = p**exponent if p <= 1.0 else -math.log((b - p) / alpha)
            u1, position = _uniform(stream, position)
            if u1 <= (x ** (alpha - 1.0) if p > 1.0 else math.exp(-x)):
                drawn[i] = x
                break
    return position
