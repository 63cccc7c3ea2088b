"""Tables of results, runs, jobs and events."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich import box
from rich.console import Group
from rich.table import Table as RichTable
from rich.text import Text

from bilancio import text as words
from bilancio.cli.render.console import rows_table, state
from bilancio.jobs.models import Job, JobEvent, Page, Table

LEADING_MEASURES = 4  # of a table nobody chose measures for


def results_table(
    table: Table, *, width: int, chosen: Sequence[str] = ()
) -> tuple[RichTable, list[str]]:
    """Return a table of results, and the measures that it does not show.

    Parameters
    ----------
    chosen
        The measures asked for; the first few otherwise.
    """
    columns = list(table.columns)
    *first, low, high = columns
    before = first.index("n") + 1
    keys, measures = first[:before], first[before:]
    wanted = list(chosen) or measures[:LEADING_MEASURES]
    primary = low.removesuffix("_ci95_low")
    interval = "95 % interval" if primary in wanted else f"{primary} 95 % interval"
    at = wanted.index(primary) + 1 if primary in wanted else len(wanted)
    known = any(row[columns.index(low)] is not None for row in table.rows)
    shown = [*keys, *wanted[:at], *([interval] if known else []), *wanted[at:]]
    rows = []
    for row in table.rows:
        of = dict(zip(columns, row, strict=True))
        bounds = [words.number(of.get(end)) for end in (low, high)]
        cells: dict[str, str] = {interval: " … ".join(bounds) if all(bounds) else ""}
        cells |= {name: _key(of[name]) for name in keys}
        cells |= {name: words.number(of[name]) for name in wanted}
        rows.append([cells[name] for name in shown])
    made, cut = rows_table(shown, rows, text=[interval], width=width)
    return made, [name for name in measures if name in cut or name not in shown]


def frontier_table(table: Table, *, width: int) -> RichTable:
    """Return what each search of a frontier has found, as far as it fits."""
    keys = table.columns[: table.columns.index("kappa_star")]
    cells = [
        [
            _key(value)
            if name in keys
            else value
            if isinstance(value, str)
            else words.number(value)
            for name, value in zip(table.columns, row, strict=True)
        ]
        for row in table.rows
    ]
    made, _ = rows_table(table.columns, cells, text=["arm", "status"], width=width)
    return made


def runs_table(
    rows: Sequence[Mapping[str, Any]], parameters: Collection[str], *, width: int
) -> tuple[RichTable, list[str]]:
    """Return a table of runs: what varies and what was found, as far as it fits."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    constant = {
        name
        for name in names
        if len(rows) > 1
        and len({str(row.get(name)) for row in rows}) == 1
        and name not in {"status", "error"}
    }
    leading = ["run_id", "status", *parameters, "seed", "error"]
    rest = [name for name in names if name not in {*leading, "job_id", "index", "cell", "arm"}]
    columns = [each for each in (*leading, *rest) if each in names and each not in constant]
    exact = {*parameters, "seed"}
    cells = [
        [_key(row[name]) if name in exact else words.number(row.get(name)) for name in columns]
        for row in rows
    ]
    return rows_table(columns, cells, text=["run_id", "status", "error", "end"], width=width)


def jobs_table(page: Page, now: datetime) -> RichTable:
    """Return a table of jobs, each with its description beneath its name."""
    table = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column("job", ratio=1)
    table.add_column("status", no_wrap=True)
    table.add_column("runs", no_wrap=True, justify="right")
    table.add_column("created", no_wrap=True)
    for job in page.jobs:
        name = Text(job.job_id, style="bold", overflow="fold")
        about = Text(
            "  " + " ".join(job.description.split()), style="dim", no_wrap=True, overflow="ellipsis"
        )
        table.add_row(
            Group(name, about), state(job.state), progress_of(job), words.ago(job.created_at, now)
        )
    return table


def progress_of(job: Job) -> str:
    """Write how many runs of a job are recorded."""
    if job.completed_runs == job.total_runs:
        return f"{job.total_runs:,}"
    return f"{job.completed_runs:,}/{job.total_runs:,}"


def events_table(events: Sequence[JobEvent]) -> RichTable:
    """Return a table of events, times in local time."""
    table = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column("#", justify="right", no_wrap=True)
    table.add_column("time", no_wrap=True)
    table.add_column("event", no_wrap=True)
    table.add_column("details", overflow="fold", ratio=1)
    for event in events:
        kind = event.event_type.value
        moment = f"{event.timestamp.astimezone():%m-%d %H:%M:%S}"
        table.add_row(str(event.seq), moment, state(kind), _details(kind, event.details))
    return table


def _details(kind: str, details: Mapping[str, Any]) -> str:
    """Say in a line what an event's details say."""
    if kind == "created":
        return ""
    if kind == "progress":
        found = details.get("means") or details.get("metrics") or {}
        name = "delta_total" if "delta_total" in found else next(iter(found), "")
        done = words.runs(details["completed"]) if "completed" in details else ""
        failed = f"{details['failed']} failed" if details.get("failed") else ""
        mean = f"{name} {words.number(found[name])}" if name else ""
        return ", ".join(filter(None, [done, failed, mean]))
    if kind == "failed":
        return " ".join(str(details.get("error") or "").split())
    if kind == "completed":
        summary = details.get("summary") or {}
        return f"{words.runs(summary['completed_runs'])}" if "completed_runs" in summary else ""
    return ", ".join(
        f"{name} {words.values(value)}"
        for name, value in details.items()
        if value is not None and not isinstance(value, dict)
    )


def _key(value: object) -> str:
    """Write a parameter's value as it was given, not rounded."""
    return f"{value:.15g}" if isinstance(value, float) else str(value)
