"""What the tests of faults have in common: how to start, wait, go on, and compare."""

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil

from bilancio.errors import JobNotFound
from bilancio.jobs import AsyncJobManager, JobStatus
from bilancio.jobs.artifacts.folder import COMPARISON, MANIFEST, RUNS, SUMMARY
from bilancio.jobs.store import packing
from tests.processes import wait_until_ended

ROOT = Path(__file__).parents[2]
NAME = "steady-job"
KILLED = -9
STARTS = {
    "started": {"pending"},
    "resumed": {"failed", "cancelled"},
    "extended": {"completed", "failed", "cancelled"},
    "recovered": {"running"},
}
OF_THE_MOMENT = ("created_at", "completed_at", "started_at", "attempts", "provenance")


def started(config, *n_replicates, **environment):
    """Start a process that creates and starts the job of *config*, or extends it."""
    words = map(json.dumps, (config, *n_replicates))
    return subprocess.Popen(
        [sys.executable, "-m", "tests.faults.starter", NAME, *words],
        cwd=ROOT,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def asked(config):
    """Start a process that has an MCP server create and start the job of *config*."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.faults.asker", "start", NAME, json.dumps(config)],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def finished(process):
    """Wait for the process and return how it and its worker ended, and what it complained of."""
    out, err = process.communicate(timeout=110)  # the first may compile
    worker = [int(line.split()[1]) for line in out.splitlines() if line.startswith("worker")]
    return process.returncode, *(worker or [None]), err


async def carried_on(manager, config):
    """Start and resume the job until it is completed, as a patient user would."""
    while True:
        try:
            job = await last_seen(manager)
        except JobNotFound:
            job = await manager.create_job("try", config, job_id=NAME)
        if job.status is JobStatus.COMPLETED:
            return job
        if job.status is not JobStatus.RUNNING or job.stalled:
            await manager.start_sweep(NAME)


async def last_seen(manager):
    """Wait until the job has ended or stalled; return it as it is then."""
    async for progress in manager.watch(NAME):
        job = progress.job
    return job


async def until_recorded(manager, runs):
    """Wait until that many runs are recorded, and return the worker's process."""
    async for progress in manager.watch(NAME):
        if progress.done_runs >= runs and progress.job.holder.pid:
            return psutil.Process(progress.job.holder.pid)
    raise AssertionError((await manager.get_job(NAME)).error)


async def until_gone(*processes):
    assert await asyncio.to_thread(wait_until_ended, processes) == []


@dataclass(frozen=True)
class Outcome:
    """All that a job leaves behind, but what belongs to the moment."""

    runs: list
    metrics: bytes
    files: dict
    manifest: dict


async def outcome(manager):
    job = await manager.exact(NAME)
    store = await manager.store()
    indices, metrics = packing.join(await store.chunks(NAME), NAME)
    manifest = json.loads((job.folder / MANIFEST).read_text())
    for key in OF_THE_MOMENT:
        del manifest[key]
    return Outcome(
        runs=indices.tolist(),
        metrics=metrics.tobytes(),
        files={
            name: (job.folder / name).read_bytes()
            for name in (RUNS, COMPARISON, SUMMARY)
            if (job.folder / name).exists()
        },
        manifest=manifest,
    )


async def undisturbed(config, folder):
    """Return what the job leaves behind that nobody disturbs."""
    async with AsyncJobManager(str(folder / "s.db"), out_dir=folder / "out") as manager:
        await manager.create_job("try", config, job_id=NAME)
        await manager.run_job(NAME)
        return await outcome(manager)


async def assert_sound(manager):
    """Nothing is damaged, no run counted twice, and the events tell what the job is."""
    store = await manager.store()
    assert await store.integrity_errors() == []
    for page in [await manager.list_jobs(limit=1000)]:
        for job in page.jobs:
            events = await manager.events(job.job_id)
            assert [event.seq for event in events] == list(range(1, len(events) + 1))
            assert replayed(events) == stored(job)
            ranges = await store.recorded(job.job_id)
            assert job.completed_runs == sum(last - first + 1 for first, last in ranges)
            assert job.failed_runs == len(await store.failed_runs(job.job_id))


def stored(job):
    return (job.status.value, job.completed_runs, job.failed_runs, job.attempts, job.error)


def replayed(events):
    """Tell status, counters and attempts from the events alone."""
    status, completed, failed, attempts, error = "", 0, 0, 0, None
    for event in events:
        kind, details = event.event_type.value, event.details
        if kind == "progress":
            completed += details.get("completed", 1)
            failed += details.get("failed", 0) - details.get("retried", 0)
        elif kind in STARTS:
            assert status in STARTS[kind]
            status, attempts, error = "running", attempts + 1, None
        elif kind == "created":
            status = "pending"
        else:
            assert status == "running" or kind == "cancelled"
            status, error = kind, details.get("error")
    return status, completed, failed, attempts, error


def can_write_at_once(path):
    """Tell whether another connection gets the database to itself without waiting."""
    other = sqlite3.connect(path, timeout=0, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        other.execute("ROLLBACK")
    except sqlite3.OperationalError:
        return False
    finally:
        other.close()
    return True
