"""The job store: what is true of jobs. Everything outside asks `JobStore`."""

from bilancio.jobs.store.editing import Edit
from bilancio.jobs.store.imports import ReadWhole
from bilancio.jobs.store.location import Location, locate
from bilancio.jobs.store.matching import Criteria
from bilancio.jobs.store.postgres.address import is_server
from bilancio.jobs.store.rows import Chunk, EndedJob, FinishedBatch, JobList, ReadJob, Speed
from bilancio.jobs.store.store import JobStore, ReaderOf, open_store

__all__ = [
    "Chunk",
    "Criteria",
    "Edit",
    "EndedJob",
    "FinishedBatch",
    "JobList",
    "JobStore",
    "Location",
    "ReadJob",
    "ReadWhole",
    "ReaderOf",
    "Speed",
    "is_server",
    "locate",
    "open_store",
]
