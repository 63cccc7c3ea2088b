"""SQL kept as SQL: the statements of queries.sql by name."""

import functools
from importlib import resources

SHARED = "meets_criteria"  # the condition that listing and counting jobs have in common


@functools.cache
def queries() -> dict[str, str]:
    """Return each statement by the name in the ``-- name:`` line above it."""
    file = resources.files("bilancio.jobs.store") / "sql" / "queries.sql"
    blocks = file.read_text(encoding="utf-8").split("-- name: ")[1:]
    found = {}
    for block in blocks:
        name, _, body = block.partition("\n")
        lines = [line for line in body.splitlines() if not line.startswith("--")]
        found[name.strip()] = "\n".join(lines).strip()
    condition = found.pop(SHARED)
    return {name: body.replace(f"{{{SHARED}}}", condition) for name, body in found.items()}
