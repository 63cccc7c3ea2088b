"""`bilancio worker`: carry a job out in the foreground, or resume jobs whose workers are gone."""

import asyncio
import os
from typing import TYPE_CHECKING, Annotated

import typer

from bilancio.cli.context import AsJson, ExecutorName, known_names, name_of, with_manager
from bilancio.cli.parsing import command
from bilancio.cli.render.console import Output, emit
from bilancio.errors import InvalidInput, LeaseLost, Problem
from bilancio.jobs.maintenance.reports import Recovery
from bilancio.jobs.manager import AsyncJobManager
from bilancio.jobs.models import Job
from bilancio.text import counts, runs
from bilancio.validation import parse_int

if TYPE_CHECKING:  # loads numpy
    from bilancio.jobs.worker.worker import Worker

app = typer.Typer(add_completion=False, rich_markup_mode="rich")


@command(
    app,
    "worker",
    "Carry a job out in the foreground: start it, or resume what is missing.\n\n"
    "SIGTERM and Ctrl-C leave it resumable. Exit codes: 0 completed, 1 failed or nothing "
    "started, 2 cancelled, 143 SIGTERM, 130 Ctrl-C. A SLURM job is the second line below; the "
    "same line again resumes.\n\n"
    "With --recover: resume the jobs whose workers were killed. Each gets a worker process of "
    "its own, which keeps running when this command is interrupted.",
    "bilancio worker bright-ocean-swift-tiger",
    'sbatch -c 32 --signal=B:TERM@60 --wrap "exec bilancio worker NAME"',
    "bilancio worker --recover --jobs 2",
)
def worker(
    job: Annotated[
        list[str] | None,
        typer.Argument(metavar="JOB", help="The job's whole name.", autocompletion=known_names),
    ] = None,
    *,
    recover: Annotated[
        bool,
        typer.Option("--recover", metavar="", help="Resume every stalled job, to its end."),
    ] = False,
    jobs: Annotated[
        str | None,
        typer.Option(
            metavar="N", help="With --recover: how many at a time; each takes all cores. Default 1."
        ),
    ] = None,
    executor: ExecutorName = None,
    as_json: AsJson = False,
) -> None:
    """Carry one job out, or resume those that have stalled."""
    if bool(job) == recover:
        got = "a job and --recover" if job else "nothing to do"
        raise InvalidInput([Problem("bilancio worker", got, "the name of a job, or --recover")])
    if job:
        if jobs is not None:
            raise InvalidInput([Problem("--jobs", f"{jobs} and a job", "--jobs with --recover")])
        raise typer.Exit(
            with_manager(
                lambda manager: _carry_out(manager, name_of(job), Output(as_json)),
                executor=executor,
            )
        )
    at_once = 1 if jobs is None else parse_int("jobs", jobs)
    tell = _silent if as_json else _tell
    done = with_manager(
        lambda manager: manager.recover(at_once=at_once, tell=tell), executor=executor
    )
    if as_json:
        emit({"jobs": done})
    elif not done:
        Output().say("No job has stalled; there is nothing to resume.")


async def _carry_out(manager: AsyncJobManager, name: str, output: Output) -> int:
    """Carry a job out in this process, and return the exit code."""
    from bilancio.cli.watching import followed, tell  # tables, which --recover does without
    from bilancio.jobs.worker.alone import run_alone  # numpy, likewise
    from bilancio.jobs.worker.worker import Stopped

    job = await manager.exact(name)
    if job.state == "completed":
        return await tell(manager, job, output)

    async def run(worker: "Worker") -> None:
        following = asyncio.ensure_future(followed(manager.watch(job.job_id), output))
        try:
            await run_alone(worker, manager.settings.lease_s)
            await following
        finally:
            following.cancel()
            await asyncio.wait({following})

    try:
        return await tell(manager, await manager.run_job(job.job_id, run=run), output)
    except Stopped as stopped:
        _say_stopped(await manager.exact(job.job_id), str(stopped), output)
        code = stopped.exit_code
    except LeaseLost:
        job = await manager.exact(job.job_id)
        if job.state != "cancelled":
            raise
        code = await tell(manager, job, output)
    await manager.close()
    os._exit(code)  # without waiting for what still computes in threads


def _say_stopped(job: Job, stopped: str, output: Output) -> None:
    if output.as_json:
        emit({"job": job})
    output.note(f"{stopped} {counts(job)} are recorded.")
    output.note(f"Resume: bilancio worker {job.job_id}")


def _silent(_: Recovery) -> None:
    pass


def _tell(seen: Recovery) -> None:
    done = f"{seen.completed_runs:,} of {runs(seen.total_runs)}"
    if seen.action == "refused":
        told = f"Job {seen.job_id} cannot be resumed: {seen.reason}"
    elif seen.state == "running":
        told = f"Job {seen.job_id} is resumed, {done} recorded."
    else:
        reason = f": {seen.reason}" if seen.reason else "."
        told = f"Job {seen.job_id} is {seen.state}, {done} recorded{reason}"
    Output().say(told)
