"""Real worker processes: started, killed, stopped, cancelled, resumed."""

import asyncio
import json
import os
import signal
import threading
from datetime import timedelta
from pathlib import Path

import numpy as np
import psutil
import pytest

from bilancio import machine
from bilancio.errors import JobStateError, LeaseLost
from bilancio.jobs import AsyncJobManager, JobConfig, JobStatus
from bilancio.jobs.artifacts import manifest
from bilancio.jobs.store import packing
from bilancio.jobs.store.reading import Questions
from bilancio.jobs.worker import dispatch
from tests.night import nightly

pytestmark = [pytest.mark.timeout(120), pytest.mark.usefixtures("plugins")]


@pytest.fixture
async def manager():
    async with AsyncJobManager() as manager:
        yield manager


@pytest.fixture
def gate(isolated):
    return isolated / "gate"


def gated(gate, kind="gated", n=1000, first=500):
    return JobConfig(sweep_type=kind, n=n, gate=first, file=str(gate))


async def until_recorded(manager, job_id, runs):
    """Wait until that many runs are recorded, and return the worker's process."""
    async for progress in manager.watch(job_id):
        if progress.done_runs >= runs and progress.job.holder.pid:
            return psutil.Process(progress.job.holder.pid)
    raise AssertionError((await manager.get_job(job_id)).error)


async def until(manager, job_id, *states):
    while True:
        async for progress in manager.watch(job_id):
            if progress.job.state in states:
                return progress.job


async def until_gone(process):
    await asyncio.to_thread(psutil.wait_procs, [process], 20)
    assert not process.is_running()


async def values(manager, job):
    indices, metrics = packing.join(await (await manager.store()).chunks(job.job_id), job.job_id)
    return indices.tolist(), metrics["value"].tolist()


async def test_a_sweep_is_carried_out_by_a_process_of_its_own(manager, gate):
    job = await manager.create_job("try", gated(gate))
    started = await manager.start_sweep(job.job_id)
    assert (started.action, started.job.status) == ("started", JobStatus.RUNNING)
    process = await until_recorded(manager, job.job_id, 1)
    assert process.pid != os.getpid()
    assert os.getsid(process.pid) == process.pid != os.getsid(0)
    gate.touch()
    job = await until(manager, job.job_id, "completed")
    assert job.summary["sum"] == 999_000
    assert await values(manager, job) == (list(range(1000)), [2.0 * n for n in range(1000)])
    await until_gone(process)


async def test_a_worker_holds_no_pipe_of_its_parent(manager, gate):
    job = await manager.create_job("try", gated(gate))
    await manager.start_sweep(job.job_id)
    process = await until_recorded(manager, job.job_id, 1)
    links = [str(Path(f"/proc/{process.pid}/fd/{each}").readlink()) for each in (0, 1, 2)]
    assert links == ["/dev/null", str(job.folder / "worker.log"), str(job.folder / "worker.log")]
    gate.touch()
    await until_gone(process)


async def test_a_killed_worker_is_seen_at_once_and_the_job_goes_on_where_it_was(manager, gate):
    job = await manager.create_job("try", gated(gate))
    await manager.start_sweep(job.job_id)
    process = await until_recorded(manager, job.job_id, 100)
    process.kill()
    await until_gone(process)
    stalled = await manager.get_job(job.job_id)
    assert stalled.state == "stalled"
    kept = stalled.completed_runs
    assert 0 < kept < 1000
    gate.touch()
    assert (await manager.start_sweep(job.job_id)).action == "recovered"
    job = await until(manager, job.job_id, "completed")
    events = await manager.events(job.job_id)
    recorded_after = sum(
        event.details["completed"]
        for event in events[[e.event_type.value for e in events].index("recovered") :]
        if event.event_type.value == "progress"
    )
    assert recorded_after == 1000 - kept
    assert await values(manager, job) == (list(range(1000)), [2.0 * n for n in range(1000)])
    assert job.attempts == 2


