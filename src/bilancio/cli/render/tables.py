"""Tables of results, runs, jobs and events."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from bilancio.cli.render.layout import (
    GAP,
    LEAST_WORDS,
    STYLES,
    broken,
    cell,
    pairs_table,
    rows_table,
    ruled_table,
)
from bilancio.cli.render.strips import strips
from bilancio.jobs.models import Job, JobEvent
from bilancio.jobs.owner import others
from bilancio.jobs.views import Page, Table
from bilancio.printable import escaped
from bilancio.text import ago, aside, key_text, number, recorded_beyond, runs, values

_HEAD_WIDTH = 32  # number, time and kind of an event
LEADING_MEASURES = 4  # of a table for which no measures were chosen
INTERVAL = "95 % interval"


def results_table(
    table: Table,
    *,
    width: int,
    chosen: Sequence[str] = (),
    primary: str = "",
    adorned: bool = False,
) -> tuple[RichTable, list[str]]:
    """Return a table of results, and the measures that it does not show.

    Intervals stand beside the measures chosen, else beside the primary one alone.

    Parameters
    ----------
    chosen
        The measures asked for; the first few otherwise.
    primary
        The measure whose interval is shown where none is chosen.
    adorned
        Whether intervals are also drawn, where there is room beside all that is written.
    """
    columns = list(table.columns)
    keys = columns[: table.n_keys]
    measures = [name for name in columns if f"{name}_low" in columns]
    counts = [name for name in ("n", "n_seeds") if name in columns]
    wanted = list(chosen) or measures[:LEADING_MEASURES]
    if not measures:  # a pivot, or single seeds
        wanted = [name for name in columns if name not in {*keys, *counts, "verdict"}]
    values = {name: name.partition("=")[2] or name for name in wanted}  # those of a pivot
    rows = [dict(zip(columns, row, strict=True)) for row in table.rows]
    made = [_Column(name, name, [key_text(row[name]) for row in rows]) for name in keys]
    for name in [*counts, *wanted]:
        cells = [number(row[name]) for row in rows]
        made.append(_Column(name, values.get(name, name), cells))
        beside = name in chosen or name == primary
        if beside and any(row.get(f"{name}_low") is not None for row in rows):
            made.append(_Column(name, INTERVAL, [_interval(row, name) for row in rows]))
    if "verdict" in columns:
        verdict = _Column("verdict", "verdict", [str(row["verdict"]) for row in rows])
        places = [place for place, each in enumerate(made, 1) if each.of == primary]
        made.insert(places[-1] if places else len(made), verdict)
    left = [name for name in keys if any(isinstance(row[name], str) for row in rows)]
    shown, cut = _laid_out(made, left=left, width=width)
    if cut and cut[0].heading == INTERVAL:  # a measure is shown with its interval, or not at all
        shown, _ = _laid_out(made[: -len(cut) - 1], left=left, width=width)
    elif adorned and not cut:
        shown = _with_strips(made, shown, rows, left=left, width=width)
    left_out = {each.of for each in cut} | (set(measures) - {each.of for each in made})
    return shown, [name for name in measures if name in left_out]


class _Column(NamedTuple):
    """A column of a table of results: of a key, of a count, of a measure or its interval."""

    of: str
    heading: str
    cells: Sequence[str | Text]


def _laid_out(
    columns: Sequence[_Column], *, left: Sequence[str], width: int
) -> tuple[RichTable, Sequence[_Column]]:
    """Return a table of the columns that fit, and those that do not."""
    shown, cut = rows_table(
        [each.heading for each in columns],
        list(zip(*(each.cells for each in columns), strict=True)),
        words=[INTERVAL, "verdict"],
        left=left,
        width=width,
    )
    return shown, columns[len(columns) - len(cut) :]


def _with_strips(
    columns: Sequence[_Column],
    shown: RichTable,
    rows: Sequence[Mapping[str, Any]],
    *,
    left: Sequence[str],
    width: int,
) -> RichTable:
    """Return a table with the first interval drawn beside it; as it is where there is no room."""
    places = [place for place, each in enumerate(columns) if each.heading == INTERVAL]
    room = width - sum((column.width or 0) + GAP for column in shown.columns)
    if not places:
        return shown
    name = columns[places[0]].of
    value, low, high = ([row.get(f"{name}{end}") for row in rows] for end in ("", "_low", "_high"))
    drawn = strips(value, low, high, room)
    if drawn is None:
        return shown
    styles = [STYLES.get(str(row.get("verdict")), "") for row in rows]
    cells = [
        Text(each, style, no_wrap=True) for each, style in zip(drawn.rows, styles, strict=True)
    ]
    beside = _Column(name, drawn.heading, cells)
    at = places[0] + 1
    columns = [*columns[:at], beside, *columns[at:]]
    wider, _ = _laid_out(columns, left=[*left, beside.heading], width=width)
    return wider


def _interval(row: Mapping[str, Any], name: str) -> str:
    bounds = [number(row.get(f"{name}_{end}")) for end in ("low", "high")]
    return " … ".join(bounds) if all(bounds) else ""


def frontier_table(table: Table, *, width: int) -> RichTable:
    """Return what each search of a frontier has found, as far as it fits."""
    keys = table.columns[: table.n_keys]
    cells = [
        [
            key_text(value) if name in keys else value if isinstance(value, str) else number(value)
            for name, value in zip(table.columns, row, strict=True)
        ]
        for row in table.rows
    ]
    made, _ = rows_table(table.columns, cells, words=["arm", "status"], width=width)
    return made


def runs_table(
    rows: Sequence[Mapping[str, Any]],
    parameters: Collection[str],
    varied: Collection[str],
    *,
    width: int,
) -> tuple[RenderableType, list[str]]:
    """Return a table of runs: what varies in the job and what was found, as far as it fits.

    Errors that do not fit stand whole below it, each once, and in it only what kind they are.
    """
    names = list(dict.fromkeys(name for row in rows for name in row))
    constant = {
        name
        for name in names
        if len(rows) > 1
        and len({str(row.get(name)) for row in rows}) == 1
        and name not in {"status", "error", *varied}
    }
    leading = ["run_id", "status", *parameters, "seed", "error"]
    rest = [name for name in names if name not in {*leading, "job_id", "index", "cell", "arm"}]
    columns = [each for each in (*leading, *rest) if each in names and each not in constant]
    exact = {*parameters, "seed"}
    cells = [
        [key_text(row[name]) if name in exact else number(row.get(name)) for name in columns]
        for row in rows
    ]
    words = ["run_id", "status", "error", "end"]
    table, left_out = rows_table(columns, cells, words=words, width=width)
    if "error" not in columns:
        return table, left_out
    place = columns.index("error")
    errors = [row[place] for row in cells]
    longest = max(map(cell_len, errors))
    if place < len(table.columns) and longest <= (table.columns[place].width or 0):
        return table, left_out
    for row in cells:
        row[place] = row[place].partition(":")[0]
    table, left_out = rows_table(columns, cells, words=words, width=width)
    below = _whole_errors([str(row["run_id"]) for row in rows], errors, width)
    return Group(table, Text(), *below), [name for name in left_out if name != "error"]


def _whole_errors(names: Sequence[str], errors: Sequence[str], width: int) -> list[Text]:
    """Return each error once, after the runs that raised it."""
    by_error: dict[str, list[str]] = {}
    for name, error in zip(names, errors, strict=True):
        if error:
            by_error.setdefault(error, []).append(name)
    told = []
    for error, (first, *same) in by_error.items():
        more = f" and {len(same):,} more" if same else ""
        told.append(broken(f"{first}{more}: {' '.join(error.split())}", width))
    return told


def jobs_table(page: Page, now: datetime, *, width: int) -> RenderableType:
    """Return a list of jobs, each with its description beneath its name.

    Names are never cut: where the line has no room beside them, the rest stands below. Owners are
    shown where there are others than the present one.
    """
    headings = ["status", "runs", "created"]
    facts = [[job.state, progress_of(job), ago(job.created_at, now)] for job in page.jobs]
    if any(map(others, page.jobs)):
        headings.append("owner")
        for job, told in zip(page.jobs, facts, strict=True):
            told.append(escaped(job.owner or ""))
    columns = zip(headings, *facts, strict=True)
    room = width - sum(GAP + max(map(len, column)) for column in columns)
    names = [escaped(job.job_id) for job in page.jobs]
    if room < max(map(cell_len, names)):
        return Group(
            *(
                part
                for job, told in zip(page.jobs, facts, strict=True)
                for part in (
                    Text(escaped(job.job_id), "bold"),
                    pairs_table({"": ", ".join(filter(None, told))}, width=width),
                    _about(job, width),
                )
            )
        )
    table = ruled_table()
    table.add_column("job", max_width=room)
    for heading in headings:
        table.add_column(heading, justify="right" if heading == "runs" else "left", no_wrap=True)
    for job, name, told in zip(page.jobs, names, facts, strict=True):
        table.add_row(Group(Text(name, "bold"), _about(job)), *map(cell, told))
    return table


def _about(job: Job, width: int | None = None) -> Text:
    """Return what stands below a job's name."""
    text = cell(job.description, "dim")
    text.pad_left(GAP)
    if width is not None:
        text.truncate(width, overflow="ellipsis")
    return text


