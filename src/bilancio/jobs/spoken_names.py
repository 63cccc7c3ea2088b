"""Names of jobs as people say them in questions: in another order, run together, misheard.

What changes a job wants its exact name. A question is answered, saying how the name was read, where
but one job can be meant; where there are two, both are offered.
"""

import itertools
import re
from collections.abc import Callable, Container, Iterable, Sequence

from bilancio.jobs.job_id import (
    MAX_CANDIDATES,
    MAX_LENGTH,
    JobId,
    Match,
    fits,
    how_read,
    match_job_id,
    readings,
    spoken,
    words,
)

#: What is said around a name, none of them a word of the list.
AROUND = frozenset(
    {
        "a", "about", "all", "an", "and", "are", "at", "called", "did", "do", "does", "experiment",
        "for", "from", "give", "has", "have", "how", "in", "is", "it", "job", "jobs", "me", "my",
        "name", "named", "of", "on", "one", "our", "out", "please", "progress", "result", "results",
        "run", "runs", "show", "simulation", "simulations", "status", "sweep", "sweeps", "tell",
        "that", "the", "this", "those", "to", "was", "were", "what", "with", "your",
    }
)  # fmt: skip

_RUN_TOGETHER = 6  # letters of two words that stand as one
_MISHEARD = 4
_SLIPS = 2  # in a word that is misheard, or in a whole name without separators
_APART = 3  # more slips lead to any other name

_SOUNDS = (
    (r"^(?:wr|rh)", "r"), (r"^(?:kn|gn|pn)", "n"), (r"^ps", "s"), (r"^wh", "w"), (r"mb$", "m"),
    (r"(?<=.)gh", ""), (r"ph", "f"), (r"tch|ch", "x"), (r"c(?=[eiy])|z", "s"), (r"ck|c|q", "k"),
    (r"dg(?=e)|g(?=[eiy])", "j"), (r"(?<=.)[aeiouyhw]+", ""), (r"(.)\1+", r"\1"),
)  # fmt: skip

#: Reads typed words among names; returns each name that they can mean, and how.
_Reader = Callable[[Sequence[str], Sequence[JobId]], dict[JobId, str]]


def read_job_id(name: str, known: Iterable[str]) -> Match:
    """Find the job among *known* that a question means by *name*, if it clearly means one.

    Beyond what `match_job_id` reads, words may stand in another order, run together or be split,
    be the last ones of the name or any two, have words around them ("the … job"), and up to half
    of them may be misheard ("brite"). Words that are not in the list have to stand as they are and
    in their order.
    """
    names = tuple(JobId(job_id) for job_id in dict.fromkeys(known))
    match = match_job_id(name, names)
    typed = spoken(name)
    if match.exact or not typed or sum(map(len, typed)) > 2 * MAX_LENGTH:
        return match
    if match.job_id is not None:
        return _unless_another_has_them(match, typed, names)
    if (amid := _amid(typed, set(names))) is not None:
        return amid
    for variant, said in _variants(typed):
        for read in (_in_order, _run_together, _further_on, _in_any_order, _misheard, _all_as_one):
            found = read(variant, names)
            if found:
                return _match(found, said)
    return match


def _match(found: dict[JobId, str], said: str) -> Match:
    """Return the one name that was found, or all of them as candidates."""
    if len(found) > 1:
        return Match(job_id=None, candidates=tuple(found)[:MAX_CANDIDATES])
    ((job_id, how),) = found.items()
    return Match(job_id=job_id, how="; ".join(filter(None, [said, how])))


def _unless_another_has_them(match: Match, typed: Sequence[str], names: Sequence[JobId]) -> Match:
    """Return a name that begins with the words typed, unless another has them further on."""
    assert match.job_id is not None
    if len(typed) >= len(match.job_id.split("-")):
        return match
    others = [name for name in _further_on(typed, names) if name != match.job_id]
    if not others:
        return match
    return Match(job_id=None, candidates=(match.job_id, *others)[:MAX_CANDIDATES])


