"""Lots of seeds of a job that asks for a precision: which runs come next, and when it stops."""

from collections.abc import AsyncIterator

from bilancio.errors import InvalidInput, Problem
from bilancio.experiments import registry
from bilancio.experiments.grid_sweep import GridSweep
from bilancio.experiments.reduction import Cells
from bilancio.experiments.standard import StandardExperiment, stopping_of
from bilancio.jobs.models import Job
from bilancio.jobs.ranges import Ranges, missing
from bilancio.jobs.recorded import columns, recorded_runs
from bilancio.jobs.store import JobStore
from bilancio.jobs.threads import in_thread


async def further_lots(store: JobStore, job: Job) -> AsyncIterator[Ranges]:
    """Yield the missing runs of each lot of seeds after the first, whose runs have been computed.

    Each lot is to be computed before the next one is asked for. Runs that fail in this attempt are
    not asked for again: their seeds are left out.

    Yields
    ------
    ranges of runs

    Raises
    ------
    InvalidInput
        The experiment does not say what its primary measure is.
    """
    config = job.config
    if not isinstance(config, GridSweep) or config.precision is None:
        return
    per_seed = config.first_runs // config.first_seeds
    n_seeds = config.first_seeds
    while (more := await _seeds_after(store, job, config, n_seeds)) > n_seeds:
        start, n_seeds = n_seeds * per_seed, more
        gaps = missing(await store.recorded(job.job_id), n_seeds * per_seed)
        new = [(max(first, start), last) for first, last in gaps if last >= start]
        if new:
            yield new


async def _seeds_after(store: JobStore, job: Job, config: GridSweep, n_seeds: int) -> int:
    """Return how many seeds are to be run, once the first *n_seeds* have been."""
    experiment = registry.experiment(config.sweep_type)
    if not isinstance(experiment, StandardExperiment):
        allowed = "nothing: this experiment does not say how its measures follow from its metrics"
        raise InvalidInput([Problem("precision", f"{config.precision}", allowed)])
    recorded = await recorded_runs(store, job, experiment)
    if recorded is None:
        return n_seeds
    cells = await in_thread(Cells, experiment, config, recorded)
    stopping = stopping_of(experiment, config, recorded, cells)
    async for dense in columns(store, job, experiment, stopping.metrics):
        for name, column in dense.items():
            await in_thread(stopping.take, name, cells.cube(name, column), config.arms)
    return await in_thread(stopping.seeds_after, n_seeds)
