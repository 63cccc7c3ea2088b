"""A job's runs as frames of outside libraries."""

import asyncio
from typing import TYPE_CHECKING, Any

import numpy as np

from bilancio.frames.columns import Filling
from bilancio.jobs.lookup import find_with_runs
from bilancio.jobs.models import Job
from bilancio.jobs.results import check_status, run_indices
from bilancio.jobs.run_columns import blocks, manual_columns
from bilancio.jobs.session import Session
from bilancio.jobs.versions import refuse_missing

if TYPE_CHECKING:  # pandas is optional, and takes half a second to load
    from bilancio.frames.tables import DataFrame


async def runs_frame(session: Session, name: str, *, status: str | None = None) -> "DataFrame":
    """Return a job's runs as a frame; see `exports.runs_frame`."""
    from bilancio.frames.tables import frame  # optional

    check_status(status)
    job, store = (await find_with_runs(session, name)).job, await session.store()
    refuse_missing(job)
    if job.manual:
        stored = [] if status in {"failed", "pending"} else await store.chunks(job.job_id)
        index = np.array([chunk.first_index for chunk in stored], np.int64)
        columns = await asyncio.to_thread(manual_columns, job, stored)
    else:
        failed = await store.failed_runs(job.job_id)
        every = {"limit": max(job.total_runs, 1), "offset": 0}
        index = await run_indices(store, job, status, failed, **every)
        filling = Filling(len(index))
        async for start, block in blocks(store, job, index, failed):
            await asyncio.to_thread(filling.put, start, block)
        columns = filling.columns()
    return await asyncio.to_thread(frame, columns, index, attributes(job))


def attributes(job: Job) -> dict[str, Any]:
    """Return what a frame says of the job that it is of."""
    return {"job_id": job.job_id, "sweep_type": job.config.sweep_type, "engine": job.engine}
