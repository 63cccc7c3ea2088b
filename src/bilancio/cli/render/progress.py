"""Have a worker carry a job out and watch it; say how it went."""

import asyncio
import textwrap
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

from bilancio import text as words
from bilancio.cli.render.console import Output, emit
from bilancio.cli.render.jobs import show_results
from bilancio.errors import JobStateError
from bilancio.jobs.manager import AsyncJobManager
from bilancio.jobs.models import Estimate, Job, JobStatus, Results
from bilancio.jobs.models import Progress as JobProgress
from bilancio.jobs.worker.spawn import LOG

FAILED, INTERRUPTED = 1, 130
_FIRST_LINE_S, _LONGEST_PAUSE_S = 1.0, 60.0


async def start(
    manager: AsyncJobManager, job: Job, output: Output, *, detach: bool, new: bool
) -> int:
    """Start *job*, watch it to its end unless *detach*, and return the exit code.

    Ctrl-C cancels the job; what it has recorded stays.

    Parameters
    ----------
    new
        Whether it was created just now.
    """
    if new:
        output.say(f"Job {job.job_id}", style="bold")
        output.say(job.description)
    try:
        estimate = await manager.estimate(job.config)
        started = await manager.start_sweep(job.job_id)
        if not new:
            output.say(f"Job {job.job_id}", style="bold")
        output.say(_beginning(started.action, started.job, estimate))
        _notice_of_compilation(output, job)
        if detach:
            return _leave(output, started.job, started.action, estimate)
        last = await _follow(manager.watch(job.job_id), output)
    except asyncio.CancelledError:
        _go_on_after_interrupt()
        return await _cancel(manager, job, output)
    return await tell(manager, last.job, output, action=started.action, estimate=estimate)


async def watch(manager: AsyncJobManager, job: Job, output: Output) -> int:
    """Watch a job that somebody else has started; Ctrl-C ends the watching only."""
    if job.status is JobStatus.PENDING:
        output.say(f"Job {job.job_id} is not started; `bilancio jobs start {job.job_id}` does it.")
    output.say(f"Job {job.job_id}", style="bold")
    try:
        last = await _follow(manager.watch(job.job_id), output)
    except asyncio.CancelledError:
        _go_on_after_interrupt()
        output.note(f"The job goes on; `bilancio jobs watch {job.job_id}` watches it again.")
        return INTERRUPTED
    return await tell(manager, last.job, output)


async def tell(manager: AsyncJobManager, job: Job, output: Output, **more: Any) -> int:
    """Say how a job stands, with results where it has completed; return the exit code."""
    if output.as_json:
        results = await manager.results(job.job_id)
        emit({**more, **results.model_dump(mode="json")})
    if job.state == "completed":
        if not output.as_json:
            by = _varied(job)[:1] if job.config.fixed_runs and not _continuous(job) else []
            _show_results(output, await manager.results(job.job_id, group_by=by))
        output.say(f"Job {job.job_id}", style="bold")
        return 0
    if job.state == "pending":
        return 0
    for line in _reasons(job):
        output.note(line)
    return FAILED


def _reasons(job: Job) -> Iterator[str]:
    """Say why a job has not completed, where to look, and how it goes on."""
    done = f"{job.completed_runs:,} of {words.runs(job.total_runs)} recorded"
    match job.state:
        case "failed":
            reason = textwrap.shorten(job.error or "no reason is known", 500, placeholder=" …")
            yield f"Job {job.job_id} failed, {done}: {reason}"
        case "cancelled":
            yield f"Job {job.job_id} was cancelled, {done}."
        case _:
            yield f"Job {job.job_id} is stalled, {done}: its worker has died."
    log = job.folder / LOG
    if log.exists():
        yield f"The worker's log: {log}"
    yield f"Go on with what is missing: bilancio jobs resume {job.job_id}"


def _beginning(action: str, job: Job, estimate: Estimate) -> str:
    left = job.total_runs - job.completed_runs
    seconds = estimate.seconds * left / max(job.total_runs, 1)
    rough = "roughly" if estimate.rough else "about"
    if action == "started":
        cores = f"{estimate.workers} core{'' if estimate.workers == 1 else 's'}"
        most = "at most " if job.total_is_bound else ""
        return f"{most}{words.runs(left)}, {rough} {words.duration(seconds)} on {cores}."
    if action == "already running":
        return "It is running already; nothing was started."
    return f"It goes on: {words.runs(left)} left, {rough} {words.duration(seconds)}."


