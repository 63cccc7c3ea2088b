"""The jobs that a researcher has made in the last weeks, and what she has written of them."""

from datetime import UTC, datetime, timedelta

import psutil

from bilancio.jobs.manager import AsyncJobManager
from tests.conftest import processes

TEN = list(range(1, 11))
STRESS = "bright-ocean-swift-tiger"
FULL_PRICE, LOW_PRICE = "quiet-meadow-golden-hawk", "castle-river-mountain-forest"
LARGE, LARGE_RING, OLD = "amber-falcon-winter-candle", "silver-otter-garden-lantern", "old-survey"
FRAGILE, QUEUE, CANCELLED = "velvet-badger-marble-island", "copper-maple-walnut-pepper", "gave-up"
N_JOBS = 10
SIMULATIONS = '''
"""Simulations of the researcher's own: one that some inputs break, and one that waits."""

import time
from pathlib import Path

from bilancio import experiment


@experiment("auction", primary="price", metrics={"price": ("money", "What was paid.")})
def auction(seed: int, bidders: int = 2) -> dict[str, float]:
    if bidders == 4 and seed in (2, 5, 7):
        raise ZeroDivisionError("no bid above the reserve")
    return {"price": bidders + seed / 10}


@experiment("patient", primary="value")
def patient(seed: int, level: int = 1, gate: str = "") -> dict[str, float]:
    while gate and seed > 4 and not Path(gate).exists():
        time.sleep(0.01)
    return {"value": level + seed / 10}
'''

BALANCED = {"sweep_type": "balanced", "n_agents": 10, "kappas": ["0.25", "0.5", "1"], "seeds": TEN}


class Calendar:
    """A clock that is set to days before today."""

    def __init__(self) -> None:
        self.today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        self.now = self.today

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now

    def set_back(self, days: int) -> None:
        """Make it 9 o'clock so many days ago."""
        self.now = self.today - timedelta(days=days) + timedelta(hours=9)

    def set_to_last_week(self) -> None:
        """Make it Wednesday of last week."""
        self.set_back(self.today.weekday() + 5)


async def fill(database_url, out_dir):
    """Make all jobs; the working folder names the simulations."""
    calendar = Calendar()
    async with AsyncJobManager(database_url, out_dir=out_dir, clock=calendar) as manager:
        calendar.set_back(40)
        await _done(manager, OLD, "a survey of the ring", LARGE_CONFIG | {"n_agents": 6})
        calendar.set_to_last_week()
        await _done(manager, LARGE, "many seeds for the paper", LARGE_CONFIG, tags=["paper"])
        await _done(manager, LARGE_RING, "the ring without dealers", RING_CONFIG)
        await _done(manager, "small-pilot", "a pilot", BALANCED | {"seeds": [1, 2]})
        calendar.set_back(1)
        await _done(manager, FULL_PRICE, "dealers at the full price", BALANCED)
        lower = BALANCED | {"outside_mid_ratios": ["0.75"], "kappas": ["0.5", "1", "2"]}
        await _done(manager, LOW_PRICE, "dealers at a lower price", lower)
        calendar.set_back(0)
        await _done(manager, STRESS, "dealers under stressed liquidity", STRESS_CONFIG)
        await _done(manager, QUEUE, "one line or two", QUEUE_CONFIG)
        await _done(manager, FRAGILE, "what bidders pay", FRAGILE_CONFIG)
    async with AsyncJobManager(database_url, out_dir=out_dir) as manager:
        await _cancelled(manager)


LARGE_CONFIG = BALANCED | {"kappas": ["0.25", "0.5", "1", "2", "4"], "seeds": list(range(101))}
RING_CONFIG = {
    "sweep_type": "ring", "n_agents": 10, "concentrations": ["0.5", "1", "2"],
    "seeds": list(range(401)),
}  # fmt: skip
STRESS_CONFIG = {
    "sweep_type": "balanced", "n_agents": 20, "kappas": ["0.25", "0.5", "1", "2"],
    "mus": ["0", "0.5"], "seeds": TEN,
}  # fmt: skip
QUEUE_CONFIG = {
    "sweep_type": "queue", "vary": {"rate": ["0.5", "0.9"]}, "seeds": TEN, "customers": 50,
}  # fmt: skip
FRAGILE_CONFIG = {"sweep_type": "auction", "vary": {"bidders": [2, 3, 4]}, "seeds": TEN}


async def _done(manager, job_id, description, config, **more):
    await manager.create_job(description, config, job_id=job_id, **more)
    await manager.run_job(job_id)


async def _cancelled(manager):
    await begin_waiting(manager, CANCELLED, "never")
    await manager.cancel_job(CANCELLED)
    psutil.wait_procs(processes(), 20)


async def begin_waiting(manager, job_id, gate):
    """Start a job of ten seeds that has four, the others of which wait for a file."""
    config = {"sweep_type": "patient", "vary": {"level": [1, 2]}, "seeds": TEN[:4]}
    await _done(manager, job_id, "patience", config | {"gate": str(gate)})
    await manager.start_sweep(job_id, n_replicates=10)
