"""`bilancio doctor`: say what is not in order, and what to do about it."""

import asyncio
from typing import Annotated

import typer

from bilancio.cli.context import AsJson, emit
from bilancio.errors import InvalidInput
from bilancio.jobs.maintenance.reports import Diagnosis
from bilancio.jobs.manager import AsyncJobManager

app = typer.Typer(add_completion=False, rich_markup_mode="rich")


@app.command()
def doctor(
    *,
    repair: Annotated[
        bool,
        typer.Option(
            "--repair",
            metavar="",
            help="Write missing manifests, count jobs again, remove dead locks.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Look whether settings, disk, store, jobs and files are in order.

    Every chunk of results is read and compared with its checksum. Each finding
    comes with what to do about it; the exit code is 1 where something is wrong.

    Example:

      $ bilancio doctor --repair
    """
    found = asyncio.run(_examine(repair=repair))
    if as_json:
        emit({"healthy": found.healthy, **found.model_dump(mode="json")})
    else:
        _show(found)
    raise typer.Exit(0 if found.healthy else 1)


async def _examine(*, repair: bool) -> Diagnosis:
    try:
        manager = AsyncJobManager()
    except InvalidInput as error:  # settings so wrong that there is nobody to ask
        from bilancio.jobs.maintenance.doctor import diagnose_settings  # numpy

        return diagnose_settings(error)
    async with manager:
        return await manager.doctor(repair=repair)


def _show(found: Diagnosis) -> None:
    if found.store:
        typer.echo(f"Store {found.store}")
    for part in found.checked:
        typer.echo(f"  looked at {part}")
    for message in found.repaired:
        typer.echo(f"repaired: {message}")
    for finding in found.findings:
        typer.echo(f"{finding.severity}: {finding.message}")
        typer.echo(f"  → {finding.repair}")
    wrong = sum(finding.severity != "info" for finding in found.findings)
    things = f"{wrong} thing{' is' if wrong == 1 else 's are'} not in order."
    typer.echo(things if wrong else "Everything is in order.")
