"""One job: what it has found, what has happened to it, what it was asked for."""

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response, StreamingResponse

from bilancio.errors import BilancioError, InvalidInput
from bilancio.experiments.sweep_config import about
from bilancio.jobs.manager import AsyncJobManager
from bilancio.jobs.models import EventType, Job, JobEvent
from bilancio.jobs.progress import Progress
from bilancio.text import aside, listed, plural, values
from bilancio.validation import parse_int
from bilancio.web import rendering
from bilancio.web.kept import Kept
from bilancio.web.pages import actions
from bilancio.web.words import told

if TYPE_CHECKING:  # numpy
    from bilancio.jobs.documents.gathering import Contents

EVENTS = 50
PART = "part"
ANEW_S = 4.0  # after which what a running job has found is read again


async def findings(request: Request) -> Response:
    """Show what a job has found: what is known at once first, then pictures, then tables."""
    progress = await _progress(request)
    if request.query_params.get(PART) == "findings":
        return HTMLResponse(await _findings(request, progress.job))
    return StreamingResponse(_parts(request, progress), media_type="text/html; charset=utf-8")


async def _parts(request: Request, progress: Progress) -> AsyncIterator[str]:
    """Yield the page part by part; what cannot be told is said in its place."""
    job = progress.job
    yield top(request, progress, "Findings")
    for part, coming in (
        (_findings, "Reading results …"),
        (_pictures, "Drawing pictures …"),
        (_tables, "Computing tables …"),
    ):
        yield rendering.html(request, "part_waiting", said=coming)
        try:
            yield await part(request, job)
        except BilancioError as error:
            yield rendering.html(request, "part_refused", sentence=str(error))
    yield rendering.html(request, "bottom")


async def _contents(request: Request, job: Job) -> "Contents":
    """Return what is told of a job as it is now, read once for all who look at it."""
    manager: AsyncJobManager = request.app.state.manager
    kept: Kept = request.app.state.contents
    return await kept.get(as_it_is(job), lambda: manager.contents(job.job_id))


async def _findings(request: Request, job: Job) -> str:
    contents = await _contents(request, job)
    return rendering.html(
        request, "job_findings", findings=contents.findings, warnings=contents.warnings
    )


async def _pictures(request: Request, job: Job) -> str:
    contents = await _contents(request, job)

    async def drawn() -> tuple[list[tuple[str, str]], str]:
        await request.app.state.drawing.loaded()
        figures, note = await contents.figures()
        return rendering.pictures(figures), note

    shown, note = await _kept(request).get(("pictures", *as_it_is(job)), drawn)
    return rendering.html(request, "job_pictures", job=job, pictures=shown, note=note)


async def _tables(request: Request, job: Job) -> str:
    contents = await _contents(request, job)
    asked = request.query_params
    by, where = asked.getlist("by"), asked.get("where", "").strip()
    refused, table = "", None
    if by or where:
        try:
            table = await contents.grouped(by, where)
        except InvalidInput as error:
            refused = str(error)
        else:
            refused = "" if table is not None else "No cell meets the condition."
    if table is not None:
        shown = [table]
    else:
        shown = await _kept(request).get(("tables", *as_it_is(job)), contents.tables)
    return rendering.html(
        request,
        "job_tables",
        job=job,
        tables=shown,
        failures=await contents.failures(),
        parameters=contents.varied,
        example=rendering.condition(contents.varied),
        by=by,
        where=where,
        refused=refused,
    )


async def events(request: Request) -> Response:
    """Show what has happened to a job, the latest first."""
    progress = await _progress(request)
    manager: AsyncJobManager = request.app.state.manager
    job = progress.job
    before = parse_int("before", request.query_params.get("before") or "0", least=0)
    total = (await manager.events(job.job_id, limit=0)).total
    end = min(before, total) or total
    first = max(end - EVENTS, 0)
    found = await manager.events(job.job_id, after=first, limit=end - first)
    said = [(each, _said(each)) for each in reversed(found)]
    return rendering.page(
        request,
        "events",
        **shown_of(request, progress, "Events"),
        events=said,
        counted=listed("event", offset=first, shown=len(said), total=total),
        older=_events_before(job, first) if first else "",
        newer=_events_before(job, min(end + EVENTS, total)) if end < total else "",
    )


def _events_before(job: Job, number: int) -> str:
    return rendering.address("jobs", job.job_id, "events", before=number)


def _said(event: JobEvent) -> str:
    details = event.details
    match event.event_type:
        case EventType.CREATED:
            return ""
        case EventType.PROGRESS if said := aside(details):
            return said
        case EventType.PROGRESS:
            done = plural(details.get("completed", 1), "run")
            failed = details.get("failed", 0)
            return f"{done}{f', {failed:,} failed' if failed else ''}"
        case _:
            told = (
                (name, each)
                for name, each in details.items()
                if isinstance(each, str | int | float)
            )
            return ", ".join(f"{name.replace('_', ' ')} {values(each)}" for name, each in told)


async def configuration(request: Request) -> Response:
    """Show what a job was asked for, its files, and how to run it again."""
    progress = await _progress(request)
    contents = await _contents(request, progress.job)
    here = [name for name, _ in contents.files if _is_sent(progress.job.folder / name)]
    return rendering.page(
        request,
        "configuration",
        **shown_of(request, progress, "Configuration"),
        contents=contents,
        files=here,
    )


async def file(request: Request) -> Response:
    """Send one of the files that bilancio has written for a job; no other."""
    progress = await _progress(request)
    contents = await _contents(request, progress.job)
    name = request.path_params["file"]
    path: Path = progress.job.folder / name
    if name not in dict(contents.files) or not _is_sent(path):
        raise HTTPException(404)
    return FileResponse(path, filename=f"{progress.job.job_id}-{name}")


def _is_sent(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


async def _progress(request: Request) -> Progress:
    manager: AsyncJobManager = request.app.state.manager
    return await manager.progress(request.path_params["name"])


def top(request: Request, progress: Progress, tab: str) -> str:
    """Return the beginning of a job's page."""
    return rendering.html(request, "job_top", **shown_of(request, progress, tab))


def shown_of(request: Request, progress: Progress, tab: str) -> dict[str, Any]:
    """Return what the beginning of a job's page shows."""
    return {
        "job": progress.job,
        "reading": progress.reading,
        "told": told(progress),
        "about": about(progress.job.config),
        "tab": tab,
        "actions": () if request.app.state.read_only else actions.offered(progress.job),
    }


def _kept(request: Request) -> Kept:
    kept: Kept = request.app.state.kept
    return kept


def as_it_is(job: Job) -> tuple[object, ...]:
    """Return what differs whenever something else is to be told of a job.

    Of a running one it differs every few seconds only, however quickly its runs finish and
    however many look at it.
    """
    named = job.job_id, job.created_at, job.state, job.attempts
    if job.state == "running":
        return *named, int(time.monotonic() / ANEW_S)
    return *named, job.completed_runs, job.failed_runs
