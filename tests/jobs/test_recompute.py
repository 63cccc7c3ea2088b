"""A job that came without its single runs is computed again when that is asked for."""

import pytest

from bilancio.errors import JobStateError
from bilancio.jobs import AsyncJobManager, JobConfig

pytestmark = pytest.mark.databases

NAME = "bright-ocean-swift-tiger"
CONFIGS = {
    "ring": JobConfig(sweep_type="ring", n_agents=10, kappas=["0.5", "1"], n_replicates=3),
    "balanced": JobConfig(sweep_type="balanced", n_agents=10, kappas=["0.5"], n_replicates=3),
}


@pytest.fixture(params=CONFIGS)
async def cloned(request, manager, tmp_path):
    """A completed job of whose files only those remain that one commits; and its runs."""
    config = CONFIGS[request.param]
    job = await manager.create_job("for the paper", config, job_id=NAME)
    job = await manager.run_job(NAME)
    (job.folder / "runs.csv").unlink()
    async with AsyncJobManager(str(tmp_path / "empty.db")) as other:
        yield other, list(await manager.runs(NAME))


async def test_a_job_without_its_runs_is_recomputed_when_asked_to(cloned):
    other, runs = cloned
    with pytest.raises(JobStateError, match="single runs are not: they can be recomputed"):
        await other.start_sweep(NAME)
    before = await other.results(NAME)
    job = await other.run_job(NAME, recompute=True)
    assert (job.state, job.completed_runs, job.failed_runs) == ("completed", len(runs), 0)
    assert list(await other.runs(NAME)) == runs
    assert (await other.results(NAME)).summary == before.summary
    assert (await other.doctor()).healthy
    with pytest.raises(JobStateError, match=r"Its results are stored\.$"):
        await other.run_job(NAME, recompute=True)


async def test_a_recomputed_job_took_as_long_as_it_was_computed_here(cloned):
    other, _ = cloned
    imported = await other.progress(NAME)
    job = await other.run_job(NAME, recompute=True)
    assert job.started_at > imported.job.completed_at
    progress = await other.progress(NAME)
    assert 0 < progress.elapsed_s <= (job.completed_at - job.started_at).total_seconds()


async def test_a_worker_recomputes_it_too(cloned):
    other, runs = cloned
    started = await other.start_sweep(NAME, recompute=True)
    assert started.action == "resumed"
    assert (await other.wait(NAME)).state == "completed"
    assert list(await other.runs(NAME)) == runs


async def test_a_job_that_has_its_runs_is_not_computed_again(manager, small):
    job = await manager.create_job("try", small)
    await manager.run_job(job.job_id)
    before = list(await manager.runs(job.job_id))
    with pytest.raises(JobStateError, match=r"Its results are stored\.$"):
        await manager.start_sweep(job.job_id, recompute=True)
    assert list(await manager.runs(job.job_id)) == before


async def test_asking_for_it_where_nothing_is_missing_starts_a_job_as_usual(manager, small):
    job = await manager.create_job("try", small)
    assert (await manager.run_job(job.job_id, recompute=True)).state == "completed"
