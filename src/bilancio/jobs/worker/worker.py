"""Carry a job out: take up its lease, compute what is missing, record it, finish.

The worker ends with its job; when its lease is lost, or it is told to stop, it leaves without
waiting for what is in flight, which the next worker computes again.
"""

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bilancio.errors import BilancioError, JobNotFound, LeaseLost
from bilancio.executors.local import LocalExecutor, Outcome
from bilancio.experiments import registry
from bilancio.experiments.configs import SweepConfig
from bilancio.experiments.protocol import SearchingExperiment, Step, searching
from bilancio.failpoints import failpoint
from bilancio.jobs.artifacts import tables
from bilancio.jobs.artifacts.manifest import provenance
from bilancio.jobs.clock import Clock
from bilancio.jobs.models import InFlightBatch, Job, JobStatus, Lease
from bilancio.jobs.store import JobStore, packing
from bilancio.jobs.store.store import Chunk
from bilancio.jobs.worker.batching import (
    FIRST_CHUNK,
    FIRST_CHUNK_IN_PROCESS,
    BatchSizer,
    missing,
    ranges,
    split_off_suspects,
)
from bilancio.jobs.worker.lock_file import WorkerLock, remove_stale
from bilancio.settings import Settings

WATCH_S = 0.4
DEATHS_TO_ISOLATE = 2

log = logging.getLogger("bilancio.worker")


class Stopped(BilancioError):
    """The worker was told to leave; what is recorded stays, the rest is for the next one."""

    def __init__(self, job_id: str) -> None:
        super().__init__(job_id)
        self.job_id = job_id

    def __str__(self) -> str:
        return f"The worker of job {self.job_id} was stopped; it can be resumed."


class TooManyFailures(BilancioError):
    """So many runs failed that the rest is not worth the time."""

    def __init__(self, failed: int) -> None:
        super().__init__(failed)
        self.failed = failed

    def __str__(self) -> str:
        return f"{self.failed} runs failed."


