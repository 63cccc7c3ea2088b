"""The numbered migrations of the schema on a server."""

import functools
import re
from collections.abc import Awaitable, Callable
from importlib import resources
from typing import Any

from bilancio.failpoints import failpoint

SCHEMA = "bilancio"
LOCK = 0x42494C41  # "BILA": one process at a time migrates a database
#: IF NOT EXISTS would need the right to make schemas even where there is this one.
MADE_SCHEMA = f"""
DO $$ BEGIN IF to_regnamespace('{SCHEMA}') IS NULL THEN CREATE SCHEMA {SCHEMA}; END IF; END $$
"""


@functools.cache
def migrations() -> tuple[tuple[int, str], ...]:
    """Return (number, SQL) of each migration, in order."""
    folder = resources.files("bilancio.jobs.store") / "postgres" / "migrations"
    files = [each for each in folder.iterdir() if each.name.endswith(".sql")]
    return tuple(
        sorted((int(each.name.split("_")[0]), each.read_text(encoding="utf-8")) for each in files)
    )


def latest_version() -> int:
    """Return the number of the schema that this code reads and writes."""
    return migrations()[-1][0]


def tables() -> str:
    """Return what makes the tables alone, as they are after all migrations."""
    scripts = "\n".join(script for _, script in migrations())
    made = re.findall(r"^CREATE TABLE.*?;$|^ALTER TABLE.*?;$", scripts, re.DOTALL | re.MULTILINE)
    return "\n".join(made)


async def migrate(execute: Callable[[str], Awaitable[Any]], version: int) -> None:
    """Bring the schema from *version* up to date, in the transaction that is open and locked."""
    if not version:
        await execute(MADE_SCHEMA)
        await execute(f"CREATE TABLE {SCHEMA}.migrations (version BIGINT PRIMARY KEY)")
    for number, script in migrations():
        if number > version:
            await execute(script)
            await execute(f"INSERT INTO {SCHEMA}.migrations VALUES ({number})")  # noqa: S608 - numbers of files
    failpoint("migration")
