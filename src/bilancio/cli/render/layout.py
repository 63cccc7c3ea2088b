"""Lays cells out: tables that fit a terminal, names and what stands behind them."""

import textwrap
from collections.abc import Mapping, Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from bilancio.printable import escaped

STYLES = {
    "completed": "green", "running": "cyan", "pending": "dim",
    "failed": "red", "stalled": "yellow", "cancelled": "yellow",
    "helps": "green", "hurts": "red", "higher": "cyan", "lower": "magenta", "undecided": "dim",
}  # fmt: skip
GAP = 2
_RULED = box.Box(str(box.SIMPLE_HEAD), ascii=True)  # its one sign is written by - where need be
LEAST_WORDS = 20  # fewer characters of a sentence say nothing


def rows_table(
    columns: Sequence[str],
    rows: Sequence[Sequence[str | Text]],
    *,
    words: Sequence[str],
    left: Sequence[str] = (),
    width: int,
) -> tuple[Table, list[str]]:
    """Return a table of as many columns as fit, and the names of those that do not.

    Words that are too long for the line are cut; numbers, and the first column, never are.

    Parameters
    ----------
    columns
        Names, the important ones first; underscores become spaces where a heading is broken.
    words
        The columns that hold words; others are numbers, to the right.
    left
        Columns that stand to the left, though they are not cut.
    width
        Characters in a line.
    """
    cells = [[cell(each) if isinstance(each, str) else each for each in row] for row in rows]
    table, used = ruled_table(), 0
    for position, name in enumerate(columns):
        spoken = name.replace("_", " ")
        heading = len(spoken) if name in words else max(map(len, spoken.split()), default=0)
        room = max([heading, *(row[position].cell_len for row in cells)])
        if position and used + room > width:
            room = width - used
            if name not in words or room < LEAST_WORDS:
                break
        used += room + GAP
        justify = "left" if name in words or name in left else "right"
        table.add_column(spoken, justify=justify, vertical="bottom", width=room)  # type: ignore[arg-type]
    shown = len(table.columns)
    for row in cells:
        table.add_row(*row[:shown])
    return table, list(columns[shown:])


def ruled_table() -> Table:
    """Return an empty table with a rule below its headings."""
    return Table(
        box=_RULED,
        header_style="bold",
        pad_edge=False,
        show_edge=False,
        padding=(0, GAP - 1, 0, 0),
    )


def pairs_table(pairs: Mapping[str, str], *, width: int) -> Table:
    """Return names and what stands behind them; empty ones are left out.

    What is longer than the line is broken between words; the name of a job or file never is.
    """
    shown = {name: value for name, value in pairs.items() if value}
    indent = max(map(len, shown), default=0) + GAP
    table = Table.grid(padding=(0, GAP, 0, 0))
    table.add_column(style="dim", min_width=indent - GAP, no_wrap=True)
    table.add_column(no_wrap=True)
    for name, value in shown.items():
        table.add_row(name, broken(value, width - indent))
    return table


def broken(text: str, width: int) -> Text:
    """Return *text* broken between words to fit *width*, where no word is longer than that."""
    wrapper = textwrap.TextWrapper(  # rich can only fold or cut what is too long for a line
        max(width, LEAST_WORDS), break_long_words=False, break_on_hyphens=False
    )
    lines = [part for line in escaped(text).splitlines() for part in wrapper.wrap(line) or [""]]
    return Text("\n".join(lines), STYLES.get(text, ""))


def cell(text: str, style: str = "") -> Text:
    """Return *text* in one line, which is cut where its place is too small."""
    line = " ".join(escaped(text).split())
    return Text(line, style or STYLES.get(text, ""), no_wrap=True, overflow="ellipsis")
