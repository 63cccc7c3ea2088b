"""A job's runs as frames of outside libraries."""

import asyncio
from typing import TYPE_CHECKING, Any

import numpy as np

from bilancio.experiments import registry
from bilancio.experiments.protocol import metrics_of
from bilancio.frames.columns import Column, Filling, narrow
from bilancio.jobs.lookup import find
from bilancio.jobs.models import Job
from bilancio.jobs.results import check_status, run_indices
from bilancio.jobs.run_columns import STATUSES, Columns, blocks, metric_column
from bilancio.jobs.session import Session
from bilancio.jobs.store import Chunk, packing

if TYPE_CHECKING:  # pandas is optional, and takes half a second to load
    from bilancio.frames.tables import DataFrame


async def runs_frame(session: Session, name: str, *, status: str | None = None) -> "DataFrame":
    """Return a job's runs as a frame; see `AsyncJobManager.runs_frame`."""
    from bilancio.frames.tables import frame  # optional

    check_status(status)
    job, store = (await find(session, name)).job, await session.store()
    if job.manual:
        stored = [] if status in {"failed", "pending"} else await store.chunks(job.job_id)
        index = np.array([chunk.first_index for chunk in stored], np.int64)
        columns = await asyncio.to_thread(_manual_columns, job, stored)
    else:
        failed = await store.failed_runs(job.job_id)
        every = {"limit": max(job.total_runs, 1), "offset": 0}
        index = await run_indices(store, job, status, failed, **every)
        filling = Filling(len(index))
        async for start, block in blocks(store, job, index, failed):
            await asyncio.to_thread(filling.put, start, block)
        columns = filling.columns()
    return await asyncio.to_thread(frame, columns, index, attributes(job))


def _manual_columns(job: Job, stored: list[Chunk]) -> Columns:
    """Return the runs that were recorded manually: ids, and metrics that some may lack."""
    experiment = registry.experiment(job.config.sweep_type)
    filling = Filling(len(stored))
    one = np.zeros(1, np.int64)
    for number, chunk in enumerate(stored):
        metrics = packing.unpack(chunk, job.job_id)
        row = {
            metric.name: metric_column(metric, metrics[metric.name], one, np.ones(1, bool))
            for metric in metrics_of(experiment, metrics.dtype)
        }
        run_id = np.array([chunk.run_id], object)
        status = Column(narrow(one, len(STATUSES)), words=STATUSES)
        filling.put(number, {"run_id": Column(run_id), "status": status, **row})
    return filling.columns()


def attributes(job: Job) -> dict[str, Any]:
    """Return what a frame says of the job that it is of."""
    return {"job_id": job.job_id, "sweep_type": job.config.sweep_type, "engine": job.engine}
