"""The next step after an answer, said as a call of a tool."""

from bilancio.experiments.grid_sweep import GridSweep
from bilancio.jobs.models import Job, Page, Results
from bilancio.text import NextStep, next_steps

_CALLS = {
    NextStep.START: "start_sweep({name}) starts it.",
    NextStep.WATCH: "job_status({name}, wait_s=45) waits for it.",
    NextStep.RESULTS: "job_results({name}) shows what was found.",
    NextStep.RESUME: "start_sweep({name}) computes what is missing.",
    NextStep.RETRY: "start_sweep({name}) tries the failed runs again, once their cause is removed.",
    NextStep.CREATE: "create_job with the same config makes a new job that can be computed.",
}


def after_status(job: Job, *steps_taken: NextStep) -> str:
    """Say what to call when one knows where a job stands."""
    left = [step for step in next_steps(job) if step not in steps_taken]
    return " ".join(_CALLS[step].format(name=f"job_id='{job.job_id}'") for step in left)


def after_results(results: Results, offset: int, limit: int) -> str:
    """Say how to see more of the results."""
    job, table = results.job, results.table
    if job.state != "completed":
        return after_status(job, NextStep.RESULTS)
    if table is not None and offset + limit < table.total_rows:
        return f"The same call with offset={offset + limit} shows the next rows."
    varying = [name for name in varied(job) if table is None or name not in table.columns]
    if varying:
        return f"The same call with group_by ({', '.join(varying)}) breaks it down further."
    return "runs.csv holds every single run; group_by takes any parameter that varies, or seed."


def after_list(page: Page, *, filtered: bool) -> str:
    """Say what to call with a job of the list, or how to see more."""
    seen = page.offset + len(page.jobs)
    if page.jobs and seen < page.total:
        return f"The same call with offset={seen} lists older ones."
    if page.jobs:
        return "job_status or job_results with a job_id of the list; create_job for a new one."
    if page.total:
        return "The same call with offset=0 lists the newest ones."
    return "list_jobs() lists all jobs." if filtered else "create_job makes a job."


def varied(job: Job) -> list[str]:
    """Return the parameters that vary within a job, by the names that group_by takes."""
    return list(job.config.varied) if isinstance(job.config, GridSweep) else []
