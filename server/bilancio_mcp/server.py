"""The server: the SDK's, with every refusal in a sentence and a quick, clean end."""

import asyncio
import contextlib
import os
import re
import signal
from collections.abc import AsyncIterator, Iterable, Mapping
from importlib.metadata import version
from typing import Any

from mcp import MCPError
from mcp.server.caching import CacheHint
from mcp.server.lowlevel.helper_types import ReadResourceContents
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ResourceNotFoundError, ToolError, UnexpectedToolError
from mcp.server.mcpserver.tools import Tool
from mcp_types import INVALID_PARAMS, CallToolResult, GetPromptResult, InputRequiredResult
from pydantic import AnyUrl, ValidationError

from bilancio.errors import (
    BilancioError,
    ConfirmationNeeded,
    InvalidInput,
    JobNotFound,
    JobStateError,
    Problem,
    shown,
)
from bilancio.experiments.vocabulary import field_of
from bilancio.printable import shortened
from bilancio.validation import explained, nearest, unknown_field
from bilancio_mcp import calls, card
from bilancio_mcp.lifespan import AppContext
from bilancio_mcp.prompts import add_prompts
from bilancio_mcp.resources import add_resources
from bilancio_mcp.stdio import Wire, transport
from bilancio_mcp.tools import FIELDS, tools

ROLL_BACK_S = 0.2
MAX_URI = 1_000
MAX_PROBLEMS, NAME, REFUSAL = 10, 60, 400  # of a refusal: sentences, and characters
LISTS_MS = 300_000  # for which a client may keep what it was listed

INSTRUCTIONS = """\
bilancio runs simulation sweeps of a payment ring (Kalecki ring: firms that owe each other, \
liquidity, default, dealers and value-based traders who trade the debts) as jobs with \
four-word names, such as bright-ocean-swift-tiger. Jobs outlive conversations: a name that the \
user mentions, in any spelling, is answered by job_status and job_results.

To run a sweep ("run a dealer comparison with stressed liquidity"):
1. create_job with the user's words and a config. sweep_type balanced compares dealers that hold \
with dealers that trade under the same seeds; ring is the plain ring over a grid; single one run. \
Stressed liquidity is preset stressed, or low kappas (0.25 to 0.5); ample, high ones (2 to 4). \
dry_run says what it would take; like takes another job's config.
2. Show the user the job's name prominently, with the number of runs and the estimate.
3. start_sweep. A worker computes; nothing has to be kept open.
4. job_status with wait_s, or tell the user to ask later by name.
5. job_results: say the headline, the interval, the seeds behind it and the warnings; contrast \
tells whether values of a parameter differ, effects which parameter matters; group_by any \
parameter (kappa, concentration, mu, outside_mid_ratio, seed) shows what drives it.
6. plot_results shows a picture; compare_jobs compares 2 to 6 jobs; show_run tells one run day by \
day (worst, best, failed). cancel_job stops a job; start_sweep resumes it.

Without a name, list_jobs finds jobs by words, time, size or what they vary. Each answer says in \
`next` what to call. A refused call says what was wrong and what is allowed; nothing was stored or \
started.

Words: a run is one simulation; an arm (passive, active) a variant run under the same seeds; a \
cell one combination of parameters; kappa initial cash / debt of the ring; delta the share \
of debt defaulted on; trading effect = delta passive − delta active. Agents default; runs fail.
"""


