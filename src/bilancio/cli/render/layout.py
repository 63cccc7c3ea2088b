"""Lays cells out as lines: tables that fit a terminal, names and what stands behind them."""

import textwrap
import unicodedata
from collections.abc import Mapping, Sequence

from bilancio.cli.render.console import COLOURS, Line, Span, visible

_GAP = 2
_LEAST_WORDS = 20  # fewer characters of a sentence say nothing


def rows_table(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    words: Sequence[str],
    width: int,
) -> tuple[list[Line], list[str]]:
    """Return the lines of a table of as many columns as fit, and the names of those that do not.

    Words that are too long for the line are cut; numbers, and the first column, never are.

    Parameters
    ----------
    columns
        Names, the important ones first; underscores become spaces where a heading is broken.
    words
        The columns that hold words; others are numbers, to the right.
    width
        Characters in a line.
    """
    cells = [[_in_a_line(cell) for cell in row] for row in rows]
    rooms: list[int] = []
    for position, name in enumerate(columns):
        spoken = name.replace("_", " ")
        heading = len(spoken) if name in words else max(map(len, spoken.split()), default=0)
        room = max([heading, *(wide(row[position]) for row in cells)])
        used = sum(rooms) + _GAP * len(rooms)
        if rooms and used + room > width:
            room = width - used
            if name not in words or room < _LEAST_WORDS:
                break
        rooms.append(room)
    headings = [
        textwrap.wrap(name.replace("_", " "), room) or [""]
        for name, room in zip(columns, rooms, strict=False)
    ]
    left = [name in words for name in columns]
    lines = [*_heading_lines(headings, rooms, left), [Span("─" * _width_of(rooms))]]
    lines += [_row_line(row, rooms, left) for row in cells]
    return lines, list(columns[len(rooms) :])


def pairs_table(pairs: Mapping[str, str], *, width: int) -> list[Line]:
    """Return the lines of names and what stands behind them; empty ones are left out.

    What is longer than the line is broken between words; the name of a job or file never is.
    """
    shown = {name: value for name, value in pairs.items() if value}
    indent = max(map(len, shown), default=0) + _GAP
    lines: list[Line] = []
    for name, value in shown.items():
        for number, part in enumerate(broken(value, width - indent)):
            label = name if number == 0 else ""
            lines.append([Span(label.ljust(indent), "dim"), Span(part, _style(part))])
    return lines


def broken(text: str, width: int) -> list[str]:
    """Break text between words so that lines fit *width*, where no word is longer than that."""
    wrapper = textwrap.TextWrapper(
        max(width, _LEAST_WORDS), break_long_words=False, break_on_hyphens=False
    )
    return [part for line in visible(text).splitlines() for part in wrapper.wrap(line) or [""]]


def fitted(text: str, width: int) -> str:
    """Return *text* in one line of at most *width* characters."""
    line = _in_a_line(text)
    if wide(line) <= width:
        return line
    while line and wide(line) > width - 1:
        line = line[:-1]
    return f"{line}…"


def wide(text: str) -> int:
    """Return how many places of a terminal's line *text* takes."""
    if text.isascii():
        return len(text)
    return sum(_places(character) for character in text)


def _places(character: str) -> int:
    if unicodedata.combining(character) or character in "\u200c\u200d\ufe0f":
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _in_a_line(cell: str) -> str:
    return " ".join(visible(cell).split())


def _heading_lines(
    headings: Sequence[list[str]], rooms: Sequence[int], left: Sequence[bool]
) -> list[Line]:
    """Return headings of several lines, all ending in the last one."""
    height = max(map(len, headings), default=0)
    raised = [[""] * (height - len(heading)) + heading for heading in headings]
    rows = [_row_line([heading[at] for heading in raised], rooms, left) for at in range(height)]
    return [[Span("".join(span.text for span in row).rstrip(), "bold")] for row in rows]


def _row_line(row: Sequence[str], rooms: Sequence[int], left: Sequence[bool]) -> Line:
    line: list[Span] = []
    for cell, room, to_left in zip(row, rooms, left, strict=False):
        if line:
            line.append(Span(" " * _GAP))
        line.append(Span(_padded(cell, room, to_left=to_left), _style(cell)))
    return line


def _padded(cell: str, room: int, *, to_left: bool) -> str:
    cell = fitted(cell, room)
    space = " " * (room - wide(cell))
    return cell + space if to_left else space + cell


def _width_of(rooms: Sequence[int]) -> int:
    return sum(rooms) + _GAP * (len(rooms) - 1)


def _style(cell: str) -> str:
    return cell if cell in COLOURS else ""
