"""`bilancio jobs report|package`: what a job leaves for readers elsewhere."""

from typing import Annotated

import typer

from bilancio.cli.context import AsJson, JobName, name_of, with_manager
from bilancio.cli.opening import open_file
from bilancio.cli.parsing import command
from bilancio.cli.render.console import Output, emit
from bilancio.paths import absolute_path
from bilancio.text import plural


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this module to those that concern jobs."""
    command(
        app,
        "report",
        "Write a report of what a job has found: findings, pictures, tables, design.\n\n"
        "It is one HTML file that loads nothing from elsewhere, or, with --format md, Markdown "
        "for the appendix of a paper. BILANCIO_REPORT=1 writes it at the end of each job.",
        "bilancio jobs report bright-ocean-swift-tiger --open",
    )(report)
    command(
        app,
        "package",
        "Write a replication package: data, figures, report, versions, and a script.\n\n"
        "The script replicate.sh needs bilancio on the PATH. It computes all runs again, compares "
        "them bit by bit, and exits with 0 where all are identical, else with 1.",
        "bilancio jobs package bright-ocean-swift-tiger --zip --out ~/paper",
    )(package)


def report(
    job: JobName,
    *,
    report_format: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="html or md.")
    ] = "html",
    show: Annotated[bool, typer.Option("--open", metavar="", help="Open it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write the report of one job."""
    made = with_manager(lambda manager: manager.report(name_of(job), report_format))
    if as_json:
        emit(made)
    else:
        output = Output()
        output.reading(made)
        output.say(str(made.path))
    if show:
        open_file(str(made.path))


def package(
    job: JobName,
    *,
    out: Annotated[
        str | None,
        typer.Option(
            "--out", metavar="FOLDER", help="Where it is made. Default: the current folder."
        ),
    ] = None,
    zipped: Annotated[bool, typer.Option("--zip", metavar="", help="One ZIP file.")] = False,
    authors: Annotated[
        list[str] | None,
        typer.Option(
            "--author",
            metavar="NAME",
            help='Whom CITATION.cff names: "Family, Given". May be repeated.',
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the replication package of one job."""
    folder = None if out is None else absolute_path("out", out)
    made = with_manager(
        lambda manager: manager.package(name_of(job), folder, zip=zipped, authors=authors or ())
    )
    if as_json:
        emit(made)
        return
    output = Output()
    output.reading(made)
    output.say(f"{made.path} ({plural(len(made.files), 'file')})")