class BilancioServer(MCPServer[AppContext]):
    """MCP server over the jobs of one store.

    Parameters
    ----------
    read_only
        Whether only tools that read are offered.
    """

    def __init__(self, *, read_only: bool = False) -> None:
        registered = tools(read_only=read_only)
        super().__init__(
            "bilancio",
            title="bilancio",
            version=version("bilancio"),
            instructions=INSTRUCTIONS,
            tools=registered,
            lifespan=_lifespan,
            extensions=[card.apps()],
            cache_hints=dict.fromkeys(
                ("tools/list", "prompts/list", "resources/templates/list"), CacheHint(LISTS_MS)
            ),
        )
        self.app = AppContext()
        self._known: dict[str, Tool] = {tool.name: tool for tool in registered}
        self._calls: set[asyncio.Task[Any]] = set()
        self._leaving: asyncio.Task[None] | None = None

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[AppContext, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        """Call a tool; whatever is wrong with the call is said in sentences.

        An argument that is null counts as not given.
        """
        tool = self._known.get(name)
        if tool is None:
            raise ToolError(str(_unknown("tool", name, self._known)))
        given = {key: value for key, value in arguments.items() if value is not None}
        _refuse_unknown(given, tool)
        task = asyncio.current_task()
        assert task is not None
        self._calls.add(task)
        try:
            return await super().call_tool(name, given, context)
        except ToolError as error:
            raise await self._in_sentences(error, tool) from error.__cause__
        finally:
            self._calls.discard(task)
            self.app.hand_over_notices()

    async def read_resource(
        self, uri: AnyUrl | str, context: Context[AppContext, Any] | None = None
    ) -> Iterable[ReadResourceContents] | InputRequiredResult:
        """Read a resource; the address of one that does not exist is not repeated at length."""
        if len(str(uri)) > MAX_URI:
            raise ResourceNotFoundError(f"Unknown resource: {shortened(str(uri), NAME)}")
        return await super().read_resource(uri, context)

    async def get_prompt(
        self,
        name: str,
        arguments: dict[str, Any] | None = None,
        context: Context[AppContext, Any] | None = None,
    ) -> GetPromptResult | InputRequiredResult:
        """Fill a prompt in; whatever is wrong with the request is said in a sentence.

        The SDK would answer such a request with "Internal server error".
        """
        prompts = {prompt.name: prompt for prompt in await self.list_prompts()}
        if name not in prompts:
            raise MCPError(INVALID_PARAMS, _unknown("prompt", name, prompts).within(REFUSAL))
        known = [argument.name for argument in prompts[name].arguments or ()]
        given = arguments or {}
        problems = [unknown_field(shortened(each, NAME), known) for each in given.keys() - known]
        problems += [Problem(each, "nothing", "a text") for each in known if each not in given]
        if problems:
            raise MCPError(INVALID_PARAMS, InvalidInput(sorted(problems)).within(REFUSAL))
        return await super().get_prompt(name, given, context)

    async def _in_sentences(self, error: ToolError, tool: Tool) -> ToolError:
        """Return the error that the model reads; the SDK logs an unexpected one in full."""
        cause = error.__cause__
        if isinstance(cause, InvalidInput) and FIELDS[tool.name]:
            cause = _as_arguments(cause, FIELDS[tool.name])
        if isinstance(cause, BilancioError):
            return ToolError(_with_advice(cause, await self._advice(cause)))
        if isinstance(cause, ValidationError) and not isinstance(error, UnexpectedToolError):
            return ToolError(explained(cause, tool.parameters).within(REFUSAL))
        if isinstance(error, UnexpectedToolError):
            return UnexpectedToolError(
                f"{tool.name} failed with an unexpected error ({type(cause).__name__}). This is a "
                "bug in bilancio, not in your call; details are in the server log."
            )
        return error

    async def _advice(self, cause: BilancioError) -> str:
        """Say what can be called where an error knows of nothing, or of a job's state only."""
        if isinstance(cause, JobNotFound) and not cause.similar:
            return "list_jobs() lists all jobs."
        if isinstance(cause, ConfirmationNeeded) and not cause.declined:
            return calls.once_agreed(cause.job_id)
        if isinstance(cause, JobStateError):
            with contextlib.suppress(BilancioError):
                return calls.after_status(await self.app.manager.exact(cause.job_id))
        return ""

    async def serve(self, wire: Wire) -> None:
        """Serve until our input ends; a signal ends the process from here."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._leave)
        lowlevel = self._lowlevel_server
        async with transport(wire) as (incoming, outgoing):
            await lowlevel.run(incoming, outgoing, lowlevel.create_initialization_options())

    def _leave(self) -> None:
        if self._leaving is None:  # a client sends a second signal when the first takes long
            self._leaving = asyncio.ensure_future(self._wind_up())

    async def _wind_up(self) -> None:
        """Cancel what is under way, which rolls back, close the store, and be gone.

        The SDK's own end would wait for the thread that reads our input.
        """
        try:
            under_way = set(self._calls)
            for call in under_way:
                call.cancel()
            if under_way:
                await asyncio.wait(under_way, timeout=ROLL_BACK_S)
            await self.app.close()
        finally:
            os._exit(0)


def build_server(*, read_only: bool = False) -> BilancioServer:
    """Return the server with its tools, prompts and resources.

    Parameters
    ----------
    read_only
        As for `BilancioServer`.
    """
    server = BilancioServer(read_only=read_only)
    add_prompts(server)
    add_resources(server, server.app)
    return server


@contextlib.asynccontextmanager
async def _lifespan(server: MCPServer[AppContext]) -> AsyncIterator[AppContext]:
    assert isinstance(server, BilancioServer)
    try:
        yield server.app
    finally:
        await server.app.close()


def _with_advice(cause: BilancioError, advice: str) -> str:
    """Return the sentence of an error, and what can be called, in the room of a refusal."""
    room = REFUSAL - len(advice) - 1 if advice else REFUSAL
    return f"{cause.within(room)} {advice}".rstrip()


def _as_arguments(cause: InvalidInput, fields: Mapping[str, str]) -> InvalidInput:
    """Return a refusal that names the arguments of a tool.

    Parameters
    ----------
    fields
        What the manager calls otherwise: its field → the tool's argument.
    """
    found = [
        each._replace(field=re.sub(r"^\w+", lambda name: fields.get(name[0], name[0]), each.field))
        for each in cause.problems
    ]
    return InvalidInput(found, cause.omitted)


def _refuse_unknown(given: dict[str, Any], tool: Tool) -> None:
    """Refuse arguments that the tool does not have; the SDK would drop them."""
    known = tool.parameters["properties"]
    config = known.get("config", {}).get("properties", {})
    unknown = sorted(given.keys() - known.keys())
    problems = []
    for name in unknown[:MAX_PROBLEMS]:
        problem = unknown_field(shortened(name, NAME), known)
        field = name if name in config else field_of(name, config)
        if field and config:
            meant = f"config.{field}" if field in config else field
            problem = problem._replace(meant=meant, allowed="")
        problems.append(problem)
    if problems:
        error = InvalidInput(problems, len(unknown) - len(problems))
        raise ToolError(error.within(REFUSAL))


def _unknown(kind: str, name: str, known: Iterable[str]) -> Problem:
    name, names = shortened(name, NAME), list(known)
    return Problem(kind, shown(name), ", ".join(names), nearest(name, names))
