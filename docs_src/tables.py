"""Tables of Markdown."""

import re
from collections.abc import Iterable, Sequence


def table(heads: Sequence[str], rows: Iterable[Sequence[str | None]]) -> str:
    """Return a table with a line break after it."""
    lines = [heads, ["---"] * len(heads), *([cell(each or "") for each in row] for row in rows)]
    return "\n".join([*(f"| {' | '.join(line)} |" for line in lines), ""])


def cell(text: str) -> str:
    """Return text as it stands in a cell; what is between backquotes stays as it is."""
    words = re.split(r"(`[^`]*`)", " ".join(text.split()))
    return "".join(
        part.replace("|", "\\|") if part.startswith("`") else re.sub(r"([|<*_])", r"\\\1", part)
        for part in words
    )
