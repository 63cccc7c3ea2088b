"""The tools: each a question that a researcher asks. Their docstrings are the model's manual."""

import inspect
from collections.abc import Callable
from typing import Annotated, Any, Literal

from mcp.server.mcpserver.tools import Tool
from mcp_types import ToolAnnotations
from pydantic import Field

from bilancio import text as sentences
from bilancio.jobs.models import Job
from bilancio_mcp import calls
from bilancio_mcp.lifespan import Ctx, manager_of, request_key
from bilancio_mcp.outputs import (
    CancelledJob,
    CreatedJob,
    Estimate,
    JobList,
    JobResults,
    JobSummary,
    StartedSweep,
    Status,
    Table,
)
from bilancio_mcp.schemas import compact, with_sweeps

AnyName = Annotated[
    str, Field(description="The job's name in any spelling; a typo a word is forgiven.")
]
ExactName = Annotated[
    str, Field(description="The job's whole name, e.g. 'bright-ocean-swift-tiger'.")
]
Offset = Annotated[int, Field(ge=0, description="Rows to skip.")]


async def create_job(
    ctx: Ctx,
    *,
    description: Annotated[str, Field(description="What it is for, in the user's own words.")],
    config: Any,
    job_id: Annotated[
        str, Field(description="Only if the user wants a name of their own; else one is drawn.")
    ] = "",
    notes: Annotated[str, Field(description="Anything worth remembering about it.")] = "",
    tags: Annotated[tuple[str, ...], Field(description="Short words to find it by.")] = (),
    out_dir: Annotated[
        str, Field(description="Folder of the job's folder; else the default one.")
    ] = "",
) -> CreatedJob:
    """Store a sweep as a job under a memorable name; nothing is computed yet.

    Call it when the user wants to run simulations. Show the user the name prominently, with the
    number of runs and the estimate; then call start_sweep. Every cell of the grid runs under each
    seed: runs = product of the lists' lengths × seeds (× 2 arms for balanced). Use several seeds
    (n_replicates 10 or more) for an interval. Whatever is left out takes its default.
    """
    manager = manager_of(ctx)
    job = await manager.create_job(
        description,
        config,
        job_id=job_id or None,
        notes=notes,
        tags=tags,
        out_dir=out_dir or None,
        request_key=request_key(ctx),
    )
    estimate = await manager.estimate(job.config)
    return CreatedJob(
        summary=sentences.created(job, seconds=estimate.seconds, rough=estimate.rough),
        next=f"Tell the user the name {job.job_id}, the runs and the estimate; "
        f"start_sweep(job_id='{job.job_id}') starts it.",
        job_id=job.job_id,
        total_runs=job.total_runs,
        estimate=Estimate(
            seconds=round(estimate.seconds, 1), workers=estimate.workers, rough=estimate.rough
        ),
        folder=str(job.folder),
        config=job.config.as_dict(),
    )


async def start_sweep(ctx: Ctx, job_id: ExactName) -> StartedSweep:
    """Start a job, or resume one that stalled, failed or was cancelled; return at once.

    Call it after create_job, when the user knows the name and the estimate. A worker process of
    its own computes and goes on when this conversation ends. A running job is left alone and its
    status returned; a completed one is refused. Afterwards call job_status.
    """
    answered, key = ctx.request_context.lifespan_context.answered, request_key(ctx)
    if key in answered:
        return StartedSweep.model_validate(answered[key])
    done = await manager_of(ctx).start_sweep(job_id, request_key=key)
    answer = StartedSweep(
        summary=sentences.started(done.job, done.action),
        next=calls.after_status(done.job),
        job_id=done.job.job_id,
        action=done.action,
        status=done.job.state,
        completed_runs=done.job.completed_runs,
        total_runs=done.job.total_runs,
    )
    if key is not None:
        answered[key] = answer
    return answer


async def job_status(
    ctx: Ctx,
    *,
    job_id: AnyName,
    wait_s: Annotated[
        int, Field(ge=0, le=100, description="Wait up to so many seconds for the job to end.")
    ] = 0,
) -> Status:
    """Tell how far a job is: state, runs done and failed, rate, time left.

    Call it after start_sweep, with wait_s about the estimate, or whenever the user asks how a job
    is doing, in any later conversation too. When it is completed call job_results.
    """
    manager = manager_of(ctx)
    found = await manager.find_job(job_id)
    name = found.job.job_id
    if wait_s:
        async for step in manager.watch(name, wait_s):
            total = step.job.total_runs
            await ctx.report_progress(
                step.done_runs, total, sentences.progress(step.job, step.eta_s)
            )
    progress = await manager.progress(name)
    job = progress.job
    return Status(
        summary=sentences.read_as(found.reading, name) + sentences.progress(job, progress.eta_s),
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
        **_moments(job),
    )