def _notice_of_compilation(output: Output, job: Job) -> None:
    from bilancio.model import compiled  # of use only where a job starts

    if job.config.sweep_type in {"single", "ring", "balanced"} and not compiled():
        output.note(
            "The engine is compiled for this machine first, once; that takes up to half a minute."
        )


def _leave(output: Output, job: Job, action: str, estimate: Estimate) -> int:
    if output.as_json:
        emit({"job": job, "action": action, "estimate": estimate})
    output.say(f"It goes on by itself. Watch it: bilancio jobs watch {job.job_id}")
    output.say(f"Its results: bilancio jobs results {job.job_id}")
    return 0


async def _cancel(manager: AsyncJobManager, job: Job, output: Output) -> int:
    output.note("Cancelling …")
    try:
        ended = await manager.cancel_job(job.job_id, "interrupted from the command line")
    except JobStateError:  # it completed in this very moment
        return await tell(manager, (await manager.find_job(job.job_id)).job, output)
    if output.as_json:
        emit({"job": ended})
    for line in _reasons(ended):
        output.note(line)
    output.say(f"Job {job.job_id}", style="bold")
    return INTERRUPTED


def _go_on_after_interrupt() -> None:
    """Take the interrupt as dealt with: the task has something left to do."""
    task = asyncio.current_task()
    if task is not None:
        task.uncancel()


# -- progress ---------------------------------------------------------------------------------


class _Meter(Protocol):
    def __call__(self, progress: JobProgress) -> None: ...


async def _follow(seen: AsyncIterator[JobProgress], output: Output) -> JobProgress:
    """Show each step; return the last one."""
    last = None
    with _bar(output) if output.err.is_terminal else _lines(output) as show:
        async for progress in seen:
            show(progress)
            last = progress
    assert last is not None, "a job that is watched is seen at least once"
    return last


@contextmanager
def _bar(output: Output) -> Iterator[_Meter]:
    """Show progress as a bar that moves, on a terminal."""
    bar = Progress(
        SpinnerColumn(),
        BarColumn(bar_width=None),
        TextColumn("{task.fields[counts]}"),
        TextColumn("{task.fields[pace]}", style="dim"),
        console=output.err,
        expand=True,
        transient=True,
    )
    task = bar.add_task("", total=None, counts="starting", pace="")

    def show(progress: JobProgress) -> None:
        bar.update(
            task,
            total=progress.job.total_runs,
            completed=progress.done_runs,
            counts=_counts(progress),
            pace=_pace(progress),
        )

    with bar:
        yield show


@contextmanager
def _lines(output: Output) -> Iterator[_Meter]:
    """Show progress as lines at growing intervals, where nothing can move."""
    next_at, pause = time.monotonic() + _FIRST_LINE_S, _FIRST_LINE_S

    def show(progress: JobProgress) -> None:
        nonlocal next_at, pause
        ended = progress.job.state != "running"
        if ended or time.monotonic() >= next_at:
            pause = min(2 * pause, _LONGEST_PAUSE_S)
            next_at = time.monotonic() + pause
            pace = _pace(progress)
            output.note(_counts(progress) + (f", {pace}" if pace else ""))

    yield show


def _counts(progress: JobProgress) -> str:
    failed = progress.job.failed_runs
    words_of_failures = f", {failed:,} failed" if failed else ""
    return f"{progress.done_runs:,}/{words.runs(progress.job.total_runs)}{words_of_failures}"


def _pace(progress: JobProgress) -> str:
    parts = []
    if progress.rate is not None:
        parts.append(f"{words.number(round(progress.rate, 1))} runs/s")
    if progress.eta_s is not None:
        parts.append(f"{words.duration(progress.eta_s)} left")
    elif progress.job.status.ended and progress.elapsed_s is not None:
        parts.append(f"in {words.duration(progress.elapsed_s)}")
    return ", ".join(parts)


# -- results ----------------------------------------------------------------------------------


def _varied(job: Job) -> list[str]:
    """Return the parameters that vary over the cells of a job, the first to look at first."""
    varied = [name for name in getattr(job.config, "varied", ()) if name != "seed"]
    return sorted(varied, key=lambda name: name != "kappa")


def _continuous(job: Job) -> bool:
    """Whether the first parameter to look at takes a value of its own in each sample."""
    return getattr(job.config, "lhs", None) is not None


def _show_results(output: Output, results: Results) -> None:
    output.say()
    show_results(output, results)
    varied = ",".join(_varied(results.job))
    grouping = f" --group-by {varied}" if varied else ""
    output.say(f"More: bilancio jobs results {results.job.job_id}{grouping}")
