"""`bilancio jobs VERB`: find jobs, follow them, read their results."""

from typing import Annotated

import typer

from bilancio.cli import documents, listing, maintenance, plots
from bilancio.cli.context import (
    SHOWN_ROWS,
    AsJson,
    ExactName,
    ExecutorName,
    JobName,
    Limit,
    Offset,
    Where,
    all_of,
    known_names,
    name_of,
    with_manager,
)
from bilancio.cli.parsing import CommandGroup, command, help_text
from bilancio.cli.render.console import Output, emit
from bilancio.cli.render.formats import check_format, formatted, formatted_table
from bilancio.errors import InvalidInput, Problem
from bilancio.jobs.manager import AsyncJobManager
from bilancio.text import cancelled, several_read_as, words_read
from bilancio.validation import parse_int, parse_number, split_csv

app = typer.Typer(add_completion=False, cls=CommandGroup, rich_markup_mode="rich")

Recompute = Annotated[
    bool,
    typer.Option(
        "--recompute",
        metavar="",
        help="Compute a completed job again that was imported without its single runs.",
    ),
]
GroupBy = Annotated[
    list[str] | None,
    typer.Option(metavar="A,B,…", help="Parameters; a row for each combination."),
]
Measures = Annotated[
    list[str] | None,
    typer.Option(metavar="A,B,…", help="What to show. Default: the first few."),
]
TableFormat = Annotated[
    str | None,
    typer.Option(
        "--format", metavar="FORMAT", help="Only the table, all rows: markdown, latex or csv."
    ),
]
TableLimit = Annotated[
    str | None, typer.Option(metavar="N", help="How many rows. Default 50; all with --format.")
]
Detach = Annotated[bool, typer.Option("--detach", metavar="", help="Return at once.")]
Yes = Annotated[
    bool, typer.Option("--yes", metavar="", help="Do not ask before a large sweep starts.")
]


@app.callback(
    help=help_text(
        "Find jobs by name, follow them, read their results.",
        "bilancio jobs list --status completed",
        "bilancio jobs results bright ocean swift tiger --group-by kappa",
    )
)
def jobs() -> None:
    """Group the commands that concern jobs."""


listing.add_commands(app)


@command(
    app,
    "show",
    "Show what a job is, how far it is, and where its files are.",
    "bilancio jobs show bright-ocean-swift-tiger",
)
def show(job: JobName, *, as_json: AsJson = False) -> None:
    """Show one job."""
    progress = with_manager(lambda manager: manager.progress(name_of(job)))
    if as_json:
        emit(progress)
        return
    from bilancio.cli.render.jobs import show_job  # tables, which a JSON document does not need

    output = Output()
    output.reading(progress)
    show_job(output, progress)


@command(
    app,
    "results",
    "Show what a job has found so far, grouped by parameters; with --of runs its single runs.",
    "bilancio jobs results bright-ocean-swift-tiger --group-by kappa,outside_mid_ratio",
)
def results(
    job: JobName,
    *,
    of: Annotated[
        str | None,
        typer.Option(
            metavar="ROWS",
            help="cells, averages over seeds (default), or runs: single runs, or pairs of arms, by "
            "--where, --order-by and --measures.",
        ),
    ] = None,
    group_by: GroupBy = None,
    measures: Measures = None,
    where: Where = None,
    order_by: Annotated[
        list[str] | None,
        typer.Option(
            metavar="A,-B,…", help="Columns to order by; descending with a minus. Alone: cells."
        ),
    ] = None,
    contrast: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Compare a parameter's levels with its lowest, paired by seed."
        ),
    ] = None,
    effects: Annotated[
        bool,
        typer.Option(
            "--effects", metavar="", help="Which parameters matter: shares of the variance."
        ),
    ] = False,
    pivot: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="A column for each value of this parameter."),
    ] = None,
    bins: Annotated[
        str | None,
        typer.Option(metavar="N", help="Bins for parameters that were sampled from ranges."),
    ] = None,
    precision: Annotated[
        str | None,
        typer.Option(metavar="X", help="Say how many seeds an interval of ± X takes."),
    ] = None,
    table_format: TableFormat = None,
    limit: TableLimit = None,
    offset: Offset = "0",
    as_json: AsJson = False,
) -> None:
    """Show the results of one job."""
    chosen, first = split_csv(measures), parse_int("offset", offset)
    table_format = check_format(table_format, as_json=as_json)
    default = None if table_format else SHOWN_ROWS
    seen = with_manager(
        lambda manager: manager.results(
            name_of(job),
            of=of,
            group_by=split_csv(group_by),
            measures=chosen,
            where=all_of(where),
            order_by=split_csv(order_by),
            contrast=contrast,
            effects=effects,
            pivot=pivot,
            bins=None if bins is None else parse_int("bins", bins),
            precision=None if precision is None else parse_number("precision", precision),
            limit=default if limit is None else parse_int("limit", limit, least=1),
            offset=first,
        )
    )
    if as_json:
        emit(seen)
        return
    output = Output()
    output.reading(seen)
    if table_format:
        grouped = bool(group_by or pivot or order_by)
        output.say(formatted(seen, table_format, measures=seen.measures, grouped=grouped))
        return
    from bilancio.cli.render.jobs import show_results  # as for `show`

    show_results(output, seen, chosen=seen.measures, offset=first)


