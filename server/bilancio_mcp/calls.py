"""What to call next, said in calls of tools that would not be refused."""

from collections.abc import Sequence

from bilancio import text as sentences
from bilancio.experiments.grid_sweep import GridSweep
from bilancio.jobs.launch import available_steps
from bilancio.jobs.models import Job
from bilancio.jobs.telling import RunStory
from bilancio.jobs.views import Comparison, Page, Results
from bilancio.printable import shortened
from bilancio.text import MORE_SEEDS, NextStep
from bilancio_mcp.outputs import COLUMNS, ResultsTable

WAIT_S, WAIT_LONGER_S = 45, 60  # clients give up a call after a minute or more
LONG_S = 120.0  # a job that takes longer is not waited for by calls
RUN = "run"  # the column that numbers runs
RUNS = ("runs.csv", "runs.parquet")
BINS = 5  # proposed for parameters that were sampled
NAME = 100  # characters of a job's name that a sentence repeats
NAMED = 3  # measures that an answer's table leaves out

_FAILED = "show_run({name}, run='failed') shows the first failed run."
_CALLS = {
    NextStep.START: "start_sweep({name}) starts it.",
    NextStep.WATCH: "job_status({name}, wait_s={wait_s}) waits for it.",
    NextStep.RESULTS: "job_results({name}) shows what was found.",
    NextStep.RESUME: "start_sweep({name}) computes what is missing.",
    NextStep.RETRY: f"{_FAILED} start_sweep({{name}}) tries the failed runs again, once their "
    "cause is removed.",
    NextStep.INSPECT: "show_run({name}, run='failed') shows the first failed run; once its cause "
    "is clear, create_job without what fails, or with the simulation corrected.",
    NextStep.EXTEND: "start_sweep({name}, n_replicates={seeds}) adds seeds.",
    NextStep.CREATE: "create_job with the same config makes a new job.",
}


def after_status(
    job: Job, *, waited_s: int = 0, left_s: float | None = None, repetition: str = ""
) -> str:
    """Say what to call when one knows where a job stands.

    Parameters
    ----------
    waited_s
        How long the call has waited for the job; the next one waits for another time.
    left_s
        How long the job still takes, if that is known. A long one is watched by a command whose
        end wakes whoever started it.
    repetition
        Why its failed runs would fail again; empty where that is open.
    """
    wait_s = WAIT_LONGER_S if waited_s == WAIT_S else WAIT_S
    said = _said(job, available_steps(job, repetition), wait_s)
    if job.state in {"failed", "stalled"}:
        return f"{said} The resource job://{job.job_id}/events tells what happened."
    if job.state != "running" or (left_s or 0) <= LONG_S:
        return said
    return (
        f"To be woken at its end, run `bilancio jobs watch {job.job_id}` in the background; tell "
        f"the user its name, {job.job_id}. {said}"
    )


def once_agreed(job_id: str) -> str:
    """Say how a large sweep is started."""
    name = shortened(job_id, NAME)
    return f"Ask the user; if they agree, start_sweep(job_id='{name}', confirm='{name}')."


def after_results(
    results: Results,
    table: ResultsTable | None,
    *,
    precision: float | None = None,
) -> str:
    """Say how to see more of the results, or what to do with a job that is not completed.

    Parameters
    ----------
    precision
        Half width that was asked about: the seeds that it takes can be added.
    """
    job = results.job
    more_seeds = "" if precision is None else _planned_seeds(results)
    if more_seeds:
        return more_seeds
    said = [_more_rows(table), _more_columns(results, table)]
    steps = available_steps(job, results.repetition)
    steps = tuple(step for step in steps if step is not NextStep.RESULTS)
    if job.state == "completed":
        said.append(_grouping(results, table))
        if not any(said):
            said.append(_end(results, more=bool(steps)))
    said.append(_said(job, steps, WAIT_S))
    if job.state == "completed" and not results.group_by:
        said.append(f"The resource job://{job.job_id}/report is all of it on a page.")
    return " ".join(filter(None, said))


def after_runs(results: Results, table: ResultsTable) -> str:
    """Say how to see more single runs, or one of them day by day."""
    name = f"job_id='{results.job.job_id}'"
    said = [_more_rows(table)]
    if table.rows and table.columns[0] == RUN:
        said.append(f"show_run({name}, run='{table.rows[0][0]}') tells the first of these.")
    if results.job.failed_runs:
        said.append(_FAILED.format(name=name))
    return " ".join(filter(None, said)) or f"job_results({name}) shows the averages."


def after_comparison(seen: Comparison) -> str:
    """Say how a comparison is broken down, or what tells more of its jobs."""
    names = [job.job_id for job in (seen.job, seen.other, *seen.more)]
    left = [name for name in seen.varied if name not in seen.group_by]
    if not left:
        return f"job_results(job_id='{names[0]}') tells more of the first job."
    others = f"; also {', '.join(left[1:])}" if left[1:] else ""
    by = [*seen.group_by, left[0]]
    return f"compare_jobs(job_ids={names}, group_by={by}) breaks it down{others}."


