"""Keep what lies in a job's folder up to date with the store, which is the truth."""

import asyncio
import contextlib

from bilancio.errors import BilancioError
from bilancio.jobs.artifacts.manifest import write_job_manifest
from bilancio.jobs.artifacts.ownership import make_job_folder
from bilancio.jobs.models import Job, JobStatus
from bilancio.jobs.store import JobStore


async def bring_up_to_date(store: JobStore, job: Job) -> None:
    """Write the manifest of *job*, and the tables of a manual one that has ended.

    What is stored stays so where files cannot be written: that is not an error.
    """
    with contextlib.suppress(BilancioError, OSError):
        if job.manual and job.status.ended:
            from bilancio.jobs.artifacts import tables  # numpy, which other calls do not need

            await tables.write_files(store, job, formats=("csv",))
        else:
            await asyncio.to_thread(make_job_folder, job)
            await write_job_manifest(store, job, durable=job.status is not JobStatus.PENDING)
