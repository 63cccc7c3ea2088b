"""`bilancio bench`: how fast this machine is, beside the targets."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from bilancio import machine
from bilancio.bench.finding import Finding
from bilancio.cli.context import AsJson
from bilancio.cli.parsing import command
from bilancio.cli.render.console import Output, emit
from bilancio.cli.render.layout import pairs_table, rows_table

app = typer.Typer(add_completion=False, rich_markup_mode="rich")


@command(
    app,
    "bench",
    "Measure how fast simulations are on this machine, beside the targets.\n\n"
    "Times of the engine are those of one core, runs in batches, the best of "
    "several: other programs on the machine do not count. Your jobs are not touched.",
    "bilancio bench",
    "bilancio bench --all --json",
    "bilancio bench --executor dask",
    "bilancio bench --store postgresql://lab@db.example/empty",
)
def bench(
    *,
    everything: Annotated[
        bool,
        typer.Option(
            "--all",
            metavar="",
            help="Sweeps, store and starts as well, in a temporary folder; some minutes.",
        ),
    ] = False,
    executor: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Only: this executor, dask, on this machine's cores beside the local one.",
        ),
    ] = None,
    store: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Only: this PostgreSQL database, which has no jobs, beside a store in a file.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure and show."""
    output = Output(as_json)
    load_before = machine.load()
    if executor is None and store is None:
        found = list(_measured(output, everything=everything))
    else:
        found = list(_beside(executor, store))
    about = {
        "processor": machine.processor(),
        "cores": str(machine.cores()),
        "system": machine.system(),
        "load before": _load(load_before),
        "load after": _load(machine.load()),
    }
    versions = machine.versions()
    if as_json:
        findings = [{**each.as_dict(), "met": each.met} for each in found]
        emit({"machine": about, "versions": versions, "findings": findings})
        return
    _show(output, about | {"versions": _joined(versions)}, found)


def _measured(output: Output, *, everything: bool) -> Iterator[Finding]:
    from bilancio.bench import engine  # numpy and the engine, which help does not need
    from bilancio.bench.process import system_findings
    from bilancio.model import warm_up

    warm_up(output.note)
    yield from engine.findings()
    if everything:
        output.note("Measuring sweeps, store and starts; this takes some minutes.")
        for finding in system_findings():
            output.note(f"  {finding.what}: {_with_unit(finding.value, finding.unit)}")
            yield finding


def _beside(executor: str | None, store: str | None) -> Iterator[Finding]:
    from bilancio.bench import process  # the store, as above

    if executor is not None:
        yield from process.executor_findings(executor)
    if store is not None:
        yield from process.store_findings(store)


def _show(output: Output, about: Mapping[str, str], found: list[Finding]) -> None:
    verdicts = {True: "met", False: "NOT met", None: ""}
    rows = [
        [each.what, _with_unit(each.value, each.unit), _target(each), verdicts[each.met]]
        for each in found
    ]
    output.show(pairs_table(about, width=output.width))
    output.say()
    table, _ = rows_table(
        ["what", "measured", "target", ""], rows, words=["what", ""], width=output.width
    )
    output.show(table)


def _target(finding: Finding) -> str:
    """Write the bound, in the unit of the value beside it."""
    if finding.at_most is not None:
        return f"≤ {_number(finding.at_most)}"
    if finding.at_least is not None:
        return f"≥ {_number(finding.at_least)}"
    return ""


def _with_unit(value: float, unit: str) -> str:
    return f"{_number(value)} {unit}"


def _number(value: float) -> str:
    """Write a value with three digits."""
    digits = 0 if value >= 100 or value == int(value) else 1 if value >= 10 else 2  # noqa: PLR2004
    return f"{value:,.{digits}f}"


def _load(load: tuple[float, ...]) -> str:
    return ", ".join(f"{each:.1f}" for each in load)


def _joined(pairs: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in pairs.items() if value)
