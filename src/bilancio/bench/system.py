"""How fast jobs are carried out, recorded and read: in a store of its own, in a folder given.

Run as a process of its own, with the folder as its argument, so that settings and
what is loaded are its own; it writes one line of JSON for each finding.
"""

import asyncio
import itertools
import os
import resource
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Collection, Iterator
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from bilancio import machine, model
from bilancio.analysis.measures import Measure
from bilancio.bench.finding import Finding, write
from bilancio.experiments.layout import Layout
from bilancio.experiments.standard import Averages, StandardExperiment, so_far
from bilancio.experiments.sweep_config import SweepConfig
from bilancio.jobs.manager import AsyncJobManager
from bilancio.jobs.store import JobStore, packing

MANY, RING_RUNS, BYTES_RUNS, OWN_RUNS = 1_000_000, 100_000, 200_000, 5_000
CELLS = 1000  # of the trivial sweep
GRID: dict[str, Any] = {
    "kappas": ["0.25", "0.5", "1", "2", "4"],
    "concentrations": ["0.2", "0.5", "1", "2", "5"],
    "mus": ["0", "0.25", "0.5", "0.75", "1"],
}
WARM_UP = """
import os, time
from bilancio.model import warm_up
start = time.perf_counter(), sum(os.times()[:4])  # the processes that it starts included
warm_up()
print(time.perf_counter() - start[0], sum(os.times()[:4]) - start[1])
"""
SIXTEEN_RUNS = ("sweep", "balanced", "--kappas", "0.5,1", "--n-replicates", "4")


