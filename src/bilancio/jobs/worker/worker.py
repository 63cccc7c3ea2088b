"""Carry a job out: take up its lease, compute what is missing, record it, finish.

The worker ends with its job. When its lease is lost, or it is stopped, it leaves without waiting
for what is in flight, which the next worker computes again.
"""

import asyncio
import contextlib
import logging
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NoReturn

import numpy as np

from bilancio.errors import BilancioError, JobNotFound, JobStateError, LeaseLost
from bilancio.executors.base import Executor
from bilancio.executors.registry import open_executor
from bilancio.experiments import registry
from bilancio.experiments.protocol import preparation_s, searching
from bilancio.experiments.reporting import next_step_of
from bilancio.experiments.sweep_config import SweepConfig
from bilancio.failpoints import failpoint
from bilancio.jobs.artifacts import tables
from bilancio.jobs.artifacts.current import bring_up_to_date
from bilancio.jobs.artifacts.formats import formats_of
from bilancio.jobs.artifacts.manifest import write_job_manifest
from bilancio.jobs.artifacts.ownership import make_job_folder
from bilancio.jobs.artifacts.provenance import provenance
from bilancio.jobs.clock import Clock
from bilancio.jobs.models import Job, JobStatus, Lease
from bilancio.jobs.ranges import Ranges, missing, ranges_of
from bilancio.jobs.recorded import searched_rows
from bilancio.jobs.store import JobStore
from bilancio.jobs.threads import in_thread
from bilancio.jobs.versions import address_of, experiment_of, other_version
from bilancio.jobs.worker.dispatch import Dispatcher, TooManyFailures
from bilancio.jobs.worker.finishing import failure_sentence, summarise
from bilancio.jobs.worker.lock_file import WorkerLock, remove_stale
from bilancio.jobs.worker.lots import further_lots
from bilancio.jobs.worker.reporting import write_report
from bilancio.jobs.worker.speed import SpeedMeter
from bilancio.jobs.worker.waiting import tell_waiting
from bilancio.settings import Settings
from bilancio.text import error_text

WATCH_S = 0.4
LEAVE_S = 2.0
PATIENCE_S = 900.0  # a server that is restarted or moved costs no attempt

log = logging.getLogger("bilancio.worker")


class Stopped(BilancioError):
    """The worker was asked to leave before its job ended; what is recorded stays.

    Attributes
    ----------
    exit_code
        Of a process that leaves for this: 128 and the signal's number, as shells have it.
    """

    def __init__(self, job_id: str, number: int) -> None:
        super().__init__(job_id, number)
        self.job_id = job_id
        self.exit_code = 128 + number

    def sentence(self) -> str:
        """Say what happened."""
        return f"The worker of job {self.job_id} was stopped; the job can be resumed."


