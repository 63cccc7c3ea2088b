"""What jobs of very many runs take: seconds, and the peak memory of each process.

The runs cost nothing, so that what is left is what planning, recording, summarising, writing and
reading cost. Each step is a process of its own: its memory is what a worker, or whoever asks,
needs.
"""

import asyncio
import contextlib
import json
import resource
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bilancio import interpreter
from bilancio.bench.finding import Finding
from bilancio.errors import LeaseLost
from bilancio.jobs.manager import AsyncJobManager

RUNS, METRICS = 10_000_000, 3
PLUGIN = "bilancio.bench.system:TRIVIAL"
WHOLE, HALVED = "scale-whole-job", "scale-halved-job"
POLL_S = 0.02
TIMES = 3  # that a question is asked; the fastest answer is told


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A manager, and the size of the jobs that are measured."""

    manager: AsyncJobManager
    runs: int
    metrics: int

    async def create(self, name: str) -> None:
        """Create a job."""
        config = {"sweep_type": "trivial", "n": self.runs, "n_metrics": self.metrics}
        await self.manager.create_job("very many runs", config, job_id=name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a step took.

    Attributes
    ----------
    seconds
        For all of it, the start of Python apart.
    answer_s
        For one answer, where a question was asked several times: the shortest.
    mebibytes
        Peak of the process's resident memory.
    said
        What came of it.
    """

    step: str
    seconds: float
    answer_s: float | None
    mebibytes: float
    said: str


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a step, and seconds for an answer if it was a question."""

    said: str
    answer_s: float | None = None


async def carry_out(job: Job) -> Done:
    """Plan, run, record, summarise and write a job."""
    await job.create(WHOLE)
    done = await job.manager.run_job(WHOLE)
    size = sum(file.stat().st_size for file in done.folder.iterdir())
    return Done(f"{done.completed_runs:,} runs, {size / 1e6:,.0f} MB of files")


async def status(job: Job) -> Done:
    """Ask how far the job is."""
    return await _asked(lambda: job.manager.progress(WHOLE))


async def grouped(job: Job) -> Done:
    """Ask for averages by one parameter."""
    return await _asked(lambda: job.manager.results(WHOLE, group_by=["a"]))


async def one_metric(job: Job) -> Done:
    """Ask for one measure alone."""
    return await _asked(lambda: job.manager.results(WHOLE, group_by=["a"], measures=["m0"]))


async def pages(job: Job) -> Done:
    """Ask for pages of single runs, and for one run."""
    shown = 0
    for state in (None, "completed", "pending", "failed"):
        for offset in (0, job.runs // 2, max(job.runs - 20, 0)):
            page = await job.manager.runs(WHOLE, status=state, limit=20, offset=offset)
            shown += len(page)
    await job.manager.run_of(WHOLE, str(job.runs // 3))
    return Done(f"{shown + 1} runs")


async def halve(job: Job) -> Done:
    """Cancel a job halfway."""
    await job.create(HALVED)
    working = asyncio.ensure_future(job.manager.run_job(HALVED))
    while True:
        await asyncio.sleep(POLL_S)
        if (await job.manager.exact(HALVED)).completed_runs > job.runs // 2:
            break
    await job.manager.cancel_job(HALVED)
    with contextlib.suppress(LeaseLost):
        await working
    return Done(f"{(await job.manager.exact(HALVED)).completed_runs:,} runs")


async def resume(job: Job) -> Done:
    """Compute the rest."""
    return Done(f"{(await job.manager.run_job(HALVED)).completed_runs:,} runs")


async def verify(job: Job) -> Done:
    """Compute all runs again."""
    return Done(f"{(await job.manager.verify(WHOLE, sample=None)).checked_runs:,} runs")


async def doctor(job: Job) -> Done:
    """Check every checksum of the store."""
    return Done(f"{len((await job.manager.doctor()).findings)} findings")


STEPS: dict[str, Callable[[Job], Awaitable[Done]]] = {
    each.__name__: each
    for each in (carry_out, status, grouped, one_metric, pages, halve, resume, verify, doctor)
}


def findings(folder: Path) -> Iterator[Finding]:
    """Carry out a job of very many runs, then ask for its results.

    Raises
    ------
    subprocess.CalledProcessError
        It failed.
    """
    done, asked = measured(["carry_out", "grouped"], folder, runs=RUNS, metrics=METRICS)
    assert asked.answer_s is not None
    yield Finding(what=f"{RUNS:,} trivial runs, carried out", value=done.seconds, unit="s")
    yield Finding(what="… memory of their worker", value=done.mebibytes, unit="MiB", at_most=500)
    yield Finding(what="… results by one parameter", value=asked.answer_s, unit="s")
    yield Finding(what="… memory of who asks", value=asked.mebibytes, unit="MiB", at_most=500)


def measured(steps: Sequence[str], folder: Path, *, runs: int, metrics: int) -> Iterator[Measured]:
    """Take steps, each in a process of its own.

    Parameters
    ----------
    steps
        Names of `STEPS`, in an order in which the job is carried out before it is asked about.
    folder
        Where the store and the files are; they stay.

    Raises
    ------
    subprocess.CalledProcessError
        A step failed.
    """
    environment = interpreter.environment(
        BILANCIO_DATABASE_URL=f"sqlite:///{folder}/bilancio.db",
        BILANCIO_OUT_DIR=f"{folder}/out",
        BILANCIO_PLUGINS=PLUGIN,
    )
    folder.mkdir(parents=True, exist_ok=True)
    for step in steps:
        told = subprocess.run(  # noqa: S603 - this interpreter, a module of ours
            interpreter.command("bilancio.bench.scale", step, str(runs), str(metrics)),
            env=environment, stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
        yield Measured(**json.loads(told.stdout))


async def _asked(ask: Callable[[], Awaitable[object]]) -> Done:
    took = []
    for _ in range(TIMES):
        start = time.perf_counter()
        await ask()
        took.append(time.perf_counter() - start)
    return Done(f"answers in {min(took):.3f} s", min(took))


async def _taken(step: str, runs: int, metrics: int) -> Done:
    async with AsyncJobManager() as manager:
        return await STEPS[step](Job(manager=manager, runs=runs, metrics=metrics))


def main() -> None:
    """Take the step that is named, and write what it took as JSON."""
    step, runs, metrics = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    began = time.perf_counter()
    done = asyncio.run(_taken(step, runs, metrics))
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = Measured(
        step=step,
        seconds=seconds,
        answer_s=done.answer_s,
        mebibytes=peak / (1 << 20 if sys.platform == "darwin" else 1 << 10),
        said=done.said,
    )
    sys.stdout.write(json.dumps(asdict(found)))