async def test_a_worker_and_its_processes_share_the_cores_out_to_linear_algebra(
    manager, gate, monkeypatch
):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    job = await manager.create_job("try", gated(gate))
    await manager.start_sweep(job.job_id)
    worker = await until_recorded(manager, job.job_id, 100)
    share = str(max(machine.cores() // (manager.settings.workers or machine.cores()), 1))
    threads = [each.environ()["OMP_NUM_THREADS"] for each in [worker, *worker.children()]]
    assert threads == [share] * len(threads)
    gate.touch()
    await until(manager, job.job_id, "completed")


async def test_sigterm_leaves_at_once_and_the_job_can_be_resumed(manager, gate):
    job = await manager.create_job("try", gated(gate))
    await manager.start_sweep(job.job_id)
    process = await until_recorded(manager, job.job_id, 100)
    process.send_signal(signal.SIGTERM)
    await until_gone(process)
    assert (await manager.get_job(job.job_id)).state == "stalled"
    assert "can be resumed" in (job.folder / "worker.log").read_text()
    gate.touch()
    await manager.start_sweep(job.job_id)
    await until(manager, job.job_id, "completed")


@pytest.mark.parametrize("kind", ["gated", "busy"])
async def test_cancel_stops_the_worker_and_keeps_the_results(manager, gate, kind):
    job = await manager.create_job("try", gated(gate, kind))
    await manager.start_sweep(job.job_id)
    process = await until_recorded(manager, job.job_id, 1)
    children = process.children(recursive=True)
    cancelled = await manager.cancel_job(job.job_id)
    assert cancelled.status is JobStatus.CANCELLED
    await until_gone(process)
    for child in children:
        await until_gone(child)
    kept = (await manager.get_job(job.job_id)).completed_runs
    assert kept >= cancelled.completed_runs > 0
    assert json.loads((job.folder / "job_manifest.json").read_text())["status"] == "cancelled"
    gate.touch()
    assert (await manager.start_sweep(job.job_id)).action == "resumed"
    job = await until(manager, job.job_id, "completed")
    assert (await values(manager, job))[0] == list(range(1000))


async def test_busy_pool_processes_end_with_a_killed_worker(manager, gate):
    job = await manager.create_job("try", gated(gate, "busy", n=60, first=4))
    await manager.start_sweep(job.job_id)
    process = await until_recorded(manager, job.job_id, 1)
    children = process.children(recursive=True)
    assert children
    process.kill()
    for each in (process, *children):
        await until_gone(each)


async def test_a_folder_lost_during_the_run_fails_the_job_and_costs_no_run(manager, gate):
    job = await manager.create_job("try", gated(gate))
    await manager.start_sweep(job.job_id)
    process = await until_recorded(manager, job.job_id, 1)
    kept = job.folder.rename(job.folder.with_name("kept"))
    job.folder.write_text("in the way")
    gate.touch()
    failed = await until(manager, job.job_id, "failed")
    await until_gone(process)
    assert (failed.completed_runs, failed.failed_runs) == (1000, 0)
    assert f"{job.folder} cannot be written" in failed.error
    job.folder.unlink()
    kept.rename(job.folder)
    assert (await manager.run_job(job.job_id)).status is JobStatus.COMPLETED


async def test_two_starts_at_once_start_one_worker(manager, gate):
    job = await manager.create_job("try", gated(gate))
    async with AsyncJobManager() as other:
        started = await asyncio.gather(
            *(each.start_sweep(job.job_id) for each in (manager, other, manager, other))
        )
    assert sorted(each.action for each in started) == ["already running"] * 3 + ["started"]
    gate.touch()
    await until(manager, job.job_id, "completed")
    kinds = [event.event_type.value for event in await manager.events(job.job_id)]
    assert kinds.count("started") == 1
    assert "recovered" not in kinds


async def test_each_kind_of_failure_costs_only_its_run(manager):
    faults = {3: "raise", 17: "exit", 40: "segfault", 41: "few", 50: "text", 59: "objects"}
    config = JobConfig(sweep_type="faulty", n=60, faults=faults)
    job = await manager.create_job("try", config)
    await manager.start_sweep(job.job_id)
    job = await until(manager, job.job_id, "failed")
    assert (job.completed_runs, job.failed_runs) == (54, 6)
    assert "6 of 60 runs failed; the first, faulty_passive_" in job.error
    failed = await (await manager.store()).failed_runs(job.job_id)
    assert failed.keys() == faults.keys()
    assert failed[3].startswith("ArithmeticError: run 3 has no solution (tests/plugins/")
    assert failed[17] == "ChildProcessError: its process died (exit code 3)"
    assert "SIGSEGV" in failed[40]
    assert "returned (0,) rows for 1 runs" in failed[41]
    assert "returned str, not a table" in failed[50]
    assert "metrics that are not numbers" in failed[59]
    indices, _ = await values(manager, job)
    assert indices == [each for each in range(60) if each not in faults]
    assert (job.folder / "failed_runs.csv").read_text().count("\n") == 7
    rows = await manager.runs(job.job_id, status="failed")
    assert [row["index"] for row in rows] == sorted(faults)


async def test_a_hanging_run_is_stopped_after_its_time(manager, monkeypatch):
    monkeypatch.setattr("bilancio.executors.local.SLACK_S", 1.0)
    config = JobConfig(sweep_type="faulty", n=3, faults={1: "hang"}, run_timeout_s=0.5)
    job = await manager.run_job((await manager.create_job("try", config)).job_id)
    assert (job.completed_runs, job.failed_runs) == (2, 1)
    assert "it took longer than 0.5 s" in job.error


async def test_resuming_a_failed_job_retries_the_failed_runs_only(manager, isolated):
    mended = isolated / "mended"
    config = JobConfig(
        sweep_type="faulty", n=30, faults={3: "raise", 20: "raise"}, mended=str(mended)
    )
    job = await manager.run_job((await manager.create_job("try", config)).job_id)
    assert (job.status, job.failed_runs) == (JobStatus.FAILED, 2)
    mended.touch()
    before = len(await manager.events(job.job_id))
    job = await manager.run_job(job.job_id)
    assert (job.status, job.completed_runs, job.failed_runs) == (JobStatus.COMPLETED, 30, 0)
    after = (await manager.events(job.job_id))[before:]
    assert after[0].event_type.value == "resumed"
    assert sum(event.details.get("completed", 0) for event in after[1:-1]) == 2
    assert (await values(manager, job))[0] == list(range(30))
    assert not (job.folder / "failed_runs.csv").exists()


async def test_results_name_the_first_five_of_the_runs_that_failed(manager):
    config = JobConfig(sweep_type="faulty", n=30, faults=dict.fromkeys(range(3, 17, 2), "raise"))
    job = await manager.run_job((await manager.create_job("try", config)).job_id)
    assert job.failed_runs == 7
    failures = (await manager.results(job.job_id)).failures
    assert list(failures) == [job.run_ids[index] for index in (3, 5, 7, 9, 11)]
    page = await manager.runs(job.job_id, status="failed", limit=3, offset=5)
    assert ([run["index"] for run in page], page.total) == ([13, 15], 7)


async def test_a_hopeless_sweep_stops_early(manager):
    config = JobConfig(
        sweep_type="faulty", n=500, faults=dict.fromkeys(range(500), "raise"), max_failures=5
    )
    job = await manager.run_job((await manager.create_job("try", config)).job_id)
    assert job.status is JobStatus.FAILED
    assert 5 <= job.failed_runs < 500
    assert "left undone after max_failures 5" in job.error


@pytest.mark.parametrize(("max_failures", "goes_on"), [(3, False), (4, True)])
async def test_a_sweep_stops_at_as_many_failures_as_it_allows_and_not_before(
    manager, monkeypatch, max_failures, goes_on
):
    monkeypatch.setenv("BILANCIO_WORKERS", "1")
    config = JobConfig(
        sweep_type="faulty", n=40, faults=dict.fromkeys(range(3), "raise"),
        max_failures=max_failures,
    )  # fmt: skip
    async with AsyncJobManager() as patient:
        job = await patient.run_job((await patient.create_job("try", config)).job_id)
    assert job.failed_runs == 3
    assert (job.completed_runs == 37) is goes_on
    assert ("left undone" in job.error) is not goes_on


async def test_a_living_worker_renews_its_lease_as_another_machine_sees_it(
    manager, gate, monkeypatch
):
    """All other runs wait at the gate, and no lock of this machine is asked."""
    monkeypatch.setenv("BILANCIO_LEASE_S", "1")
    job = await manager.create_job("try", gated(gate))
    async with AsyncJobManager() as here:
        await here.start_sweep(job.job_id)
    await until_recorded(manager, job.job_id, 1)
    monkeypatch.setattr("bilancio.machine.host", lambda: "another-machine")
    first = (await manager.get_job(job.job_id)).holder.expires_at
    renewals = {first}
    while max(renewals) <= first + timedelta(seconds=2):
        seen = await manager.get_job(job.job_id)
        assert seen.state == "running"
        renewals.add(seen.holder.expires_at)
    assert len(renewals) > 2
    gate.touch()


@pytest.mark.parametrize("fault", ["segfault", *nightly("stop its process")])
async def test_a_batch_that_ends_two_workers_is_isolated_and_narrowed_down(manager, fault):
    config = JobConfig(sweep_type="reckless", n=300, faults={137: fault})
    job = await manager.create_job("try", config)
    for action in ("started", "recovered", "recovered"):
        assert (await manager.start_sweep(job.job_id)).action == action
        job = await until(manager, job.job_id, "stalled", "failed")
    assert job.state == "failed"
    assert (job.completed_runs, job.failed_runs) == (299, 1)
    assert list(await (await manager.store()).failed_runs(job.job_id)) == [137]


async def test_results_of_another_engine_are_not_mixed_in(manager, monkeypatch):
    config = JobConfig(sweep_type="faulty", n=5, faults={1: "raise"})
    job = await manager.run_job((await manager.create_job("try", config)).job_id)
    monkeypatch.setattr("tests.plugins.CountingExperiment.version", "counting-2")
    with pytest.raises(JobStateError, match=r"by version counting-1 of faulty; here is counting-2"):
        await manager.start_sweep(job.job_id)


async def test_metrics_survive_as_they_were_computed(manager):
    job = await manager.create_job("try", JobConfig(sweep_type="trivial", n=100_000))
    job = await manager.run_job(job.job_id)
    indices, metrics = packing.join(await (await manager.store()).chunks(job.job_id), job.job_id)
    assert np.array_equal(indices, np.arange(100_000))
    assert np.array_equal(metrics["half"], indices / 2)
    assert np.array_equal(metrics["count"], indices)


async def test_a_manifest_that_is_brought_up_to_date_while_its_job_is_cancelled_says_cancelled(
    manager, small, monkeypatch
):
    """The worker has read the job, and writes after `cancel` has."""
    write, cancelling = dispatch.write_job_manifest, []

    async def write_late(store, job, **how):
        if (await store.job(job.job_id)).status is JobStatus.RUNNING:
            cancelling.append(asyncio.ensure_future(manager.cancel_job(job.job_id)))
            await asyncio.shield(cancelling[0])  # the worker may leave before it has written
        await write(store, job, **how)

    monkeypatch.setattr(dispatch, "MANIFEST_S", 0.0)
    monkeypatch.setattr(dispatch, "write_job_manifest", write_late)
    job = await manager.create_job("cancelled while it runs", small)
    with pytest.raises(LeaseLost):
        await manager.run_job(job.job_id)
    await cancelling[0]
    assert json.loads((job.folder / "job_manifest.json").read_text())["status"] == "cancelled"


async def test_a_worker_that_is_cancelled_while_it_writes_the_manifest_leaves_it_cancelled(
    manager, small, monkeypatch
):
    """A thread writes what the worker has read, and ends after the worker was told to leave."""
    write, holds = manifest.write_manifest, Questions.holds
    begun, told, ended = threading.Event(), threading.Event(), threading.Event()
    cancelled, telling = asyncio.Event(), []

    def write_late(folder, text, **how):
        late = text["status"] == "running" and text["run_counts"]["completed"] > 0
        if late:
            begun.set()
            told.wait(60)
        write(folder, text, **how)
        if late:
            ended.set()

    async def then_tell():
        await cancelled.wait()
        for _ in range(20):  # rounds of the loop, in which the worker is told
            await asyncio.sleep(0)
        told.set()

    async def lost(store, lease):
        found = await holds(store, lease)
        if not found:
            telling.append(asyncio.ensure_future(then_tell()))
        return found

    monkeypatch.setattr(dispatch, "MANIFEST_S", 0.0)
    monkeypatch.setattr(manifest, "write_manifest", write_late)
    monkeypatch.setattr(Questions, "holds", lost)
    job = await manager.create_job("cancelled while it writes", small)
    running = asyncio.ensure_future(manager.run_job(job.job_id))
    await asyncio.to_thread(begun.wait, 60)
    await manager.cancel_job(job.job_id)
    cancelled.set()
    with pytest.raises(LeaseLost):
        await running
    await asyncio.to_thread(ended.wait, 60)
    assert json.loads((job.folder / "job_manifest.json").read_text())["status"] == "cancelled"
