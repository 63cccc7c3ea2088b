"""Keep what lies in a job's folder up to date with the store, which is the truth."""

import asyncio
import contextlib
import os
from pathlib import Path

from bilancio.errors import BilancioError, OutputError
from bilancio.jobs.artifacts.folder import MANIFEST, make_folder
from bilancio.jobs.artifacts.foreign import name_in
from bilancio.jobs.models import Job
from bilancio.jobs.store import JobStore


async def bring_up_to_date(store: JobStore, job: Job) -> None:
    """Write the manifest of *job*, and the tables of a manual one that has ended.

    What is stored stays so where files cannot be written: that is not an error.
    """
    from bilancio.jobs.artifacts import tables  # numpy, which other calls do not need

    with contextlib.suppress(BilancioError, OSError):
        await asyncio.to_thread(make_folder, job.folder)
        by_hand = job.manual and job.status.ended
        write = tables.write_files if by_hand else tables.write_job_manifest
        await write(store, job)


def refuse_foreign(folder: Path, job_id: str, *, new: bool) -> None:
    """Refuse a *folder* in which something else lies than this job.

    Parameters
    ----------
    new
        The job is about to be created, so that no manifest can be its own.

    Raises
    ------
    OutputError
        It is not empty, and holds no manifest of the job; or it is not a folder.
    """
    try:
        with os.scandir(folder) as entries:
            taken = next(entries, None) is not None
    except FileNotFoundError:
        return
    except OSError as error:
        raise OutputError(str(folder), error.strerror or str(error)) from error
    if taken and (new or name_in(folder / MANIFEST) != job_id):
        raise OutputError(str(folder), "it is not empty, and holds no manifest of this job")
