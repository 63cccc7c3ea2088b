"""Jobs as resources: ``job://{job_id}/manifest``, with the names offered while one types."""

import logging
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

from bilancio.encoding import to_json
from bilancio.errors import BilancioError, JobNotFound
from bilancio.jobs.job_id import MAX_LENGTH
from bilancio.printable import shortened
from bilancio_mcp.lifespan import AppContext
from bilancio_mcp.sizes import fitted

MANUAL = "Everything about a job as the store has it: configuration, versions, counts, summary."
OFFERED = 100  # the protocol's limit
MANIFEST, REFUSAL = 16_000, 1_200  # characters

log = logging.getLogger(__name__)


def add_resources(server: MCPServer[Any], app: AppContext) -> None:
    """Register the template and its completion."""

    @server.resource(
        "job://{job_id}/manifest",
        title="Manifest of a job",
        description=MANUAL,
        mime_type="application/json",
    )
    async def manifest(job_id: str) -> str:
        """Answer a request for the resource."""
        try:
            found = await app.manager.find_job(job_id)
        except JobNotFound as error:
            raise ResourceNotFoundError(shortened(str(error), REFUSAL)) from error
        except BilancioError as error:
            raise ResourceError(shortened(str(error), REFUSAL)) from error
        return to_json(fitted(found.job.model_dump(mode="json"), MANIFEST), indent=2)

    @server.completion()  # type: ignore[no-untyped-call, untyped-decorator]  # so in the SDK
    async def complete(
        ref: PromptReference | ResourceTemplateReference,
        argument: CompletionArgument,
        context: CompletionContext | None,  # noqa: ARG001 - the SDK passes three
    ) -> Completion | None:
        if not isinstance(ref, ResourceTemplateReference) or argument.name != "job_id":
            return None
        typed = argument.value.casefold()
        if len(typed) > MAX_LENGTH or not typed.isascii():
            return Completion(values=[])
        try:
            page = await app.manager.list_jobs(text=typed or None, limit=OFFERED)
        except BilancioError as error:  # a half-typed name cannot be refused
            log.warning("no names to offer: %s", error)
            return Completion(values=[])
        names = [job.job_id for job in page.jobs if typed in job.job_id]
        return Completion(values=names, has_more=page.total > len(page.jobs))
