"""`bilancio jobs VERB`: find jobs, follow them, read their results."""

from typing import Annotated, Any

import typer

from bilancio import text as words
from bilancio.cli import maintenance
from bilancio.cli.context import AsJson, ExactName, JobName, emit, name_of, with_manager
from bilancio.cli.parsing import CommandGroup, listed, whole
from bilancio.errors import invalid
from bilancio.jobs.clock import utc_now
from bilancio.jobs.manager import AsyncJobManager
from bilancio.jobs.models import Found, Job, Page

app = typer.Typer(add_completion=False, cls=CommandGroup, rich_markup_mode="rich")


Limit = Annotated[str, typer.Option(metavar="N", help="How many, at most 1000.")]
Offset = Annotated[str, typer.Option(metavar="N", help="How many to pass over.")]


@app.callback()
def jobs() -> None:
    """Find jobs by name, follow them, read their results.

    Example:

      $ bilancio jobs list --status completed
      $ bilancio jobs results bright ocean swift tiger --group-by kappa
    """


@app.command("list")
def list_jobs(
    *,
    status: Annotated[
        str | None,
        typer.Option(
            metavar="STATUS", help="pending, running, completed, failed or cancelled only."
        ),
    ] = None,
    tag: Annotated[
        str | None, typer.Option(metavar="WORD", help="Those with this tag only.")
    ] = None,
    text: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Those with this text in their name or words only."),
    ] = None,
    limit: Limit = "20",
    offset: Offset = "0",
    as_json: AsJson = False,
) -> None:
    """List jobs, newest first.

    Example:

      $ bilancio jobs list --text liquidity --limit 5
    """
    wanted: dict[str, Any] = {"status": status, "tag": tag, "text": text}
    page = with_manager(
        lambda manager: manager.list_jobs(
            **wanted, limit=whole("limit", limit), offset=whole("offset", offset)
        )
    )
    if as_json:
        emit(page)
    else:
        _show_page(page, filtered=any(wanted.values()))


@app.command()
def show(job: JobName, *, as_json: AsJson = False) -> None:
    """Show what a job is, how far it is, and where its files are.

    Example:

      $ bilancio jobs show bright-ocean-swift-tiger
    """

    async def ask(manager: AsyncJobManager) -> tuple[Found, Any]:
        found = await manager.find_job(name_of(job))
        return found, await manager.progress(found.job.job_id)

    found, progress = with_manager(ask)
    if as_json:
        emit({"reading": found.reading, **progress.model_dump(mode="json")})
        return
    from bilancio.cli.render.console import Output  # rich, which a JSON document does not need
    from bilancio.cli.render.jobs import show_job

    output = Output(as_json=False)
    output.reading(found)
    show_job(output, progress)


@app.command()
def results(
    job: JobName,
    *,
    group_by: Annotated[
        str, typer.Option(metavar="A,B,…", help="Parameters; a row for each combination.")
    ] = "",
    measures: Annotated[
        str, typer.Option(metavar="A,B,…", help="What to show; the first few otherwise.")
    ] = "",
    limit: Limit = "50",
    offset: Offset = "0",
    as_json: AsJson = False,
) -> None:
    """Show what a job has found so far, grouped by parameters.

    Example:

      $ bilancio jobs results bright-ocean-swift-tiger --group-by kappa,outside_mid_ratio
    """
    chosen = listed(measures)

    async def ask(manager: AsyncJobManager) -> tuple[Found, Any]:
        found = await manager.find_job(name_of(job))
        return found, await manager.results(
            found.job.job_id,
            group_by=listed(group_by),
            measures=chosen,
            limit=whole("limit", limit),
            offset=whole("offset", offset),
        )

    found, seen = with_manager(ask)
    if as_json:
        emit({"reading": found.reading, **seen.model_dump(mode="json")})
        return
    from bilancio.cli.render.console import Output  # rich, which a JSON document does not need
    from bilancio.cli.render.jobs import show_results

    output = Output(as_json=False)
    output.reading(found)
    show_results(output, seen, chosen=chosen, offset=whole("offset", offset))


@app.command()
def runs(
    job: JobName,
    *,
    status: Annotated[
        str | None,
        typer.Option(metavar="STATUS", help="completed, failed or pending only."),
    ] = None,
    limit: Limit = "50",
    offset: Offset = "0",
    as_json: AsJson = False,
) -> None:
    """List single runs of a job with their parameters and metrics.

    Example:

      $ bilancio jobs runs bright-ocean-swift-tiger --status failed
    """
    first = whole("offset", offset)

    async def ask(manager: AsyncJobManager) -> tuple[Found, list[dict[str, Any]]]:
        found = await manager.find_job(name_of(job))
        return found, await manager.runs(
            found.job.job_id, status=status, limit=whole("limit", limit), offset=first
        )

    found, rows = with_manager(ask)
    total = _runs_with(status, found.job)
    if as_json:
        emit({"job_id": found.job.job_id, "total": total, "offset": first, "runs": rows})
        return
    from bilancio.cli.render.console import Output  # rich, which a JSON document does not need
    from bilancio.cli.render.jobs import show_runs

    output = Output(as_json=False)
    output.reading(found)
    show_runs(output, found.job, rows, offset=first, total=total)


