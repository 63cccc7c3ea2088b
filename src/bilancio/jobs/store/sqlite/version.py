"""Which SQLite this Python has, and whether the store may rely on it."""

import sqlite3

OLDEST = (3, 37, 0)  # STRICT tables
SOUND = (3, 51, 3)  # no checkpoint can reset the log under a writer


def text() -> str:
    """Return the version's number."""
    return sqlite3.sqlite_version


def is_too_old() -> bool:
    """Return whether the store's statements do not work with it."""
    return sqlite3.sqlite_version_info < OLDEST


def has_reset_bug() -> bool:
    """Return whether a checkpoint beside a writer can lose a transaction."""
    return sqlite3.sqlite_version_info < SOUND
