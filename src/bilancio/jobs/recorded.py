"""The recorded runs of a job by columns, read a stretch of chunks at a time."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import numpy as np
from numpy.typing import NDArray

from bilancio.experiments import registry
from bilancio.experiments.reduction import Recorded, as_numbers
from bilancio.experiments.standard import StandardExperiment
from bilancio.jobs.models import Job
from bilancio.jobs.ranges import stretches
from bilancio.jobs.store import Chunk, JobStore, packing

STRETCH = 100_000  # runs whose chunks are held at once
DENSE_BYTES = 112 << 20  # of the columns that are held at once, where an answer is waited for
FEWER_BYTES = 32 << 20  # … and where a worker summarises its job, beside all else that it holds

Columns = dict[str, NDArray[np.float64]]


async def recorded_runs(
    store: JobStore, job: Job, experiment: StandardExperiment
) -> Recorded | None:
    """Return which runs of *job* have results; None where none has."""
    ranges = await store.recorded(job.job_id)
    if not ranges:
        return None
    n_runs = experiment.layout(job.config).n_runs
    done = np.zeros(n_runs, bool)
    for first, last in ranges:
        done[first : last + 1] = True
    first, last = ranges[0]
    searched = None
    if job.config.searches:
        stored = await store.chunks(job.job_id, n_runs)
        indices, metrics = await asyncio.to_thread(packing.join, stored, job.job_id)
        searched = indices[indices >= n_runs], metrics[indices >= n_runs]
    some = await store.chunks(job.job_id, first, first)
    names = packing.unpack(some[0], job.job_id).dtype.names or ()
    failed = np.array(sorted(await store.failed_runs(job.job_id)), np.int64)
    return Recorded(done=done, failed=failed, names=tuple(names), searched=searched)


async def columns(
    store: JobStore,
    job: Job,
    experiment: StandardExperiment,
    names: Sequence[str],
    at_once: int = DENSE_BYTES,
) -> AsyncIterator[Columns]:
    """Yield the dense columns of the runs that the layout numbers, some at a time.

    What is yielded is emptied when the next is asked for.

    Parameters
    ----------
    names
        Metrics.
    at_once
        Bytes of the columns that are held together, unless one alone has more: each time all
        chunks are read.

    Yields
    ------
    dict of float64 arrays (n_runs,)
        Metrics by name; NaN where there is no result, or the value is missing.

    Raises
    ------
    JobDamaged
        A chunk is not what was stored.
    """
    n_runs = experiment.layout(job.config).n_runs
    ranges = [each for each in await store.recorded(job.job_id) if each[0] < n_runs]
    step = max(at_once // max(8 * n_runs, 1), 1)
    for start in range(0, len(names), step):
        some = names[start : start + step]
        dense = {name: np.full(n_runs, np.nan) for name in some}
        for first, last in stretches(ranges, STRETCH):
            stored = await store.chunks(job.job_id, first, last)
            await asyncio.to_thread(_fill, job, experiment, stored, dense)
        yield dense
        dense.clear()  # before the next ones take as much memory


async def rows_between(
    store: JobStore, job: Job, first: int, last: int
) -> tuple[NDArray[np.int64], NDArray[np.void]]:
    """Return the indices and rows of the runs recorded from *first* to *last*.

    Raises
    ------
    JobDamaged
        A chunk is not what was stored.
    """
    stored = await store.chunks(job.job_id, first, last)
    indices, metrics = await asyncio.to_thread(packing.join, stored, job.job_id)
    inside = slice(*np.searchsorted(indices, [first, last + 1]))
    return indices[inside], metrics[inside]


async def searched_rows(store: JobStore, job: Job) -> tuple[NDArray[np.int64], NDArray[np.void]]:
    """Return the runs recorded that searches go by: of an experiment of its own kind all."""
    experiment = registry.experiment(job.config.sweep_type)
    first = job.config.fixed_runs if isinstance(experiment, StandardExperiment) else 0
    return await rows_between(store, job, first, 2**62)


def _fill(
    job: Job, experiment: StandardExperiment, stored: Sequence[Chunk], dense: Columns
) -> None:
    for chunk in stored:
        table = packing.unpack(chunk, job.job_id)
        for name, column in dense.items():
            if name in (table.dtype.names or ()):
                part = column[chunk.first_index : chunk.last_index + 1]
                part[:] = as_numbers(experiment, name, table[name][: len(part)])
