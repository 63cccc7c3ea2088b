"""Jobs as resources, ``job://{job_id}/manifest`` and others, with names offered while one types."""

import logging
from collections.abc import Awaitable, Callable
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
from bilancio.jobs.manager import AsyncJobManager
from bilancio.printable import shortened
from bilancio_mcp.lifespan import AppContext
from bilancio_mcp.prompts import NAMES
from bilancio_mcp.sizes import fitted, fitted_rows

OFFERED = 100  # the protocol's limit
DOCUMENT, REFUSAL = 16_000, 1_200  # characters
LISTED = 100  # runs or events

log = logging.getLogger(__name__)

#: Answers what a resource of a job, named as a person does, holds.
_Reader = Callable[[AsyncJobManager, str], Awaitable[Any]]


async def _manifest(manager: AsyncJobManager, name: str) -> Any:
    return fitted((await manager.find_job(name)).job.model_dump(mode="json"), DOCUMENT)


async def _summary(manager: AsyncJobManager, name: str) -> Any:
    found = await manager.results(name, limit=1)
    told = {"job_id": found.job.job_id, "headline": found.headline, "warnings": found.warnings}
    return fitted({**told, "summary": found.summary}, DOCUMENT)


async def _runs(manager: AsyncJobManager, name: str) -> Any:
    found = await manager.runs(name, limit=LISTED)
    columns = [*dict.fromkeys(column for run in found for column in run)]
    rows = [[run.get(column) for column in columns] for run in found]
    return {
        "job_id": found.job.job_id,
        "total": found.total,
        "columns": columns,
        "rows": fitted_rows(rows, DOCUMENT),
    }


async def _report(manager: AsyncJobManager, name: str) -> str:
    return shortened(await manager.report_text(name, "md"), DOCUMENT)


async def _events(manager: AsyncJobManager, name: str) -> Any:
    found = await manager.events(name, limit=LISTED, last=True)
    newest = [[each.seq, each.event_type, each.model_dump(mode="json")["timestamp"], each.details]
              for each in reversed(found)]  # fmt: skip
    return {
        "job_id": found.job.job_id,
        "total": found.total,
        "columns": ["seq", "event_type", "timestamp", "details"],
        "rows": fitted_rows(newest, DOCUMENT),
    }


RESOURCES: dict[str, tuple[str, str, _Reader]] = {
    "manifest": (
        "Manifest of a job",
        "Everything about a job as the store has it: configuration, versions, counts, summary.",
        _manifest,
    ),
    "summary": ("Summary of a job", "What a job has found so far, in numbers.", _summary),
    "runs": ("Runs of a job", "The first single runs: parameters and metrics.", _runs),
    "report": (
        "Report of a job",
        "What was asked, findings, tables, design, provenance, as Markdown for an appendix.",
        _report,
    ),
    "events": ("Events of a job", "What has happened to a job, the latest first.", _events),
}


def add_resources(server: MCPServer[Any], app: AppContext) -> None:
    """Register the templates and their completion."""
    for name in RESOURCES:
        _add(server, app, name)

    @server.completion()  # type: ignore[no-untyped-call, untyped-decorator]  # so in the SDK
    async def complete(
        ref: PromptReference | ResourceTemplateReference,  # noqa: ARG001 - all take names
        argument: CompletionArgument,
        context: CompletionContext | None,  # noqa: ARG001 - the SDK passes three
    ) -> Completion | None:
        if argument.name not in NAMES:
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


def _add(server: MCPServer[Any], app: AppContext, name: str) -> None:
    title, manual, read = RESOURCES[name]

    @server.resource(
        f"job://{{job_id}}/{name}",
        name=name,
        title=title,
        description=manual,
        mime_type="text/markdown" if read is _report else "application/json",
    )
    async def resource(job_id: str) -> str:
        """Answer a request for the resource."""
        try:
            found = await read(app.manager, job_id)
            return found if isinstance(found, str) else to_json(found, indent=2)
        except JobNotFound as error:
            raise ResourceNotFoundError(shortened(str(error), REFUSAL)) from error
        except BilancioError as error:
            raise ResourceError(shortened(str(error), REFUSAL)) from error
