"""What a person sees of one job: what it is, what it found, its runs."""

import shlex
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from bilancio.cli.render.console import Output
from bilancio.cli.render.layout import pairs_table
from bilancio.cli.render.tables import frontier_table, results_table, runs_table
from bilancio.jobs.clock import utc_now
from bilancio.jobs.launch import available_steps, few_seeds
from bilancio.jobs.models import Job
from bilancio.jobs.owner import others
from bilancio.jobs.progress import Progress
from bilancio.jobs.views import Comparison, Results, Table
from bilancio.printable import escaped
from bilancio.text import (
    MORE_SEEDS,
    NextStep,
    counts_beside_error,
    duration,
    estimate,
    plural,
    runs,
    standstill,
    state,
    values,
    verdicts,
    when,
)

MANY_ROWS = 10  # that one would have to count
SHARE = "share"  # of the variance, in a table of effects


def next_command(job: Job, repetition: str = "") -> str:
    """Say what one would do next with a job, and the command that does it.

    Parameters
    ----------
    repetition
        Why its failed runs would fail again; empty where that is open.
    """
    steps = available_steps(job, repetition)
    match NextStep.INSPECT if NextStep.INSPECT in steps else steps[0]:
        case NextStep.CREATE:
            manifest = shlex.quote(str(job.folder / "job_manifest.json"))
            return (
                f"Run it as a new job: bilancio sweep {job.config.sweep_type} --config {manifest}"
            )
        case NextStep.RETRY:
            return f"Retry the failed runs: bilancio jobs resume {job.job_id}"
        case NextStep.INSPECT:
            return f"{repetition} List them: bilancio jobs runs {job.job_id} --status failed"
        case NextStep.WATCH as step:
            return f"Follow it: bilancio jobs {step} {job.job_id}"
        case step:
            return f"{step.capitalize()}: bilancio jobs {step} {job.job_id}"


def say_few_seeds(output: Output, job: Job) -> None:
    """Say how a job that has completed with few seeds gets more."""
    if (n_seeds := few_seeds(job)) is not None:
        more = f"bilancio jobs extend {job.job_id} --n-replicates {MORE_SEEDS}"
        output.say(f"Only {plural(n_seeds, 'seed')}. Add more: {more}")


def show_job(output: Output, progress: Progress) -> None:
    """Show what a job is and how far it is."""
    job = progress.job
    output.say(f"Job ID: {job.job_id}", style="bold")
    output.say(job.description)
    output.say()
    output.show(pairs_table(_facts(progress), width=output.width))
    output.say()
    parameters = {
        name: values(value)
        for name, value in job.config.as_dict().items()
        if value is not None and name != "cloud"
    }
    output.show(pairs_table(parameters, width=output.width))
    output.say()
    output.say(next_command(job, progress.repetition))
    say_few_seeds(output, job)


def show_results(
    output: Output,
    results: Results,
    *,
    chosen: Sequence[str] = (),
    offset: int = 0,
) -> None:
    """Show what a job has found: headline, tables, failures, files.

    The one row of a table without groups is left out where another table was asked for.
    """
    output.say(results.headline)
    if results.frontier is not None and results.frontier.rows:
        output.say()
        output.show(frontier_table(results.frontier, width=output.width))
    primary = results.primary
    effects = results.effects
    others = results.contrasts is not None or (effects is not None and SHARE in effects.columns)
    if results.table is not None and (results.table.n_keys or not others):
        _show_table(output, results.table, chosen=chosen, offset=offset, primary=primary)
        if sum(results.verdicts.values()) >= MANY_ROWS:
            output.say(verdicts(results.verdicts))
    _show_table(output, results.contrasts, chosen=chosen, offset=offset, primary=primary)
    _show_effects(output, effects)
    for warning in results.warnings:
        output.say(f"Note: {warning}")
    if results.plan is not None:
        output.say(results.plan["sentence"], style="dim")
    for name, meaning in results.meanings.items():
        output.say(f"{name}: {meaning}", style="dim")
    for run_id, error in results.failures.items():
        output.say(f"{run_id} failed, {error}")
    if results.repetition:
        output.say(f"Note: {results.repetition}")
    if results.files:
        output.say()
        output.say(f"Files in {results.job.folder}:")
        output.show(pairs_table({"": ", ".join(results.files)}, width=output.width))
    say_few_seeds(output, results.job)


