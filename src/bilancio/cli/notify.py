"""`bilancio notify`: try the targets of notices, and see which notices were not delivered."""

import secrets
from datetime import UTC, datetime
from typing import Annotated

import typer

from bilancio.cli.context import AsJson, with_manager
from bilancio.cli.parsing import CommandGroup, command, help_text
from bilancio.cli.render.console import Output, emit
from bilancio.errors import InvalidInput, NoticeNotDelivered, Problem
from bilancio.notify.message import Message
from bilancio.notify.targets import Target, chosen, send, targets
from bilancio.settings import Settings, load_settings
from bilancio.text import plural

FAILED = 1

app = typer.Typer(add_completion=False, cls=CommandGroup, rich_markup_mode="rich")


@app.callback(
    help=help_text(
        "Tell people when a job has ended.\n\n"
        "BILANCIO_NOTIFY names the targets, such as 'lab=https://hooks.example/x "
        "mail=smtp://host:25/?from=…&to=…'; a sweep says --notify lab.",
        "bilancio notify test lab",
        "bilancio sweep ring --kappas 0.25,0.5 --notify lab,mail",
    )
)
def notify() -> None:
    """Group the commands that concern notices."""


@command(
    app,
    "test",
    "Send a test notice to a target, or to all, and say what came back.",
    "bilancio notify test lab",
)
def try_targets(
    target: Annotated[
        str | None, typer.Argument(metavar="[TARGET]", help="Its name in BILANCIO_NOTIFY.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Send a test notice."""
    settings = load_settings()
    known = targets(settings)
    if not known:
        allowed = "NAME=ADDRESS, separated by spaces"
        raise InvalidInput([Problem("BILANCIO_NOTIFY", "nothing", allowed)])
    names = [*known] if target is None else chosen(settings, [target])
    output, tried = Output(as_json), []
    for name in names:
        delivered, said = _try(known[name], settings)
        tried.append({"target": name, "delivered": delivered, "said": said})
        output.say(f"{name} ({known[name].place}): {'' if delivered else 'not delivered, '}{said}.")
    if as_json:
        emit({"targets": tried})
    raise typer.Exit(0 if all(each["delivered"] for each in tried) else FAILED)


def _try(target: Target, settings: Settings) -> tuple[bool, str]:
    """Send a test notice; return whether it was delivered, and what came back."""
    message = Message(
        id=f"test_{secrets.token_hex(8)}",
        what="test",
        moment=datetime.now(UTC),
        title="A test notice of bilancio",
        text="A test notice of bilancio. Notices of jobs that have ended arrive here.",
        facts={},
    )
    try:
        return True, send(target, message, settings)
    except NoticeNotDelivered as error:
        return False, error.reason


@command(
    app,
    "list",
    "List the notices that wait for another try, and those that were given up.",
    "bilancio notify list --json",
)
def list_notices(*, as_json: AsJson = False) -> None:
    """Show what has not been delivered."""
    pending = with_manager(lambda manager: manager.notices())
    if as_json:
        emit({"notices": pending})
        return
    output = Output()
    for each in pending:
        tried = f", {plural(each.attempts, 'attempt')}" if each.attempts else ""
        why = f": {each.error}" if each.error else ""
        output.say(f"{each.job_id} to {each.target}, {each.state}{tried}{why}")
    if not pending:
        output.say("All notices are delivered.")