class TrivialSweep(SweepConfig):
    """Runs that cost nothing, so that what is left is what recording costs."""

    sweep_type: Literal["trivial"] = Field(default="trivial", description="Runs that cost nothing.")
    n: int = Field(default=1000, ge=1, le=10**8, description="Number of runs.")
    n_metrics: int = Field(default=3, ge=1, le=100, description="Metrics of a run.")

    @property
    def total_runs(self) -> int:
        """Number of runs."""
        return self.n

    @property
    def layout(self) -> Layout:
        """A thousand cells under as many seeds as it takes."""
        n_cells = min(self.n, CELLS)
        return Layout(-(-self.n // n_cells), n_cells, 1)

    def all_seeds(self) -> range:
        """Return the seeds, from 0."""
        return range(self.layout.n_seeds)


class TrivialExperiment(StandardExperiment):
    """Three parameters, and metrics that are fractions of the index."""

    config_model: type[SweepConfig] = TrivialSweep
    version = "trivial-1"
    releases_gil = True
    primary = "m0"
    parameter_names: ClassVar[tuple[str, ...]] = ("a", "b", "c")

    def prepare(self) -> None:
        """Load nothing."""

    def compute(self, config: TrivialSweep, indices: Any) -> Any:
        """Return metrics m0, m1 and so on."""
        found = np.empty(len(indices), [(f"m{i}", np.float64) for i in range(config.n_metrics)])
        for position, name in enumerate(found.dtype.names or ()):
            found[name] = indices / (position + 3)
        return found

    def parameters(self, config: TrivialSweep, indices: Any) -> dict[str, Any]:
        """Return three columns of ten values each, and a seed."""
        seed, cell, _ = config.layout.locate(indices)
        columns = {name: indices // 10**at % 10 for at, name in enumerate(self.parameter_names)}
        arm = np.full(len(indices), "passive")
        return {"cell": cell, **columns, "seed": seed, "arm": arm}

    def measures(self, names: Collection[str]) -> tuple[Measure, ...]:
        """Return all metrics."""
        return tuple(Measure(name=name, numerator={name: 1.0}) for name in names)

    def summary(self, averages: Averages) -> dict[str, Any]:
        """Return a mean."""
        return {"avg_m0": averages.estimates["m0"], **averages.counts}

    def headline(self, summary: dict[str, Any]) -> str:
        """Say the mean."""
        mean = summary["avg_m0"]
        return so_far(summary) if mean is None else f"The mean is {mean:g}."


TRIVIAL = TrivialExperiment()


class Stopwatch:
    """Notes when the first batch of a sweep takes off, the last is recorded, and kernels' time."""

    def __init__(self) -> None:
        self.took_off: tuple[float, float] | None = None
        self.recorded = (0.0, 0.0)
        self._kernels: list[tuple[float, float]] = []  # appended to by several threads
        self._simulate_many = model.simulate_many
        self._record, self._note_flight = JobStore.record, JobStore.note_in_flight

    def __enter__(self) -> Self:
        def simulate_many(*given: Any) -> Any:
            wall, cpu = time.perf_counter(), time.thread_time()
            found = self._simulate_many(*given)
            self._kernels.append((time.perf_counter() - wall, time.thread_time() - cpu))
            return found

        async def record(*given: Any, **more: Any) -> None:
            await self._record(*given, **more)
            self.recorded = _now()

        async def note_in_flight(*given: Any, **more: Any) -> None:
            await self._note_flight(*given, **more)
            self.took_off = self.took_off or _now()

        for owner, name, timed in (
            (model, "simulate_many", simulate_many),
            (JobStore, "record", record),
            (JobStore, "note_in_flight", note_in_flight),
        ):
            setattr(owner, name, timed)
        return self

    def __exit__(self, *_: object) -> None:
        model.simulate_many = self._simulate_many
        setattr(JobStore, "record", self._record)  # noqa: B010 - mypy refuses an assignment
        setattr(JobStore, "note_in_flight", self._note_flight)  # noqa: B010 - as above

    @property
    def kernel_s(self) -> float:
        """Seconds in kernels, all threads together."""
        return sum(wall for wall, _ in self._kernels)

    @property
    def kernel_cpu_s(self) -> float:
        """Seconds of cores that kernels spent."""
        return sum(cpu for _, cpu in self._kernels)

    @property
    def wall_s(self) -> float:
        """Seconds from the first batch's start to the last one's record."""
        return self.recorded[0] - (self.took_off or self.recorded)[0]

    @property
    def cpu_s(self) -> float:
        """Seconds of all cores that this process spent meanwhile."""
        return self.recorded[1] - (self.took_off or self.recorded)[1]


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


async def findings(folder: Path) -> AsyncIterator[Finding]:
    """Measure one thing after the other."""
    for each in starts(folder):
        yield each
    async with AsyncJobManager() as manager:
        async for each in a_sweep(manager):
            yield each
        async for each in many_runs(manager):
            yield each
        async for each in own_function(manager):
            yield each
    swept = [_spoken(*SIXTEEN_RUNS) for _ in range(3)]
    yield Finding(
        what="16 runs, from Enter to the prompt", value=min(swept)[0], unit="s", at_most=0.8
    )
    listed = [_spoken("jobs", "list") for _ in range(3)]
    yield Finding(what="`jobs list`, cold", value=min(listed)[0], unit="s", at_most=0.25)
    yield Finding(what="… CPU time", value=min(cpu for _, cpu in listed), unit="s")
    stores = [f"sqlite:///{folder}/empty-{number}.db" for number in range(3)]
    beside = [_spoken("jobs", "list", BILANCIO_DATABASE_URL=store) for store in stores]
    what = f"… beside {MANY:,} runs of a foreign job"
    yield Finding(what=what, value=min(beside)[0], unit="s", at_most=0.5)
    yield await bytes_per_run(folder)


def starts(folder: Path) -> Iterator[Finding]:
    """Compile the engine into an empty cache, then load it."""
    environment = os.environ | {"BILANCIO_CACHE_DIR": str(folder / "cache")}
    for what, most in (("first start: compile", 6.0), ("later starts: load", None)):
        wall, cpu = map(float, _python("-c", WARM_UP, env=environment).split())
        yield Finding(what=what, value=wall, unit="s", at_most=most)
        yield Finding(what="… CPU time", value=cpu, unit="s")


async def a_sweep(manager: AsyncJobManager) -> AsyncIterator[Finding]:
    """Carry out a sweep of rings in this process."""
    cells = len(list(itertools.product(*GRID.values())))
    job = await manager.create_job(
        "rings", {"sweep_type": "ring", "n_replicates": RING_RUNS // cells, **GRID}
    )
    workers = manager.settings.workers or machine.cores()
    with Stopwatch() as watch:
        await manager.run_job(job.job_id)
    what = f"{RING_RUNS:,} rings: {workers} cores in kernels"
    share = watch.kernel_s / (workers * watch.wall_s)
    yield Finding(what=what, value=100 * share, unit="%", at_least=93)
    cpu_share = watch.kernel_cpu_s / watch.cpu_s
    yield Finding(what="… share of CPU time spent", value=100 * cpu_share, unit="%")
    yield Finding(what="… recorded", value=RING_RUNS / watch.wall_s, unit="runs/s")


async def many_runs(
    manager: AsyncJobManager,
    store: str = "a store",
    at_least: int = 1_000_000,
    job_id: str | None = None,
) -> AsyncIterator[Finding]:
    """Record very many runs that cost nothing, and ask for them.

    Parameters
    ----------
    store
        What it is, as the first finding names it.
    at_least
        The target of runs recorded in a second.
    job_id
        Of the job that has them; drawn if not given.
    """
    config = {"sweep_type": "trivial", "n": MANY}
    job = await manager.create_job("many", config, job_id=job_id)
    with Stopwatch() as watch:
        await manager.run_job(job.job_id)
    rate = MANY / watch.wall_s
    yield Finding(what=f"{MANY:,} runs into {store}", value=rate, unit="runs/s", at_least=at_least)
    asked = []
    for _ in range(5):
        start = time.perf_counter()
        await manager.progress(job.job_id)
        asked.append(1e3 * _since(start))
    yield Finding(what="… status", value=min(asked), unit="ms", at_most=10)
    asked = []
    for _ in range(3):
        start = time.perf_counter()
        await manager.results(job.job_id, group_by=["a"])
        asked.append(_since(start))
    yield Finding(what="… results by one parameter", value=min(asked), unit="s", at_most=0.3)


async def own_function(manager: AsyncJobManager) -> AsyncIterator[Finding]:
    """Carry out a sweep of a decorated function, which computes in processes."""
    config = {"sweep_type": "millisecond", "n_replicates": OWN_RUNS}
    job = await manager.create_job("a function of one's own", config)
    workers = manager.settings.workers or machine.cores()
    started = time.perf_counter()
    await manager.start_sweep(job.job_id)
    async for _ in manager.watch(job.job_id):
        pass
    whole_s = _since(started)
    table = packing.join(await (await manager.store()).chunks(job.job_id), job.job_id)[1]
    useful_s = float((table["ended"] - table["began"]).sum()) / workers
    batches_s = float(table["ended"].max() - table["began"].min())
    what = f"own function of 1 ms, {workers} processes"
    yield Finding(what=what, value=100 * useful_s / batches_s, unit="% useful", at_least=95)
    yield Finding(
        what=f"… of the whole job of {OWN_RUNS:,} runs",
        value=100 * useful_s / whole_s,
        unit="% useful",
        at_least=85,
    )


async def bytes_per_run(folder: Path) -> Finding:
    """Return what a run with six metrics takes in the file of a store that is otherwise empty."""
    file = folder / "six.db"
    async with AsyncJobManager(f"sqlite:///{file}") as manager:
        config = {"sweep_type": "trivial", "n": BYTES_RUNS, "n_metrics": 6}
        job = await manager.create_job("six metrics", config)
        await manager.run_job(job.job_id)
    return Finding(
        what="stored per run with 6 metrics",
        value=file.stat().st_size / BYTES_RUNS,
        unit="bytes",
        at_most=50,
    )


def _since(start: float) -> float:
    return time.perf_counter() - start


def _spoken(*words: str, **changes: str) -> tuple[float, float]:
    """Return the seconds that a command takes, and its CPU time without its worker's.

    Parameters
    ----------
    changes
        Of the environment.
    """
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    _python("-m", "bilancio.cli", *words, env=os.environ | changes)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return _since(start), cpu


def _python(*arguments: str, env: Any) -> str:
    done = subprocess.run(  # noqa: S603 - this interpreter, arguments of ours
        [sys.executable, "-P", *arguments], env=env, capture_output=True, text=True, check=True
    )
    return done.stdout


async def _tell(folder: Path) -> None:
    async for finding in findings(folder):
        write(finding)


def main() -> None:
    """Measure everything in the folder that is named; print one finding a line."""
    asyncio.run(_tell(Path(sys.argv[1])))
