"""`job_status`: how far a job is."""

from typing import Annotated

from pydantic import Field

from bilancio import text
from bilancio_mcp import calls
from bilancio_mcp.lifespan import Ctx, manager_of
from bilancio_mcp.outputs import Status, moments
from bilancio_mcp.tools.arguments import AnyName
from bilancio_mcp.tools.spec import READS, ToolSpec

MANUAL = """\
Tell how far a job is: state, runs done and failed, rate, time left.

Call it after start_sweep, with wait_s about the estimate, or whenever the user asks how a job
is doing, in any later conversation too. When it is completed call job_results."""


async def job_status(
    ctx: Ctx,
    *,
    job_id: AnyName,
    wait_s: Annotated[
        int, Field(ge=0, le=100, description="Wait up to so many seconds for the job to end.")
    ] = 0,
) -> Status:
    """Answer a call of the tool."""
    manager = manager_of(ctx)
    found = await manager.find_job(job_id)
    name = found.job.job_id
    if wait_s:
        async for step in manager.watch(name, wait_s):
            message = text.progress(step.job, step.eta_s)
            await ctx.report_progress(step.done_runs, step.job.total_runs, message)
    progress = await manager.progress(name)
    job = progress.job
    return Status(
        summary=text.read_as(found.reading, name) + text.progress(job, progress.eta_s),
        next=calls.after_status(job),
        job_id=name,
        description=job.description,
        status=job.state,
        total_runs=job.total_runs,
        completed_runs=job.completed_runs,
        failed_runs=job.failed_runs,
        runs_per_s=_rounded(progress.rate),
        eta_s=_rounded(progress.eta_s),
        elapsed_s=_rounded(progress.elapsed_s),
        means=progress.means,
        error=job.error,
        **moments(job),
    )


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 1)


TOOL = ToolSpec(function=job_status, title="Status of a job", manual=MANUAL, hints=READS)
