"""`show_run`: what happened in one run."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from bilancio import text
from bilancio_mcp import calls
from bilancio_mcp.lifespan import Ctx, manager_of
from bilancio_mcp.outputs_runs import ShownRun, told_runs
from bilancio_mcp.tools.arguments import AnyName
from bilancio_mcp.tools.spec import READS, ToolSpec

EVENTS, ALL_EVENTS = 1, 200  # told of a day: by default, and of one that is asked for
MANUAL = """\
Tell one run of a job day by day: who failed to pay whom, what was sold at what price. A simulation
of the user's own is told by its parameters and metrics.

Call it for an example, an extreme, or why a run failed."""

Word = Annotated[
    str, BeforeValidator(lambda given: str(given) if isinstance(given, int) else given)
]


async def show_run(
    ctx: Ctx,
    *,
    job_id: AnyName,
    run: Annotated[
        Word,
        Field(description="Index, id, failed, worst, best (lowest, highest effect; both arms)."),
    ] = "worst",
    day: Annotated[int | None, Field(ge=0, description="One day in full.")] = None,
    agent: Annotated[Word, Field(description="H7, dealer_short.")] = "",
    limit: Annotated[int | None, Field(ge=0, le=1000, description="Events a day.")] = None,
) -> ShownRun:
    """Answer a call of the tool."""
    whole = day is None and not agent
    default = EVENTS if whole else ALL_EVENTS
    story = await manager_of(ctx).run_story(
        job_id, run, day=day, agent=agent or None, limit=default if limit is None else limit
    )
    return ShownRun(
        summary=text.read_as(story.reading, story.job.job_id) + story.headline,
        next=calls.after_run(story, picked=not whole),
        runs=told_runs(story, short=whole and limit is None),
    )


TOOL = ToolSpec(function=show_run, title="What happened in a run", manual=MANUAL, hints=READS)
