"""Names of jobs: drawn, checked, and found again in the spelling a person uses.

A drawn name is four words of the list in ``words.txt``. The list is made for
this: any two of its words are two edits or more apart and differ in their first
four letters, so that a typo or a shortened word still identifies the name.
"""

import functools
import hashlib
import random
import re
import secrets
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import NewType

from bilancio.errors import InvalidJobId

JobId = NewType("JobId", str)

DRAWN_WORDS = 4
MIN_WORDS = 2
MAX_WORDS = 8
MAX_LENGTH = 100
MAX_CANDIDATES = 5

ALLOWED = (
    f"{MIN_WORDS} to {MAX_WORDS} words of lower-case letters a-z and digits, joined by '-', "
    f"at most {MAX_LENGTH} characters in all, such as 'bright-ocean-swift-tiger'"
)

_NAME = re.compile(rf"[a-z0-9]+(?:-[a-z0-9]+){{{MIN_WORDS - 1},{MAX_WORDS - 1}}}")
_MIN_ABBREVIATION = 4  # shorter ones could stand for several words of the list
_SIMILAR = 75  # of 100; among 100,000 drawn names strangers score up to 73


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What a spelling of a name led to: one job, or those it may have meant."""

    #: The one job that is clearly meant.
    job_id: JobId | None
    #: Nothing but case, accents and separators had to be overlooked.
    exact: bool = False
    #: How the spelling was read, for the user; empty when exact or not found.
    how: str = ""
    #: Jobs that may have been meant, best first; empty when one clearly is.
    candidates: tuple[JobId, ...] = ()


@functools.cache
def words() -> tuple[str, ...]:
    """Return the curated list, sorted: its order decides what a seeded draw gives."""
    text = resources.files("bilancio.jobs").joinpath("words.txt").read_text(encoding="ascii")
    return tuple(text.split())


def generate_job_id(rng: random.Random | None = None) -> JobId:
    """Draw four different words; from the system's randomness unless *rng* is given.

    Names can repeat, if rarely (there are about 10¹²): whoever stores one
    draws again when it is taken.
    """
    return JobId("-".join((rng or secrets.SystemRandom()).sample(words(), DRAWN_WORDS)))


def validate_job_id(name: str) -> JobId:
    """Return *name*, drawn or custom, as a job's name. Nothing is corrected silently.

    Raises
    ------
    InvalidJobId
        When *name* is anything but 2 to 8 words of lower-case letters and
        digits joined by '-', or longer than 100 characters. It suggests the
        name that was probably meant.
    """
    if _well_formed(name):
        return JobId(name)
    meant = "-".join(spoken(name)) if isinstance(name, str) else ""
    raise InvalidJobId(name, ALLOWED, (meant,) if _well_formed(meant) else ())


def _well_formed(name: object) -> bool:
    return isinstance(name, str) and len(name) <= MAX_LENGTH and _NAME.fullmatch(name) is not None


def spoken(name: str) -> tuple[str, ...]:
    """Return the words of *name* in lower case, whatever stands between them.

    Accents are dropped: "Bright, océan_swift/TIGER" has the words of
    ``bright-ocean-swift-tiger``.
    """
    letters = unicodedata.normalize("NFKD", name).casefold()
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return tuple(re.findall("[a-z0-9]+", plain))


def match_job_id(name: str, known: Iterable[str]) -> Match:
    """Find the job among *known* that *name* means, if it clearly means one.

    A name that is the same apart from case and separators wins. Otherwise each
    typed word may stand for the word of the list that is one edit away (a letter
    more, less, other, or two swapped) or that it abbreviates with four letters
    or more, and the words together for the whole name or for its beginning.
    Words with digits and words that are not in the list stand for themselves.

    Parameters
    ----------
    name
        As a person wrote or dictated it.
    known
        Valid names. Where candidates are equally good the earlier comes first.
    """
    typed = spoken(name)
    asked = "-".join(typed)
    names = tuple(JobId(job_id) for job_id in dict.fromkeys(known))
    if asked in names:
        return Match(job_id=JobId(asked), exact=True)
    if not asked or len(asked) > 2 * MAX_LENGTH:
        return Match(job_id=None)
    found = fits(typed, names)
    if len(found) == 1:
        return Match(job_id=found[0], how=how_read(typed, found[0]))
    candidates = found or _similar(asked, names)
    return Match(job_id=None, candidates=tuple(candidates[:MAX_CANDIDATES]))


def fits(typed: Sequence[str], names: Iterable[JobId]) -> list[JobId]:
    """Return the names that *typed* can be read as, the least corrected first.

    Where some are read in whole, or begin with the very words typed, those
    that need more guessing are left out.
    """
    reading = "-".join(f"(?:{'|'.join(readings(word))})" for word in typed)
    begins = re.compile(rf"{reading}(?![a-z0-9])").match
    corrections = {name: _corrections(typed, name) for name in names if begins(name)}
    found = sorted(corrections, key=corrections.__getitem__)
    clear = [name for name in found if not corrections[name] or name.count("-") == len(typed) - 1]
    return clear or found


@functools.lru_cache(1_000)
def readings(word: str) -> list[str]:
    """Return what a typed word can stand for in a name, itself first.

    That is a word of the list that is one slip away, or that it abbreviates.
    """
    if not word.isalpha() or word in words():
        return [word]
    # Imported here: it costs 70 ms, and a name spelled right never needs it.
    from rapidfuzz.distance import OSA
    from rapidfuzz.process import extract

    slips = extract(word, words(), scorer=OSA.distance, score_cutoff=1, limit=None)
    shortened = (
        whole for whole in words() if len(word) >= _MIN_ABBREVIATION and whole.startswith(word)
    )
    return [word, *(listed for listed, *_ in slips), *shortened]


def _corrections(typed: Sequence[str], name: str) -> int:
    """Count the typed words that *name* spells otherwise."""
    return sum(word != meant for word, meant in zip(typed, name.split("-"), strict=False))


def how_read(typed: Sequence[str], job_id: JobId) -> str:
    """Say how *typed* was read to arrive at *job_id*."""
    meant = job_id.split("-")
    pairs = zip(typed, meant, strict=False)
    read = [f"{word!r} as {whole!r}" for word, whole in pairs if word != whole]
    said = [f"read {', '.join(read)}"] if read else []
    if len(meant) > len(typed):
        said.append(f"only one name begins with '{'-'.join(meant[: len(typed)])}'")
    return "; ".join(said)


def _similar(asked: str, names: Sequence[JobId]) -> list[JobId]:
    """Return the names most like *asked*, in whatever order its words stand."""
    # Imported here: see readings.
    from rapidfuzz.fuzz import token_set_ratio
    from rapidfuzz.process import extract

    spaced = [name.replace("-", " ") for name in names]
    best = extract(
        asked.replace("-", " "),
        spaced,
        scorer=token_set_ratio,
        score_cutoff=_SIMILAR,
        limit=MAX_CANDIDATES,
    )
    return [names[position] for _, _, position in best]


def short_hash(job_id: str) -> str:
    """Return five hex digits of the name's SHA-256, by which run ids lead back to their job."""
    return hashlib.sha256(job_id.encode()).hexdigest()[:5]
