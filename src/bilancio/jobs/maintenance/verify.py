"""Compute recorded runs again and compare them with the store, bit by bit."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bilancio import machine
from bilancio.errors import JobStateError, ResultsMissing, invalid
from bilancio.executors.base import Executor, Outcome
from bilancio.executors.local import LocalExecutor
from bilancio.experiments import registry
from bilancio.experiments.protocol import Experiment, SearchingExperiment, searching
from bilancio.experiments.reporting import next_step_of
from bilancio.experiments.sweep_config import SweepConfig, UncheckedSweep
from bilancio.jobs.maintenance.reports import Difference, Verification
from bilancio.jobs.models import Job
from bilancio.jobs.ranges import Ranges, count, indices_of, parted, ranges_of, stretches
from bilancio.jobs.recorded import rows_between, searched_rows
from bilancio.jobs.store import JobStore
from bilancio.jobs.versions import experiment_of
from bilancio.validation import validated

Indices = NDArray[np.int64]
Metrics = NDArray[np.void]
Tell = Callable[[int, int], None]

LISTED = 20
BATCH = 1000
STRETCH = 20_000  # runs whose stored results are held at once, if chunks have no more


class Comparison:
    """What comparing runs has found so far: how many, how many differ, and the first of these."""

    def __init__(self, total: int, tell: Tell) -> None:
        self.checked = self.differing = 0
        self.listed: list[Difference] = []
        self._total = total
        self._tell = tell

    def add(self, runs: int, differences: list[Difference]) -> None:
        """Add a batch of *runs*, and what differs in it; tell how many have been compared."""
        self.checked += runs
        self.differing += len(differences)
        self.listed += differences[: LISTED - len(self.listed)]
        self._tell(self.checked, self._total)


async def verify(
    store: JobStore, job: Job, *, sample: int | None, seed: int | None, workers: int, tell: Tell
) -> Verification:
    """Compute *sample* recorded runs of *job* again (all if None), and compare them.

    Parameters
    ----------
    seed
        Draws the runs, one from each of *sample* ranges of equal length; without it they are
        spread evenly. The first and the last recorded run are always included.
    tell
        Called with the number of runs compared so far, and the number that will be compared.

    Raises
    ------
    InvalidInput
        *sample* is less than 1, or the experiment is not installed.
    JobStateError, ResultsMissing
        The runs were recorded manually, or none is recorded.
    StoreCorrupt
        A chunk is damaged.
    ExperimentFailed
        The experiment cannot repeat its search.
    """
    _refuse(job, sample)
    recorded = await store.recorded(job.job_id)
    n_recorded = count(recorded)
    if not n_recorded:
        raise ResultsMissing(job.job_id, "no run is recorded, so there is nothing to compare.")
    experiment = experiment_of(job)
    config = job.config
    if isinstance(config, UncheckedSweep):
        config = validated(registry.config_model(config.sweep_type), config.as_dict())
    chosen = _chosen(recorded, sample, seed)
    await asyncio.to_thread(experiment.prepare)
    executor = LocalExecutor(workers, run_timeout_s=config.run_timeout_s)
    ranges = _ranges(store, job, config, experiment, chosen)
    found = Comparison(count(chosen), tell)
    try:
        await _compare(job, experiment, executor, ranges, found)
    finally:
        executor.close()
    return Verification(
        job_id=job.job_id,
        recorded_runs=n_recorded,
        checked_runs=found.checked,
        differing_runs=found.differing,
        differences=tuple(found.listed),
        stored_versions={
            "engine": job.engine, **{name: job.provenance.get(name) for name in machine.versions()}
        },
        versions={"engine": experiment.version, **machine.versions()},
    )  # fmt: skip


def _refuse(job: Job, sample: int | None) -> None:
    """Refuse a sample that there cannot be, and runs that nobody but their owner can compute."""
    if sample is not None and sample < 1:
        raise invalid("sample", sample, "whole numbers from 1")
    if job.manual:
        advice = "Its runs were recorded by its owner's program, which alone can compute them."
        raise JobStateError(job.job_id, "a manually started job", "verified", advice)


async def _compare(
    job: Job,
    experiment: Experiment,
    executor: Executor,
    ranges: AsyncIterator[tuple[SweepConfig, Indices, Metrics]],
    found: Comparison,
) -> None:
    """Compute the runs of *ranges* again, batch by batch, and add to *found* what differs."""
    size = BATCH if experiment.releases_gil else executor.workers
    async for config, indices, stored in ranges:
        for outcome, rows in [
            (executor.submit(experiment, config, indices[part]), stored[part])
            for part in _parts(len(indices), size)
        ]:
            done = await asyncio.wrap_future(outcome)
            found.add(len(rows), list(_differences(job, done, rows)))


def _chosen(recorded: Ranges, sample: int | None, seed: int | None) -> Ranges:
    """Return the runs to compute again."""
    n_recorded = count(recorded)
    if sample is None or sample >= n_recorded:
        return recorded
    if seed is None:
        places = np.linspace(0, n_recorded - 1, sample).round().astype(np.int64)
    else:
        edges = np.linspace(0, n_recorded, sample + 1).astype(np.int64)
        places = np.random.default_rng(seed).integers(edges[:-1], edges[1:])
        places[[0, -1]] = 0, n_recorded - 1
    firsts = np.array([first for first, _ in recorded], np.int64)
    before = np.cumsum([0, *(last - first + 1 for first, last in recorded)])
    which = np.searchsorted(before, places, side="right") - 1
    return ranges_of(np.unique(firsts[which] + places - before[which]))


async def _ranges(
    store: JobStore, job: Job, config: SweepConfig, experiment: Experiment, chosen: Ranges
) -> AsyncIterator[tuple[SweepConfig, Indices, Metrics]]:
    """Yield the chosen runs with their stored rows, and the configuration that computes them."""
    fixed, probes = parted(chosen, 0, config.fixed_runs - 1)
    for first, last in stretches(await store.recorded(job.job_id), STRETCH):
        here, fixed = parted(fixed, first, last)
        if here:
            wanted = indices_of(here)
            indices, metrics = await rows_between(store, job, first, last)
            yield config, wanted, metrics[np.searchsorted(indices, wanted)]
    search = searching(experiment, config)
    if search is not None and probes:
        wanted = indices_of(probes)
        indices, metrics = await searched_rows(store, job)
        for using, step in await asyncio.to_thread(_steps, search, config, indices, metrics):
            found = np.intersect1d(step, wanted)
            if len(found):
                yield using, found, metrics[np.searchsorted(indices, found)]


def _steps(
    search: SearchingExperiment, config: Any, indices: Indices, metrics: Metrics
) -> list[tuple[SweepConfig, Indices]]:
    """Repeat a search on its recorded runs; return each step as far as it is recorded."""
    steps: list[tuple[SweepConfig, Indices]] = []
    known = indices < config.fixed_runs
    while True:
        step = next_step_of(search, config, indices[known], metrics[known])
        new = np.zeros_like(known) if step is None else np.isin(indices, step.indices) & ~known
        if step is None or not new.any():
            return steps
        steps.append((step.config, indices[new]))
        known |= new


def _parts(total: int, size: int) -> Iterator[slice]:
    return (slice(start, start + size) for start in range(0, total, size))


def _differences(job: Job, done: Outcome, stored: Metrics) -> Iterator[Difference]:
    """Yield the runs of a batch whose results differ from the stored ones."""
    runs = np.sort(np.concatenate([done.indices, np.array(list(done.failures), np.int64)]))
    place = {int(index): at for at, index in enumerate(runs)}
    for index, error in done.failures.items():
        yield _difference(job, index, {}, error)
    names = [name for name in stored.dtype.names or () if name in (done.metrics.dtype.names or ())]
    rows = stored[[place[int(index)] for index in done.indices]]
    differs = {name: _differs(rows[name], done.metrics[name]) for name in names}
    for at in np.flatnonzero(np.any(list(differs.values()), axis=0)) if names else ():
        metrics = {
            name: (rows[name][at].item(), done.metrics[name][at].item())
            for name in names
            if differs[name][at]
        }
        yield _difference(job, int(done.indices[at]), metrics, None)


def _differs(stored: NDArray[Any], computed: NDArray[Any]) -> NDArray[np.bool_]:
    """Tell where two columns differ in any bit; one NaN equals another."""
    if stored.dtype.kind != "f" or computed.dtype.kind != "f":
        return np.asarray(stored != computed)
    different = (stored != computed) | (np.signbit(stored) != np.signbit(computed))
    return np.asarray(different & ~(np.isnan(stored) & np.isnan(computed)))


def _difference(
    job: Job, index: int, metrics: dict[str, tuple[float, float]], error: str | None
) -> Difference:
    run_id = job.run_ids[index]
    return Difference(run_id=run_id, index=index, metrics=metrics, error=error)
