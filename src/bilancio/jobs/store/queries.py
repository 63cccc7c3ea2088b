"""SQL kept as SQL: named statements and numbered migrations, read from files."""

import functools
import sqlite3
from importlib import resources

_HERE = resources.files("bilancio.jobs.store")


@functools.cache
def queries() -> dict[str, str]:
    """Return the statements of queries.sql by the name in the line above each."""
    text = (_HERE / "sql" / "queries.sql").read_text(encoding="utf-8")
    blocks = text.split("-- name: ")[1:]
    return {
        name.strip(): "\n".join(line for line in body.splitlines() if not line.startswith("--"))
        for name, body in (block.split("\n", 1) for block in blocks)
    }


@functools.cache
def migrations() -> tuple[tuple[int, str], ...]:
    """Return (number, SQL) of each migration, in order."""
    files = [
        each for each in (_HERE / "sqlite" / "migrations").iterdir() if each.name.endswith(".sql")
    ]
    return tuple(
        sorted((int(each.name.split("_")[0]), each.read_text(encoding="utf-8")) for each in files)
    )


def statements(script: str) -> list[str]:
    """Split a script into its statements; a trigger's body is one with its trigger."""
    found, pending = [], ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            found.append(pending)
            pending = ""
    return found
