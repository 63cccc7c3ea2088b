"""`list_jobs`: which jobs there are."""

from typing import Annotated, Literal

from pydantic import Field

from bilancio import text as sentences
from bilancio_mcp import calls
from bilancio_mcp.lifespan import Ctx, manager_of
from bilancio_mcp.outputs import JobList, job_summaries
from bilancio_mcp.tools.arguments import Texts
from bilancio_mcp.tools.spec import READS, ToolSpec

MANUAL = """\
List jobs, newest first: those that meet every filter.

Call it when the user speaks of jobs without a name ("the sweep of last week")."""


async def list_jobs(
    ctx: Ctx,
    *,
    status: Annotated[
        Literal["pending", "running", "stalled", "completed", "failed", "cancelled"] | None,
        Field(description="State."),
    ] = None,
    sweep_type: Annotated[str, Field(description="Which experiment.")] = "",
    tag: Annotated[str, Field(description="A tag.")] = "",
    text: Annotated[
        str, Field(description="Words in name, description, notes or tags, in any order.")
    ] = "",
    since: Annotated[
        str, Field(description="Created from: 2026-11-18, 7d, yesterday, last week; UTC.")
    ] = "",
    until: Annotated[str, Field(description="The same, included: last week to last week.")] = "",
    min_runs: Annotated[int | None, Field(ge=0, description="At least so many runs.")] = None,
    varied: Annotated[Texts, Field(description="Parameters it varies: concentration.")] = (),
    owner: Annotated[str, Field(description="Who created it: me, or a login name.")] = "",
    limit: Annotated[int, Field(ge=1, le=100, description="Jobs to show.")] = 8,
    offset: Annotated[int, Field(ge=0, description="To skip.")] = 0,
) -> JobList:
    """Answer a call of the tool."""
    page = await manager_of(ctx).list_jobs(
        status=status,
        sweep_type=sweep_type or None,
        tag=tag or None,
        text=text or None,
        since=since or None,
        until=until or None,
        min_runs=min_runs,
        varied=varied,
        owner=owner or None,
        limit=limit,
        offset=offset,
    )
    jobs = job_summaries(page.jobs)
    summary = sentences.listed("job", offset=offset, shown=len(jobs), total=page.total)
    if page.filters:
        summary += f" Filters: {sentences.filters(page.filters)}."
    if page.damaged:
        summary += f" Damaged in the store and left out: {sentences.values(page.damaged)}."
    if page.refused_manifests:
        count = sentences.plural(page.refused_manifests, "manifest")
        summary += f" {count} below the output folder could not be read."
    return JobList(
        summary=summary,
        next=calls.after_list(page, len(jobs)),
        jobs=jobs,
        total=page.total,
        offset=offset,
    )


TOOL = ToolSpec(
    function=list_jobs,
    title="List jobs: search simulation sweeps",
    manual=MANUAL,
    hints=READS,
    always=True,
)
