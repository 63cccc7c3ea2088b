"""The command `bilancio`: its nouns, and what becomes of errors."""

import importlib
import os
import re
import traceback
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from bilancio.cli.parsing import (
    SYNONYMS,
    CommandGroup,
    help_text,
    sentence,
    unicode_arguments,
)
from bilancio.cli.render.console import Output, OutputLost, abandon_stdout
from bilancio.errors import BilancioError
from bilancio.printable import shortened
from bilancio.settings import debugging
from bilancio.validation import nearest

FAILED, INTERRUPTED = 1, 130
COMPLETING = "_BILANCIO_COMPLETE"  # which the completion of a shell sets
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+){2,}")  # of a job; no command is written so
_NOUNS = {
    "sweep": "bilancio.cli.sweep",
    "jobs": "bilancio.cli.jobs",
    "run": "bilancio.cli.run",
    "bench": "bilancio.cli.bench",
    "experiments": "bilancio.cli.experiments",
    "presets": "bilancio.cli.presets",
    "demo": "bilancio.cli.demo",
    "serve": "bilancio.cli.serve",
    "worker": "bilancio.cli.worker",
    "notify": "bilancio.cli.notify",
    "doctor": "bilancio.cli.doctor",
}


class Nouns(CommandGroup):
    """The nouns; the code of each is loaded when it is used."""

    def list_commands(self, _: Any) -> list[str]:
        """Return the nouns."""
        return list(_NOUNS)

    def get_command(self, _: Any, cmd_name: str) -> Any:
        """Load the commands of one noun."""
        if cmd_name not in _NOUNS:
            return None
        command = typer.main.get_command(importlib.import_module(_NOUNS[cmd_name]).app)
        command.name = cmd_name
        return command

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Greet where nothing was asked."""
        if not args and not ctx.resilient_parsing:
            from bilancio.cli.greeting import greet  # opens the store

            ctx.exit(greet())
        return super().parse_args(ctx, args)

    def meant(self, ctx: Any, word: str) -> list[str]:
        """Return the command that was probably meant; its noun may have been left out."""
        if _NAME.fullmatch(word):
            return ["jobs", "show", word]
        nouns = self.list_commands(ctx)
        verbs = {
            verb: noun
            for noun in ("sweep", "jobs")
            for verb in self.get_command(ctx, noun).list_commands(ctx)
        }
        found = SYNONYMS.get(word, word)
        if found not in verbs:
            found = nearest(word, [*nouns, *verbs])
        if found in nouns:
            return [found]
        return [verbs[found], found] if found else []


app = typer.Typer(
    name="bilancio", cls=Nouns, rich_markup_mode="rich", pretty_exceptions_enable=False
)


def _show_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version  # only needed here

        Output().say(f"bilancio {version('bilancio')}")
        raise typer.Exit


@app.callback(
    help=help_text(
        "Run simulation sweeps that one can talk about.\n\n"
        "A sweep is carried out as a job with a memorable name, by a worker process "
        "that keeps running when the terminal is closed. Its results are found by the name, "
        "from any folder.",
        "bilancio sweep balanced --n-agents 50 --kappas 0.25,0.5,1 --seeds 42,43",
        "bilancio jobs list",
        "bilancio jobs results bright-ocean-swift-tiger --group-by kappa",
    )
)
def bilancio(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_show_version,
            is_eager=True,
            metavar="",
            help="Show the version.",
        ),
    ] = False,
) -> None:
    """Group the nouns."""


def run(arguments: Sequence[str]) -> int:
    """Carry out one command and return its exit code; whatever went wrong is said on stderr."""
    try:
        command = typer.main.get_command(app)
        code = command.main(
            args=unicode_arguments(arguments), prog_name="bilancio", standalone_mode=False
        )
    except BilancioError as error:
        return _failed(str(error))
    except typer.TyperException as error:
        return _failed(sentence(error))
    except KeyboardInterrupt:
        return INTERRUPTED
    except OutputLost as error:
        abandon_stdout()
        return _failed(f"The output cannot be written: {error.reason}." if error.reason else "")
    except Exception as error:  # noqa: BLE001 - a person gets a sentence, not a traceback
        what = shortened(" ".join(f"{type(error).__name__}: {error}".rstrip(": ").split()), 500)
        return _failed(f"Unexpected error ({what}). Set BILANCIO_DEBUG=1 for a traceback.")
    return code if isinstance(code, int) else 0


def _failed(words: str) -> int:
    if COMPLETING in os.environ:  # a shell asks while somebody types: nothing is to be said
        return FAILED
    if debugging():
        Output().note(traceback.format_exc())
    if words:
        Output().note(words)
    return FAILED
