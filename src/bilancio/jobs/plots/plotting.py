"""A question becomes a picture: gathered, drawn, kept."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from bilancio.errors import NothingToDraw, OutputError, invalid
from bilancio.jobs.artifacts import figures
from bilancio.jobs.lookup import find_with_runs
from bilancio.jobs.models import Job
from bilancio.jobs.plots import by_parameter, comparing, days, grouped, matters, spreads
from bilancio.jobs.plots.asked import Asked, Kind
from bilancio.jobs.plots.grouped import Drawn
from bilancio.jobs.plots.studied import Studied, studied
from bilancio.jobs.plots.words import is_difference
from bilancio.jobs.session import Session
from bilancio.jobs.views import Plot
from bilancio.report import drawing

log = logging.getLogger(__name__)

DRAWN_BY: dict[Kind, Callable[[Studied, Asked], Awaitable[Drawn]]] = {
    Kind.EFFECT: grouped.effect,
    Kind.DEFAULT_RATE: by_parameter.default_rate,
    Kind.MEASURE: by_parameter.measure,
    Kind.DISTRIBUTION: spreads.distribution,
    Kind.DAYS: days.days,
    Kind.MAIN_EFFECTS: matters.main_effects,
    Kind.PRECISION: spreads.precision,
    Kind.FRONTIER: matters.frontier,
}


async def plot(session: Session, name: str, asked: Asked, *, keep: bool) -> Plot:
    """Draw what a job has found; see `plots.plot`."""
    named = await find_with_runs(session, name)
    store = await session.store()
    seen = await studied(store, named.job)
    asked, read = seen.worded(asked)
    kind = asked.kind or (Kind.COMPARE if asked.jobs else suitable(seen, asked))
    if kind is None:
        why = "it has one cell and one seed; more of either make a picture."
        raise NothingToDraw(seen.job.job_id, why)
    others_read: list[str] = []
    if kind is Kind.COMPARE:
        others: list[Studied] = []
        for each in asked.jobs:
            found = await find_with_runs(session, each)
            if found.job.job_id in {seen.job.job_id, *(other.job.job_id for other in others)}:
                raise invalid("jobs", each, "other jobs, each once")
            if found.reading:
                others_read.append(f"{found.job.job_id}: {found.reading}")
            others.append(await studied(store, found.job))
        drawn = await comparing.compare(seen, others, asked)
    else:
        drawn = await DRAWN_BY[kind](seen, asked)
    png = await asyncio.to_thread(drawing.png, drawn.picture, dark=asked.dark)
    svg = await asyncio.to_thread(drawing.svg, drawn.picture)
    files = {}
    if keep:
        stem = asked.stem(kind)
        files = await asyncio.to_thread(_kept, seen.job, stem, png, svg, dark=asked.dark)
    return Plot(
        job=seen.job,
        reading=named.reading,
        others_read="; ".join(others_read),
        read=read,
        kind=kind,
        sentence=drawn.sentence,
        files=files,
        png=png,
        svg=svg,
    )


def suitable(seen: Studied, asked: Asked) -> Kind | None:
    """Return the kind that suits what varies; None where no kind does."""
    if not seen.subject.averaged.any() and seen.job.config.searches:
        return Kind.FRONTIER
    varied = seen.varied()
    if varied:
        by_parameter = asked.y and asked.y not in seen.subject.parameters
        if is_difference(seen.primary) and not by_parameter:
            return Kind.EFFECT
        return Kind.EFFECT if len(varied) > 1 and not by_parameter else Kind.MEASURE
    if len(seen.subject.seeds) > 1:
        return Kind.DISTRIBUTION
    return Kind.DAYS if seen.has_days else None


def _kept(job: Job, stem: str, png: bytes, svg: str, *, dark: bool) -> dict[str, str]:
    """Write the files into the job's folder; nothing where its output folder is gone."""
    if not job.out_dir.is_dir():
        return {}
    try:
        return figures.write(job, stem, png, svg, dark=dark)
    except OutputError as error:  # a picture is shown where it cannot be kept
        log.warning("%s", error)
        return {}
