"""What a person sees of one job: what it is, what it found, its runs."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from bilancio import text as words
from bilancio.cli.render.console import Output, pairs_table, state
from bilancio.cli.render.tables import frontier_table, results_table, runs_table
from bilancio.jobs.clock import utc_now
from bilancio.jobs.models import Job, Progress, Results


def show_job(output: Output, progress: Progress) -> None:
    """Show what a job is and how far it is."""
    job, now = progress.job, utc_now()
    done = f"{job.completed_runs:,} of {job.total_runs:,}"
    if job.failed_runs:
        done += f", {job.failed_runs:,} failed"
    if progress.eta_s is not None:
        done += f", about {words.duration(progress.eta_s)} left"
    output.say(job.job_id, style="bold")
    output.say(job.description)
    output.say()
    output.say(
        pairs_table(
            {
                "status": state(job.state),
                "runs": done,
                "created": words.when(job.created_at, now),
                "started": words.when(job.started_at, now) if job.started_at else "",
                "ended": words.when(job.completed_at, now) if job.completed_at else "",
                "took": _took(progress),
                "error": job.error or "",
                "tags": ", ".join(job.tags),
                "notes": job.notes,
                "files": str(job.folder),
            }
        )
    )
    output.say()
    output.say(
        pairs_table(
            {
                name: words.values(value)
                for name, value in job.config.as_dict().items()
                if value is not None and name != "cloud"
            }
        )
    )
    output.say()
    output.say(_next(job))


def show_results(
    output: Output, results: Results, *, chosen: Sequence[str] = (), offset: int = 0
) -> None:
    """Show what a job has found: headline, table, failures, files."""
    output.say(results.headline)
    if results.frontier is not None and results.frontier.rows:
        output.say()
        output.say(frontier_table(results.frontier, width=output.out.width))
    table = results.table
    if table is not None and table.rows and not _of_probes_alone(results):
        made, left_out = results_table(table, width=output.out.width, chosen=chosen)
        output.say()
        output.say(made)
        last = offset + len(table.rows)
        if last < table.total_rows:
            output.say(
                f"Rows {offset + 1:,}–{last:,} of {table.total_rows:,}; --offset {last} shows more."
            )
        if left_out and not chosen:
            output.say(f"Also there, by --measures: {', '.join(left_out)}.", style="dim")
        elif left_out:
            output.note(f"Too wide to show here: {', '.join(left_out)}; --json has all.")
    for run_id, error in results.failures.items():
        output.say(f"{run_id} failed: {error}")
    if results.files:
        output.say()
        output.say(f"Files in {results.job.folder}:")
        output.say(f"  {', '.join(results.files)}")


def _of_probes_alone(results: Results) -> bool:
    """Whether the table averages over what a search has tried, which nobody asked for."""
    ungrouped = results.table is not None and results.table.columns[0] in {"design", "n"}
    return results.frontier is not None and not results.job.config.fixed_runs and ungrouped


def show_runs(
    output: Output, job: Job, rows: Sequence[Mapping[str, Any]], *, offset: int, total: int
) -> None:
    """Show a page of single runs."""
    if not rows:
        output.say(f"No such runs: {words.runs(total)} like that in job {job.job_id}.")
        return
    made, left_out = runs_table(rows, _axes(job), width=output.out.width)
    output.say(made)
    last = offset + len(rows)
    if last < total:
        output.say(f"Runs {offset + 1:,}–{last:,} of {total:,}; --offset {last} shows more.")
    if left_out:
        output.say(f"Not shown here, but by --json: {', '.join(left_out)}.", style="dim")


def _axes(job: Job) -> Collection[str]:
    """Return the names of the parameters that vary over the cells of a job."""
    axes: Mapping[str, Any] = getattr(job.config, "axes", {})
    return axes


def _took(progress: Progress) -> str:
    if progress.elapsed_s is None or not progress.job.status.ended:
        return ""
    return words.duration(progress.elapsed_s)


def _next(job: Job) -> str:
    match job.state:
        case "pending":
            return f"Start it: bilancio jobs start {job.job_id}"
        case "running":
            return f"Watch it: bilancio jobs watch {job.job_id}"
        case "completed":
            return f"Its results: bilancio jobs results {job.job_id}"
        case _:
            return f"Go on with it: bilancio jobs resume {job.job_id}"
