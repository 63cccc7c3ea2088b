"""`bilancio jobs plot`: pictures of results, as files."""

from typing import Annotated

import typer

from bilancio.cli.context import AsJson, JobName, Where, all_of, name_of, with_manager
from bilancio.cli.opening import open_file
from bilancio.cli.parsing import command
from bilancio.cli.render.console import Output, emit
from bilancio.validation import split_csv


def add_command(app: typer.Typer) -> None:
    """Add the command of this module to those that concern jobs."""
    command(
        app,
        "plot",
        "Draw what a job has found, as PNG and SVG below its folder.\n\n"
        "Kinds: effect, default_rate, measure, distribution, days, main_effects, precision, "
        "frontier and compare. Without one, what suits the parameters that vary.",
        "bilancio jobs plot bright-ocean-swift-tiger",
        "bilancio jobs plot bright-ocean-swift-tiger --kind default_rate --x kappa --by mu",
    )(plot)


def plot(
    job: JobName,
    *,
    kind: Annotated[
        str | None, typer.Option(metavar="KIND", help="What is drawn; see above.")
    ] = None,
    x: Annotated[
        str | None, typer.Option("--x", metavar="NAME", help="Parameter along the axis.")
    ] = None,
    y: Annotated[
        str | None,
        typer.Option("--y", metavar="NAME", help="Measure; with effect also the second parameter."),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option("--by", metavar="NAME", help="Parameter whose values make rows or lines."),
    ] = None,
    where: Where = None,
    other: Annotated[
        list[str] | None,
        typer.Option("--job", metavar="JOB", help="Another job, to compare with; at most five."),
    ] = None,
    dark: Annotated[
        bool, typer.Option("--dark", metavar="", help="A PNG for dark pages; the SVG is for both.")
    ] = False,
    show: Annotated[bool, typer.Option("--open", metavar="", help="Open the SVG.")] = False,
    as_json: AsJson = False,
) -> None:
    """Draw one job."""
    drawn = with_manager(
        lambda manager: manager.plot(
            name_of(job),
            kind,
            x=x,
            y=y,
            by=by,
            where=all_of(where),
            jobs=split_csv(other),
            dark=dark,
        )
    )
    if as_json:
        emit(drawn)
    else:
        output = Output()
        output.reading(drawn)
        output.say(drawn.sentence)
        for path in drawn.files.values():
            output.say(path)
        if not drawn.files:
            output.say(f"It could not be written below {drawn.job.out_dir}.")
    if show and drawn.files:
        open_file(drawn.files["svg"])