def progress_of(job: Job) -> str:
    """Write how many runs of a job are recorded, of how many; manually, it may be more."""
    if job.completed_runs == job.total_runs or recorded_beyond(job):
        return f"{job.completed_runs:,}"
    return f"{job.completed_runs:,}/{job.total_runs:,}"


def events_table(events: Sequence[JobEvent], *, width: int) -> RenderableType:
    """Return a list of events, times in local time, details broken to fit the line."""
    heads = [
        (f"{each.seq:>5}", f"{each.timestamp.astimezone():%m-%d %H:%M:%S}", each.event_type.value)
        for each in events
    ]
    details = [_details(each.event_type.value, each.details) for each in events]
    room = width - _HEAD_WIDTH - GAP
    if room < LEAST_WORDS:
        return Group(
            *(
                part
                for head, told in zip(heads, details, strict=True)
                for part in (_head(head), pairs_table({"": told}, width=width))
            )
        )
    table = RichTable.grid(padding=(0, GAP, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    for head, told in zip(heads, details, strict=True):
        table.add_row(_head(head), broken(told, room))
    return table


def _head(event: tuple[str, str, str]) -> Text:
    number, moment, kind = event
    head = Text(f"{number}  {moment}  ", "dim")
    return Text.assemble(head, (f"{kind:<11}", STYLES.get(kind, "")))


def _details(kind: str, details: Mapping[str, Any]) -> str:
    """Say in a line what an event's details say."""
    if kind == "created":
        return ""
    if kind == "edited":
        return ", ".join(details)
    if kind == "extended":
        seeds = f"{details.get('from')} to {details.get('to')} seeds"
        return f"{seeds}, {runs(details.get('completed_runs', 0))} recorded"
    if kind == "progress":
        if told := aside(details):
            return told
        found = details.get("means") or details.get("metrics") or {}
        name = next(iter(found), "")
        done = runs(details["completed"]) if "completed" in details else ""
        failed = f"{details['failed']} failed" if details.get("failed") else ""
        mean = f"{name} {number(found[name])}" if name else ""
        return ", ".join(filter(None, [done, failed, mean]))
    if kind == "failed":
        return " ".join(str(details.get("error") or "").split())
    if kind == "completed":
        summary = details.get("summary") or {}
        return f"{runs(summary['completed_runs'])}" if "completed_runs" in summary else ""
    return ", ".join(
        f"{name} {values(value)}"
        for name, value in details.items()
        if value is not None and not isinstance(value, dict)
    )
