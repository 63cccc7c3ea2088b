"""CPython's ``random.Random``, drawn inside a kernel: the same stream to the last bit.

A stream is a uint32 array of 625: the 624 words of MT19937 and the position of
the next one, as CPython keeps them. Words travel as int64, because numba turns
int64 mixed with uint64 into doubles.

References
----------
MODEL.md, section 0. Matsumoto & Nishimura 1998; CPython ``_randommodule.c`` (seeding, 53-bit
doubles) and ``random.py`` (``gammavariate``, ``randrange``).
"""

import math

import numpy as np
import numpy.typing as npt

from bilancio.model.kernels.books import WORDS, Stream
from bilancio.model.kernels.compiled import njit, part, whole

_MASK = 0xFFFFFFFF
_LOG4 = math.log(4.0)
_SG_MAGICCONST = 1.0 + math.log(4.5)


def _initial_words() -> npt.NDArray[np.int64]:
    words = [19650218]
    for i in range(1, WORDS):
        words.append((1812433253 * (words[-1] ^ (words[-1] >> 30)) + i) & _MASK)
    return np.array(words, np.int64)


_INITIAL = _initial_words()  # init_genrand(19650218), where init_by_array always starts


@njit
def seed_stream(stream: Stream, seed: int) -> None:
    """Start *stream* as ``random.Random(seed)`` does, for 0 ≤ seed < 2⁶³."""
    low = whole(seed & _MASK)
    high = whole(seed >> 32)
    two_words = high > 0
    word = whole(_INITIAL[0])
    # The key's words come round by turns: (word 0 + 0), (word 1 + 1), (word 0 + 0), …
    for i in range(1, WORDS):
        addend = high + 1 if two_words and i % 2 == 0 else low
        word = ((_INITIAL[i] ^ ((word ^ (word >> 30)) * 1664525)) + addend) & _MASK
        stream[i] = word
    addend = high + 1 if two_words and WORDS % 2 == 0 else low
    word = ((whole(stream[1]) ^ ((word ^ (word >> 30)) * 1664525)) + addend) & _MASK
    stream[1] = word
    for i in range(2, WORDS):
        word = ((whole(stream[i]) ^ ((word ^ (word >> 30)) * 1566083941)) - i) & _MASK
        stream[i] = word
    word = ((whole(stream[1]) ^ ((word ^ (word >> 30)) * 1566083941)) - 1) & _MASK
    stream[1] = word
    stream[0] = 0x80000000
    stream[WORDS] = WORDS


@part
def _mixed(word: int, following: int, distant: int) -> int:
    """Return the word that follows *word*, given the one *following* it and a *distant* one."""
    joined = (whole(word) & 0x80000000) | (whole(following) & 0x7FFFFFFF)
    return whole(distant) ^ (joined >> 1) ^ ((joined & 1) * 0x9908B0DF)


@part
def _renew(stream: Stream) -> None:
    """Make the next 624 words of *stream*."""
    for i in range(227):
        stream[i] = _mixed(stream[i], stream[i + 1], stream[i + 397])
    for i in range(227, 623):
        stream[i] = _mixed(stream[i], stream[i + 1], stream[i - 227])
    stream[623] = _mixed(stream[623], stream[0], stream[396])
    stream[WORDS] = 0


@njit
def next_word(stream: Stream) -> int:
    """Draw 32 bits from *stream*."""
    if stream[WORDS] >= WORDS:
        _renew(stream)
    position = whole(stream[WORDS])
    stream[WORDS] = position + 1
    word = whole(stream[position])
    word ^= word >> 11
    word ^= (word << 7) & 0x9D2C5680
    word ^= (word << 15) & 0xEFC60000
    return word ^ (word >> 18)


@njit
def uniform(stream: Stream) -> float:
    """Draw a double in [0, 1) from *stream*, as ``random()``."""
    high = next_word(stream) >> 5
    low = next_word(stream) >> 6
    return (high * 67108864.0 + low) * (1.0 / 9007199254740992.0)


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
def gammavariate(stream: Stream, alpha: float) -> float:
    """Draw from *stream*: the gamma distribution with shape *alpha* > 0 and scale 1."""
    if alpha > 1.0:  # Cheng 1977, algorithm GB
        ainv = math.sqrt(2.0 * alpha - 1.0)
        bbb = alpha - _LOG4
        ccc = alpha + ainv
        while True:
            u1 = uniform(stream)
            if not 1e-7 < u1 < 0.9999999:
                continue
            u2 = 1.0 - uniform(stream)
            v = math.log(u1 / (1.0 - u1)) / ainv
            x = alpha * math.exp(v)
            z = u1 * u1 * u2
            r = bbb + ccc * v - x
            if r + _SG_MAGICCONST - 4.5 * z >= 0.0 or r >= math.log(z):
                return x
    if alpha == 1.0:
        return -math.log(1.0 - uniform(stream))
    while True:  # Ahrens & Dieter 1974, algorithm GS
        u = uniform(stream)
        b = (math.e + alpha) / math.e
        p = b * u
        x = p ** (1.0 / alpha) if p <= 1.0 else -math.log((b - p) / alpha)
        u1 = uniform(stream)
        if p > 1.0:
            if u1 <= x ** (alpha - 1.0):
                return x
        elif u1 <= math.exp(-x):
            return x
