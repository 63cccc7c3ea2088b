"""Watch a job to its end: few lines, the headline last, and an exit code that says how it ended."""

import asyncio
import sys
from collections.abc import AsyncIterator

from bilancio import text
from bilancio.cli.render.console import Output, can_move, emit
from bilancio.cli.render.jobs import next_command
from bilancio.cli.render.progress import meter
from bilancio.errors import BilancioError
from bilancio.jobs.artifacts.log import LOG
from bilancio.jobs.manager import AsyncJobManager
from bilancio.jobs.models import Found, Job
from bilancio.jobs.progress import Progress
from bilancio.printable import shortened

STEPS = 8  # lines of how far it is, the last of which is its end
MAX_HEADLINE = 800
EXIT_CODES = {"completed": 0, "failed": 1, "cancelled": 2, "stalled": 3, "pending": 4}
INTERRUPTED = 130


async def watch(manager: AsyncJobManager, found: Found, output: Output) -> int:
    """Watch a job until it ends or stalls, and return the exit code; Ctrl-C ends the watching only.

    A terminal shows a bar that moves; elsewhere there are at most twelve lines.
    """
    job = found.job
    output.reading(found)
    try:
        job = await followed(manager.watch(job.job_id), output)
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None:
            task.uncancel()  # something is left to say
        output.note(f"The job keeps running. Follow it: bilancio jobs watch {job.job_id}")
        return INTERRUPTED
    return await tell(manager, job, output)


async def tell(manager: AsyncJobManager, job: Job, output: Output) -> int:
    """Say how a job has ended, the headline last; return the exit code."""
    if output.as_json:
        emit(await manager.results(job.job_id))
    elif job.state != "completed":
        if (log := job.folder / LOG).exists():
            output.say(f"The worker's log: {log}")
        output.say(next_command(job))
    output.say(f"{job.job_id}: {await _headline(manager, job)}", style="bold")
    return EXIT_CODES[job.state]


async def followed(seen: AsyncIterator[Progress], output: Output) -> Job:
    """Show how far the job is until it ends or stalls; return it as it is then."""
    last = None
    if can_move(sys.stderr):
        with meter(output) as show:
            async for progress in seen:
                show(progress)
                last = progress
    else:
        step, told = -1, ""
        async for progress in seen:
            last = progress
            reached = STEPS * progress.done_runs // max(progress.job.total_runs, 1)
            new = step < reached < STEPS or (progress.waiting and progress.waiting != told)
            if progress.job.state == "running" and (new or (progress.writing and step < STEPS)):
                told = progress.waiting
                output.say(str(progress))
                step = max(step, reached)
    assert last is not None, "a job that is watched is seen at least once"
    return last.job


async def _headline(manager: AsyncJobManager, job: Job) -> str:
    """Say in a line how a job has ended, and what it found."""
    said = text.standing(job)
    if job.state == "completed":
        try:
            said = (await manager.results(job.job_id)).headline
        except BilancioError as error:  # it has completed all the same
            said = f"{said} Its results cannot be read: {error}"
    return shortened(" ".join(said.split()), MAX_HEADLINE)
