"""Which jobs there are: filters in the address, counts, pages."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from bilancio.experiments import registry
from bilancio.jobs.manager import AsyncJobManager
from bilancio.jobs.models import JobStatus
from bilancio.text import filters, without
from bilancio.text import listed as said_of
from bilancio.validation import parse_int
from bilancio.web import rendering
from bilancio.web.words import standing

SHOWN = 25
STATES = (*(each.value for each in JobStatus), "stalled")
WORDS = ("text", "tag", "sweep_type", "status", "since", "until")


async def listed(request: Request) -> Response:
    """Show a page of jobs, newest first."""
    manager: AsyncJobManager = request.app.state.manager
    asked = request.query_params
    wanted: dict[str, Any] = {name: asked.get(name, "").strip() or None for name in WORDS}
    if asked.get("min_runs", "").strip():
        wanted["min_runs"] = parse_int("min_runs", asked["min_runs"], least=0)
    if varied := [each for each in asked.getlist("varied") if each.strip()]:
        wanted["varied"] = varied
    offset = parse_int("offset", asked.get("offset") or "0", least=0)
    found = await manager.list_jobs(**wanted, limit=SHOWN, offset=offset)
    rows = [(job, standing(job)) for job in found.jobs]
    shown = {name: value for name, value in wanted.items() if value is not None}
    return rendering.page(
        request,
        "jobs",
        found=found,
        rows=rows,
        wanted=shown,
        counted=said_of("job", offset=offset, shown=len(found.jobs), total=found.total),
        read=filters(found.filters),
        without=without(found.without),
        states=STATES,
        kinds=registry.sweep_types(),
        earlier=rendering.address(**shown, offset=max(offset - SHOWN, 0)) if offset else "",
        later=(
            rendering.address(**shown, offset=offset + SHOWN)
            if offset + len(found.jobs) < found.total
            else ""
        ),
    )
