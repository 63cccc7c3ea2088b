"""Stalled jobs carried on, all of them, by real workers."""

import shutil

import pytest

from bilancio.errors import InvalidInput
from bilancio.jobs import AsyncJobManager, JobConfig, JobStatus

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(autouse=True)
def one_thread(plugins, monkeypatch):
    monkeypatch.setenv("BILANCIO_WORKERS", "1")


@pytest.fixture
async def manager():
    async with AsyncJobManager() as manager:
        yield manager


async def stalled(manager, name, config=None):
    """Return a job whose worker took the lease and was never heard of again."""
    config = config or JobConfig(sweep_type="trivial", n=50)
    job = await manager.create_job("try", config, job_id=name)
    store = await manager.store()
    await store.claim(job.job_id, "lost", lease_s=-1, executor="local")
    assert (await manager.exact(name)).stalled
    return job


@pytest.mark.parametrize("at_once", [1, 2])
async def test_every_stalled_job_is_carried_to_its_end(manager, at_once):
    names = ["first-job", "second-job", "third-job"]
    for name in names:
        await stalled(manager, name)
    await manager.create_job("waits", JobConfig(sweep_type="trivial", n=5), job_id="fourth-job")
    told = []
    done = await manager.recover(at_once=at_once, tell=told.append)
    assert [each.job_id for each in done] == names
    assert {(each.action, each.state) for each in done} == {("recovered", "completed")}
    assert len(told) == 6
    for name in names:
        assert (await manager.exact(name)).completed_runs == 50
    assert (await manager.exact("fourth-job")).status is JobStatus.PENDING


async def test_nothing_is_done_where_nothing_is_stalled(manager):
    assert await manager.recover() == []


async def test_a_job_that_cannot_go_on_does_not_keep_the_others(manager, monkeypatch):
    broken = await stalled(manager, "broken-job")
    await stalled(manager, "good-job")
    folder = manager.settings.out_dir / broken.job_id
    shutil.rmtree(folder)
    folder.write_text("in the way of the job's folder")
    first, second = await manager.recover()
    assert (first.action, first.state) == ("refused", "stalled")
    assert "cannot be written" in first.reason
    assert (second.action, second.state) == ("recovered", "completed")


async def test_a_job_that_kills_its_worker_again_is_told_of_and_not_tried_for_ever(manager):
    config = JobConfig(sweep_type="reckless", n=20, faults={3: "exit"})
    await stalled(manager, "deadly-job", config)
    (done,) = await manager.recover()
    assert (done.action, done.state) == ("recovered", "stalled")
    assert "Its new worker has died as well" in done.reason


async def test_how_many_at_once_is_checked(manager):
    with pytest.raises(InvalidInput, match="jobs: got 0; allowed: whole numbers from 1 to 64"):
        await manager.recover(at_once=0)
