"""`bilancio demo`: a small finished study, to look at."""

from pathlib import Path

import typer

from bilancio.cli.context import AsJson, with_manager
from bilancio.cli.parsing import command
from bilancio.cli.render.console import Output, emit
from bilancio.cli.render.jobs import next_command
from bilancio.cli.render.progress import compiles, meter
from bilancio.errors import JobNotFound, LibraryMissing
from bilancio.experiments.presets import FIELD
from bilancio.jobs.manager import AsyncJobManager
from bilancio.jobs.models import Job, JobStatus
from bilancio.text import counts

NAME = "dealers-under-stress"
DESCRIPTION = "Do dealers help when cash is short? A small study to look at."
TAGS = ("demo",)
CONFIG = {"sweep_type": "balanced", FIELD: "stressed"}
QUESTIONS = (
    "What were the results of dealers under stress?",
    "Where does trading help most, and does it harm anywhere?",
    "Show me the effect of trading over κ and μ as a picture.",
    "Tell me the worst pair of runs day by day.",
)
FAILED = 1

app = typer.Typer(add_completion=False, rich_markup_mode="rich")


@command(
    app,
    "demo",
    "Make a small finished study, with a report, and say how to look at it.\n\n"
    f"It is a job like any other, {NAME}: 240 runs, about a second. A second call says where the "
    f"first one's is; `bilancio jobs delete {NAME}` removes it.",
    "bilancio demo",
)
def demo(*, as_json: AsJson = False) -> None:
    """Make the study, or find it."""
    raise typer.Exit(with_manager(lambda manager: _shown(manager, Output(as_json))))


async def _shown(manager: AsyncJobManager, output: Output) -> int:
    """Say where the study is, once it has completed; return the exit code."""
    made = False
    try:
        job = await manager.exact(NAME)
    except JobNotFound:
        job = await manager.create_job(DESCRIPTION, CONFIG, job_id=NAME, tags=TAGS)
        made = True
    if job.status is not JobStatus.COMPLETED:
        job = await _computed(manager, job, output)
    if job.status is not JobStatus.COMPLETED:
        output.note(f"Job {NAME} is {job.state}, {counts(job)}. {next_command(job)}")
        return FAILED
    report, lacking = await _report(manager, job)
    headline = (await manager.results(NAME)).headline
    if output.as_json:
        emit(
            {
                "created": made,
                "job": job,
                "headline": headline,
                "report": report and str(report),
                "ask": QUESTIONS,
            }
        )
        return 0
    _tell(output, job, headline, report=report, lacking=lacking, made=made)
    return 0


async def _computed(manager: AsyncJobManager, job: Job, output: Output) -> Job:
    """Return the study after its runs; one that stopped early is resumed."""
    if compiles(job):
        output.note("The engine is compiled for this machine first, once.")
    await manager.start_sweep(job.job_id)
    with meter(output) as show:
        async for progress in manager.watch(job.job_id):
            show(progress)
            job = progress.job
    return job


async def _report(manager: AsyncJobManager, job: Job) -> tuple[Path | None, str]:
    """Return the report's file, written where it is not there, or what is lacking to write it."""
    file = job.folder / "report.html"
    if file.exists():
        return file, ""
    try:
        return (await manager.report(job.job_id)).path, ""
    except LibraryMissing as error:
        return None, str(error)


def _tell(
    output: Output, job: Job, headline: str, *, report: Path | None, lacking: str, made: bool
) -> None:
    output.say(f"Job ID: {job.job_id}", style="bold")
    output.say(job.description if made else f"{job.description} It was here already.")
    output.say(headline)
    output.say()
    output.say(f"Files in {job.folder}")
    output.say(f"Report: {report}" if report else f"No report: {lacking}")
    output.say(f"In the browser: bilancio jobs open {job.job_id}")
    output.say(f"As a table: bilancio jobs results {job.job_id} --group-by mu,kappa")
    output.say()
    output.say("In Claude Code, ask:")
    for question in QUESTIONS:
        output.say(f"  {question}")
