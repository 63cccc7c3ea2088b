"""The sentences of the answers: where a job stands, and what to call next."""

from bilancio.experiments.configs import GridSweep
from bilancio.jobs.models import Estimate, Found, Job, Page, Progress, Results

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400
SHOWN_TEXT = 200


def duration(seconds: float) -> str:
    """Say a time span as people do: 8 s, 4 min, 2.5 h, 3 days."""
    for unit, length in (("days", DAY_S), ("h", HOUR_S), ("min", MINUTE_S)):
        if seconds >= 2 * length:
            return f"{round(seconds / length, 1):g} {unit}"
    return f"{max(seconds, 1):.0f} s"


def shortened(text: str) -> str:
    """Return the beginning of a long text."""
    return text if len(text) <= SHOWN_TEXT else f"{text[: SHOWN_TEXT - 1]}…"


def plural(number: int, noun: str) -> str:
    """Return a count and its noun: 1 run, 2,000 runs."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def created(job: Job, estimate: Estimate) -> str:
    """Say which job was made and how long it will take."""
    known = "rough: nothing like it has run here yet" if estimate.rough else "as measured here"
    return (
        f"Created {job.job_id}: {plural(job.total_runs, 'run')}, "
        f"about {duration(estimate.seconds)} on this machine ({known}). Nothing runs yet."
    )


def started(job: Job, action: str) -> str:
    """Say what a start did."""
    if action == "already running":
        return f"{job.job_id} is running already; nothing was started. {_counts(job)}"
    how = {"resumed": "goes on with what is missing", "recovered": "was taken over and goes on"}
    return (
        f"{job.job_id} {how.get(action, 'has started')} in a worker process of its own, "
        f"which outlives this conversation. {_counts(job)}"
    )


def cancelled(job: Job) -> str:
    """Say that a job is cancelled, and what stays."""
    return f"{job.job_id} is cancelled. {_counts(job)} What is done stays."


def status(progress: Progress, reading: str) -> str:
    """Say how far a job is."""
    job = progress.job
    said = f"{job.job_id} is {state(job)}. {_counts(job)}"
    if progress.eta_s:
        said += f" About {duration(progress.eta_s)} left."
    if job.error:
        said += f" {job.error}"
    return _read_as(reading, job) + said


def waiting(progress: Progress) -> str:
    """Say how far a job is to somebody who waits for it."""
    left = f", about {duration(progress.eta_s)} left" if progress.eta_s else ""
    return f"{progress.job.job_id}: {state(progress.job)}{left}"


def state(job: Job) -> str:
    """Say the state of a job."""
    if job.stalled:
        return "stalled: its worker is gone and nobody carries it on"
    if job.manual and job.state == "running":
        return "running by hand: whoever started it records its runs"
    return job.state


def findings(results: Results, found: Found) -> str:
    """Say what a job has found."""
    return _read_as(found.reading, found.job) + results.headline


def listed(page: Page) -> str:
    """Say which part of how many jobs a page shows."""
    if not page.total:
        return "No job fits."
    if not page.jobs:
        return f"{plural(page.total, 'job')} in all, none from offset {page.offset} on."
    first, last = page.offset + 1, page.offset + len(page.jobs)
    shown = "" if last - first + 1 == page.total else f"; these are {first} to {last}"
    return f"{plural(page.total, 'job')}, newest first{shown}."


def after_status(job: Job) -> str:
    """Say what to call when one knows where a job stands."""
    name = f"job_id='{job.job_id}'"
    match job.state:
        case "pending":
            return f"start_sweep({name}) starts it."
        case "stalled":
            return f"start_sweep({name}) takes it over; what is recorded stays."
        case "running":
            return (
                f"job_status({name}, wait_s=60) waits for it; "
                f"job_results({name}) shows what is there so far."
            )
        case "failed":
            return (
                f"job_results({name}) shows what was found and which runs failed; "
                f"start_sweep({name}) tries again what is missing."
            )
        case "cancelled":
            return f"job_results({name}) shows what was found; start_sweep({name}) resumes it."
        case _:
            return f"job_results({name}) tells what was found."


def after_results(results: Results, offset: int, limit: int) -> str:
    """Say how to see more of the results."""
    job, table = results.job, results.table
    if job.state != "completed":
        return after_status(job) if job.state != "failed" else _after_failure(job)
    if table is not None and offset + limit < table.total_rows:
        return f"The same call with offset={offset + limit} shows the next rows."
    varying = [name for name in varied(job) if table is None or name not in table.columns]
    if varying:
        return f"The same call with group_by ({', '.join(varying)}) breaks it down further."
    return "runs.csv holds every single run; group_by takes any parameter that varies, or seed."


def varied(job: Job) -> list[str]:
    """Return the parameters that vary within a job, by the names that group_by takes."""
    return list(job.config.varied) if isinstance(job.config, GridSweep) else []


def _after_failure(job: Job) -> str:
    return f"start_sweep(job_id='{job.job_id}') tries again what is missing."


def _counts(job: Job) -> str:
    failed = f", {job.failed_runs:,} failed" if job.failed_runs else ""
    return f"{job.completed_runs:,} of {plural(job.total_runs, 'run')} done{failed}."


def _read_as(reading: str, job: Job) -> str:
    return f"Taken to mean {job.job_id} ({reading}). " if reading else ""
