"""How long a sweep will take on this machine."""

from bilancio import machine
from bilancio.experiments import registry
from bilancio.experiments.sweep_config import SweepConfig
from bilancio.jobs.models import Estimate
from bilancio.jobs.session import Session

# Seconds that one core takes for a unit of work, which is one agent of a plain ring.
SHIPPED_SECONDS_PER_WORK = 1.2e-7
OVERHEAD_S = 1.0


async def estimate(session: Session, config: SweepConfig) -> Estimate:
    """Return how long a sweep will take here, without running anything of it."""
    store = await session.store()
    workers = session.settings.workers or machine.cores()
    version = registry.experiment(config.sweep_type).version
    measured = await store.speed(config.sweep_type, machine.host(), version)
    each = SHIPPED_SECONDS_PER_WORK if measured is None else measured
    return Estimate(
        runs=config.total_runs,
        seconds=config.cost * each / workers + OVERHEAD_S,
        workers=workers,
        rough=measured is None,
    )