def _amid(typed: Sequence[str], names: Container[str]) -> Match | None:
    """Find a whole name among words that are said around it."""
    for start, end in itertools.combinations(range(len(typed) + 1), 2):
        around = [*typed[:start], *typed[end:]]
        job_id = JobId("-".join(typed[start:end]))
        if job_id in names and AROUND.issuperset(around):
            return Match(job_id=job_id, how=_left_out(around))
    return None


def _left_out(around: Sequence[str]) -> str:
    return f"left out {', '.join(map(repr, around))}" if around else ""


def _variants(typed: tuple[str, ...]) -> list[tuple[tuple[str, ...], str]]:
    """Return the words as typed and without those around a name, each with run-ons split, too."""
    bare = _without_around(typed)
    said = _left_out([word for word in typed if word not in bare])
    found = {typed: ""}
    for each, how in ((typed, ""), (bare, said)):
        if each:
            found.setdefault(each, how)
            split, parts = _split(each)
            found.setdefault(split, "; ".join(filter(None, [how, parts])))
    return list(found.items())


def _without_around(typed: tuple[str, ...]) -> tuple[str, ...]:
    ahead = itertools.dropwhile(AROUND.__contains__, typed)
    behind = itertools.dropwhile(AROUND.__contains__, reversed(tuple(ahead)))
    return tuple(reversed(tuple(behind)))