def show_comparison(
    output: Output, seen: Comparison, *, chosen: Sequence[str] = (), offset: int = 0
) -> None:
    """Show how jobs differ: headline, parameters, table."""
    output.say(seen.headline)
    output.say(seen.comparability)
    output.say()
    differing = {name: " against ".join(map(values, both)) for name, both in seen.differs.items()}
    output.show(pairs_table(differing, width=output.width))
    _show_table(output, seen.table, chosen=chosen, offset=offset, primary=seen.primary)


def _show_effects(output: Output, table: Table | None) -> None:
    """Show shares of the variance, each with its interval."""
    columns = () if table is None else table.columns
    shares = [name for name in columns if f"{name}_low" in columns]
    _show_table(output, table, chosen=shares, offset=0, primary=SHARE)


def show_runs(
    output: Output, job: Job, rows: Sequence[Mapping[str, Any]], *, offset: int, total: int
) -> None:
    """Show a page of single runs."""
    if not rows:
        output.say(f"No such runs: {runs(total)} like that in job {job.job_id}.")
        return
    varied = getattr(job.config, "varied", ())
    made, left_out = runs_table(rows, _axes(job), varied, width=output.width)
    output.show(made)
    output.say_more("Run", offset=offset, shown=len(rows), total=total)
    if left_out:
        output.say(f"Not shown here, but by --json: {', '.join(left_out)}.", style="dim")


def _facts(progress: Progress) -> dict[str, str]:
    job, now = progress.job, utc_now()
    left = "" if progress.eta_s is None else f", {estimate(progress.eta_s, rough=False)} left"
    if progress.waiting:
        left = f"; waiting: {progress.waiting}"
    elif progress.writing:
        left = "; writing the results"
    elif progress.idle_s is not None:
        left = f"; {standstill(progress.idle_s)}"
    return {
        "status": state(job),
        "runs": f"{counts_beside_error(job)}{left}",
        "created": when(job.created_at, now),
        "started": when(job.started_at, now) if job.started_at else "",
        "ended": when(job.completed_at, now) if job.completed_at else "",
        "took": _took(progress),
        "error": job.error or "",
        "tags": ", ".join(job.tags),
        "notes": job.notes,
        "owner": escaped(others(job)),
        "tells": ", ".join(job.notify),
        "files": str(job.folder),
    }


def _took(progress: Progress) -> str:
    if progress.elapsed_s is None or not progress.job.status.ended:
        return ""
    return duration(progress.elapsed_s)


def _show_table(
    output: Output,
    table: Table | None,
    *,
    chosen: Sequence[str],
    offset: int,
    primary: str,
) -> None:
    if table is None or not table.rows:
        return
    made, left_out = results_table(
        table, width=output.width, chosen=chosen, primary=primary, adorned=output.adorned
    )
    output.say()
    if table.title:
        output.say(table.title)
    output.show(made)
    output.say_more("Row", offset=offset, shown=len(table.rows), total=table.total_rows)
    if left_out and not chosen and table.columns[table.n_keys] == "n":
        output.say(f"Also available, by --measures: {', '.join(left_out)}.", style="dim")
    elif left_out and chosen:
        output.note(f"Too wide to show here: {', '.join(left_out)}; --json has all.")


def _axes(job: Job) -> Collection[str]:
    """Return the names of the parameters that vary over the cells of a job."""
    axes: Mapping[str, Any] = getattr(job.config, "axes", {})
    return axes