class Worker:
    """One attempt at a job, under one lease.

    Attributes
    ----------
    heartbeats
        How many heartbeats it has written; constant while its event loop is blocked.
    """

    def __init__(self, store: JobStore, lease: Lease, settings: Settings) -> None:
        self._store = store
        self._lease = lease
        self._settings = settings
        self._clock: Clock = store.clock
        self._stop = asyncio.Event()
        self._signal = signal.SIGTERM
        self._prepares_once = False
        self.heartbeats = 0

    def be_patient(self) -> None:
        """Wait long for a store that does not answer: nothing else is done with it here."""
        self._store.be_patient(PATIENCE_S)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Ask the worker to leave at once, because of this signal."""
        self._signal = number
        self._stop.set()

    async def run(self) -> JobStatus:
        """Carry the job out and return how it ended.

        Raises
        ------
        LeaseLost
            Another worker has the job, or it was cancelled.
        Stopped
            `stop` was called.
        """
        path = self._store.worker_lock(self._lease.job_id, self._lease.fence)
        lock = WorkerLock(path)
        await self._acquire(lock)
        remove_stale(each for each in self._store.worker_locks(self._lease.job_id) if each != path)
        try:
            status = await self._attempt(lock)
            if self._settings.report:
                await self._report(lock)
        except Stopped:
            # Another machine sees no lock of this one: for it the lease has to end.
            with contextlib.suppress(BilancioError, TimeoutError):
                async with asyncio.timeout(LEAVE_S):  # its store may be away
                    await self._store.renew(self._lease, 0.0)
            raise
        except LeaseLost:
            await self._leave_manifest_as_stored()
            raise
        else:
            return status
        finally:
            lock.release()

    async def _attempt(self, lock: WorkerLock) -> JobStatus:
        watching = asyncio.ensure_future(self._watch(lock))
        working = asyncio.ensure_future(self._work())
        try:
            await asyncio.wait({watching, working}, return_when=asyncio.FIRST_COMPLETED)
            return working.result() if working.done() else watching.result()
        finally:
            for task in (working, watching):
                task.cancel()
            await asyncio.wait({watching, working})

    async def _report(self, lock: WorkerLock) -> None:
        """Have the report written; whoever deletes the job waits for that."""
        writing = asyncio.ensure_future(write_report(self._lease.job_id, self._settings))
        while not writing.done():
            await asyncio.wait({writing}, timeout=WATCH_S)
            lock.heartbeat(self._settings.lease_s)
            self.heartbeats += 1
            if self._stop.is_set():
                writing.cancel()

    async def _acquire(self, lock: WorkerLock) -> None:
        """Take the lock; a reader may hold it for a moment."""
        while not lock.acquire():
            await self._store.renew(self._lease, self._settings.lease_s)
            await asyncio.sleep(WATCH_S / 4)
        lock.heartbeat(self._settings.lease_s)

    async def _watch(self, lock: WorkerLock) -> JobStatus:
        """Keep the lease; raise as soon as it is lost or the worker is to leave.

        A store that does not answer keeps it from neither leaving nor giving heartbeats.
        """
        stopping = asyncio.ensure_future(self._stop.wait())
        keeping = asyncio.ensure_future(self._keep_lease())
        watched = {stopping, keeping}
        try:
            while not keeping.done():
                await asyncio.wait(watched, timeout=WATCH_S, return_when=asyncio.FIRST_COMPLETED)
                if self._stop.is_set():
                    raise Stopped(self._lease.job_id, self._signal)
                lock.heartbeat(self._settings.lease_s)
                self.heartbeats += 1
            return keeping.result()
        finally:
            for task in watched:
                task.cancel()
            await asyncio.wait(watched)

    async def _keep_lease(self) -> NoReturn:
        renewed = time.monotonic()
        while True:
            await asyncio.sleep(WATCH_S)
            if time.monotonic() - renewed > self._settings.lease_s / 3:
                await self._store.renew(self._lease, self._settings.lease_s)
                renewed = time.monotonic()
            elif not await self._store.holds(self._lease):
                raise LeaseLost(self._lease.job_id, self._lease.worker_id)

    async def _work(self) -> JobStatus:
        try:
            with contextlib.closing(self._executor(await self._job())) as executor:
                job = await self._begin()
                await self._compute(job, executor)
            return await self._finish()
        except LeaseLost:
            raise
        except Exception as error:
            log.exception("the job failed")
            sentence = str(error) if isinstance(error, BilancioError) else error_text(error)
            await self._store.end(self._lease, JobStatus.FAILED, error=sentence)
            with contextlib.suppress(BilancioError):  # the folder may be what failed
                await self._write_manifest()
            return JobStatus.FAILED

    def _executor(self, job: Job) -> Executor:
        """Return the job's executor, which loads what it needs while the job begins."""
        executor = open_executor(
            self._settings, run_timeout_s=job.config.run_timeout_s, label=job.job_id
        )
        executor.warm_up(experiment_of(job), job.config, job.total_runs - job.completed_runs)
        return executor

    async def _begin(self) -> Job:
        """Confirm the lease, write the first manifest, and warm the experiment."""
        failpoint("worker-started")
        facts = await asyncio.to_thread(provenance, Path())
        facts |= address_of((await self._job()).config.sweep_type)
        await self._store.confirm(
            self._lease,
            pid=os.getpid(),
            host=self._store.host,
            provenance=facts,
            lease_s=self._settings.lease_s,
        )
        failpoint("lease-confirmed")
        job = await self._job()
        await asyncio.to_thread(make_job_folder, job)
        await self._write_manifest()
        log.info("job %s: %d runs, %d done", job.job_id, job.total_runs, job.completed_runs)
        experiment = experiment_of(job)
        job = await self._of_this_version(job, experiment.version)
        self._prepares_once = preparation_s(experiment) > 0
        await in_thread(experiment.prepare)
        return job

    async def _of_this_version(self, job: Job, version: str) -> Job:
        """Return a job that the code loaded here, which may be newer than the start, computes.

        Raises
        ------
        JobStateError
            Results of another version are recorded.
        """
        if version == job.engine:
            return job
        if job.completed_runs:
            raise JobStateError(job.job_id, job.state, "resumed", other_version(job, version))
        await self._store.note_engine(self._lease, version)
        return await self._job()

    async def _compute(self, job: Job, executor: Executor) -> None:
        """Compute and record what is missing; stop early when too many runs fail."""
        await asyncio.to_thread(executor.ready)
        start = await self._store.last_start(job.job_id)
        # A start that compiled says nothing of later ones.
        announced = None if start is None or self._prepares_once else start.timestamp
        shipped = job.config.sweep_type in registry.built_in()
        meter = SpeedMeter(job.config.cost / job.config.total_runs, announced, shipped=shipped)
        dispatcher = Dispatcher(
            self._store, self._lease, job, executor, meter, lease_s=self._settings.lease_s
        )
        telling = asyncio.ensure_future(
            tell_waiting(self._store, self._lease, executor, self._settings.lease_s)
        )
        try:
            async for config, gaps in self._rounds(job):
                await dispatcher.compute(config, gaps)
        except TooManyFailures as error:
            log.info("stopped early: %s", error)
        finally:
            telling.cancel()
            await asyncio.wait({telling})
        await dispatcher.note_speed()

    async def _rounds(self, job: Job) -> AsyncIterator[tuple[SweepConfig, Ranges]]:
        """Yield what is missing of the first runs, then lots of seeds, or steps of a search.

        With the runs comes the configuration that `compute` takes for them. A run of a search
        that fails is not asked for again in this attempt, and its search stays unfinished.
        """
        recorded = await self._store.recorded(job.job_id)
        if gaps := missing(recorded, job.config.first_runs):
            yield job.config, gaps
        async for gaps in further_lots(self._store, job):
            yield job.config, gaps
        search = searching(registry.experiment(job.config.sweep_type), job.config)
        asked = np.empty(0, np.int64)
        while search is not None:
            known = await searched_rows(self._store, job)
            step = await in_thread(next_step_of, search, job.config, *known)
            if step is None:
                return
            todo = np.setdiff1d(step.indices, asked)
            if not len(todo):
                return
            asked = np.union1d(asked, todo)
            yield step.config, ranges_of(todo)

    async def _finish(self) -> JobStatus:
        """Summarise, write the files, and only then record that the job has ended."""
        job = await self._job()
        if job.completed_runs + job.failed_runs < job.total_runs:  # a search needed no more
            await self._store.note_writing(self._lease, self._settings.lease_s)
        failed = await self._store.failed_runs(job.job_id, limit=1)
        status = JobStatus.FAILED if failed else JobStatus.COMPLETED
        if status is JobStatus.COMPLETED and job.config.adaptive:  # what it needed is all there is
            job = job.model_copy(update={"total_runs": job.completed_runs})
        error = failure_sentence(job, failed) if failed else None
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
        await tables.write_files(self._store, ended, formats=formats_of(self._settings))
        failpoint("before-end")
        await self._store.end(
            self._lease, status, summary=summary, error=error, moment=ended.completed_at
        )
        failpoint("after-end")
        log.info("job %s: %s", job.job_id, status.value)
        return status

    async def _write_manifest(self) -> None:
        await write_job_manifest(self._store, await self._job())

    async def _leave_manifest_as_stored(self) -> None:
        """Write again what `cancel` has written: this worker may have overwritten it since."""
        job = await self._store.job(self._lease.job_id)
        if job is not None and job.status is JobStatus.CANCELLED:
            await bring_up_to_date(self._store, job)

    async def _job(self) -> Job:
        job = await self._store.job(self._lease.job_id)
        if job is None:
            raise JobNotFound(self._lease.job_id)
        return job
