"""Ask the user before a large sweep starts: the client does, or the model passes the word on."""

from mcp.server.mcpserver import (
    CancelledElicitation,
    DeclinedElicitation,
    Elicit,
    ElicitationResult,
)
from pydantic import BaseModel, Field

from bilancio.errors import ConfirmationNeeded, invalid
from bilancio_mcp.lifespan import Ctx, manager_of, request_key


class Agreement(BaseModel):
    """What the user answers."""

    start: bool = Field(description="Start it")


async def agreement(
    ctx: Ctx, job_id: str, n_replicates: int | None, recompute: bool, confirm: str
) -> Agreement | Elicit[Agreement]:
    """Return that a job may start, or the question that the client puts to the user.

    Raises
    ------
    ConfirmationNeeded
        The client cannot ask.
    """
    key = request_key(ctx)
    if key is not None and (key, job_id) in ctx.request_context.lifespan_context.answered:
        return Agreement(start=True)
    question = await manager_of(ctx).question_before_start(
        job_id, n_replicates=n_replicates, recompute=recompute
    )
    if not question:
        return Agreement(start=True)
    if confirm:
        name = (await manager_of(ctx).exact(job_id)).job_id
        if confirm.strip().lower() != name:
            raise invalid("confirm", confirm, f"{name}, once the user has agreed")
        return Agreement(start=True)
    if not can_ask(ctx):
        raise ConfirmationNeeded(job_id, question)
    return Elicit(f"{question} Start it?", Agreement)


def refuse_declined(job_id: str, answer: ElicitationResult[Agreement]) -> None:
    """Refuse to start a job that the user did not agree to.

    Raises
    ------
    ConfirmationNeeded
    """
    if isinstance(answer, CancelledElicitation):
        raise ConfirmationNeeded(job_id, "The user was asked, and has not answered.")
    if isinstance(answer, DeclinedElicitation) or not answer.data.start:
        raise ConfirmationNeeded(job_id, "The user was asked, and does not agree.", declined=True)


def can_ask(ctx: Ctx) -> bool:
    """Return whether the client shows its user a form; one that says nothing of forms does."""
    capabilities = ctx.client_capabilities
    asking = capabilities.elicitation if capabilities is not None else None
    return asking is not None and (asking.form is not None or asking.url is None)
