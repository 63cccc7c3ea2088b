"""The pictures of a report: those kinds that suit what a job varies."""

import asyncio
import logging
from dataclasses import dataclass

from bilancio.errors import BilancioError, LibraryMissing
from bilancio.jobs.plots.asked import Asked, Kind
from bilancio.jobs.plots.studied import Studied
from bilancio.report.page import Figure
from bilancio.report.pictures import Picture

MOST_BYTES = 700_000  # of all pictures, in a report of at most 1 MB

#: What may be drawn beside what suits best, in the order of a report.
KINDS = (
    Kind.EFFECT,
    Kind.FRONTIER,
    Kind.DEFAULT_RATE,
    Kind.MEASURE,
    Kind.DISTRIBUTION,
    Kind.DAYS,
    Kind.MAIN_EFFECTS,
    Kind.PRECISION,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drawn:
    """A picture, what it shows, and what one sees on it."""

    kind: Kind
    picture: Picture
    sentence: str


async def drawn(studied: Studied) -> list[Drawn]:
    """Draw what suits a job; kinds for which it has nothing are left out.

    Raises
    ------
    LibraryMissing
        matplotlib is not installed.
    """
    from bilancio.jobs.plots.plotting import DRAWN_BY, suitable  # matplotlib is optional

    first = suitable(studied, Asked())
    several = len(studied.varied()) > 1
    kinds = dict.fromkeys((first, *KINDS) if first else KINDS)
    if not studied.subject.averaged.any():  # probes of searches say nothing of an average
        kinds = dict.fromkeys((Kind.FRONTIER,))
    found: list[Drawn] = []
    for kind in kinds:
        if kind is Kind.MEASURE and any(each.kind is Kind.DEFAULT_RATE for each in found):
            continue  # which is the same of another measure
        if kind is Kind.MAIN_EFFECTS and not several:
            continue  # all that differs is due to the one parameter
        try:
            made = await DRAWN_BY[kind](studied, Asked(kind=kind))
        except LibraryMissing:
            raise
        except BilancioError as error:  # of this kind there is nothing
            log.debug("no picture %s: %s", kind, error)
        else:
            if made.picture.caption.title in {each.picture.caption.title for each in found}:
                continue  # two kinds come to the same
            found.append(Drawn(kind=kind, picture=made.picture, sentence=made.sentence))
    return found


async def figures(studied: Studied) -> tuple[list[Figure], str]:
    """Return the pictures of a report, and why there are none or not all."""
    try:
        from bilancio.report import drawing  # matplotlib is optional

        pictures = await drawn(studied)
    except LibraryMissing as error:
        return [], f"There are no pictures. {error}"
    found: list[Figure] = []
    size = 0
    for each in pictures:
        svg = await asyncio.to_thread(drawing.svg, each.picture)
        size += len(svg.encode())
        if size > MOST_BYTES:
            left = ", ".join(other.kind for other in pictures[len(found) :])
            return found, f"Left out, to keep this file small: {left}."
        found.append(Figure(svg=svg, sentence=each.sentence))
    return found, ""