async def job_results(
    ctx: Ctx,
    *,
    job_id: AnyName,
    group_by: Annotated[
        tuple[str, ...],
        Field(description="Parameters for the table's rows, singular: kappa, mu, …, seed."),
    ] = (),
    measures: Annotated[
        tuple[str, ...], Field(description="Columns of the table; all if left out.")
    ] = (),
    limit: Annotated[int, Field(ge=1, le=200, description="Rows of the table to show.")] = 20,
    offset: Offset = 0,
) -> JobResults:
    """Tell what a job has found: headline, averages with intervals, a table, its files.

    Call it when the user asks for the results of a job by name, in any conversation; while it runs
    it gives what is there so far. Group by the parameters the user asks about. Say the headline,
    the interval and how many runs stand behind it; files hold every single run.
    """
    manager = manager_of(ctx)
    found = await manager.find_job(job_id)
    results = await manager.results(
        found.job.job_id, group_by=group_by, measures=measures, limit=limit, offset=offset
    )
    table = results.table
    return JobResults(
        summary=sentences.read_as(found.reading, found.job.job_id) + results.headline,
        next=calls.after_results(results, offset, limit),
        job_id=results.job.job_id,
        description=results.job.description,
        status=results.job.state,
        findings=results.summary,
        table=table
        and Table(
            columns=list(table.columns),
            rows=[list(row) for row in table.rows],
            offset=offset,
            total_rows=table.total_rows,
        ),
        frontier={} if results.frontier is None else results.frontier.model_dump(mode="json"),
        files=results.files,
        failures=results.failures,
        config=results.job.config.as_dict(),
    )


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
    """List jobs, newest first.

    Call it when the user speaks of a job without its name ("the sweep of last week"), or asks what
    there is. Then call job_status or job_results with a name from it.
    """
    page = await manager_of(ctx).list_jobs(
        status=status, tag=tag or None, text=text or None, limit=limit, offset=offset
    )
    more = offset + len(page.jobs) < page.total
    return JobList(
        summary=sentences.listed("job", offset=page.offset, shown=len(page.jobs), total=page.total),
        next=f"The same call with offset={offset + len(page.jobs)} lists older ones."
        if more and page.jobs
        else "job_status or job_results with a job_id from the list; create_job for a new one.",
        jobs=[_line(job) for job in page.jobs],
        total=page.total,
        offset=offset,
    )


async def cancel_job(
    ctx: Ctx,
    *,
    job_id: ExactName,
    reason: Annotated[str, Field(description="Why; noted as an event.")] = "",
) -> CancelledJob:
    """Stop a job; what it has found stays.

    Call it when the user wants a job stopped. start_sweep goes on with it.
    """
    job = await manager_of(ctx).cancel_job(job_id, reason)
    return CancelledJob(
        summary=sentences.cancelled(job),
        next=calls.after_status(job),
        job_id=job.job_id,
        status=job.state,
    )


READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)
ADDS = ToolAnnotations(
    read_only_hint=False, destructive_hint=False, idempotent_hint=False, open_world_hint=False
)
STARTS = ToolAnnotations(
    read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)
# What a cancelled job has found stays, and it can be resumed: nothing is destroyed.
CANCELS = STARTS

TOOLS: tuple[tuple[Callable[..., Any], str, ToolAnnotations], ...] = (
    (create_job, "Create a job", ADDS),
    (start_sweep, "Start a job's sweep", STARTS),
    (job_status, "Status of a job", READS),
    (job_results, "Results of a job", READS),
    (list_jobs, "List jobs", READS),
    (cancel_job, "Cancel a job", CANCELS),
)


def tools() -> list[Tool]:
    """Return the tools as the server registers them, their schemas in few words."""
    made = []
    for function, title, hints in TOOLS:
        tool = Tool.from_function(
            function,
            title=title,
            description=inspect.getdoc(function),
            annotations=hints,
            structured_output=True,
        )
        tool.parameters = compact(tool.parameters)
        if function is create_job:
            tool.parameters = with_sweeps(tool.parameters)
        tool.fn_metadata.output_schema = compact(tool.fn_metadata.output_schema or {})
        made.append(tool)
    return made


def _moments(job: Job) -> dict[str, Any]:
    written: dict[str, Any] = job.model_dump(mode="json", include={"created_at", "completed_at"})
    return written


def _line(job: Job) -> JobSummary:
    return JobSummary(
        job_id=job.job_id,
        status=job.state,
        description=sentences.shortened(job.description),
        sweep_type=job.config.sweep_type,
        completed_runs=job.completed_runs,
        total_runs=job.total_runs,
        created_at=_moments(job)["created_at"],
        tags=list(job.tags),
    )


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 1)
