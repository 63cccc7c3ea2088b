"""The job store: SQLite now; SQL in .sql files, numbered migrations."""

from bilancio.jobs.store.store import JobStore, open_store

__all__ = ["JobStore", "open_store"]
