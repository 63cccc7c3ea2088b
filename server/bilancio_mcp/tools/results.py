"""`job_results`: what a job has found."""

from typing import Annotated

from pydantic import Field

from bilancio import text
from bilancio_mcp import calls
from bilancio_mcp.lifespan import Ctx, manager_of
from bilancio_mcp.outputs import FRONTIER_ROWS, JobResults, asked_for, results_table
from bilancio_mcp.tools.arguments import AnyName, Offset, Texts
from bilancio_mcp.tools.spec import READS, ToolSpec

MANUAL = """\
Tell what a job has found: headline, averages with intervals, a table, its files.

Call it when the user asks for the results of a job by name, in any conversation; while it runs
it gives what is there so far. Group by the parameters the user asks about. Say the headline,
the interval and how many runs stand behind it; files hold every single run."""


async def job_results(
    ctx: Ctx,
    *,
    job_id: AnyName,
    group_by: Annotated[
        Texts, Field(description="Parameters for the table's rows, singular: kappa, mu, …, seed.")
    ] = (),
    measures: Annotated[Texts, Field(description="Columns of the table; all if left out.")] = (),
    limit: Annotated[int, Field(ge=1, le=200, description="Rows of the table to show.")] = 20,
    offset: Offset = 0,
) -> JobResults:
    """Answer a call of the tool."""
    results = await manager_of(ctx).results(
        job_id, group_by=group_by, measures=measures, limit=limit, offset=offset
    )
    job = results.job
    table = results_table(results.table, before="n", offset=offset)
    return JobResults(
        summary=text.read_as(results.reading, job.job_id) + results.headline,
        next=calls.after_results(results, table, group_by),
        job_id=job.job_id,
        description=job.description,
        status=job.state,
        findings=results.summary,
        table=table,
        frontier=results_table(
            results.frontier, before="kappa_star", offset=offset, budget=FRONTIER_ROWS
        ),
        folder=str(job.folder),
        files=list(results.files),
        failures=results.failures,
        config=asked_for(job.config),
    )


TOOL = ToolSpec(function=job_results, title="Results of a job", manual=MANUAL, hints=READS)
