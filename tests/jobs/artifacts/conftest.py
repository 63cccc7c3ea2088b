"""A job's folder as it comes with a clone, and a manager that does not know the job."""

import shutil

import pytest

from bilancio.jobs import AsyncJobManager

NAME = "calm-blue-river"


@pytest.fixture
async def folder(manager, small, tmp_path):
    """The folder of a completed job, out of the way of the searches."""
    job = await manager.run_job((await manager.create_job("try", small, job_id=NAME)).job_id)
    return shutil.move(job.folder, tmp_path / "kept" / NAME)


@pytest.fixture
async def other(tmp_path):
    """A manager on another store; `found` is below its output folder."""
    async with AsyncJobManager(str(tmp_path / "other.db"), out_dir=tmp_path / "found") as other:
        yield other
