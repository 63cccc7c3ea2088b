"""`cancel_job`: stop a job."""

from typing import Annotated

from pydantic import Field

from bilancio import text
from bilancio_mcp import calls
from bilancio_mcp.lifespan import Ctx, manager_of
from bilancio_mcp.outputs import CancelledJob
from bilancio_mcp.tools.arguments import ExactName
from bilancio_mcp.tools.spec import REPEATABLE, ToolSpec

MANUAL = """\
Stop a job; what it has found stays.

Call it when the user wants a job stopped. start_sweep resumes it."""


async def cancel_job(
    ctx: Ctx,
    *,
    job_id: ExactName,
    reason: Annotated[str, Field(description="Why; noted as an event.")] = "",
) -> CancelledJob:
    """Answer a call of the tool."""
    job = await manager_of(ctx).cancel_job(job_id, reason)
    return CancelledJob(
        summary=text.cancelled(job),
        next=calls.after_status(job),
        job_id=job.job_id,
        status=job.state,
    )


# What a cancelled job has found stays, and it can be resumed: nothing is destroyed.
TOOL = ToolSpec(function=cancel_job, title="Cancel a job", manual=MANUAL, hints=REPEATABLE)
