"""`job_status`: how far a job is."""

import time
from typing import Annotated

from pydantic import Field

from bilancio import text
from bilancio.jobs.owner import others
from bilancio.jobs.progress import Progress
from bilancio_mcp import calls
from bilancio_mcp.lifespan import Ctx, manager_of
from bilancio_mcp.outputs import Status, moments, tagged
from bilancio_mcp.tools.arguments import AnyName
from bilancio_mcp.tools.spec import READS, ToolSpec

REPORT_S = 10.0  # clients give up sooner on a call that reports nothing

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
    progress = await _waited(ctx, job_id, wait_s)
    job = progress.job
    read = text.read_as(progress.reading, job.job_id)
    return Status(
        summary=f"{read}{progress} {progress.repetition}".rstrip(),
        next=calls.after_status(
            job, waited_s=wait_s, left_s=progress.eta_s, repetition=progress.repetition
        ),
        job_id=job.job_id,
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
        **tagged(job),
        **moments(job),
        owner=others(job),
    )


async def _waited(ctx: Ctx, job_id: str, wait_s: int) -> Progress:
    """Wait for the job to end; report progress at every change, and while nothing changes."""
    until = time.monotonic() + wait_s
    while True:
        left = max(until - time.monotonic(), 0)
        async for progress in manager_of(ctx).watch(job_id, min(left, REPORT_S)):
            if wait_s:
                said = text.progress(
                    progress.job,
                    progress.eta_s,
                    waiting=progress.waiting,
                    writing=progress.writing,
                )
                await ctx.report_progress(progress.done_runs, progress.job.total_runs, said)
        if progress.job.state != "running" or left <= REPORT_S:
            return progress


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 1)


TOOL = ToolSpec(
    function=job_status,
    title="Status of a job: how far its simulations are",
    manual=MANUAL,
    hints=READS,
    always=True,
    on_card=True,
)
