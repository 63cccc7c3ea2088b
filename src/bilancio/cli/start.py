"""Have a worker carry a job out and watch it; say how it went."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import typer

from bilancio.cli.context import SHOWN_ROWS
from bilancio.cli.render.console import Output, emit
from bilancio.cli.render.jobs import next_command, show_results
from bilancio.cli.render.progress import compiles, meter
from bilancio.errors import ConfirmationNeeded, InvalidInput, JobStateError, Problem
from bilancio.jobs.artifacts.log import LOG
from bilancio.jobs.manager import AsyncJobManager
from bilancio.jobs.models import Estimate, Job
from bilancio.jobs.progress import Progress
from bilancio.jobs.views import Results
from bilancio.printable import shortened
from bilancio.text import computing, counts, counts_beside_error, runs

BINS = 5  # of a sampled parameter
FAILED, INTERRUPTED = 1, 130


async def start(
    manager: AsyncJobManager,
    job: Job,
    output: Output,
    *,
    detach: bool,
    new: bool,
    yes: bool = False,
    recompute: bool = False,
    n_replicates: int | None = None,
) -> int:
    """Start *job*, watch it to its end unless *detach*, and return the exit code.

    Ctrl-C cancels the job; what it has recorded stays.

    Parameters
    ----------
    new
        Whether it was created just now.
    yes
        Start it without asking, however large it is.
    recompute
        Whether a job that was imported without its single runs is computed again.
    n_replicates
        The number of seeds that it is extended to.
    """
    if new:
        _introduce(output, job)
    if not yes:
        await _agree(manager, job, output, recompute=recompute, n_replicates=n_replicates)
    try:
        expected = await manager.estimate(
            job.config if recompute else job, n_replicates=n_replicates
        )
        started = await manager.start_sweep(
            job.job_id, n_replicates=n_replicates, recompute=recompute
        )
        if not new:
            _say_name(output, job)
        output.say(_beginning(started.action, started.job, expected))
        if started.action != "already running" and compiles(job):
            output.note(
                "The engine is compiled for this machine first, once; this takes some ten seconds."
            )
        if detach:
            return _leave(output, started.job, started.action, expected)
        last = await _follow(manager.watch(job.job_id), output)
    except asyncio.CancelledError:
        _continue_after_interrupt()
        return await _cancel(manager, job, output)
    return await _tell(manager, last.job, output, action=started.action, estimate=expected)


async def leave_unstarted(manager: AsyncJobManager, job: Job, output: Output) -> int:
    """Say what a job is that was created just now, and how it is started; return the exit code."""
    _introduce(output, job)
    expected = await manager.estimate(job)
    output.say(_beginning("started", job, expected))
    output.say(next_command(job))
    output.say(f"Or in the foreground, as in a SLURM job: bilancio worker {job.job_id}")
    if output.as_json:
        emit({"job": job, "action": "created", "estimate": expected})
    return 0


def _introduce(output: Output, job: Job) -> None:
    _say_name(output, job)
    output.say(job.description)
    for remark in job.config.remarks:
        output.note(remark)


async def _agree(
    manager: AsyncJobManager, job: Job, output: Output, *, recompute: bool, n_replicates: int | None
) -> None:
    """Ask before a large sweep starts; without a terminal to ask on, refuse."""
    question = await manager.question_before_start(
        job.job_id, recompute=recompute, n_replicates=n_replicates
    )
    if not question:
        return
    output.note(question)
    if output.as_json or sys.stdin is None or not sys.stdin.isatty():
        got = "nothing, and there is no terminal to ask on"
        again = "the same command" if n_replicates else f"bilancio jobs start {job.job_id}"
        raise InvalidInput([Problem("--yes", got, f"{again} with --yes, once somebody has agreed")])
    if not typer.confirm("Start it?", err=True):
        raise ConfirmationNeeded(job.job_id, "You did not agree.", declined=True)


async def _tell(manager: AsyncJobManager, job: Job, output: Output, **more: Any) -> int:
    """Say how a job stands, with results where it has completed; return the exit code."""
    if output.as_json:
        results = await manager.results(job.job_id)
        emit({**more, **results.model_dump(mode="json")})
    if job.state == "completed":
        if not output.as_json:
            by = _varied(job)[:1] if job.config.fixed_runs else []
            bins = BINS if _sampled(job, by) else None
            results = await manager.results(job.job_id, group_by=by, bins=bins, limit=SHOWN_ROWS)
            _show_results(output, results)
        _say_name(output, job)
        return 0
    if job.state == "pending":
        return 0
    repetition = (await manager.progress(job.job_id)).repetition
    for line in _reasons(job, repetition):
        output.note(line)
    _say_name(output, job)
    return FAILED


def _say_name(output: Output, job: Job) -> None:
    output.say(f"Job ID: {job.job_id}", style="bold")


def _reasons(job: Job, repetition: str = "") -> Iterator[str]:
    """Say why a job has not completed, where to look, and how it is resumed.

    Parameters
    ----------
    repetition
        Why its failed runs would fail again; empty where that is open.
    """
    match job.state:
        case "failed":
            reason = shortened(" ".join((job.error or "no reason was recorded").split()), 500)
            yield f"Job {job.job_id} failed, {counts_beside_error(job)}: {reason}"
        case "cancelled":
            yield f"Job {job.job_id} was cancelled, {counts(job)}."
        case _:
            reason = shortened(" ".join((job.error or "its worker is gone.").split()), 500)
            yield f"Job {job.job_id} has stalled, {counts_beside_error(job)}: {reason}"
    log = job.folder / LOG
    if log.exists():
        yield f"The worker's log: {log}"
    yield next_command(job, repetition)


def _beginning(action: str, job: Job, expected: Estimate) -> str:
    left = job.total_runs - job.completed_runs
    most = "at most " if job.total_is_bound else ""
    match action:
        case "started":
            return computing(f"{most}{runs(left)}", expected)
        case "already running":
            return "It is already running; nothing was started."
        case "extended":
            return computing(f"Extended: {runs(left)} more", expected)
        case _:
            return computing(f"Resumed: {most}{runs(left)} left", expected)


def _leave(output: Output, job: Job, action: str, expected: Estimate) -> int:
    if output.as_json:
        emit({"job": job, "action": action, "estimate": expected})
    output.say(f"Running in the background. Follow it: bilancio jobs watch {job.job_id}")
    output.say(f"Results: bilancio jobs results {job.job_id}")
    return 0


async def _cancel(manager: AsyncJobManager, job: Job, output: Output) -> int:
    output.note("Cancelling …")
    try:
        ended = await manager.cancel_job(job.job_id, "interrupted from the command line")
    except JobStateError:  # it completed in this very moment
        return await _tell(manager, (await manager.find_job(job.job_id)).job, output)
    if output.as_json:
        emit({"job": ended})
    for line in _reasons(ended):
        output.note(line)
    _say_name(output, job)
    return INTERRUPTED


def _continue_after_interrupt() -> None:
    """Take the interrupt as dealt with: the task has something left to do."""
    task = asyncio.current_task()
    if task is not None:
        task.uncancel()


async def _follow(seen: AsyncIterator[Progress], output: Output) -> Progress:
    """Show each step; return the last one."""
    last = None
    with meter(output) as show:
        async for progress in seen:
            show(progress)
            last = progress
    assert last is not None, "a job that is watched is seen at least once"
    return last


def _varied(job: Job) -> list[str]:
    """Return the parameters to compare cells of a job by, the first to look at first.

    The probes of a search are no cells that one compares: it is not told apart as a design.
    """
    designs = {*getattr(job.config, "blocks", ())} - {"frontier"}
    left_out = {"seed"} if len(designs) > 1 else {"seed", "design"}
    varied = [name for name in getattr(job.config, "varied", ()) if name not in left_out]
    return sorted(varied, key=lambda name: name != "kappa")


def _sampled(job: Job, names: Sequence[str]) -> bool:
    """Return whether one of these parameters takes a value of its own in each sample."""
    designs = {"lhs", "sobol"} & set(getattr(job.config, "blocks", ()))
    return bool(designs) and any(name in getattr(job.config, "ranges", ()) for name in names)


def _show_results(output: Output, results: Results) -> None:
    output.say()
    show_results(output, results)
    if not results.job.config.fixed_runs:  # the table above has all that was searched for
        output.say(f"More: bilancio jobs plot {results.job.job_id}")
        return
    varied = _varied(results.job)
    grouping = f" --group-by {','.join(varied)}" if varied else ""
    if _sampled(results.job, varied):
        grouping += f" --bins {BINS}"
    elif len(varied) == 1 and varied != ["design"]:  # its table is the one shown above
        grouping += f" --contrast {varied[0]}"
    output.say(f"More: bilancio jobs results {results.job.job_id}{grouping}")
