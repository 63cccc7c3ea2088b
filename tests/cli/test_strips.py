"""Tables of results on a terminal: verdicts in colours, intervals drawn on one scale."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios

import pytest

from bilancio.cli.render.strips import LEAST, strips
from tests.cli.conftest import PROGRAM
from tests.night import nightly

STYLED = re.compile(r"\x1b\[[\d;]*m")
DRAWN = re.compile("[━●┿]")
CHOSEN = ("--group-by", "kappa", "--measures", "trading_effect")


def on_terminal(columns, *words, **more):
    """Return what a command writes on a terminal that is so many characters wide."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    given = {"TERM": "xterm-256color", **more}
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    process = subprocess.Popen(
        [PROGRAM, *words], stdout=theirs, stdin=subprocess.DEVNULL, env=environment | given
    )
    os.close(theirs)
    shown = b""
    while part := _read(ours):
        shown += part
    os.close(ours)
    assert process.wait(60) == 0
    return shown.decode()


def _read(terminal):
    try:
        return os.read(terminal, 65536)
    except OSError:  # its other end is closed
        return b""


def table_of(shown):
    """Return the lines of the table: from its rule to the next empty line."""
    lines = STYLED.sub("", shown).splitlines()
    first = next(place for place, line in enumerate(lines) if line.startswith(("───", "---")))
    rest = lines[first + 1 :]
    last = next(place for place, line in enumerate(rest) if not line[:1].isspace())
    return lines[first], rest[:last]


@pytest.mark.parametrize("columns", [60, *nightly(80, 120)])
def test_no_line_of_a_table_is_broken_whatever_the_width(job, columns):
    for words in (CHOSEN, ("--group-by", "kappa,mu"), ("--contrast", "mu")):
        rule, rows = table_of(on_terminal(columns, "jobs", "results", job, *words))
        assert len(rule) <= columns
        assert all(len(row.rstrip()) <= columns for row in rows)
        assert len(rows) in {1, 2, 4}


def test_intervals_are_drawn_on_one_scale_with_a_mark_at_0(job):
    shown = on_terminal(120, "jobs", "results", job, *CHOSEN)
    _, rows = table_of(shown)
    assert len(rows) == 2
    assert all(row.count("●") == 1 for row in rows)
    zeros = {row.index(mark) for row in rows for mark in "│┿" if mark in row}
    assert len(zeros) <= 1
    assert re.search(r"\x1b\[\d+m *(helps|hurts|undecided)", shown)


@pytest.mark.parametrize("words", [("--json",), ("--format", "csv"), ("--format", "markdown")])
def test_documents_are_not_adorned(job, words):
    shown = on_terminal(120, "jobs", "results", job, *CHOSEN, *words)
    assert not DRAWN.search(shown)
    assert "\x1b" not in shown


def test_without_colours_or_beside_a_pipe_nothing_is_drawn(job, bilancio):
    piped = bilancio("jobs", "results", job, *CHOSEN).out
    plain = on_terminal(80, "jobs", "results", job, *CHOSEN, NO_COLOR="1")
    dumb = on_terminal(80, "jobs", "results", job, *CHOSEN, TERM="dumb")
    assert plain.replace("\r\n", "\n") == dumb.replace("\r\n", "\n") == piped
    assert not DRAWN.search(piped)


def test_a_terminal_that_has_ascii_alone_gets_that(job):
    more = {"PYTHONIOENCODING": "ascii"}
    _, rows = table_of(on_terminal(120, "jobs", "results", job, *CHOSEN, **more))
    assert all(re.search(r"-*o-*", row) for row in rows)
    assert all(row.isascii() for row in rows)


def test_a_strip_shows_values_intervals_and_0():
    drawn = strips([0.2, -0.1, None, 0.0], [0.1, -0.2, None, None], [0.3, 0.1, None, None], 26)
    assert drawn.rows == [
        "          │    ━━━━━●━━━━━",
        "━━━━━●━━━━┿━━━━━          ",
        "          │               ",
        "          ●               ",
    ]
    assert drawn.heading == "-0.2000             0.3000"


@pytest.mark.parametrize(
    ("low", "high", "width"),
    [(0.1, 0.3, LEAST - 1), (None, None, 30), (0.2, 0.2, 30), (float("nan"), 1.0, 30)],
)
def test_without_room_or_intervals_there_are_no_strips(low, high, width):
    assert strips([0.2], [low], [high], width) is None
