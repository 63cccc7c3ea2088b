"""`bilancio jobs list|news|edit`: find jobs, and change the words that they are found by."""

from pathlib import Path
from typing import Annotated, Any

import typer

from bilancio import text as sentences
from bilancio.cli.context import AsJson, ExactName, Limit, Offset, name_of, with_manager
from bilancio.cli.parsing import command
from bilancio.cli.render.console import Output, emit
from bilancio.cli.render.formats import check_format, formatted_table
from bilancio.errors import InvalidInput, Problem
from bilancio.jobs.clock import to_text, utc_now
from bilancio.jobs.owner import ME
from bilancio.jobs.views import Page, Table
from bilancio.text import plural
from bilancio.validation import parse_int, split_csv

TABLE = "table"
COLUMNS = (
    "job_id", "status", "sweep_type", "completed_runs", "total_runs", "created_at", "tags",
    "description",
)  # fmt: skip


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this module to those that concern jobs."""
    command(
        app,
        "list",
        "List jobs, newest first: those that meet every filter.",
        "bilancio jobs list --text liquidity --limit 5",
        "bilancio jobs list --since 'last week' --min-runs 1000 --varied concentration",
    )(list_jobs)
    command(
        app,
        "news",
        "Say in a line which of your jobs have ended since this was last asked in this folder.\n\n"
        "Nothing is said where there is none, or nothing was asked before. Claude Code asks when "
        "a session starts.",
        "bilancio jobs news",
    )(news)
    command(
        app,
        "edit",
        "Change a job's description, notes or tags; its results stay as they are.",
        'bilancio jobs edit bright-ocean-swift-tiger --notes "for the paper" --tag figure-2',
    )(edit)


def list_jobs(
    *,
    status: Annotated[
        str | None,
        typer.Option(
            metavar="STATUS",
            help="Only pending, running, stalled, completed, failed or cancelled jobs.",
        ),
    ] = None,
    sweep_type: Annotated[
        str | None, typer.Option(metavar="TYPE", help="Only jobs of this experiment.")
    ] = None,
    tag: Annotated[
        str | None, typer.Option(metavar="WORD", help="Only jobs with this tag.")
    ] = None,
    text: Annotated[
        str | None,
        typer.Option(
            metavar="WORDS",
            help="Only jobs with these words in name, description, notes or tags, in any order.",
        ),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="WHEN",
            help="Created then or later: 2026-11-18, 7d, yesterday, 'last week'. In UTC.",
        ),
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="WHEN", help="Created then or before; a day is included.")
    ] = None,
    min_runs: Annotated[
        str | None, typer.Option(metavar="N", help="Only jobs with at least N runs.")
    ] = None,
    varied: Annotated[
        list[str] | None,
        typer.Option(metavar="A,B,…", help="Only jobs that vary these parameters."),
    ] = None,
    owner: Annotated[
        str | None,
        typer.Option(metavar="WHO", help="Created by this login name, or by anna@laptop."),
    ] = None,
    mine: Annotated[
        bool, typer.Option("--mine", metavar="", help="Created under your own login name.")
    ] = False,
    table_format: Annotated[
        str,
        typer.Option(
            "--format", metavar="FORMAT", help="table, markdown, latex or csv. Default: table."
        ),
    ] = TABLE,
    limit: Limit = "20",
    offset: Offset = "0",
    as_json: AsJson = False,
) -> None:
    """List jobs."""
    wanted: dict[str, Any] = {
        "status": status,
        "sweep_type": sweep_type,
        "tag": tag,
        "text": text,
        "since": since,
        "until": until,
        "min_runs": None if min_runs is None else parse_int("min_runs", min_runs),
        "varied": split_csv(varied),
        "owner": ME if mine else owner,
    }
    if mine and owner is not None:
        raise InvalidInput([Problem("--mine", f"--owner {owner} as well", "one of both")])
    form = None if table_format == TABLE else check_format(table_format, as_json=as_json)
    page = with_manager(
        lambda manager: manager.list_jobs(
            **wanted, limit=parse_int("limit", limit), offset=parse_int("offset", offset)
        )
    )
    if as_json:
        emit(page)
    elif form:
        Output().say(formatted_table(_as_table(page), form))
    else:
        _show_page(page)


def news(*, as_json: AsJson = False) -> None:
    """Say what has ended."""
    ended = with_manager(lambda manager: manager.news(Path.cwd()))
    if as_json:
        emit({"ended": ended})
    elif ended:
        Output().say(sentences.news(ended))


def edit(
    job: ExactName,
    *,
    description: Annotated[str | None, typer.Option(metavar="TEXT", help="What it is for.")] = None,
    notes: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Instead of its notes; '' clears them.")
    ] = None,
    tag: Annotated[
        list[str] | None, typer.Option(metavar="WORD", help="A tag more; may be repeated.")
    ] = None,
    untag: Annotated[
        list[str] | None, typer.Option(metavar="WORD", help="A tag less; may be repeated.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Edit one job."""
    edited = with_manager(
        lambda manager: manager.edit_job(
            name_of(job),
            description=description,
            notes=notes,
            add_tags=tag or (),
            remove_tags=untag or (),
        )
    )
    if as_json:
        emit(edited)
        return
    Output().say(sentences.edited(edited))


def _as_table(page: Page) -> Table:
    rows = tuple(
        (
            job.job_id,
            job.state,
            job.config.sweep_type,
            job.completed_runs,
            job.total_runs,
            to_text(job.created_at),
            ", ".join(job.tags),
            job.description,
        )
        for job in page.jobs
    )
    return Table(columns=COLUMNS, rows=rows, total_rows=page.total, n_keys=1)


def _show_page(page: Page) -> None:
    output = Output()
    for name in page.damaged:
        output.note(f"Job {name} cannot be read from the store; `bilancio doctor` says why.")
    if page.refused_manifests:
        count = plural(page.refused_manifests, "manifest")
        output.note(f"{count} could not be read; `bilancio doctor` says why.")
    if not page.jobs:
        _show_nothing(output, page)
        return
    from bilancio.cli.render.tables import jobs_table  # which an empty list does not need

    output.show(jobs_table(page, utc_now(), width=output.width))
    output.say_more("Job", offset=page.offset, shown=len(page.jobs), total=page.total)
    if page.filters:
        output.note(f"Filters: {sentences.filters(page.filters)}.")


def _show_nothing(output: Output, page: Page) -> None:
    if page.total:
        output.say(sentences.listed("job", offset=page.offset, shown=0, total=page.total))
    elif page.filters:
        output.say("No job matches; `bilancio jobs list` shows all.")
        output.say(f"Filters: {sentences.filters(page.filters)}.")
        if loosened := sentences.without(page.without):
            output.say(loosened)
    else:
        output.say("There are no jobs yet. To start one, for example:")
        output.say("  bilancio sweep balanced --n-agents 50 --kappas 0.3,0.5 --seeds 42,43")