def after_run(story: RunStory, *, picked: bool) -> str:
    """Say how more is seen of a run, or another one."""
    run = story.runs[0]
    name = f"job_id='{story.job.job_id}', run='{run.run_id}'"
    if picked or run.totals is None:
        return f"job_results(job_id='{story.job.job_id}') tells what all runs say together."
    busy = max(run.days, key=lambda day: (len(day.told.defaulting), -day.day), default=None)
    if busy is None:
        return f"show_run(job_id='{story.job.job_id}', run='best') shows the other extreme."
    said = f"show_run({name}, day={busy.day}) tells a day in full"
    if not busy.told.defaulting:
        return f"{said}."
    return f"{said}; show_run({name}, agent='{busy.told.defaulting[0]}') follows an agent."


def after_list(page: Page, shown: int) -> str:
    """Say what to call with a job of the list, how to see more, or which filter to loosen.

    Parameters
    ----------
    shown
        How many of the page's jobs the answer has room for.
    """
    offset, total = page.offset, page.total
    if shown and offset + shown < total:
        return f"The same call with offset={offset + shown} lists older ones."
    if shown:
        return "job_status or job_results with a job_id of the list; create_job for a new one."
    if total:
        return "The same call with offset=0 lists the newest ones."
    loosened = sentences.without(page.without)
    if page.filters:
        return f"{loosened} list_jobs() lists all jobs.".lstrip()
    return "create_job makes a job."


def _planned_seeds(results: Results) -> str:
    """Say how a job gets the seeds that were planned; nothing where it cannot grow or has them."""
    job, plan = results.job, results.plan
    if job.state != "completed" or plan is None or job.config.adaptive:
        return ""
    seeds = plan["n_seeds"]
    if seeds <= results.summary.get("n_seeds", seeds):
        return ""
    return _CALLS[NextStep.EXTEND].format(name=f"job_id='{job.job_id}'", seeds=seeds)


def _end(results: Results, *, more: bool) -> str:
    """Say what is left when a completed job has told all that it can tell here.

    Parameters
    ----------
    more
        Whether there is something to do with it all the same.
    """
    job = results.job
    tables = [name for name in RUNS if name in results.files]
    if tables and results.runs_in_tables is None:
        nothing = "" if more else "Nothing is left to call: "
        first = f"the first ones are the resource job://{job.job_id}/runs"
        return f"{nothing}{tables[0]} in the folder holds every single run; {first}."
    if results.table is None and not job.manual:
        return (
            f"start_sweep(job_id='{job.job_id}', recompute=True) computes its single runs again, "
            "which were not imported."
        )
    return "" if more else "Nothing is left to call."


def _said(job: Job, steps: Sequence[NextStep], wait_s: int) -> str:
    name = f"job_id='{job.job_id}'"
    said = [_CALLS[step].format(name=name, wait_s=wait_s, seeds=MORE_SEEDS) for step in steps]
    if job.failed_runs and not job.manual and not {NextStep.RETRY, NextStep.INSPECT} & {*steps}:
        said.append(_FAILED.format(name=name))
    return " ".join(said)


def _more_rows(table: ResultsTable | None) -> str:
    if table is None or not table.total_rows:
        return ""
    if not table.rows:
        return "The same call with offset=0 shows the first rows."
    seen = table.offset + len(table.rows)
    return f"The same call with offset={seen} shows more rows." if seen < table.total_rows else ""


def _more_columns(results: Results, table: ResultsTable | None) -> str:
    """Name measures that the answer's table leaves out."""
    columns = () if results.table is None else results.table.columns
    shown = () if table is None else table.columns
    left = [name for name in columns if f"{name}_low" in columns and name not in shown]
    if table is not None and len(table.columns) == COLUMNS < len(columns) and not left:
        return f"{len(columns) - COLUMNS:,} more columns are not shown; where chooses among them."
    if not left:
        return ""
    named = ", ".join(shortened(name, 40) for name in left[:NAMED])
    more = f" and {len(left) - NAMED:,} more" if len(left) > NAMED else ""
    return f"measures takes others: {named}{more}."


def _grouping(results: Results, table: ResultsTable | None) -> str:
    """Say how the table is broken down further, where it can be."""
    if table is None or not isinstance(results.job.config, GridSweep):
        return ""
    left = [name for name in results.job.config.varied if name not in table.columns]
    if not left:
        return ""
    config = results.job.config
    sampled = bool(config.lhs or config.sobol) and left[0] in config.ranges
    bins = f", bins={BINS}" if sampled else ""
    more = (
        f"job_results(job_id='{results.job.job_id}', group_by={[*results.group_by, left[0]]}{bins})"
    )
    others = f"; also {', '.join(left[1:])}" if left[1:] else ""
    return f"{more} breaks it down{others}."
