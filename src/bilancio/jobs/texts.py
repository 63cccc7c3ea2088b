"""Texts that callers give: stored whole, or refused in a sentence before anything happens."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from bilancio.errors import InvalidInput, Problem, shown

MAX_TEXT = 10_000
MAX_ERROR = 100_000
MAX_KEY = 1_000
MAX_TAGS, MAX_TAG = 50, 100


def is_storable(text: str) -> bool:
    """Return whether every database holds *text*: Unicode, without NUL characters."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def check_texts(texts: Mapping[str, object], *, most: int = MAX_TEXT) -> None:
    """Refuse what cannot be stored whole.

    Raises
    ------
    InvalidInput
        One sentence for each of *texts* that is not text, too long, or not Unicode.
    """
    _refuse(_problem(field, text, most) for field, text in texts.items())


def check_name(field: str, text: object, *, most: int = MAX_TEXT, wanted: str = "") -> None:
    """Refuse a text that says nothing: an empty one, or one that `check_texts` refuses.

    Parameters
    ----------
    wanted
        What is allowed, where the text is empty; its length if not given.

    Raises
    ------
    InvalidInput
    """
    problem = _problem(field, text, most)
    if problem is None and not str(text).strip():
        allowed = wanted or f"1 to {most:,} characters, not only spaces"
        problem = Problem(field, shown(text), allowed)
    _refuse([problem])


def checked_tags(tags: Any) -> tuple[str, ...]:
    """Return the tags of a job.

    Raises
    ------
    InvalidInput
        They are not a list of at most 50 short texts.
    """
    allowed = f"a list of at most {MAX_TAGS} texts of 1 to {MAX_TAG} characters"
    if isinstance(tags, str | bytes | Mapping) or not isinstance(tags, Collection):
        raise InvalidInput([Problem("tags", shown(tags), allowed)])
    if len(tags) > MAX_TAGS:
        raise InvalidInput([Problem("tags", f"{len(tags):,} tags", allowed)])
    for tag in tags:
        check_name("tags", tag, most=MAX_TAG)
    return tuple(tags)


def _problem(field: str, text: object, most: int) -> Problem | None:
    if not isinstance(text, str):
        return Problem(field, shown(text), f"text of at most {most:,} characters")
    if len(text) > most:
        got = f"{shown(text, 60)}, {len(text):,} characters"
        return Problem(field, got, f"text of at most {most:,} characters")
    if not is_storable(text):
        return Problem(field, shown(text), "text in Unicode, without NUL characters")
    return None


def _refuse(problems: Iterable[Problem | None]) -> None:
    found = [problem for problem in problems if problem is not None]
    if found:
        raise InvalidInput(found)
