"""How long a sweep will take on this machine."""

import statistics
from collections.abc import Mapping
from typing import Any

from bilancio import machine
from bilancio.errors import StoreError
from bilancio.experiments import registry
from bilancio.experiments.protocol import preparation_s
from bilancio.experiments.sweep_config import SweepConfig
from bilancio.jobs.artifacts.manifest import TABLED_RUNS
from bilancio.jobs.models import Estimate, Job
from bilancio.jobs.session import Session
from bilancio.jobs.store.rows import Speed

# Seconds of one core per unit of cost, which is one agent of a plain ring, and of a worker's start:
# what a shared core of 2024 needs.
SHIPPED_SPEED = 1.2e-7
SHIPPED_STARTUP_S = 0.5
WRITING_S = 1.5e-5  # for a run's rows in the tables, which are written by one core at the end


async def estimate(
    session: Session,
    sweep: SweepConfig | Mapping[str, Any] | Job,
    *,
    n_replicates: int | None = None,
) -> Estimate:
    """Return how long a sweep will take here, without running anything of it.

    The start of the worker is part of it, the writing of the tables, and the compilation of the
    engine where that is still to be done. Where the store cannot be read the estimate is rough.

    Parameters
    ----------
    sweep
        A configuration, or a job, of which only the runs that are missing count.
    n_replicates
        The number of seeds that the job is extended to.

    Raises
    ------
    InvalidInput
        The configuration is wrong.
    """
    if isinstance(sweep, Job):
        config = sweep.config
    else:
        config = sweep if isinstance(sweep, SweepConfig) else registry.configuration(sweep)
    if n_replicates is not None:
        config = config.grown(n_replicates)
    left = max(config.total_runs - (sweep.completed_runs if isinstance(sweep, Job) else 0), 0)
    experiment = registry.experiment(config.sweep_type)
    measured = await _measured(session, config.sweep_type, experiment.version)
    speeds = [each.speed for each in measured] or [SHIPPED_SPEED]
    startups = [each.startup_s for each in measured if each.startup_s is not None]
    startup_s = statistics.median(startups or [SHIPPED_STARTUP_S]) + preparation_s(experiment)
    workers = session.settings.workers or machine.cores()
    cost = config.cost * left / max(config.total_runs, 1)
    writing_s = WRITING_S * min(config.total_runs, TABLED_RUNS)
    computing_s = cost * statistics.median(speeds) / max(min(workers, left), 1)
    return Estimate(
        runs=left,
        seconds=startup_s + computing_s + writing_s if left else 0.0,
        workers=workers,
        rough=not measured,
    )


async def _measured(session: Session, sweep_type: str, engine: str) -> list[Speed]:
    """Return what the latest jobs of this kind have measured on this machine."""
    store = await session.store()
    try:
        return await store.speeds(sweep_type, store.host, engine)
    except StoreError:
        return []
