"""The terminal as rich writes to it; strings are text there, neither markup nor commands."""

import os
from typing import Any, TextIO

from rich.console import Console
from rich.text import Text

from bilancio.printable import escaped

_ANY_WIDTH = 1_000_000  # whoever lays something out knows the width; here nothing is cut


class Terminal(Console):
    """A console that shows control characters instead of sending them.

    Parameters
    ----------
    file
        Where it is written; lines are written over, and coloured, where it is a terminal.
    width
        Characters in a line; any number where it is None.
    """

    def __init__(self, file: TextIO, *, width: int | None = None) -> None:
        moves = file.isatty()
        super().__init__(
            file=file,
            width=width or _ANY_WIDTH,
            color_system="auto" if moves and not os.environ.get("NO_COLOR") else None,
            force_terminal=moves,
            force_jupyter=False,
            legacy_windows=False,
            markup=False,
            emoji=False,
            highlight=False,
        )

    def render_str(self, text: str, **more: Any) -> Text:
        """Return a string as the text that it is."""
        return super().render_str(escaped(text), **more)
