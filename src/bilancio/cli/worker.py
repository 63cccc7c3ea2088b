"""`bilancio worker`: resume jobs whose workers are gone."""

from typing import Annotated

import typer

from bilancio.cli.context import AsJson, with_manager
from bilancio.cli.parsing import command, parse_int
from bilancio.cli.render.console import Output, emit
from bilancio.errors import InvalidInput, Problem
from bilancio.jobs.maintenance.reports import Recovery
from bilancio.text import runs

app = typer.Typer(add_completion=False, rich_markup_mode="rich")


@command(
    app,
    "worker",
    "Resume the jobs whose workers were killed: only missing runs are computed.\n\n"
    "Each job gets a worker process of its own, which keeps running when this command "
    "is interrupted. After a restart of the machine nothing else is needed.",
    "bilancio worker --recover --jobs 2",
)
def worker(
    *,
    recover: Annotated[
        bool,
        typer.Option("--recover", metavar="", help="Resume every stalled job, to its end."),
    ] = False,
    jobs: Annotated[
        str, typer.Option(metavar="N", help="How many at the same time; each takes all cores.")
    ] = "1",
    as_json: AsJson = False,
) -> None:
    """Resume stalled jobs."""
    if not recover:
        raise InvalidInput([Problem("bilancio worker", "nothing to do", "--recover")])
    at_once = parse_int("jobs", jobs)
    tell = _silent if as_json else _tell
    done = with_manager(lambda manager: manager.recover(at_once=at_once, tell=tell))
    if as_json:
        emit({"jobs": done})
    elif not done:
        Output().say("No job has stalled; there is nothing to resume.")


def _silent(_: Recovery) -> None:
    pass


def _tell(seen: Recovery) -> None:
    done = f"{seen.completed_runs:,} of {runs(seen.total_runs)}"
    if seen.action == "refused":
        told = f"Job {seen.job_id} cannot be resumed: {seen.reason}"
    elif seen.state == "running":
        told = f"Job {seen.job_id} is resumed, {done} recorded."
    else:
        reason = f": {seen.reason}" if seen.reason else "."
        told = f"Job {seen.job_id} is {seen.state}, {done} recorded{reason}"
    Output().say(told)
