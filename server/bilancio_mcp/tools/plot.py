"""`plot_results`: a picture of what a job has found."""

import base64
from typing import Annotated, Any

from mcp_types import CallToolResult, ImageContent, TextContent
from pydantic import Field

from bilancio import text
from bilancio.jobs.plots.asked import Kind
from bilancio.printable import escaped, shortened
from bilancio_mcp.lifespan import Ctx, manager_of
from bilancio_mcp.tools.arguments import AnyName, Texts
from bilancio_mcp.tools.spec import REPEATABLE, ToolSpec

MANUAL = """\
Plot a job: a picture in the conversation, kept as PNG and SVG.

Call it when the user asks for a plot, chart, figure or picture, or to see results. Say
the sentence and the path of the SVG."""
KINDS = ", ".join(Kind)
NOT_KEPT = "It was not kept: the job's folder cannot be written."
SENTENCE = 600  # characters


async def plot_results(
    ctx: Ctx,
    *,
    job_id: AnyName,
    kind: Annotated[str, Field(description=f"{KINDS}. Else what suits what varies.")] = "",
    x: Annotated[str, Field(description="Parameter along the axis.")] = "",
    y: Annotated[str, Field(description="Measure; in effect or second parameter.")] = "",
    by: Annotated[str, Field(description="Parameter: a row or line a value.")] = "",
    where: Annotated[Any, Field(description="As in job_results.")] = None,
    job_ids: Annotated[Texts, Field(description="Other jobs, for compare.")] = (),
    dark: Annotated[bool, Field(description="For a dark page.")] = False,
) -> CallToolResult:
    """Answer a call of the tool."""
    drawn = await manager_of(ctx).plot(
        job_id, kind, x=x, y=y, by=by, where=where, jobs=job_ids, dark=dark
    )
    said = text.read_as(drawn.reading, drawn.job.job_id)
    said += text.several_read_as(drawn.others_read) + text.words_read(drawn.read)
    said += drawn.sentence
    paths = "\n".join(drawn.files.values()) or NOT_KEPT
    image = base64.b64encode(drawn.png).decode()
    return CallToolResult(
        content=[
            ImageContent(type="image", data=image, mime_type="image/png"),
            TextContent(type="text", text=f"{shortened(escaped(said), SENTENCE)}\n{paths}"),
        ]
    )


TOOL = ToolSpec(
    function=plot_results,
    title="Plot of a job",
    manual=MANUAL,
    hints=REPEATABLE,
    structured=False,
    fields={"job": "job_id", "jobs": "job_ids"},
)
