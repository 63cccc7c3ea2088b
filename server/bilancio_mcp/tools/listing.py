"""`list_jobs`: which jobs there are."""

from typing import Annotated, Literal

from pydantic import Field

from bilancio import text as sentences
from bilancio_mcp import calls
from bilancio_mcp.lifespan import Ctx, manager_of
from bilancio_mcp.outputs import JobList, job_summaries
from bilancio_mcp.tools.arguments import Offset
from bilancio_mcp.tools.spec import READS, ToolSpec

MANUAL = """\
List jobs, newest first.

Call it when the user speaks of a job without its name ("the sweep of last week"), or asks what
there is. Then call job_status or job_results with a name from it."""


async def list_jobs(
    ctx: Ctx,
    *,
    status: Annotated[
        Literal["pending", "running", "completed", "failed", "cancelled"] | None,
        Field(description="Only jobs in this state."),
    ] = None,
    tag: Annotated[str, Field(description="Only jobs with this tag.")] = "",
    text: Annotated[
        str, Field(description="Only jobs with this text in name, words or notes.")
    ] = "",
    limit: Annotated[int, Field(ge=1, le=100, description="Jobs to show.")] = 20,
    offset: Offset = 0,
) -> JobList:
    """Answer a call of the tool."""
    page = await manager_of(ctx).list_jobs(
        status=status, tag=tag or None, text=text or None, limit=limit, offset=offset
    )
    jobs = job_summaries(page.jobs)
    filtered = bool(status or tag or text)
    summary = sentences.listed("job", offset=offset, shown=len(jobs), total=page.total)
    if page.damaged:
        summary += f" Damaged in the store and left out: {sentences.values(page.damaged)}."
    if page.refused_manifests:
        count = sentences.plural(page.refused_manifests, "manifest")
        summary += f" {count} below the output folder could not be read."
    return JobList(
        summary=summary,
        next=calls.after_list(offset, len(jobs), page.total, filtered=filtered),
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
