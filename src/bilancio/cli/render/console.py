"""Where output goes: one JSON document, or lines of text; the only door to a terminal.

What is stored came from anywhere, and a terminal obeys what it is sent. Therefore all text for
people is written by `Output` and all documents by `emit`, which show control characters instead
of sending them. Text is laid out by rich, which is loaded when there is some.
"""

import codecs
import contextlib
import io
import os
import re
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TextIO, cast

from pydantic import BaseModel

from bilancio.encoding import to_json
from bilancio.jobs.models import Job
from bilancio.printable import HIDDEN
from bilancio.text import read_as, several_read_as, words_read

if TYPE_CHECKING:  # what is not for people, or is empty, is written without loading rich
    from rich.console import RenderableType

    from bilancio.cli.render.terminal import Terminal

_LEAST_WIDTH, _PLAIN_WIDTH = 20, 80

_NOT_IN_JSON = re.compile(f"[{HIDDEN}]")
_NOT_ASCII = re.compile(r"[^\x00-\x7e]")
_BLANKS_AT_END = re.compile(" +(?=\n)")
_IN_ASCII = {
    "…": "...", "–": "-", "—": "-", "─": "-", "‘": "'", "’": "'", "“": '"', "”": '"', "→": "->",
    "≤": "<=", "≥": ">=", "≠": "!=", "∈": "in", "×": "x", "·": "-", "−": "-", "±": "+-", "␀": "NUL",
    "µ": "u", "κ": "kappa", "μ": "mu", "ρ": "rho", "φ": "phi", "β": "beta", "δ": "delta",
    "│": "|", "━": "-", "●": "o", "┿": "+", "╭": "+", "╮": "+", "╰": "+", "╯": "+",
}  # fmt: skip
_RAISED = re.compile("[⁻⁰¹²³⁴-⁹]+")
_LOWERED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


_reserved: list[TextIO] = []  # stdout as it was, once `reserve_stdout` was called


class OutputLost(Exception):
    """stdout takes nothing more.

    Attributes
    ----------
    reason
        Why, in the system's words; empty where the reader of a pipe has left.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Answer(Protocol):
    """What answers a question about a job that was named by a person."""

    @property
    def job(self) -> Job:
        """The job."""

    @property
    def reading(self) -> str:
        """How its name was read where it was not written exactly; else empty."""


@dataclass(frozen=True, slots=True)
class Output:
    """Says things: to people on stdout, or beside the one JSON document on stderr.

    Parameters
    ----------
    as_json
        Whether stdout belongs to one JSON document.
    """

    as_json: bool = False

    @property
    def width(self) -> int:
        """Characters in a line of the terminal; 80 where there is none."""
        columns = shutil.get_terminal_size((_PLAIN_WIDTH, 24)).columns
        return max(columns, _LEAST_WIDTH)

    @property
    def adorned(self) -> bool:
        """Whether colours and drawings are wanted: on a terminal, and without NO_COLOR."""
        return can_move(sys.stderr if self.as_json else _stdout()) and not os.environ.get(
            "NO_COLOR"
        )

    def say(self, text: str = "", *, style: str = "") -> None:
        """Write text for people, whole even where the terminal is narrow."""
        self._people().print(text, style=style, soft_wrap=True)

    def show(self, laid_out: "RenderableType") -> None:
        """Write what was laid out for people, in the width that it takes."""
        self._people().print(laid_out, crop=False)

    def say_more(self, noun: str, *, offset: int, shown: int, total: int) -> None:
        """Say which part of a list was shown, and how to see more, where there is more."""
        last = offset + shown
        if last < total:
            here = f"{noun} {last:,}" if shown == 1 else f"{noun}s {offset + 1:,}–{last:,}"
            self.say(f"{here} of {total:,}; --offset {last} shows more.")

    def note(self, text: str, *, style: str = "") -> None:
        """Write a line beside the output proper, on stderr."""
        terminal(sys.stderr).print(text, style=style, soft_wrap=True)

    def reading(self, answer: Answer) -> None:
        """Say how the name of a job, and words of a question, were read if not as written."""
        said = read_as(answer.reading, answer.job.job_id)
        said += several_read_as(getattr(answer, "others_read", ""))  # of a picture alone
        said += words_read(getattr(answer, "read", {}))  # which only answers to questions have
        if said:
            self.note(said.rstrip())

    def _people(self) -> "Terminal":
        return terminal(sys.stderr if self.as_json else _stdout())


class Door:
    """A stream as rich sees it, which takes what can be written and survives what cannot.

    Parameters
    ----------
    stream
        None where it is closed.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self.encoding = getattr(stream, "encoding", None) or "utf-8"

    def write(self, text: str) -> int:
        """Write *text* at once, without the blanks that fill the lines of tables."""
        _send(self._stream, _BLANKS_AT_END.sub("", text))
        return len(text)

    def flush(self) -> None:
        """Do nothing: what was written has been sent."""

    def isatty(self) -> bool:
        """Return whether lines can be written over."""
        return can_move(self._stream)