@command(
    app,
    "compare",
    "Show how jobs differ from the first over the cells and seeds that both have, paired by seed.",
    "bilancio jobs compare bright-ocean-swift-tiger quiet-meadow-golden-hawk --group-by kappa",
)
def compare(
    job: Annotated[
        list[str],
        typer.Argument(
            metavar="JOB OTHER…",
            help="Two to six jobs; each is subtracted from the first.",
            autocompletion=known_names,
        ),
    ],
    *,
    group_by: GroupBy = None,
    measures: Measures = None,
    where: Where = None,
    table_format: TableFormat = None,
    limit: TableLimit = None,
    offset: Offset = "0",
    as_json: AsJson = False,
) -> None:
    """Compare jobs."""
    chosen, first = split_csv(measures), parse_int("offset", offset)
    check_format(table_format, as_json=as_json)
    default = None if table_format else SHOWN_ROWS
    seen = with_manager(
        lambda manager: manager.compare(
            *job,
            group_by=split_csv(group_by),
            measures=chosen,
            where=all_of(where),
            limit=default if limit is None else parse_int("limit", limit, least=1),
            offset=first,
        )
    )
    if as_json:
        emit(seen)
        return
    output = Output()
    if said := (several_read_as(seen.reading) + words_read(seen.read)).rstrip():
        output.note(said)
    if table_format:
        output.say(formatted_table(seen.table, table_format, seen.measures).rstrip("\n"))
        return
    from bilancio.cli.render.jobs import show_comparison  # as for `show`

    show_comparison(output, seen, chosen=seen.measures, offset=first)


plots.add_command(app)


@command(
    app,
    "runs",
    "List single runs of a job with their parameters and metrics.",
    "bilancio jobs runs bright-ocean-swift-tiger --status failed",
)
def list_runs(
    job: JobName,
    *,
    status: Annotated[
        str | None,
        typer.Option(metavar="STATUS", help="Only completed, failed or pending runs."),
    ] = None,
    limit: Limit = "50",
    offset: Offset = "0",
    as_json: AsJson = False,
) -> None:
    """List runs of one job."""
    first = parse_int("offset", offset)
    rows = with_manager(
        lambda manager: manager.runs(
            name_of(job), status=status, limit=parse_int("limit", limit), offset=first
        )
    )
    if as_json:
        emit({"job_id": rows.job.job_id, "total": rows.total, "offset": first, "runs": rows})
        return
    from bilancio.cli.render.jobs import show_runs  # as for `show`

    output = Output()
    output.reading(rows)
    show_runs(output, rows.job, rows, offset=first, total=rows.total)


@command(
    app,
    "events",
    "List what has happened to a job, in order.",
    "bilancio jobs events bright-ocean-swift-tiger --last 5",
)
def list_events(
    job: JobName,
    *,
    last: Annotated[
        str | None, typer.Option(metavar="N", help="The last N (20, unless --after is given).")
    ] = None,
    after: Annotated[str, typer.Option(metavar="N", help="Those after event number N.")] = "0",
    as_json: AsJson = False,
) -> None:
    """List the events of one job."""
    start = parse_int("after", after, least=0)
    count = parse_int("last", last, least=1) if last is not None else -1 if start else 20
    seen = with_manager(
        lambda manager: manager.events(name_of(job), after=start, limit=count, last=count > 0)
    )
    if as_json:
        emit({"job_id": seen.job.job_id, "events": seen})
        return
    from bilancio.cli.render.tables import events_table  # as for `show`

    output = Output()
    output.reading(seen)
    output.show(events_table(seen, width=output.width))


