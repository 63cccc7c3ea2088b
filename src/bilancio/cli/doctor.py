"""`bilancio doctor`: say what is not in order, and what to do about it."""

import asyncio
from typing import Annotated

import typer

from bilancio.cli.context import AsJson
from bilancio.cli.parsing import command
from bilancio.cli.render.console import Output, emit
from bilancio.errors import InvalidInput
from bilancio.jobs.maintenance.reports import Diagnosis
from bilancio.jobs.manager import AsyncJobManager
from bilancio.text import plural

app = typer.Typer(add_completion=False, rich_markup_mode="rich")


@command(
    app,
    "doctor",
    "Check that settings, disk, store, jobs and files are in order.\n\n"
    "Every chunk of results is read and compared with its checksum. Each finding "
    "comes with what to do about it; the exit code is 1 where something is wrong.",
    "bilancio doctor --repair",
)
def doctor(
    *,
    repair: Annotated[
        bool,
        typer.Option(
            "--repair",
            metavar="",
            help="Write missing manifests, recount jobs, remove stale locks.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Examine the store and its surroundings."""
    found = asyncio.run(_examine(repair=repair))
    if as_json:
        emit({"healthy": found.healthy, **found.model_dump(mode="json")})
    else:
        _show(found)
    raise typer.Exit(0 if found.healthy else 1)


async def _examine(*, repair: bool) -> Diagnosis:
    try:
        manager = AsyncJobManager()
    except InvalidInput as error:  # settings so wrong that there is no manager to ask
        from bilancio.jobs.maintenance.doctor import diagnose_settings  # loads numpy

        return diagnose_settings(error)
    async with manager:
        found = await manager.doctor(repair=repair)
        await manager.hand_over_notices()
        return found


def _show(found: Diagnosis) -> None:
    output = Output()
    if found.store:
        output.say(f"Store {found.store}")
    for part in found.checked:
        output.say(f"  checked {part}")
    for message in found.repaired:
        output.say(f"repaired: {message}")
    for finding in found.findings:
        output.say(f"{finding.severity}: {finding.message}")
        output.say(f"  → {finding.repair}")
    wrong = sum(finding.severity != "info" for finding in found.findings)
    output.say(f"{plural(wrong, 'problem')} found." if wrong else "Everything is in order.")
