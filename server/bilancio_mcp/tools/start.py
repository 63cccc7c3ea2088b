"""`start_sweep`: have a worker carry a job out."""

import contextlib
import math
from typing import Annotated

from mcp.server.mcpserver import ElicitationResult, Resolve
from pydantic import Field

from bilancio import text
from bilancio.errors import BilancioError
from bilancio.jobs.launch import ALREADY_RUNNING
from bilancio.jobs.models import Started
from bilancio_mcp import calls
from bilancio_mcp.consent import Agreement, agreement, refuse_declined
from bilancio_mcp.lifespan import Ctx, manager_of, request_key
from bilancio_mcp.outputs import StartedSweep
from bilancio_mcp.tools.arguments import ExactName
from bilancio_mcp.tools.spec import REPEATABLE, ToolSpec

MANUAL = """\
Start a job, or resume one that stalled, failed or was cancelled; return at once.

Call it after create_job, when the user knows the name and the estimate. A worker process of
its own computes and continues when this conversation ends. A running job is left alone and its
status returned; a completed one is refused, unless it gets more seeds (n_replicates) or came
without its single runs (recompute). Afterwards call job_status."""


async def start_sweep(
    ctx: Ctx,
    job_id: ExactName,
    *,
    n_replicates: Annotated[
        int | None,
        Field(ge=1, description="Seeds that it has then, for a job that has ended."),
    ] = None,
    recompute: Annotated[
        bool, Field(description="Compute the runs of an imported job that has none here.")
    ] = False,
    confirm: Annotated[  # noqa: ARG001 - `agreement` reads it
        str, Field(description="For a large sweep: its name, once the user has agreed.")
    ] = "",
    agreed: Annotated[ElicitationResult[Agreement], Resolve(agreement)],
) -> StartedSweep:
    """Answer a call of the tool."""
    refuse_declined(job_id, agreed)
    answered, key = ctx.request_context.lifespan_context.answered, request_key(ctx)
    if key is not None and (key, job_id) in answered:
        return StartedSweep.model_validate(answered[key, job_id])
    done = await manager_of(ctx).start_sweep(
        job_id, n_replicates=n_replicates, recompute=recompute, request_key=key
    )
    answer = StartedSweep(
        summary=text.started(done.job, done.action),
        next=calls.after_status(done.job, left_s=await _left_s(ctx, done)),
        job_id=done.job.job_id,
        action=done.action,
        status=done.job.state,
        completed_runs=done.job.completed_runs,
        total_runs=done.job.total_runs,
    )
    if key is not None:
        answered[key, job_id] = answer
    return answer


async def _left_s(ctx: Ctx, done: Started) -> float | None:
    """Return how many seconds the job still takes; None where that cannot be asked.

    A time of which nothing is known yet is taken to be long.
    """
    with contextlib.suppress(BilancioError):
        if done.action == ALREADY_RUNNING:
            return (await manager_of(ctx).progress(done.job.job_id)).eta_s
        seconds = (await manager_of(ctx).estimate(done.job)).seconds
        return math.inf if seconds is None else seconds
    return None


TOOL = ToolSpec(
    function=start_sweep,
    title="Start a job's sweep: run its simulations",
    manual=MANUAL,
    hints=REPEATABLE,
)