@command(
    app,
    "resume",
    "Resume a cancelled, failed or stalled job: only the missing runs are computed.",
    "bilancio jobs resume bright-ocean-swift-tiger",
)
@command(
    app,
    "start",
    "Start a job that was created but not started, and watch it; Ctrl-C cancels it.",
    "bilancio jobs start bright-ocean-swift-tiger --detach",
)
def start_or_resume(
    job: ExactName,
    *,
    recompute: Recompute = False,
    executor: ExecutorName = None,
    detach: Detach = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Start one job, or compute what is missing of it."""
    _start(job, executor=executor, detach=detach, yes=yes, as_json=as_json, recompute=recompute)


@command(
    app,
    "extend",
    "Add seeds to a completed, failed or cancelled job: only the new runs are computed.",
    "bilancio jobs extend bright-ocean-swift-tiger --n-replicates 40",
)
def extend(
    job: ExactName,
    *,
    n_replicates: Annotated[
        str | None,
        typer.Option(metavar="N", help="Seeds in all, those it already has included."),
    ] = None,
    executor: ExecutorName = None,
    detach: Detach = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Add seeds to one job."""
    if n_replicates is None:
        allowed = "the number of seeds that the job is to have"
        raise InvalidInput([Problem("n_replicates", "nothing", allowed)])
    number = parse_int("n_replicates", n_replicates, least=1)
    _start(job, executor=executor, detach=detach, yes=yes, as_json=as_json, n_replicates=number)


@command(
    app,
    "watch",
    "Watch a running job to its end; Ctrl-C ends the watching, not the job.\n\n"
    "Without a terminal it writes at most twelve lines, the headline last. Exit codes: "
    "0 completed, 1 failed, 2 cancelled, 3 stalled, 4 not started, 130 Ctrl-C.",
    "bilancio jobs watch bright-ocean-swift-tiger",
)
def watch_job(job: JobName, *, as_json: AsJson = False) -> None:
    """Watch one job."""
    from bilancio.cli.watching import watch  # tables, which other verbs do without

    async def follow(manager: AsyncJobManager) -> int:
        return await watch(manager, await manager.find_job(name_of(job)), Output(as_json))

    raise typer.Exit(with_manager(follow))


@command(
    app,
    "open",
    "Open a job's page in the browser, and serve it until Ctrl-C; see `bilancio serve`.",
    "bilancio jobs open bright-ocean-swift-tiger",
)
def open_job(
    job: JobName,
    *,
    port: Annotated[str, typer.Option(metavar="N", help="Default: any that is free.")] = "0",
) -> None:
    """Open one job's page."""
    from bilancio.cli.serve import serve_page  # Starlette, which other verbs do without

    found = with_manager(lambda manager: manager.find_job(name_of(job)))
    path = f"/jobs/{found.job.job_id}"
    serve_page("127.0.0.1", port, names=[], read_only=False, mcp=False, open_it=True, path=path)


@command(
    app,
    "cancel",
    "Cancel a job. What it has recorded stays, and it can be resumed.",
    'bilancio jobs cancel bright-ocean-swift-tiger --reason "wrong grid"',
)
def cancel(
    job: ExactName,
    *,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; noted in its events.")] = "",
    as_json: AsJson = False,
) -> None:
    """Cancel one job."""
    ended = with_manager(lambda manager: manager.cancel_job(name_of(job), reason))
    if as_json:
        emit(ended)
        return
    from bilancio.cli.render.jobs import next_command  # as for `show`

    output = Output()
    output.say(f"Job {cancelled(ended)}")
    output.say(next_command(ended))


documents.add_commands(app)
maintenance.add_commands(app)


def _start(
    job: list[str],
    *,
    executor: str | None,
    detach: bool,
    yes: bool,
    as_json: bool,
    recompute: bool = False,
    n_replicates: int | None = None,
) -> None:
    from bilancio.cli.start import start  # tables, which other verbs do without

    async def go(manager: AsyncJobManager) -> int:
        known = await manager.exact(name_of(job))
        return await start(
            manager,
            known,
            Output(as_json),
            detach=detach,
            new=False,
            yes=yes,
            recompute=recompute,
            n_replicates=n_replicates,
        )

    raise typer.Exit(with_manager(go, executor=executor))
