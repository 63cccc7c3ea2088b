"""`create_job`: store a sweep as a job, or say what it would be."""

from typing import Annotated, Any

from pydantic import Field

from bilancio import text
from bilancio.errors import InvalidInput, Problem
from bilancio.jobs.models import Job
from bilancio.jobs.preview import Preview
from bilancio_mcp import calls
from bilancio_mcp.folders import output_folder
from bilancio_mcp.lifespan import Ctx, manager_of, request_key
from bilancio_mcp.outputs import CreatedJob, asked_for, estimated, planned, tagged
from bilancio_mcp.tools.arguments import Texts
from bilancio_mcp.tools.spec import ADDS, ToolSpec

MANUAL = """\
Store a simulation sweep as a job under a memorable name; nothing is computed yet.

Call it when the user wants to run simulations. Show the user the name prominently, with runs,
estimate and warnings; then call start_sweep. runs = lists' lengths × seeds (× 2 arms for
balanced). n_replicates 10 or more gives an interval."""


MOST_FIELDS = "balanced"  # the sweep type whose fields are explained where none is named


async def create_job(
    ctx: Ctx,
    *,
    description: Annotated[str, Field(description="What it is for, in the user's own words.")] = "",
    config: Any = None,
    like: Annotated[
        str,
        Field(description="A job whose config is taken; config says what differs, null removes."),
    ] = "",
    dry_run: Annotated[
        bool | str,
        Field(
            description="true: what it would be; nothing stored. 'fields', or a word as 'spread', "
            "explains fields."
        ),
    ] = False,
    job_id: Annotated[str, Field(description="A name of the user's; else drawn.")] = "",
    notes: Annotated[str, Field(description="Anything to remember.")] = "",
    tags: Annotated[Texts, Field(description="Words to find it by.")] = (),
    notify: Annotated[Texts, Field(description="Targets told at its end.")] = (),
    out_dir: Annotated[str, Field(description="Below the working folder.")] = "",
) -> CreatedJob:
    """Answer a call of the tool."""
    manager = manager_of(ctx)
    words = _words(dry_run)
    if words and not config and not like:
        config = {"sweep_type": MOST_FIELDS}
    preview = await manager.preview(config, like=like or None)
    if words is not None:
        return planned(preview, words)
    if not description:
        raise InvalidInput([Problem("description", "nothing", "text: what the job is for")])
    job = await manager.create_job(
        description,
        preview.config,
        job_id=job_id or None,
        notes=notes,
        tags=tags,
        notify=notify,
        out_dir=output_folder(out_dir, manager.settings.out_dir),
        request_key=request_key(ctx),
    )
    said = text.progress(job) if job.state != "pending" else _created(job, preview)
    return CreatedJob(
        summary=text.read_as(preview.reading, preview.like) + said,
        next=f"Tell the user the name, the runs and the estimate. {calls.after_status(job)}",
        job_id=job.job_id,
        total_runs=job.total_runs,
        estimate=estimated(preview),
        warnings=preview.warnings,
        folder=str(job.folder),
        **tagged(job),
        like=preview.like,
        config=asked_for(job.config),
    )


def _created(job: Job, preview: Preview) -> str:
    return text.created(job, preview.estimate)


def _words(dry_run: bool | str) -> list[str] | None:
    """Return the words that choose the fields to be explained; None where a job is made."""
    if isinstance(dry_run, bool):
        return [] if dry_run else None
    asked = [word.strip() for word in dry_run.split(",") if word.strip()]
    match [word.lower() for word in asked]:
        case [] | ["false"]:
            return None
        case ["true"]:
            return []
        case _:
            return asked


TOOL = ToolSpec(
    function=create_job,
    title="Create a job: a simulation sweep",
    manual=MANUAL,
    hints=ADDS,
    always=True,
)
