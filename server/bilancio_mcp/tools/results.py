"""`job_results`: what a job has found."""

from functools import partial
from typing import Annotated

from pydantic import Field

from bilancio import text
from bilancio.jobs.views import RUNS, Results, Table
from bilancio_mcp import calls
from bilancio_mcp.lifespan import Ctx, manager_of
from bilancio_mcp.outputs import (
    JobResults,
    asked_for,
    findings,
    results_table,
    said_elsewhere,
    searched_table,
    single_runs,
    tagged,
    whole_table,
)
from bilancio_mcp.tools.arguments import AnyName, Condition, Offset, Texts
from bilancio_mcp.tools.spec import READS, ToolSpec

MANUAL = """\
Tell what a job has found: headline, averages with intervals, a table, its files.

Call it when the user asks for the results of a job by name, in any conversation; while it runs
it gives what is there so far. Group by the parameters the user asks about; contrast tells whether
their values differ, effects which one matters. Say the headline, the interval, how many seeds stand
behind it, and the warnings. Verdicts take all rows of the table together: undecided is not no
effect. Files hold every single run."""


async def job_results(
    ctx: Ctx,
    *,
    job_id: AnyName,
    of: Annotated[
        str,
        Field(
            description="cells: averages over seeds. runs: single runs, or pairs, by where, "
            "order_by (-trading_effect, any metric) and measures alone; seed, arm are columns."
        ),
    ] = "cells",
    group_by: Annotated[
        Texts, Field(description="Parameters for the table's rows, singular: kappa, mu, …, seed.")
    ] = (),
    measures: Annotated[
        Texts, Field(description="Columns of the table, with intervals; else the first few.")
    ] = (),
    where: Condition = None,
    order_by: Annotated[
        Texts, Field(description="Columns; -name descends. Without group_by: cells.")
    ] = (),
    contrast: Annotated[
        str, Field(description="Adds a parameter's levels against its lowest, paired by seed.")
    ] = "",
    effects: Annotated[
        bool, Field(description="Adds which parameters matter: shares of variance.")
    ] = False,
    pivot: Annotated[str, Field(description="A column for each value of this parameter.")] = "",
    bins: Annotated[
        int | None, Field(ge=1, le=1000, description="For parameters sampled from ranges.")
    ] = None,
    precision: Annotated[
        float | None, Field(gt=0, description="Half width to plan seeds for.")
    ] = None,
    limit: Annotated[int, Field(ge=1, le=200, description="Rows of the table to show.")] = 20,
    offset: Offset = 0,
) -> JobResults:
    """Answer a call of the tool."""
    ask = partial(
        manager_of(ctx).results,
        job_id,
        of=of,
        group_by=group_by,
        measures=measures,
        where=where,
        order_by=order_by,
        contrast=contrast,
        effects=effects,
        pivot=pivot,
        bins=bins,
        precision=precision,
        offset=offset,
    )
    results = await ask(limit=limit)
    if results.of == RUNS and results.table is not None:
        fitting = len(single_runs(results.table, offset=offset).rows)
        if fitting < len(results.table.rows):  # it says how many are shown
            results = await ask(limit=fitting)
        return _single_runs(results, offset)
    job = results.job
    chosen = results.measures
    table = results_table(results.table, results.primary, chosen, offset=offset)
    return JobResults(
        summary=text.read_as(results.reading, job.job_id)
        + text.words_read(results.read)
        + results.headline
        + _shows(results.table)
        + f" {results.repetition}".rstrip(),
        next=calls.after_results(results, table, precision=precision),
        job_id=job.job_id,
        description=job.description,
        status=job.state,
        findings=findings(results.summary, results.verdicts),
        table=None if where is None and said_elsewhere(results) else table,
        contrasts=results_table(results.contrasts, results.primary, chosen, offset=offset),
        effects=whole_table(results.effects),
        frontier=searched_table(results.frontier, offset=offset),
        meanings=results.meanings,
        plan="" if results.plan is None else results.plan["sentence"],
        warnings=list(results.warnings),
        folder=str(job.folder),
        files=list(results.files),
        failures=results.failures,
        **tagged(job),
        config=asked_for(job.config),
    )


def _single_runs(results: Results, offset: int) -> JobResults:
    """Return an answer that is about single runs alone."""
    assert results.table is not None, "whoever calls has looked"
    job, table = results.job, single_runs(results.table, offset=offset)
    return JobResults(
        summary=text.read_as(results.reading, job.job_id)
        + text.words_read(results.read)
        + results.headline,
        next=calls.after_runs(results, table),
        job_id=job.job_id,
        description=job.description,
        status=job.state,
        table=table,
        failures=results.failures,
    )


def _shows(table: Table | None) -> str:
    """Say what a table is of whose columns do not say it."""
    return f" The table shows {table.title}." if table is not None and table.title else ""


TOOL = ToolSpec(
    function=job_results,
    title="Results of a job: averages, intervals, tables",
    manual=MANUAL,
    hints=READS,
    always=True,
    on_card=True,
)
