"""Jobs on a Dask cluster of real processes, which are killed; one worker records."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import distributed
import psutil
import pytest

from bilancio.errors import ExecutorUnavailable, InvalidInput, LibraryMissing
from bilancio.jobs import AsyncJobManager, JobConfig, JobManager
from tests.executors.cluster import Cluster
from tests.faults.kit import ROOT, assert_sound
from tests.jobs.test_worker import gated, until, until_gone, until_recorded, values

pytestmark = [
    pytest.mark.slow,
    pytest.mark.faults,
    pytest.mark.timeout(240),
    # A cluster that starts within a test would end with it.
    pytest.mark.usefixtures("cluster", "plugins"),
]

ALL_VALUES = (list(range(1000)), [2.0 * each for each in range(1000)])


@pytest.fixture(scope="module")
def cluster():
    cluster = Cluster()
    yield cluster
    cluster.end()


@pytest.fixture
def own_cluster(request):
    """A cluster that the test may kill; its parameter is how many workers it has."""
    cluster = Cluster(getattr(request, "param", 2))
    yield cluster
    cluster.end()


@pytest.fixture
async def manager(monkeypatch, request, cluster):
    if "own_cluster" in request.fixturenames:
        cluster = request.getfixturevalue("own_cluster")
    monkeypatch.setenv("BILANCIO_DASK_ADDRESS", cluster.address)
    async with AsyncJobManager(executor="dask") as manager:
        yield manager


@pytest.fixture
def gate(isolated):
    return isolated / "gate"


@pytest.mark.parametrize(
    "config",
    [
        {"sweep_type": "balanced", "n_agents": 10, "kappas": ["0.3", "1"], "seeds": [1, 2]},
        {"sweep_type": "ring", "n_agents": 10, "frontier": True, "kappa_range": "0.2:20"},
    ],
    ids=["grid", "search"],
)
async def test_a_job_on_a_cluster_writes_the_tables_that_one_on_this_machine_writes(
    manager, config
):
    there = await manager.create_job("there", JobConfig(**config), job_id="job-there")
    await manager.start_sweep(there.job_id)
    there = await until(manager, there.job_id, "completed", "failed", "stalled")
    assert (there.state, there.error, there.executor) == ("completed", None, "dask")
    async with AsyncJobManager(executor="local") as local:
        here = await local.create_job("here", JobConfig(**config), job_id="job-here")
        here = await local.run_job(here.job_id)
    assert here.executor == "local"
    assert here.summary == there.summary
    for name in ("cells.csv", "summary.json"):
        assert _nameless(there.folder / name) == _nameless(here.folder / name)


def _nameless(file):
    return file.read_text().replace("job-there", "").replace("job-here", "")


async def test_cancel_frees_the_cluster_for_other_jobs(manager, gate):
    """Runs that would wait at the gate for ever compute on both of its workers."""
    job = await manager.create_job("try", gated(gate, "busy", n=60, first=2))
    await manager.start_sweep(job.job_id)
    process = await until_recorded(manager, job.job_id, 2)
    assert (await manager.cancel_job(job.job_id)).state == "cancelled"
    await until_gone(process)
    other = await manager.create_job("other", JobConfig(sweep_type="faulty", n=20))
    await manager.start_sweep(other.job_id)
    assert (await until(manager, other.job_id, "completed", "failed", "stalled")).error is None
    gate.touch()
    await manager.start_sweep(job.job_id)
    job = await until(manager, job.job_id, "completed", "failed", "stalled")
    assert job.error is None
    assert (await values(manager, job))[0] == list(range(60))


async def test_a_killed_coordinator_is_resumed_to_the_same_results(manager, gate):
    job = await manager.create_job("try", gated(gate))
    await manager.start_sweep(job.job_id)
    process = await until_recorded(manager, job.job_id, 1)
    process.kill()
    await until_gone(process)
    assert (await manager.get_job(job.job_id)).state == "stalled"
    gate.touch()
    assert (await manager.start_sweep(job.job_id)).action == "recovered"
    job = await until(manager, job.job_id, "completed", "failed", "stalled")
    assert await values(manager, job) == ALL_VALUES


async def test_a_killed_dask_worker_costs_nothing_and_a_new_one_is_used(own_cluster, manager, gate):
    job = await manager.create_job("try", gated(gate))
    await manager.start_sweep(job.job_id)
    await until_recorded(manager, job.job_id, 1)
    for each in list(own_cluster.workers):
        each.kill()
    own_cluster.add_worker()
    gate.touch()
    job = await until(manager, job.job_id, "completed", "failed", "stalled")
    assert (job.error, job.attempts, job.failed_runs) == (None, 1, 0)
    assert await values(manager, job) == ALL_VALUES


@pytest.mark.nightly
async def test_a_batch_that_loses_one_dask_worker_after_another_is_computed_by_the_next(
    own_cluster, manager, gate
):
    """A run cannot kill one from a process of its own: such workers were taken away."""
    job = await manager.create_job("try", gated(gate))
    await manager.start_sweep(job.job_id)
    await until_recorded(manager, job.job_id, 1)
    for _ in range(3):
        await until_busy(own_cluster)
        for each in own_cluster.workers:
            each.kill()
        own_cluster.add_worker()
    gate.touch()
    job = await until(manager, job.job_id, "completed", "failed", "stalled")
    assert (job.error, job.attempts, job.failed_runs) == (None, 1, 0)
    assert await values(manager, job) == ALL_VALUES


async def until_busy(cluster):
    """Wait until a worker that the scheduler knows of has a batch."""
    async with distributed.Client(cluster.address, asynchronous=True) as client:
        while not any((await client.processing()).values()):
            pass


@pytest.mark.parametrize("own_cluster", [0], indirect=True)
async def test_a_job_on_a_cluster_without_workers_says_so_and_can_be_cancelled(
    own_cluster, manager, gate
):
    gate.touch()
    job = await manager.create_job("try", gated(gate))
    for _ in range(2):
        await manager.start_sweep(job.job_id)
        waiting = await until_waiting(manager, job.job_id)
        process = psutil.Process(waiting.job.holder.pid)
        assert waiting.waiting == f"the Dask cluster {own_cluster.address} has no workers"
        assert waiting.waiting in (job.folder / "worker.log").read_text()
        assert (await manager.cancel_job(job.job_id)).state == "cancelled"
        await until_gone(process)
    await manager.start_sweep(job.job_id)
    await until_waiting(manager, job.job_id)
    own_cluster.add_worker()
    job = await until(manager, job.job_id, "completed", "failed", "stalled")
    assert job.error is None
    assert (await manager.progress(job.job_id)).waiting == ""
    assert await values(manager, job) == ALL_VALUES
    await assert_sound(manager)


async def until_waiting(manager, job_id):
    async for progress in manager.watch(job_id):
        if progress.waiting and progress.job.holder.pid:
            return progress
    raise AssertionError((await manager.get_job(job_id)).error)


async def test_a_job_whose_scheduler_dies_fails_and_is_resumed_by_another_executor(
    own_cluster, manager, gate
):
    job = await manager.create_job("try", gated(gate))
    await manager.start_sweep(job.job_id)
    process = await until_recorded(manager, job.job_id, 1)
    own_cluster.scheduler.kill()
    failed = await until(manager, job.job_id, "failed")
    await until_gone(process)
    assert f"The dask executor cannot compute: its scheduler at {own_cluster.address}" in (
        failed.error
    )
    assert failed.failed_runs == 0
    gate.touch()
    async with AsyncJobManager(executor="local") as here:
        job = await here.run_job(job.job_id)
    assert (job.state, job.executor) == ("completed", "local")
    assert await values(manager, job) == ALL_VALUES


async def test_what_cannot_be_opened_is_refused_before_anything_is_stored(monkeypatch, small):
    monkeypatch.setenv("BILANCIO_DASK_ADDRESS", "localhost")
    refused = {
        "dask": (InvalidInput, "BILANCIO_DASK_ADDRESS: got 'localhost'; allowed: the address"),
        "slurm": (ExecutorUnavailable, "executor: got 'slurm'; allowed: local, dask, modal"),
    }
    for name, (kind, said) in refused.items():
        async with AsyncJobManager(executor=name) as manager:
            with pytest.raises(kind, match=said):
                await manager.create_job("try", small)
            assert (await manager.list_jobs()).total == 0


async def test_without_the_library_the_error_names_the_extra(monkeypatch, small):
    monkeypatch.setenv("BILANCIO_EXECUTOR", "dask")
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    async with AsyncJobManager() as manager:
        with pytest.raises(LibraryMissing, match=r"needs distributed, .*(o\[|--extra )dask"):
            await manager.create_job("try", small)
        assert (await manager.list_jobs()).total == 0


@pytest.mark.nightly
@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_the_batch_script_for_several_nodes_carries_a_job_out(isolated, monkeypatch):
    """SLURM is not here: srun starts one node, and the variables are those that it would set."""
    srun = isolated / "srun"
    srun.write_text('#!/bin/sh\nexec "$@"\n')
    srun.chmod(0o755)
    path = os.pathsep.join([str(isolated), str(Path(sys.executable).parent), os.environ["PATH"]])
    monkeypatch.setenv("PATH", path)
    monkeypatch.delenv("BILANCIO_PLUGINS")
    monkeypatch.setenv("SLURM_JOB_ID", str(os.getpid()))
    monkeypatch.setenv("SLURM_CPUS_PER_TASK", "2")
    with JobManager() as manager:
        job = manager.create_job("try", {"sweep_type": "ring", "n_replicates": 2000})
        script = ROOT / "examples" / "team" / "cluster.sbatch"
        with (isolated / "out.txt").open("w") as out:
            done = subprocess.run(["bash", script, job.job_id], stdout=out, stderr=out, check=False)
        assert done.returncode == 0, (isolated / "out.txt").read_text()
        job = manager.get_job(job.job_id)
    assert (job.state, job.executor, job.completed_runs) == ("completed", "dask", 2000)