class Worker:
    """One attempt at a job, under one lease."""

    def __init__(self, store: JobStore, lease: Lease, settings: Settings) -> None:
        self._store = store
        self._lease = lease
        self._settings = settings
        self._clock: Clock = store.clock
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """Ask the worker to leave at once."""
        self._stop.set()

    async def run(self) -> JobStatus:
        """Carry the job out and return how it ended.

        Raises
        ------
        LeaseLost
            Somebody else has the job, or it was cancelled.
        Stopped
            `stop` was called.
        """
        mine = self._store.worker_lock(self._lease.job_id, self._lease.fence)
        sign = WorkerLock(mine)
        await self._acquire(sign)
        signs = self._store.worker_locks(self._lease.job_id)
        remove_stale(each for each in signs if each != mine)
        watching = asyncio.ensure_future(self._watch(sign))
        working = asyncio.ensure_future(self._work())
        try:
            await asyncio.wait({watching, working}, return_when=asyncio.FIRST_COMPLETED)
            return working.result() if working.done() else watching.result()
        finally:
            for task in (working, watching):
                task.cancel()
            await asyncio.wait({watching, working})
            if self._stop.is_set():
                with contextlib.suppress(BilancioError):  # what was in flight did not kill it
                    await self._store.note_in_flight(self._lease, [])
            sign.release()

    async def _acquire(self, sign: WorkerLock) -> None:
        """Show life; somebody who only looks holds the lock for a moment."""
        while not sign.acquire():
            await self._store.renew(self._lease, self._settings.lease_s)
            await asyncio.sleep(WATCH_S / 4)
        sign.heartbeat(self._settings.lease_s)

    async def _watch(self, sign: WorkerLock) -> JobStatus:
        """Keep the lease; raise as soon as it is lost or the worker is to leave."""
        renewed = time.monotonic()
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), WATCH_S)
            if self._stop.is_set():
                raise Stopped(self._lease.job_id)
            if time.monotonic() - renewed > self._settings.lease_s / 3:
                await self._store.renew(self._lease, self._settings.lease_s)
                renewed = time.monotonic()
            elif not await self._store.holds(self._lease):
                raise LeaseLost(self._lease.job_id, self._lease.worker_id)
            sign.heartbeat(self._settings.lease_s)

    async def _work(self) -> JobStatus:
        try:
            return await self._compute_and_finish()
        except LeaseLost:
            raise
        except Exception as error:
            log.exception("the job failed")
            await self._store.end(
                self._lease, JobStatus.FAILED, error=f"{type(error).__name__}: {error}"
            )
            await self._write_manifest()
            return JobStatus.FAILED

    async def _compute_and_finish(self) -> JobStatus:
        lease = self._lease
        failpoint("worker-started")
        facts = await asyncio.to_thread(provenance, Path.cwd())
        await self._store.confirm(
            lease,
            pid=os.getpid(),
            host=facts["host"],
            provenance=facts,
            lease_s=self._settings.lease_s,
        )
        failpoint("lease-confirmed")
        job = await self._job()
        await asyncio.to_thread(tables.make_folder, job.folder)
        await self._write_manifest()
        experiment = registry.experiment(job.config.sweep_type)
        log.info("job %s: %d runs, %d done", job.job_id, job.total_runs, job.completed_runs)
        await asyncio.to_thread(experiment.prepare)
        executor = LocalExecutor(self._settings.workers, run_timeout_s=job.config.run_timeout_s)
        try:
            async for config, gaps in self._rounds(job):
                await self._compute(job, config, executor, gaps)
        except TooManyFailures as error:
            log.info("stopped early: %s", error)
        finally:
            executor.close()
        return await self._finish()

    async def _rounds(self, job: Job) -> AsyncIterator[tuple[SweepConfig, list[tuple[int, int]]]]:
        """Yield what is missing of the runs known from the start, then each step of a search.

        With the runs comes the configuration that `compute` takes for them. A run of a search
        that fails is not asked for again in this attempt, and its search stays unfinished.
        """
        recorded = await self._store.recorded(job.job_id)
        if gaps := missing(recorded, job.config.fixed_runs):
            yield job.config, gaps
        search = searching(registry.experiment(job.config.sweep_type), job.config)
        asked = np.empty(0, np.int64)
        while search is not None:
            stored = await self._store.chunks(job.job_id, job.config.fixed_runs)
            step = await asyncio.to_thread(next_step, search, job, stored)
            if step is None:
                return
            todo = np.setdiff1d(step.indices, asked)
            if not len(todo):
                return
            asked = np.union1d(asked, todo)
            yield step.config, ranges(todo)

    async def _compute(
        self,
        job: Job,
        config: SweepConfig,
        executor: LocalExecutor,
        gaps: list[tuple[int, int]],
    ) -> None:
        """Keep all cores busy; record each batch when it is done, in whatever order.

        Batches that workers have died over go first, by themselves; after two deaths in a
        process, where what is wrong with them hurts nobody else.
        """
        experiment = registry.experiment(job.config.sweep_type)
        rest, suspects = split_off_suspects(gaps, job.in_flight)
        sizer = BatchSizer(
            rest,
            group_size=len(job.config.arms),
            workers=executor.workers,
            first_size=FIRST_CHUNK if experiment.releases_gil else FIRST_CHUNK_IN_PROCESS,
        )
        in_flight: dict[asyncio.Future[Outcome], InFlightBatch] = {}

        def choose() -> dict[InFlightBatch, NDArray[np.int64]]:
            """Return what is to compute next; it is noted in the store before it takes off."""
            chosen: dict[InFlightBatch, NDArray[np.int64]] = {}
            while len(in_flight) + len(chosen) < 2 * executor.workers:
                batch, deaths = suspects.pop() if suspects else (sizer.next_batch(), 0)
                if batch is None:
                    break
                chosen[InFlightBatch(int(batch[0]), int(batch[-1]), deaths)] = batch
            return chosen

        def launch(chosen: dict[InFlightBatch, NDArray[np.int64]]) -> None:
            for flight, batch in chosen.items():
                isolated = flight.deaths >= DEATHS_TO_ISOLATE
                future = executor.submit(experiment, config, batch, isolated=isolated)
                in_flight[asyncio.wrap_future(future)] = flight

        chosen = choose()
        await self._store.note_in_flight(self._lease, list(chosen))
        launch(chosen)
        failed = 0
        while in_flight:
            done, _ = await asyncio.wait(in_flight, return_when=asyncio.FIRST_COMPLETED)
            landed = {each: in_flight.pop(each) for each in done}
            for each in done:
                outcome = each.result()
                sizer.observe(len(outcome.indices) + len(outcome.failures), outcome.compute_s)
            chosen = choose()
            for each in done:
                del landed[each]
                await self._record(
                    job, each.result(), [*in_flight.values(), *landed.values(), *chosen]
                )
                failed += len(each.result().failures)
            if failed >= job.config.max_failures:
                raise TooManyFailures(failed)
            launch(chosen)

    async def _record(self, job: Job, outcome: Outcome, in_flight: list[InFlightBatch]) -> None:
        stored = await asyncio.to_thread(
            packing.split, outcome.indices, outcome.metrics, outcome.compute_s
        )
        failpoint("before-record")
        await self._store.record(
            self._lease,
            stored,
            outcome.failures,
            progress_details(job, outcome),
            compute_s=outcome.compute_s,
            lease_s=self._settings.lease_s,
            in_flight=in_flight,
        )
        failpoint("after-record")

    async def _finish(self) -> JobStatus:
        """Summarise, write the files, and only then say that the job has ended."""
        job = await self._job()
        failed = await self._store.failed_runs(job.job_id, limit=1)
        status = JobStatus.FAILED if failed else JobStatus.COMPLETED
        if status is JobStatus.COMPLETED and job.config.searches:  # what it needed is all there is
            job = job.model_copy(update={"total_runs": job.completed_runs})
        error = None
        if failed:
            error = failure_words(job, failed)
        summary = await summarise(self._store, job)
        ended = job.model_copy(
            update={
                "status": status,
                "completed_at": self._clock(),
                "summary": summary,
                "error": error,
            }
        )
        failpoint("before-files")
        await tables.write_files(self._store, ended)
        failpoint("before-end")
        await self._store.end(
            self._lease, status, summary=summary, error=error, moment=ended.completed_at
        )
        failpoint("after-end")
        log.info("job %s: %s", job.job_id, status.value)
        return status

    async def _write_manifest(self) -> None:
        await tables.write_job_manifest(self._store, await self._job())

    async def _job(self) -> Job:
        job = await self._store.job(self._lease.job_id)
        if job is None:
            raise JobNotFound(self._lease.job_id)
        return job


