"""What a job of very many runs takes: seconds, and the peak memory of each process.

Run it by ``uv run python benchmarks/scale.py``; ``--runs N`` takes another number than ten million,
``--metrics N`` other than three metrics a run, ``--only STEP …`` some of the steps. The runs cost
nothing, so that what is left is what planning, recording, summarising, writing and reading cost.
Every step is a process of its own, in a store and a folder that are removed afterwards.
"""

import argparse
import asyncio
import contextlib
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bilancio.errors import LeaseLost
from bilancio.jobs.manager import AsyncJobManager

RUNS, METRICS = 10_000_000, 3
WHOLE, HALVED = "scale-whole-job", "scale-halved-job"
POLL_S = 0.02
TIMES = 3  # that a question is asked; the fastest answer is told


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A manager, and the size of the jobs that are measured."""

    manager: AsyncJobManager
    runs: int
    metrics: int

    async def create(self, name: str) -> None:
        """Create a job."""
        config = {"sweep_type": "trivial", "n": self.runs, "n_metrics": self.metrics}
        await self.manager.create_job("very many runs", config, job_id=name)


async def nothing(bench: Bench) -> str:
    """Load what every process loads."""
    await bench.manager.list_jobs()
    return "list jobs"


async def carry_out(bench: Bench) -> str:
    """Plan, run, record, summarise and write a job."""
    await bench.create(WHOLE)
    done = await bench.manager.run_job(WHOLE)
    size = sum(file.stat().st_size for file in done.folder.iterdir())
    return f"{done.completed_runs:,} runs, {size / 1e6:,.0f} MB of files"


async def status(bench: Bench) -> str:
    """Ask how far the job is."""
    took = await _fastest(lambda: bench.manager.progress(WHOLE))
    return f"in {1e3 * took:.1f} ms"


async def grouped(bench: Bench) -> str:
    """Ask for averages by one parameter."""
    took = await _fastest(lambda: bench.manager.results(WHOLE, group_by=["a"]))
    return f"in {took:.2f} s"


async def one_metric(bench: Bench) -> str:
    """Ask for one measure alone."""
    took = await _fastest(lambda: bench.manager.results(WHOLE, group_by=["a"], measures=["m0"]))
    return f"in {took:.2f} s"


async def pages(bench: Bench) -> str:
    """Ask for pages of single runs, and for one run."""
    shown = 0
    for state in (None, "completed", "pending", "failed"):
        for offset in (0, bench.runs // 2, bench.runs - 20):
            page = await bench.manager.runs(WHOLE, status=state, limit=20, offset=offset)
            shown += len(page)
    await bench.manager.run_of(WHOLE, str(bench.runs // 3))
    return f"{shown + 1} runs"


async def halve(bench: Bench) -> str:
    """Cancel a job halfway."""
    await bench.create(HALVED)
    working = asyncio.ensure_future(bench.manager.run_job(HALVED))
    while True:
        await asyncio.sleep(POLL_S)
        if (await bench.manager.exact(HALVED)).completed_runs > bench.runs // 2:
            break
    await bench.manager.cancel_job(HALVED)
    with contextlib.suppress(LeaseLost):
        await working
    return f"{(await bench.manager.exact(HALVED)).completed_runs:,} runs"


async def resume(bench: Bench) -> str:
    """Compute the rest."""
    return f"{(await bench.manager.run_job(HALVED)).completed_runs:,} runs"


async def verify(bench: Bench) -> str:
    """Compute a hundred runs again."""
    return f"{(await bench.manager.verify(WHOLE)).checked_runs:,} runs"


async def verify_all(bench: Bench) -> str:
    """Compute all runs again."""
    return f"{(await bench.manager.verify(WHOLE, sample=None)).checked_runs:,} runs"


async def doctor(bench: Bench) -> str:
    """Check every checksum of the store."""
    return f"{len((await bench.manager.doctor()).findings)} findings"


STEPS: tuple[Callable[[Bench], Awaitable[str]], ...] = (
    nothing, carry_out, status, grouped, one_metric, pages, halve, resume, verify, verify_all,
    doctor,
)  # fmt: skip


async def _fastest(ask: Callable[[], Awaitable[object]]) -> float:
    took = []
    for _ in range(TIMES):
        start = time.perf_counter()
        await ask()
        took.append(time.perf_counter() - start)
    return min(took)


def measure(name: str, runs: int, metrics: int, told: Any) -> None:
    """Do a step in this process, and tell what it took."""
    step = next(each for each in STEPS if each.__name__ == name)
    began = time.perf_counter()

    async def do() -> str:
        async with AsyncJobManager() as manager:
            return await step(Bench(manager=manager, runs=runs, metrics=metrics))

    said = asyncio.run(do())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    mebibytes = peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)
    told.send((time.perf_counter() - began, mebibytes, said))


def main() -> None:
    """Print a line for each step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--metrics", type=int, default=METRICS)
    parser.add_argument("--only", nargs="*", default=[each.__name__ for each in STEPS])
    parser.add_argument("--folder", type=Path, help="where store and files are, and stay")
    given = parser.parse_args()
    processes = multiprocessing.get_context("spawn")
    with contextlib.ExitStack() as stack:
        folder = given.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        os.environ |= {
            "BILANCIO_DATABASE_URL": f"sqlite:///{folder}/bilancio.db",
            "BILANCIO_OUT_DIR": f"{folder}/out",
            "BILANCIO_PLUGINS": "bilancio.bench.system:TRIVIAL",
        }
        print(f"{'':12}{'s':>8}{'MiB':>7}")
        for name in (each.__name__ for each in STEPS if each.__name__ in given.only):
            here, there = processes.Pipe(duplex=False)
            arguments = (name, given.runs, given.metrics, there)
            process = processes.Process(target=measure, args=arguments)
            process.start()
            there.close()
            try:
                seconds, mebibytes, said = here.recv()
                print(f"{name:12}{seconds:8.2f}{mebibytes:7.0f}  {said}", flush=True)
            except EOFError:
                print(f"{name:12} failed", flush=True)
            process.join()


if __name__ == "__main__":
    main()