def _split(typed: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """Split words that are several of the list, written as one, where that is clear."""
    found: list[str] = []
    said = []
    for word in typed:
        parts = _parts(word) if word not in words() and len(word) >= _RUN_TOGETHER else []
        found += parts[0] if len(parts) == 1 else [word]
        said += [f"{word!r} as '{'-'.join(parts[0])}'"] if len(parts) == 1 else []
    return tuple(found), f"read {', '.join(said)}" if said else ""


def _parts(word: str) -> list[tuple[str, ...]]:
    """Return the ways in which a word is a row of words of the list."""
    ways: list[list[tuple[str, ...]]] = [[()], *([] for _ in word)]
    listed = set(words())
    for end in range(1, len(word) + 1):
        for start in range(max(0, end - 9), end):
            if ways[start] and word[start:end] in listed:
                ways[end] += [(*way, word[start:end]) for way in ways[start]]
    return ways[-1]


def _in_order(typed: Sequence[str], names: Sequence[JobId]) -> dict[JobId, str]:
    return {name: how_read(typed, name) for name in fits(typed, names)}


def _run_together(typed: Sequence[str], names: Sequence[JobId]) -> dict[JobId, str]:
    """Find names that have the same letters and digits, whatever separates them."""
    joined = "".join(typed)
    return {
        name: f"read '{' '.join(typed)}' as '{name}'"
        for name in names
        if name.replace("-", "") == joined
    }


def _further_on(typed: Sequence[str], names: Sequence[JobId]) -> dict[JobId, str]:
    """Find names that have the words typed in a row; one word, which has to be listed, last."""
    meant = [readings(word) for word in typed]
    if len(typed) == 1:
        meant = [[word for word in meant[0] if word in words()]]
    if not meant[0]:
        return {}
    pattern = "-".join(f"(?:{'|'.join(each)})" for each in meant)
    after = "" if len(typed) == 1 else "(?:-.*)?"
    within = re.compile(rf"(?<=-)({pattern})({after})$").search
    found = {name: each for name in names if (each := within(name))}
    return {
        name: "; ".join(
            filter(
                None,
                [
                    _other(typed, each[1].split("-")),
                    f"only one name {'has' if each[2] else 'ends with'} '{each[1]}'",
                ],
            )
        )
        for name, each in found.items()
    }


def _in_any_order(typed: Sequence[str], names: Sequence[JobId]) -> dict[JobId, str]:
    """Find names that have all words typed, at least two."""
    return _containing(typed, [readings(word) for word in typed], names)


def _misheard(typed: Sequence[str], names: Sequence[JobId]) -> dict[JobId, str]:
    """Find names that have the words typed, of which up to half sound like theirs."""
    clear = [readings(word) for word in typed]
    heard = [{*each, *_like(word)} for word, each in zip(typed, clear, strict=True)]
    found = _containing(typed, heard, names)
    return {
        name: how
        for name, how in found.items()
        if 2 * sum(bool({*each} & {*name.split("-")}) for each in clear) >= len(typed)
    }


def _containing(
    typed: Sequence[str], meant: Sequence[Iterable[str]], names: Sequence[JobId]
) -> dict[JobId, str]:
    """Find names of words of the list that have each word typed, in one of its meanings."""
    if len(typed) < 2:  # noqa: PLR2004 - one word says too little
        return {}
    listed, options = set(words()), [set(each) for each in meant]
    has_first = re.compile(rf"(?<![a-z0-9])(?:{'|'.join(options[0])})(?![a-z0-9])").search
    found = {}
    for name in filter(has_first, names):
        parts = name.split("-")
        read = _assigned(typed, options, parts)
        if read is not None and listed.issuperset(parts):
            found[name] = _how(typed, read, parts)
    return found


def _assigned(
    typed: Sequence[str], options: Sequence[set[str]], parts: Sequence[str]
) -> list[str] | None:
    """Return which word of a name each word typed means, each another one."""
    left, read = list(parts), []
    for word, meant in zip(typed, options, strict=True):
        part = word if word in left else next((each for each in left if each in meant), None)
        if part is None:
            return None
        left.remove(part)
        read.append(part)
    return read


def _how(typed: Sequence[str], read: Sequence[str], parts: Sequence[str]) -> str:
    if len(read) < len(parts):
        said = f"only one name has {' and '.join(map(repr, read))}"
    else:
        said = "" if list(read) == list(parts) else "the words in another order"
    return "; ".join(filter(None, [_other(typed, read), said]))


def _other(typed: Sequence[str], read: Sequence[str]) -> str:
    pairs = [
        f"{word!r} as {part!r}" for word, part in zip(typed, read, strict=True) if word != part
    ]
    return f"read {', '.join(pairs)}" if pairs else ""


def _all_as_one(typed: Sequence[str], names: Sequence[JobId]) -> dict[JobId, str]:
    """Find the name whose letters are nearly those typed, where no other is like it."""
    joined = "".join(typed)
    if not joined.isalpha() or len(joined) <= 2 * _RUN_TOGETHER:
        return {}
    # Imported here: see `readings`.
    from rapidfuzz.distance import OSA
    from rapidfuzz.process import extract

    listed = set(words())
    near = extract(
        joined,
        [name.replace("-", "") for name in names],
        scorer=OSA.distance,
        score_cutoff=_SLIPS + _APART,
        limit=2,
    )
    if not near or near[0][1] > _SLIPS or (near[1:] and near[1][1] < near[0][1] + _APART):
        return {}
    name = names[near[0][2]]
    if not listed.issuperset(name.split("-")):
        return {}
    return {name: f"read '{' '.join(typed)}' as '{name}'"}


def _like(word: str) -> list[str]:
    """Return the words of the list that sound like *word*, or are two slips away."""
    if len(word) < _MISHEARD or not word.isalpha() or word in words():
        return []
    # Imported here: see `readings`.
    from rapidfuzz.distance import OSA

    sound = _sound(word)
    return [
        each
        for each in words()
        if each[0] == word[0]
        and (_sound(each) == sound or OSA.distance(word, each, score_cutoff=_SLIPS) <= _SLIPS)
    ]


def _sound(word: str) -> str:
    """Return what an English word sounds like, roughly: its first letter and its consonants."""
    for letters, sound in _SOUNDS:
        word = re.sub(letters, sound, word)
    return word
