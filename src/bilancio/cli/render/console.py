"""Where output goes: one JSON document, or text and tables for a terminal."""

import json
import math
import sys
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel
from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from bilancio.jobs.models import Found

STYLES = {
    "completed": "green", "running": "cyan", "pending": "dim",
    "failed": "red", "stalled": "yellow", "cancelled": "yellow",
}  # fmt: skip
_GAP = 2
_LEAST_WORDS = 20  # fewer characters of a sentence say nothing


@dataclass(frozen=True, slots=True)
class Output:
    """Says things: to people on stdout, or beside the one JSON document on stderr.

    Parameters
    ----------
    as_json
        Whether stdout belongs to one JSON document.
    """

    as_json: bool
    err: Console = field(default_factory=lambda: _console(to_stderr=True))

    @property
    def out(self) -> Console:
        """Where text for people goes."""
        return self.err if self.as_json else _console(to_stderr=False)

    def say(self, text: RenderableType = "", *, style: str = "") -> None:
        """Write a line for people, whole even where the terminal is narrow."""
        self.out.print(text, style=style, soft_wrap=isinstance(text, str | Text))

    def note(self, text: str, *, style: str = "") -> None:
        """Write a line beside the output proper, on stderr."""
        self.err.print(text, style=style, soft_wrap=True)

    def reading(self, found: Found) -> None:
        """Say how a name was read, where it was not written exactly."""
        if found.reading:
            self.note(f"Job {found.job.job_id}: {found.reading}.")


def _console(*, to_stderr: bool) -> Console:
    return Console(stderr=to_stderr, markup=False, emoji=False, highlight=False)


def plain(data: object) -> Any:
    """Return *data* as JSON holds it: models as objects, no NaN and no infinity."""
    if isinstance(data, BaseModel):
        return plain(data.model_dump(mode="json"))
    if isinstance(data, Mapping):
        return {str(key): plain(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [plain(each) for each in data]
    if isinstance(data, float) and not math.isfinite(data):
        return None
    return data


def emit(data: object) -> None:
    """Write the one JSON document of a command."""
    text = json.dumps(plain(data), indent=2, ensure_ascii=False, allow_nan=False)
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def state(word: str) -> Text:
    """Return a job's or a run's state in its colour."""
    return Text(word, style=STYLES.get(word, ""))


def rows_table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], *, text: Sequence[str], width: int
) -> tuple[Table, list[str]]:
    """Return a table of as many columns as fit, and the names of those that do not.

    Words that are too long for the line are cut; numbers never are.

    Parameters
    ----------
    columns
        Names, the important ones first; underscores become spaces where a heading is broken.
    text
        The columns that hold words; others are numbers, to the right.
    width
        Characters in a line.
    """
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, _GAP - 1, 0, 0), show_edge=False)
    used, shown = 0, 0
    for position, name in enumerate(columns):
        spoken = name.replace("_", " ")
        broken = 1 if name not in text else len(spoken)  # a heading of words stays in one line
        room = max([broken, *map(len, spoken.split()), *(len(row[position]) for row in rows)])
        if shown and used + _GAP + room > width:
            room = width - used - _GAP
            if name not in text or room < _LEAST_WORDS:
                break
            rows = [_cut(row, position, room) for row in rows]
        used, shown = used + room + (_GAP if shown else 0), shown + 1
        table.add_column(
            "\n".join(textwrap.wrap(spoken, room)),
            justify="left" if name in text else "right",
            vertical="bottom",
            overflow="fold",
        )
    for row in rows:
        table.add_row(*(Text(cell, style=STYLES.get(cell, "")) for cell in row[:shown]))
    return table, list(columns[shown:])


def _cut(row: Sequence[str], position: int, room: int) -> list[str]:
    """Shorten the words in one place of a row."""
    cells = list(row)
    if len(cells[position]) > room:
        cells[position] = cells[position][: room - 1] + "…"
    return cells


def pairs_table(pairs: Mapping[str, RenderableType]) -> Table:
    """Return a table of names and what stands behind them; empty ones are left out."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in pairs.items():
        if value:
            table.add_row(name, value)
    return table
