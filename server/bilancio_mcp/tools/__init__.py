"""The tools, each a question that a researcher asks: one file a tool, registered in this order."""

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


def tools() -> list[Tool]:
    """Return the tools as the server registers them."""
    made = [spec.registered() for spec in TOOLS]
    made[0].parameters = with_sweeps(made[0].parameters)
    return made