def next_step(search: SearchingExperiment, job: Job, stored: list[Chunk]) -> Step | None:
    """Return what a search does next, given the runs of it that are stored."""
    return search.next_step(job.config, *packing.join(stored, job.job_id))


def failure_words(job: Job, failed: dict[int, str]) -> str:
    """Say how many runs failed, why the first did, and whether the rest was left."""
    index, reason = next(iter(failed.items()))
    words = (
        f"{job.failed_runs} of {job.total_runs} runs failed; "
        f"the first, {job.run_ids[index]}: {reason}"
    )
    left = job.total_runs - job.completed_runs - job.failed_runs
    if left and job.config.searches:
        words += " (The searches that these runs belong to are not finished.)"
    elif left:
        words += f" ({left} runs were left undone after max_failures {job.config.max_failures}.)"
    return words


async def summarise(store: JobStore, job: Job) -> dict[str, Any]:
    """Return the counts of *job*, and what its experiment makes of the runs recorded so far."""
    counts = {
        "total_runs": job.total_runs,
        "completed_runs": job.completed_runs,
        "failed_runs": job.failed_runs,
    }
    if job.manual or not job.completed_runs:
        return counts
    stored = await store.chunks(job.job_id)
    experiment = registry.experiment(job.config.sweep_type)

    def found() -> dict[str, Any]:
        indices, metrics = packing.join(stored, job.job_id)
        return experiment.summarise(job.config, indices, metrics)

    return counts | await asyncio.to_thread(found)


def progress_details(job: Job, outcome: Outcome) -> dict[str, Any]:
    """Return what the progress event of a batch says."""
    indices = np.concatenate([outcome.indices, np.array(sorted(outcome.failures), np.int64)])
    details: dict[str, Any] = {
        "first": job.run_ids[int(indices.min())],
        "last": job.run_ids[int(indices.max())],
        "completed": len(outcome.indices),
        "failed": len(outcome.failures),
        "compute_s": round(outcome.compute_s, 6),
    }
    if len(indices) == 1:
        details["run_id"] = details["first"]
    if len(outcome.indices):
        name = "metrics" if len(indices) == 1 else "means"
        details[name] = means(outcome.metrics)
    return details


def means(metrics: NDArray[np.void]) -> dict[str, float]:
    """Return the mean of each column of floats over the rows where it is known."""
    found = {}
    for name in metrics.dtype.names or ():
        column = metrics[name]
        if column.dtype.kind == "f":
            known = column[~np.isnan(column)]
            if len(known):
                found[name] = float(known.mean())
    return found
