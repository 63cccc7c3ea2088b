"""`compare_jobs`: how jobs differ."""

from typing import Annotated

from pydantic import Field

from bilancio import text
from bilancio_mcp import calls
from bilancio_mcp.lifespan import Ctx, manager_of
from bilancio_mcp.outputs_runs import ComparedJobs, compared_table
from bilancio_mcp.tools.arguments import Texts
from bilancio_mcp.tools.spec import READS, ToolSpec

MANUAL = """\
Compare 2 to 6 jobs: parameters that differ, effects paired over the cells and seeds that both
have, and whether their headlines may be compared.

Call it when the user compares jobs or sweeps. Values are the first job less the others."""


async def compare_jobs(
    ctx: Ctx,
    *,
    job_ids: Annotated[
        Texts, Field(description="Names in any spelling, the first to compare with.")
    ],
    group_by: Annotated[Texts, Field(description="Parameters that both have.")] = (),
    measures: Annotated[Texts, Field(description="Else the primary one.")] = (),
) -> ComparedJobs:
    """Answer a call of the tool."""
    seen = await manager_of(ctx).compare(*job_ids, group_by=group_by, measures=measures)
    said = f"{seen.headline} {seen.comparability}"
    return ComparedJobs(
        summary=text.several_read_as(seen.reading) + text.words_read(seen.read) + said,
        next=calls.after_comparison(seen),
        differs=seen.differs,
        table=compared_table(seen),
    )


TOOL = ToolSpec(
    function=compare_jobs,
    title="Compare jobs",
    manual=MANUAL,
    hints=READS,
    fields=dict.fromkeys(("job", "jobs"), "job_ids"),
)
