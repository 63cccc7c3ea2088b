"""`delete_job`: remove a job for good, once the user has agreed."""

from typing import Annotated

from mcp.server.mcpserver import AcceptedElicitation, Elicit, ElicitationResult, Resolve
from pydantic import BaseModel, Field

from bilancio import text
from bilancio.errors import BilancioError, JobStateError, invalid
from bilancio_mcp.consent import can_ask
from bilancio_mcp.lifespan import Ctx, manager_of
from bilancio_mcp.outputs import DeletedJob
from bilancio_mcp.tools.arguments import ExactName
from bilancio_mcp.tools.spec import DESTROYS, ToolSpec

MANUAL = """\
Delete a job for good: runs, results and files. The user is asked.

Call it when the user wants a job gone."""


class NotConfirmed(BilancioError):
    """Nothing was deleted, because the user has not agreed to it."""


class Agreement(BaseModel):
    """What the user answers."""

    delete: bool = Field(description="Delete it")


async def agreement(ctx: Ctx, job_id: str, confirm: str) -> Agreement | Elicit[Agreement]:
    """Return that a job may be deleted, or the question that the client puts to the user.

    Raises
    ------
    JobNotFound, JobStateError
        It cannot be deleted, whatever the user says.
    NotConfirmed
        The client cannot ask, and the model has not passed the user's word on.
    """
    job = await manager_of(ctx).exact(job_id)
    if job.state == "running":
        raise JobStateError(job.job_id, job.state, "deleted", "Cancel it first.")
    question = text.deleting(job)
    if confirm:
        if confirm.strip().lower() != job.job_id:
            raise invalid("confirm", confirm, f"{job.job_id}, once the user has agreed")
        return Agreement(delete=True)
    if not can_ask(ctx):
        advice = f"Ask the user; if they agree, give confirm='{job.job_id}'."
        raise NotConfirmed(f"{question} Nothing was deleted. {advice}")
    return Elicit(f"{question} Delete it?", Agreement)


async def delete_job(
    ctx: Ctx,
    *,
    job_id: ExactName,
    confirm: Annotated[  # noqa: ARG001 - `agreement` reads it
        str, Field(description="Its name, once the user agreed.")
    ] = "",
    agreed: Annotated[ElicitationResult[Agreement], Resolve(agreement)],
) -> DeletedJob:
    """Answer a call of the tool."""
    if not isinstance(agreed, AcceptedElicitation) or not agreed.data.delete:
        raise NotConfirmed("The user was asked, and has not agreed. Nothing was deleted.")
    done = await manager_of(ctx).delete_job(job_id)
    return DeletedJob(
        summary=text.deleted(done.job_id, done.removed, done.left, str(done.folder)),
        next="list_jobs() lists those that are left.",
        job_id=done.job_id,
    )


TOOL = ToolSpec(function=delete_job, title="Delete a job", manual=MANUAL, hints=DESTROYS)
