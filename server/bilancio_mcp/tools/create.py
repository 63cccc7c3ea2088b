"""`create_job`: store a sweep as a job."""

from typing import Annotated, Any

from pydantic import Field

from bilancio import text
from bilancio_mcp import calls
from bilancio_mcp.folders import output_folder
from bilancio_mcp.lifespan import Ctx, manager_of, request_key
from bilancio_mcp.outputs import CreatedJob, EstimateOut, asked_for
from bilancio_mcp.tools.arguments import Texts
from bilancio_mcp.tools.spec import ADDS, ToolSpec

REMARKS = 3
MANUAL = """\
Store a sweep as a job under a memorable name; nothing is computed yet.

Call it when the user wants to run simulations. Show the user the name prominently, with the
number of runs and the estimate; then call start_sweep. Every cell of the grid runs under each
seed: runs = product of the lists' lengths × seeds (× 2 arms for balanced). Use several seeds
(n_replicates 10 or more) for an interval. Whatever is left out takes its default."""


async def create_job(
    ctx: Ctx,
    *,
    description: Annotated[str, Field(description="What it is for, in the user's own words.")],
    config: Any,
    job_id: Annotated[
        str, Field(description="Only if the user wants a name of their own; else one is drawn.")
    ] = "",
    notes: Annotated[str, Field(description="Anything worth remembering about it.")] = "",
    tags: Annotated[Texts, Field(description="Short words to find it by.")] = (),
    out_dir: Annotated[
        str,
        Field(description="Folder of its files, below the working folder; else the default one."),
    ] = "",
) -> CreatedJob:
    """Answer a call of the tool."""
    manager = manager_of(ctx)
    job = await manager.create_job(
        description,
        config,
        job_id=job_id or None,
        notes=notes,
        tags=tags,
        out_dir=output_folder(out_dir, manager.settings.out_dir),
        request_key=request_key(ctx),
    )
    estimate = await manager.estimate(job.config)
    created = text.created(job, seconds=estimate.seconds, rough=estimate.rough)
    remarked = " ".join([created, *job.config.remarks[:REMARKS]])
    return CreatedJob(
        summary=remarked if job.state == "pending" else text.progress(job),
        next=f"Tell the user the name, the runs and the estimate. {calls.after_status(job)}",
        job_id=job.job_id,
        total_runs=job.total_runs,
        estimate=EstimateOut(
            seconds=round(estimate.seconds, 1), workers=estimate.workers, rough=estimate.rough
        ),
        folder=str(job.folder),
        config=asked_for(job.config),
    )


TOOL = ToolSpec(function=create_job, title="Create a job", manual=MANUAL, hints=ADDS)
