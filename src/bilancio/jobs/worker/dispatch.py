"""Keep an executor busy with the missing runs of a job, and record the batches that end."""

import asyncio
import contextlib
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from bilancio.errors import BilancioError, JobDamaged, OutputError
from bilancio.executors.base import Executor, Indices, Outcome, other_columns
from bilancio.experiments import registry
from bilancio.experiments.sweep_config import SweepConfig
from bilancio.failpoints import failpoint
from bilancio.jobs.artifacts.manifest import write_job_manifest
from bilancio.jobs.models import InFlightBatch, Job, Lease
from bilancio.jobs.store import FinishedBatch, JobStore, packing
from bilancio.jobs.worker.batching import (
    FIRST_BATCH,
    FIRST_BATCH_IN_PROCESS,
    BatchQueue,
    BatchSizer,
    split_off_suspects,
)
from bilancio.jobs.worker.finishing import progress_details
from bilancio.jobs.worker.speed import SpeedMeter
from bilancio.text import runs

Columns = np.dtype[Any]

DEATHS_TO_ISOLATE = 2
MANIFEST_S = 3.0  # between two writings of the manifest
BATCHES_PER_WORKER = 2  # one that computes, and one that waits for it to end


class TooManyFailures(BilancioError):
    """So many runs failed that the rest is not worth the time."""

    def __init__(self, failed: int) -> None:
        super().__init__(failed)
        self.failed = failed

    def sentence(self) -> str:
        """Say what happened."""
        return f"{runs(self.failed)} failed."


