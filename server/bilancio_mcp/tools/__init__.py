"""The tools, each a question that a researcher asks: one file a tool, registered in this order."""

import functools

from mcp.server.mcpserver.tools import Tool

from bilancio_mcp.schemas import with_sweeps
from bilancio_mcp.tools import (
    cancel,
    compare,
    create,
    delete,
    edit,
    listing,
    plot,
    results,
    show_run,
    start,
    status,
)

TOOLS = (
    create.TOOL,
    start.TOOL,
    status.TOOL,
    results.TOOL,
    compare.TOOL,
    plot.TOOL,
    show_run.TOOL,
    listing.TOOL,
    edit.TOOL,
    cancel.TOOL,
    delete.TOOL,
)


FIELDS = {spec.function.__name__: spec.fields for spec in TOOLS}
"""What refusals of the manager call otherwise than a tool, by its name."""


def tools(*, read_only: bool = False) -> list[Tool]:
    """Return the tools as the server registers them: all, or those that read."""
    made = [
        tool.model_copy()
        for spec, tool in zip(TOOLS, _registered(), strict=True)
        if spec.hints.read_only_hint or not read_only
    ]
    for tool in made:
        if tool.name == create.TOOL.function.__name__:
            tool.parameters = with_sweeps(tool.parameters)
    return made


@functools.cache
def _registered() -> tuple[Tool, ...]:
    """Return all tools, which are alike in every server but for the sweeps that there are."""
    return tuple(spec.registered() for spec in TOOLS)
