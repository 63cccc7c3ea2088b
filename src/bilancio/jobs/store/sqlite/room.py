"""The room that deleted rows leave in the file, given back to the disk.

A store that was made with ``auto_vacuum = INCREMENTAL`` gives pages back a few at a time. One that
an earlier version made has to be written anew once, which takes as long as what it holds is large.
"""

import sqlite3

import aiosqlite

from bilancio.jobs.store.database import Space
from bilancio.jobs.store.sqlite.connection import number
from bilancio.jobs.store.sqlite.migrate import INCREMENTAL

STEP_PAGES = 1000  # 4 MiB: others wait for some hundredths of a second


async def space_of(connection: aiosqlite.Connection) -> Space:
    """Return how much room a store takes, and how much of it is free."""
    page = await number(connection, "PRAGMA page_size")
    return Space(
        size=page * await number(connection, "PRAGMA page_count"),
        free=page * await number(connection, "PRAGMA freelist_count"),
        stepwise=await number(connection, "PRAGMA auto_vacuum") == INCREMENTAL,
    )


async def free_some(connection: aiosqlite.Connection) -> None:
    """Take free pages from the end of the file, in one transaction of their own."""
    try:
        # A script runs the pragma to its end; as a single statement it would free one page.
        await connection.executescript(
            f"BEGIN IMMEDIATE; PRAGMA incremental_vacuum({STEP_PAGES}); COMMIT"
        )
    except sqlite3.Error:
        await connection.rollback()
        raise


async def write_anew(connection: aiosqlite.Connection) -> None:
    """Write the whole file anew without what is free, so that it can be given back stepwise."""
    await connection.execute(f"PRAGMA auto_vacuum = {INCREMENTAL}")
    await connection.execute("VACUUM")
