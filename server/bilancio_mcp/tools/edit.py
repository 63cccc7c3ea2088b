"""`edit_job`: change the words about a job."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from bilancio import text
from bilancio_mcp import calls
from bilancio_mcp.lifespan import Ctx, manager_of
from bilancio_mcp.outputs import EditedJob
from bilancio_mcp.tools.arguments import ExactName, split_text
from bilancio_mcp.tools.spec import REPEATABLE, ToolSpec

MANUAL = """\
Change a job's description, notes or tags.

Call it when the user wants other words."""


async def edit_job(
    ctx: Ctx,
    *,
    job_id: ExactName,
    description: Annotated[str | None, Field(description="The new one.")] = None,
    notes: Annotated[str | None, Field(description="'' clears them.")] = None,
    tags: Annotated[
        list[str] | None, BeforeValidator(split_text), Field(description="All it has then.")
    ] = None,
) -> EditedJob:
    """Answer a call of the tool."""
    job = await manager_of(ctx).edit_job(job_id, description=description, notes=notes, tags=tags)
    return EditedJob(
        summary=text.edited(job),
        next=calls.after_status(job),
        job_id=job.job_id,
        description=job.description,
        notes=job.notes,
        tags=list(job.tags),
    )


TOOL = ToolSpec(
    function=edit_job,
    title="Edit a job",
    manual=MANUAL,
    hints=REPEATABLE,
    fields={"edit": "description, notes, tags"},
)
