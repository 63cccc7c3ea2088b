"""Jobs as resources: ``job://{job_id}/manifest``, with the names offered while one types."""

from typing import Any

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError
from mcp_types import (
    Completion,
    CompletionArgument,
    CompletionContext,
    PromptReference,
    ResourceTemplateReference,
)

from bilancio.errors import BilancioError, JobNotFound
from bilancio_mcp.lifespan import AppContext

OFFERED = 100  # the protocol's limit


def add_resources(server: MCPServer[Any], app: AppContext) -> None:
    """Register the template and its completion."""

    @server.resource(
        "job://{job_id}/manifest",
        title="Manifest of a job",
        mime_type="application/json",
    )
    async def manifest(job_id: str) -> str:
        """Everything about a job as the store has it: configuration, versions, counts, summary."""
        try:
            found = await app.manager.find_job(job_id)
        except JobNotFound as error:
            raise ResourceNotFoundError(str(error)) from error
        except BilancioError as error:
            raise ResourceError(str(error)) from error
        return found.job.model_dump_json(indent=2)

    @server.completion()  # type: ignore[no-untyped-call, untyped-decorator]  # so in the SDK
    async def complete(
        ref: PromptReference | ResourceTemplateReference,
        argument: CompletionArgument,
        context: CompletionContext | None,  # noqa: ARG001 - the SDK passes three
    ) -> Completion | None:
        if not isinstance(ref, ResourceTemplateReference) or argument.name != "job_id":
            return None
        typed = argument.value.casefold()
        page = await app.manager.list_jobs(text=typed or None, limit=OFFERED)
        names = [job.job_id for job in page.jobs if typed in job.job_id]
        return Completion(values=names, has_more=page.total > len(page.jobs))
