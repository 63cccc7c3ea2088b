"""A store with a job that a worker has leased, on both databases; a folder that all may enter."""

import shutil
import tempfile
from pathlib import Path

import pytest

from bilancio.jobs.store import open_store
from tests.jobs.store.kit import CONFIG


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request, isolated):
    """The address of an empty store on each database."""
    if request.param == "sqlite":
        return str(isolated / "store.db")
    return request.getfixturevalue("postgres_url")


@pytest.fixture
async def store(address, clock):
    store = await open_store(address, clock)
    yield store
    await store.close()


@pytest.fixture
async def job(store, isolated):
    return await store.add(
        "my-job",
        CONFIG,
        description="try",
        notes="",
        tags=(),
        engine="e1",
        out_dir=isolated,
        executor="local",
    )


@pytest.fixture
async def lease(store, job):
    lease, _ = await store.claim(job.job_id, "worker-a", lease_s=30, executor="local")
    return lease


@pytest.fixture
def common():
    """A folder that users other than root may enter."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)
