"""runs.parquet: the same as runs.csv, typed and compressed, written a group of runs at a time."""

import asyncio
from collections.abc import AsyncIterator

import numpy as np

from bilancio.experiments import registry
from bilancio.frames.arrow import ParquetTable
from bilancio.frames.columns import Column
from bilancio.jobs.artifacts.folder import PARQUET, whole_binary_file
from bilancio.jobs.models import Job
from bilancio.jobs.ranges import Ranges, stretches, whole_starts
from bilancio.jobs.recorded import rows_between
from bilancio.jobs.run_columns import Columns, Indices, columns_of, manual_columns
from bilancio.jobs.store import JobStore

GROUP = 100_000  # runs that a group of rows has, about


async def write_parquet(store: JobStore, job: Job, most: int | None) -> None:
    """Write runs.parquet; nothing where no run is recorded.

    Parameters
    ----------
    most
        How many runs it holds, the first ones; None for all of them.

    Raises
    ------
    ExperimentFailed, JobDamaged, OutputError
    ValueError
        A column does not have one type in all runs.
    """
    ranges = await store.recorded(job.job_id)
    if not ranges:
        return
    if most is not None and not job.manual:
        ranges = whole_starts(ranges, most, len(job.config.arms))
    with whole_binary_file(job.folder / PARQUET) as file, ParquetTable(file) as table:
        async for columns in _groups(store, job, ranges):
            await asyncio.to_thread(table.add, columns)


async def _groups(store: JobStore, job: Job, ranges: Ranges) -> AsyncIterator[Columns]:
    if job.manual:
        stored = await store.chunks(job.job_id)
        columns = await asyncio.to_thread(manual_columns, job, stored)
        index = np.array([chunk.first_index for chunk in stored], np.int64)
        yield _named(job, index, columns)
        return
    experiment = registry.experiment(job.config.sweep_type)
    for first, last in stretches(ranges, GROUP):
        found = await rows_between(store, job, first, last)
        columns = await asyncio.to_thread(columns_of, job, experiment, found[0], found, {})
        yield await asyncio.to_thread(_named, job, found[0], columns)


def _named(job: Job, indices: Indices, columns: Columns) -> Columns:
    """Return columns after those that say which run of which job each row is."""
    names = np.array([job.run_ids[index] for index in indices.tolist()], object)
    leading = {
        "job_id": Column(np.zeros(len(indices), np.int8), words=(job.job_id,)),
        "run_id": Column(names),
        "index": Column(indices),
    }
    return leading | {name: each for name, each in columns.items() if name != "status"}
