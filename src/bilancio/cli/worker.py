"""`bilancio worker`: carry jobs on whose workers are gone."""

from typing import Annotated

import typer

from bilancio import text as words
from bilancio.cli.context import AsJson, emit, with_manager
from bilancio.cli.parsing import whole
from bilancio.errors import InvalidInput, Problem
from bilancio.jobs.maintenance.reports import Recovery

app = typer.Typer(add_completion=False, rich_markup_mode="rich")


@app.command()
def worker(
    *,
    recover: Annotated[
        bool,
        typer.Option("--recover", metavar="", help="Go on with every stalled job, to its end."),
    ] = False,
    jobs: Annotated[
        str, typer.Option(metavar="N", help="How many at the same time; each takes all cores.")
    ] = "1",
    as_json: AsJson = False,
) -> None:
    """Go on with the jobs whose workers were killed: only missing runs are computed.

    Each job gets a worker process of its own, which goes on when this command
    is interrupted. After a restart of the machine this is all there is to do.

    Example:

      $ bilancio worker --recover --jobs 2
    """
    if not recover:
        raise InvalidInput([Problem("bilancio worker", "nothing to do", "--recover")])
    at_once = whole("jobs", jobs)
    tell = _silent if as_json else _tell
    done = with_manager(lambda manager: manager.recover(at_once=at_once, tell=tell))
    if as_json:
        emit({"jobs": done})
    elif not done:
        typer.echo("No job is stalled; there is nothing to go on with.")


def _silent(_: Recovery) -> None:
    pass


def _tell(seen: Recovery) -> None:
    done = f"{seen.completed_runs:,} of {words.runs(seen.total_runs)}"
    if seen.action == "refused":
        typer.echo(f"Job {seen.job_id} cannot go on: {seen.reason}")
    elif seen.state == "running":
        typer.echo(f"Job {seen.job_id} goes on, {done} recorded.")
    else:
        reason = f": {seen.reason}" if seen.reason else "."
        typer.echo(f"Job {seen.job_id} is {seen.state}, {done} recorded{reason}")
