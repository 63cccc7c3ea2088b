"""`bilancio experiments`: which simulations there are, and whether one's own are in order."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from bilancio.cli.context import AsJson
from bilancio.cli.examples import example_options
from bilancio.cli.parsing import CommandGroup, command, help_text
from bilancio.cli.render.console import Output, emit
from bilancio.cli.render.layout import pairs_table, rows_table
from bilancio.errors import InvalidInput, Problem
from bilancio.experiments import catalog
from bilancio.text import duration, number

FAILED = 1

app = typer.Typer(add_completion=False, cls=CommandGroup, rich_markup_mode="rich")


@app.callback(
    help=help_text(
        "List simulations, and check those of your own.\n\n"
        "A function with @experiment in a module that your pyproject.toml names, under "
        '[tool.bilancio] experiments = ["my_module"], is a sweep type like those that are '
        "built in.",
        "bilancio experiments list",
        "bilancio experiments check my_module",
    )
)
def experiments() -> None:
    """Group the commands."""


@command(
    app,
    "list",
    "List all experiments, what names each, and what cannot be used.",
    "bilancio experiments list --json",
)
def list_experiments(*, as_json: AsJson = False) -> None:
    """Show what is found."""
    sources, abouts, faults = catalog.sources(), catalog.abouts(), catalog.faults()
    if as_json:
        found = [
            {"name": name, "about": abouts[name], "source": source}
            for name, source in sources.items()
        ]
        emit({"experiments": found, "faults": faults})
        return
    output = Output()
    rows = [[name, abouts[name], sources[name]] for name in sources]
    headings = ["experiment", "what it is", "from"]
    table, _ = rows_table(headings, rows, words=headings, width=output.width)
    output.show(table)
    for fault in faults:
        output.say(f"{fault.address} ({fault.source}) cannot be used: {fault.reason}.")


@command(
    app,
    "show",
    "Show an experiment: its parameters with bounds and defaults, arms and metrics.",
    "bilancio experiments show ring",
)
def show_experiment(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The sweep type.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Show one experiment."""
    facts = catalog.facts_of(name)
    if as_json:
        emit(facts)
        return
    output = Output()
    about = {
        "experiment": facts.name,
        "what it is": facts.about,
        "from": facts.source,
        "code": facts.address,
        "version": facts.version,
        "arms": ", ".join(facts.arms),
        "primary": facts.primary or "",
    }
    output.show(pairs_table(about, width=output.width))
    _list(
        output,
        ["parameter", "default", "allowed", "description"],
        [[each.name, _default(each), each.allowed, each.description] for each in facts.parameters],
    )
    metrics = [[each.name, each.unit, each.meaning] for each in facts.metrics]
    _list(output, ["metric", "unit", "meaning"], metrics)


@command(
    app,
    "check",
    "Import a module, say what is wrong with its experiments, and try a few runs of each.\n\n"
    "Each is run at its defaults, twice under two seeds, which has to give the same numbers.",
    "bilancio experiments check my_module",
)
def check_module(
    module: Annotated[
        str, typer.Argument(metavar="MODULE", help="As it is imported: my_module, package.module.")
    ],
    *,
    as_json: AsJson = False,
) -> None:
    """Check the experiments of one module."""
    from bilancio.experiments.checking import check  # loads numpy

    if module.endswith(".py"):
        meant = module.removesuffix(".py").replace("/", ".")
        raise InvalidInput([Problem("MODULE", module, "a module as it is imported", meant)])
    found = check(module, Path.cwd())
    if as_json:
        emit({"experiments": found})
    else:
        _show_checks(Output(), found)
    raise typer.Exit(FAILED if any(each.problems for each in found) else 0)


def _show_checks(output: Output, found: Sequence[Any]) -> None:
    usable = catalog.sources()
    for each in found:
        output.say(f"{each.name} ({each.address})", style="bold")
        for problem in each.problems:
            output.say(f"  wrong: {problem}")
        for remark in each.remarks:
            output.say(f"  {remark}")
        for arm, metrics in each.metrics.items():
            said = ", ".join(f"{name} {number(value)}" for name, value in metrics.items())
            output.say(f"  {arm}: {said}" if arm else f"  {said}")
        if each.seconds is not None:
            output.say(f"  No problems; a run took {_time(each.seconds)}.")
        if each.seconds is not None and each.name in usable:
            output.say(f"  Next: bilancio sweep {each.name} {example_options(each.name)}")


def _list(output: Output, headings: list[str], rows: list[list[str]]) -> None:
    if rows:
        output.say()
        table, _ = rows_table(headings, rows, words=headings, width=output.width)
        output.show(table)


def _default(parameter: catalog.ParameterFacts) -> str:
    if parameter.required:
        return "none"
    return "" if parameter.default is None else str(parameter.default)


def _time(seconds: float) -> str:
    return duration(seconds) if seconds >= 1 else f"{1000 * seconds:.2g} ms"