def terminal(stream: TextIO | None, *, width: int | None = None) -> "Terminal":
    """Return what lays text out on *stream*; in any width where none is given."""
    from bilancio.cli.render.terminal import Terminal  # rich, which documents do without

    return Terminal(cast("TextIO", Door(stream)), width=width)


def emit(data: object) -> None:
    """Write the one JSON document of a command."""
    text = to_json(plain(data), indent=2)
    stream = _stdout()
    encoding = getattr(stream, "encoding", None) or "utf-8"
    lacking = _NOT_IN_JSON if encoding.lower().startswith("utf") else _NOT_ASCII
    _send(stream, f"{lacking.sub(_as_json, text)}\n")


def plain(data: object) -> Any:
    """Return *data* with models as objects."""
    if isinstance(data, BaseModel):
        return data.model_dump(mode="json")
    if isinstance(data, Mapping):
        return {str(key): plain(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [plain(each) for each in data]
    return data


def reserve_stdout() -> None:
    """Keep stdout for what goes through this module: all else that is printed goes to stderr.

    Plug-ins print as they are imported, and libraries of theirs as they compute.
    """
    if sys.stdout is None:
        return
    document = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno() if sys.stderr else os.open(os.devnull, os.O_WRONLY), 1)
    encoding = sys.stdout.encoding
    _reserved.append(os.fdopen(document, "w", encoding=encoding, errors="bilancio"))


def can_move(stream: TextIO | None) -> bool:
    """Return whether lines written to *stream* can be written over: a terminal that is not dumb."""
    return stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"


def prepare_streams() -> None:
    """Let every character be written, whatever the locale: what it lacks by the nearest it has.

    A stream that is closed is opened to nowhere, so that no file takes its number.
    """
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:  # noqa: PLR2004 - stderr
        os.set_inheritable(number, True)
    os.close(number)
    codecs.register_error("bilancio", _nearest)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="bilancio")


def show_help(help_of: Callable[[], object]) -> None:
    """Write on stdout what *help_of* prints: help, laid out and coloured by another library."""
    printed = _Printed()
    with contextlib.redirect_stdout(printed):
        help_of()
    _send(_stdout(), printed.getvalue())


def abandon_stdout() -> None:
    """Send whatever is left to write to nowhere, so that the interpreter does not try again."""
    with contextlib.suppress(OSError, ValueError):  # in tests it may have no file number
        nowhere = os.open(os.devnull, os.O_WRONLY)
        stream = _stdout()
        if stream is not None:
            os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def _stdout() -> TextIO | None:
    return _reserved[-1] if _reserved else sys.stdout


class _Printed(io.StringIO):
    """What is printed meanwhile; as colourful as stdout is."""

    def isatty(self) -> bool:
        return can_move(sys.__stdout__)


def _send(stream: TextIO | None, text: str) -> None:
    """Write *text*; what stderr does not take is lost, for the output proper matters more."""
    if stream is None:
        return
    try:
        stream.write(text)
        stream.flush()
    except OSError as error:
        if stream is _stdout():
            left = isinstance(error, BrokenPipeError)
            raise OutputLost("" if left else error.strerror or str(error)) from None


def _as_json(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be", "surrogatepass")
    pairs = (units[at : at + 2] for at in range(0, len(units), 2))
    return "".join(f"\\u{pair.hex()}" for pair in pairs)


def _nearest(error: UnicodeError) -> tuple[str, int]:
    """Write what an encoding lacks by other characters; a handler of `codecs`."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = _RAISED.sub(_as_power, error.object[error.start : error.end])
    written = "".join(_IN_ASCII.get(each) or _backslashed(each) for each in lacking)
    return written, error.end


def _as_power(found: re.Match[str]) -> str:
    return f"^{found[0].translate(_LOWERED)}"


def _backslashed(character: str) -> str:
    return character.encode("ascii", "backslashreplace").decode()
