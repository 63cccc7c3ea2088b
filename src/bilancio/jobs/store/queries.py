"""SQL kept as SQL: the statements of queries.sql by name."""

import functools
from importlib import resources

SHARED = "meets_criteria"  # the condition that listing and counting jobs have in common


@functools.cache
def queries(overrides: str = "") -> dict[str, str]:
    """Return each statement by the name in the ``-- name:`` line above it.

    Parameters
    ----------
    overrides
        A file below this folder with statements that are added, or take the place of those of
        the same name.
    """
    found = _statements("sql/queries.sql")
    found |= _statements(overrides) if overrides else {}
    condition = found.pop(SHARED)
    return {name: body.replace(f"{{{SHARED}}}", condition) for name, body in found.items()}


def _statements(file: str) -> dict[str, str]:
    text = resources.files("bilancio.jobs.store").joinpath(file).read_text(encoding="utf-8")
    found = {}
    for block in text.split("-- name: ")[1:]:
        name, _, body = block.partition("\n")
        lines = [line for line in body.splitlines() if not line.startswith("--")]
        found[name.strip()] = "\n".join(lines).strip()
    return found