class Dispatcher:
    """Hands the batches of one attempt to an executor and records what becomes of them.

    Every batch is noted in the store before it is submitted, so that one that kills its workers
    is found. Batches that have ended by the time one is recorded are recorded together: on a
    distant server each transaction takes a while, whatever it holds.
    """

    def __init__(
        self,
        store: JobStore,
        lease: Lease,
        job: Job,
        executor: Executor,
        meter: SpeedMeter,
        *,
        lease_s: float,
    ) -> None:
        self._store = store
        self._lease = lease
        self._job = job
        self._executor = executor
        self._lease_s = lease_s
        self._experiment = registry.experiment(job.config.sweep_type)
        self._failed = 0
        self._columns: Columns | None = None
        self._meter = meter
        self._manifest_due = time.monotonic() + MANIFEST_S

    async def compute(self, config: SweepConfig, gaps: Iterable[tuple[int, int]]) -> None:
        """Compute and record the runs of *gaps*, by *config*, in whatever order they end.

        Raises
        ------
        LeaseLost
            The job was given to another worker, or cancelled.
        TooManyFailures
            As many runs of this attempt failed as the configuration allows.
        """
        queue = self._queue(gaps)
        chosen = queue.take(self._capacity)
        await self._store.note_in_flight(self._lease, list(chosen))
        computing = self._submit(config, chosen)
        try:
            await self._until_all_are_recorded(config, queue, computing)
        finally:
            for each in computing:
                each.cancel()

    async def _until_all_are_recorded(
        self,
        config: SweepConfig,
        queue: BatchQueue,
        computing: dict[asyncio.Future[Outcome], InFlightBatch],
    ) -> None:
        while computing:
            await asyncio.wait(computing, return_when=asyncio.FIRST_COMPLETED)
            landed = [each for each in computing if each.done()]
            for each in landed:
                del computing[each]
            outcomes = [each.result() for each in landed]
            for outcome in outcomes:
                queue.observe(outcome, self._executor.workers)
            chosen = queue.take(self._capacity - len(computing))
            await self._record(outcomes, in_flight=[*computing.values(), *chosen])
            if self._failed >= self._job.config.max_failures:
                raise TooManyFailures(self._failed)
            computing |= self._submit(config, chosen)

    @property
    def _capacity(self) -> int:
        return BATCHES_PER_WORKER * self._executor.workers

    def _queue(self, gaps: Iterable[tuple[int, int]]) -> BatchQueue:
        rest, suspects = split_off_suspects(gaps, self._job.in_flight)
        threads = self._experiment.releases_gil
        sizer = BatchSizer(
            rest,
            group_size=len(self._job.config.arms),
            workers=self._executor.workers,
            first_size=FIRST_BATCH if threads else FIRST_BATCH_IN_PROCESS,
            batch_s=self._executor.batch_s,
        )
        return BatchQueue(sizer, suspects)

    def _submit(
        self, config: SweepConfig, chosen: Mapping[InFlightBatch, Indices]
    ) -> dict[asyncio.Future[Outcome], InFlightBatch]:
        """Submit batches; those that workers have died over are isolated."""
        futures = {}
        for batch, indices in chosen.items():
            isolated = batch.deaths >= DEATHS_TO_ISOLATE
            future = self._executor.submit(self._experiment, config, indices, isolated=isolated)
            futures[asyncio.wrap_future(future)] = batch
        return futures

    async def _with_known_metrics(self, outcome: Outcome) -> Outcome:
        """Return an outcome, as failed where its metrics have other names than those recorded."""
        if not len(outcome.indices):
            return outcome
        if self._columns is None:
            self._columns = await self._recorded_columns() or outcome.metrics.dtype
        if {*(outcome.metrics.dtype.names or ())} == {*(self._columns.names or ())}:
            return outcome
        error = other_columns(outcome.metrics.dtype, self._columns)
        failed = dict.fromkeys(outcome.indices.tolist(), error)
        return replace(
            outcome,
            indices=outcome.indices[:0],
            metrics=outcome.metrics[:0],
            failures=outcome.failures | failed,
        )

    async def _recorded_columns(self) -> Columns | None:
        """Return the columns of the first run that an earlier attempt recorded, if there is one."""
        for first, last in (await self._store.recorded(self._job.job_id))[:1]:
            (chunk,) = await self._store.chunks(self._job.job_id, first, last)
            with contextlib.suppress(JobDamaged):
                return packing.unpack(chunk, self._job.job_id).dtype
        return None

    async def _record(self, outcomes: list[Outcome], in_flight: list[InFlightBatch]) -> None:
        outcomes = [await self._with_known_metrics(each) for each in outcomes]
        batches = await asyncio.to_thread(lambda: [*map(self._packed, outcomes)])
        failpoint("before-record")
        await self._store.record(self._lease, batches, lease_s=self._lease_s, in_flight=in_flight)
        failpoint("after-record")
        self._failed += sum(len(each.failures) for each in outcomes)
        await self._refresh_manifest()
        now = self._store.clock()
        worth_noting = [self._meter.observe(each, now) for each in outcomes]
        if any(worth_noting):
            await self.note_speed()

    def _packed(self, outcome: Outcome) -> FinishedBatch:
        return FinishedBatch(
            chunks=packing.split(outcome.indices, outcome.metrics, outcome.compute_s),
            failures=outcome.failures,
            details=progress_details(self._job, outcome),
            compute_s=outcome.compute_s,
        )

    async def _refresh_manifest(self) -> None:
        """Bring the counts of the manifest up to date from time to time; a full disk may forbid."""
        if time.monotonic() < self._manifest_due:
            return
        with contextlib.suppress(OutputError):
            job = await self._store.job(self._lease.job_id)
            while job is not None:
                await write_job_manifest(self._store, job, durable=False)
                written, job = job.status, await self._store.job(self._lease.job_id)
                if job is not None and job.status is written:
                    break  # else it was cancelled meanwhile, and this overwrote what that wrote
        self._manifest_due = time.monotonic() + MANIFEST_S

    async def note_speed(self) -> None:
        """Store how fast batches were computed, if that could be measured."""
        if self._meter.speed is not None:
            await self._store.note_speed(self._lease, **self._meter.speed._asdict())
