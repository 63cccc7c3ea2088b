"""docs/commands.md: every command with its arguments and options, as typer has them."""

import inspect
import re
from collections.abc import Iterator
from typing import Any

import typer

from bilancio.cli.main import app

ABOUT = """\
# Command line

Every command, as `bilancio … --help` shows it. `--json` prints one JSON object, for programs.
Errors go to standard error as a sentence, with exit code 1. A job's name may be in any case,
with any separator, in part, or with a typo in each word. Commands that change something take the
exact name.
"""
SCRIPTS = """\
## In scripts

Commands that follow a job (`sweep`, `jobs watch`, `jobs resume`, `jobs extend`, `worker`) end with
its state, others with 0 where they did what was asked:

| exit code | meaning |
|---|---|
| 0 | completed; or, with `--detach`, started |
| 1 | failed; or refused, with a sentence on standard error |
| 2 | cancelled |
| 3 | stalled: resume it |
| 4 | not started |
| 130, 143 | ended by Ctrl-C, by SIGTERM |

With `--json` standard output has one JSON object, and progress goes to standard error. Without a
terminal nothing is asked: a sweep above the [limits](SETTINGS.md) is refused unless it has `--yes`.
A nightly job:

```bash
export JOB=nightly-ring-$(date +%F)
bilancio sweep ring --kappas 0.5,1 --n-replicates 10 --job-id $JOB
bilancio jobs results $JOB --json > nightly.json
python3 -c 'import json; print(json.load(open("nightly.json"))["headline"])'
```

Store, output folder and the other settings are environment variables: in cron and in CI set
`BILANCIO_DATABASE_URL` and `BILANCIO_OUT_DIR`, and keep the job's folder.
"""
SHARED = {"help", "install_completion", "show_completion"}


def page() -> str:
    """Return the page."""
    root = typer.main.get_command(app)
    return "\n".join(
        [ABOUT, *(part for path, each in _walk(root) for part in _section(path, each)), SCRIPTS]
    )


def _walk(command: Any, path: tuple[str, ...] = ("bilancio",)) -> Iterator[tuple[Any, Any]]:
    yield path, command
    for name in command.list_commands(None) if hasattr(command, "list_commands") else ():
        yield from _walk(command.get_command(None, name), (*path, name))


def _section(path: tuple[str, ...], command: Any) -> Iterator[str]:
    about, _, examples = inspect.cleandoc(command.help or "").partition("Example:")
    if len(path) > 1:
        yield f"{'#' * min(len(path), 3)} {' '.join(path)}\n"
    yield _text(about)
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    options = [
        each
        for each in command.params
        if each.param_type_name == "option" and not each.hidden and each.name not in SHARED
    ]
    shown = [example.removeprefix("$ ") for example in examples.strip().splitlines() if example]
    if shown:
        yield "\n".join(["```bash", *shown, "```\n"])
    context = typer.Context(command, info_name=" ".join(path))
    rows = [
        *((each.metavar, each.help or "") for each in arguments),
        *(each.get_help_record(context) for each in options),
    ]
    if rows:
        table = [f"| `{name.strip()}` | {_cell(about)} |" for name, about in rows]
        yield "\n".join(["| option | meaning |", "|---|---|", *table, ""])


def _text(text: str) -> str:
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n") if part.strip()) + "\n"


def _cell(text: str) -> str:
    text = " ".join(text.split())
    return re.sub(r"([|<*_])", r"\\\1", text)
