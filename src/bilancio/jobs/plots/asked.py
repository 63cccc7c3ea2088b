"""What is asked of a picture."""

import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bilancio.encoding import to_json
from bilancio.errors import InvalidInput, Problem, shown
from bilancio.experiments.questions import condition, name, names
from bilancio.validation import nearest

MOST_JOBS = 6  # in one picture
LONGEST_NAME = 100  # of a file


class Kind(StrEnum):
    """What a picture shows."""

    EFFECT = "effect"
    DEFAULT_RATE = "default_rate"
    MEASURE = "measure"
    DISTRIBUTION = "distribution"
    DAYS = "days"
    COMPARE = "compare"
    MAIN_EFFECTS = "main_effects"
    PRECISION = "precision"
    FRONTIER = "frontier"


_OTHER_WORDS = {
    "heatmap": Kind.EFFECT,
    "heat_map": Kind.EFFECT,
    "histogram": Kind.DISTRIBUTION,
    "default_rates": Kind.DEFAULT_RATE,
    "comparison": Kind.COMPARE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A picture that is asked for; see `plots.plot`. What is not given is empty."""

    kind: Kind | None = None
    x: str = ""
    y: str = ""
    by: str = ""
    where: str | Mapping[str, Any] | None = None
    jobs: tuple[str, ...] = ()
    dark: bool = False

    def stem(self, kind: Kind) -> str:
        """Return the name of its files: the same question writes the same ones."""
        plain = [re.sub(r"[^a-z0-9_]", "_", each.lower()) for each in (self.x, self.y, self.by)]
        stem = "-".join(filter(None, (kind, *plain)))[:LONGEST_NAME]
        rest = to_json([self.x, self.y, self.by, self.where and _text(self.where), self.jobs])
        special = self.where or self.jobs or any(each != each.lower() for each in plain)
        return f"{stem}-{zlib.crc32(rest.encode()):08x}" if special else stem


def _text(condition: str | Mapping[str, Any]) -> str:
    return condition if isinstance(condition, str) else repr(sorted(condition.items()))


def asked_of(
    *,
    kind: str | None,
    x: str | None,
    y: str | None,
    by: str | None,
    where: str | Mapping[str, Any] | None,
    jobs: Sequence[str] | str,
    dark: bool,
) -> Asked:
    """Return what is asked for, checked as far as that goes without the job.

    Raises
    ------
    InvalidInput
    """
    others = names("jobs", jobs)
    if len(others) >= MOST_JOBS:
        allowed = f"at most {MOST_JOBS - 1} other jobs"
        raise InvalidInput([Problem("jobs", f"{len(others)} names", allowed)])
    found = _kind(kind)
    if others and found not in {None, Kind.COMPARE}:
        raise InvalidInput([Problem("jobs", f"beside kind {found}", "jobs with kind compare")])
    return Asked(
        kind=found,
        x=name("x", x),
        y=name("y", y),
        by=name("by", by),
        where=condition(where) or None,
        jobs=others,
        dark=bool(dark),
    )


def _kind(given: str | None) -> Kind | None:
    if not given:
        return None
    word = str(given).strip().lower().replace("-", "_").replace(" ", "_")
    try:
        return _OTHER_WORDS.get(word) or Kind(word)
    except ValueError:
        known = [each.value for each in Kind]
        raise InvalidInput(
            [Problem("kind", shown(given), ", ".join(known), nearest(word, known))]
        ) from None