@app.command()
def events(
    job: JobName,
    *,
    last: Annotated[
        str | None, typer.Option(metavar="N", help="The last N (20, unless --after is given).")
    ] = None,
    after: Annotated[
        str, typer.Option(metavar="N", help="Those that follow event number N.")
    ] = "0",
    as_json: AsJson = False,
) -> None:
    """List what has happened to a job, in order.

    Example:

      $ bilancio jobs events bright-ocean-swift-tiger --last 5
    """
    start = whole("after", after)
    count = whole("last", last or ("-1" if start else "20"))
    if count == 0 or count < -1:
        raise invalid("last", last, "whole numbers from 1")

    async def ask(manager: AsyncJobManager) -> tuple[Found, Any]:
        found = await manager.find_job(name_of(job))
        return found, await manager.events(
            found.job.job_id, after=start, limit=count, last=count > 0
        )

    found, seen = with_manager(ask)
    if as_json:
        emit({"job_id": found.job.job_id, "events": seen})
        return
    from bilancio.cli.render.console import Output  # rich, which a JSON document does not need
    from bilancio.cli.render.tables import events_table

    output = Output(as_json=False)
    output.reading(found)
    output.say(events_table(seen))


@app.command()
def start(
    job: ExactName,
    *,
    detach: Annotated[bool, typer.Option("--detach", metavar="", help="Return at once.")] = False,
    as_json: AsJson = False,
) -> None:
    """Start a job that was created but not started, and watch it; Ctrl-C cancels it.

    Example:

      $ bilancio jobs start bright-ocean-swift-tiger --detach
    """
    _start(job, detach=detach, as_json=as_json)


@app.command()
def resume(
    job: ExactName,
    *,
    detach: Annotated[bool, typer.Option("--detach", metavar="", help="Return at once.")] = False,
    as_json: AsJson = False,
) -> None:
    """Go on with a cancelled, failed or stalled job: only the missing runs are computed.

    Example:

      $ bilancio jobs resume bright-ocean-swift-tiger
    """
    _start(job, detach=detach, as_json=as_json)


@app.command()
def watch(job: JobName, *, as_json: AsJson = False) -> None:
    """Watch a running job to its end; Ctrl-C ends the watching, not the job.

    Example:

      $ bilancio jobs watch bright-ocean-swift-tiger
    """
    from bilancio.cli.render import progress as watching  # rich, which other verbs do without
    from bilancio.cli.render.console import Output

    async def follow(manager: AsyncJobManager) -> int:
        output = Output(as_json)
        found = await manager.find_job(name_of(job))
        output.reading(found)
        return await watching.watch(manager, found.job, output)

    raise typer.Exit(with_manager(follow))


@app.command()
def cancel(
    job: ExactName,
    *,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; noted in its events.")] = "",
    as_json: AsJson = False,
) -> None:
    """Cancel a job. What it has recorded stays, and it can be resumed.

    Example:

      $ bilancio jobs cancel bright-ocean-swift-tiger --reason "wrong grid"
    """
    ended = with_manager(lambda manager: manager.cancel_job(name_of(job), reason))
    if as_json:
        emit(ended)
        return
    done = f"{ended.completed_runs:,} of {words.runs(ended.total_runs)} recorded"
    typer.echo(f"Job {ended.job_id} is cancelled, {done}.")
    typer.echo(f"Go on with the rest: bilancio jobs resume {ended.job_id}")


app.command("import")(maintenance.import_jobs)
app.command()(maintenance.export)
app.command()(maintenance.verify)
app.command()(maintenance.backup)
app.command()(maintenance.delete)


def _start(job: list[str], *, detach: bool, as_json: bool) -> None:
    from bilancio.cli.render import progress as watching  # rich, which other verbs do without
    from bilancio.cli.render.console import Output

    async def go(manager: AsyncJobManager) -> int:
        known = await manager.exact(name_of(job))
        return await watching.start(manager, known, Output(as_json), detach=detach, new=False)

    raise typer.Exit(with_manager(go))


def _runs_with(status: str | None, job: Job) -> int:
    pending = job.total_runs - job.completed_runs - job.failed_runs
    counts = {"completed": job.completed_runs, "failed": job.failed_runs, "pending": pending}
    return counts.get(status or "", job.total_runs)


def _show_page(page: Page, *, filtered: bool) -> None:
    if not page.jobs:
        if page.total:
            typer.echo(f"There are {page.total:,} such jobs; none after the first {page.offset:,}.")
        elif filtered:
            typer.echo("No job is like that; `bilancio jobs list` shows all.")
        else:
            typer.echo("There are no jobs yet. One starts with, for example:")
            typer.echo("  bilancio sweep balanced --n-agents 50 --kappas 0.3,0.5 --seeds 42,43")
        return
    from bilancio.cli.render.console import Output  # rich, which an empty list does not need
    from bilancio.cli.render.tables import jobs_table

    output = Output(as_json=False)
    output.say(jobs_table(page, utc_now()))
    last = page.offset + len(page.jobs)
    if last < page.total:
        output.say(f"{page.offset + 1:,}–{last:,} of {page.total:,}; --offset {last} shows more.")
