"""A tool as the server registers it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mcp.server.mcpserver.tools import Tool
from mcp_types import ToolAnnotations

from bilancio_mcp import card
from bilancio_mcp.schemas import compact, without_docs, without_null

READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)
ADDS = ToolAnnotations(
    read_only_hint=False, destructive_hint=False, idempotent_hint=False, open_world_hint=False
)
REPEATABLE = ToolAnnotations(
    read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)
DESTROYS = ToolAnnotations(
    read_only_hint=False, destructive_hint=True, idempotent_hint=False, open_world_hint=False
)

ALWAYS_LOADED = "anthropic/alwaysLoad"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSpec:
    """A function that answers calls, and what the model reads of it.

    Attributes
    ----------
    manual
        What the tool answers, when to call it and what to call next. Not the function's docstring,
        which Python leaves out where it is told to optimise.
    always
        Whether a client that looks tools up when they are needed loads this one from the start.
    structured
        Whether it returns structure, which is then all that the model sees of an answer; what shows
        images returns none.
    on_card
        Whether hosts with MCP Apps show its answers on the card.
    fields
        What refusals of the manager call otherwise than the tool: field → argument.
    """

    function: Callable[..., Any]
    title: str
    manual: str
    hints: ToolAnnotations
    always: bool = False
    structured: bool = True
    on_card: bool = False
    fields: Mapping[str, str] = field(default_factory=dict)

    def registered(self) -> Tool:
        """Return the SDK's tool, its schemas in few words."""
        meta: dict[str, Any] = {ALWAYS_LOADED: True} if self.always else {}
        if self.on_card:
            meta |= card.META
        tool = Tool.from_function(
            self.function,
            title=self.title,
            description=self.manual,
            annotations=self.hints,
            meta=meta or None,
            structured_output=self.structured,
        )
        tool.parameters = without_null(compact(tool.parameters))
        if self.structured:
            tool.fn_metadata.output_schema = without_docs(tool.fn_metadata.output_schema or {})
        return tool
