"""The tables of a report: averages by what a job varies, searches, failed runs."""

from collections.abc import Sequence
from typing import Any

from bilancio.errors import BilancioError
from bilancio.experiments.questions import question
from bilancio.frames.markup import Column, Shown, measures_of
from bilancio.jobs import results
from bilancio.jobs.models import Job
from bilancio.jobs.plots.studied import Studied
from bilancio.jobs.plots.words import joined, symbols
from bilancio.jobs.session import Session
from bilancio.jobs.views import Results
from bilancio.jobs.views import Table as Answered
from bilancio.printable import shortened
from bilancio.report.page import Table
from bilancio.text import capitalised, key_text, number, plural

MOST_ROWS = 200  # of a table
MOST_FAILURES = 100
MOST_PARAMETERS = 4  # that have a table of their own
LEADING_MEASURES = 3
MOST_ERROR = 400  # characters
ADJUSTED = "Adjusted intervals hold for all rows of the table together; verdicts go by them."
BINS = 7  # of a parameter that was sampled
PLACES = ("job_id", "run_id", "index", "cell", "arm", "seed", "design", "status", "error")


async def tables(session: Session, found: Results, studied: Studied | None) -> list[Table]:
    """Return the tables of a job that has runs."""
    made: list[Table] = []
    if found.frontier is not None and found.frontier.rows:
        made.append(_as_shown("What the searches have found", found.frontier))
    if studied is None or not studied.subject.averaged.any():  # probes say nothing of an average
        return made
    if found.table is not None and found.table.rows and not found.table.n_keys:
        made.append(_averages(found, studied))
    varied = studied.varied()
    asked = [varied[:2]] if len(varied) > 1 else []
    for group_by in [*asked, *([each] for each in varied[:MOST_PARAMETERS])]:
        made += await _grouped(session, found, studied, group_by)
    if len(varied) > 1:
        made += await _effects(session, found)
    return made


def _averages(found: Results, studied: Studied) -> Table:
    """Return the averages over all cells, a row for each measure."""
    assert found.table is not None, "there is a table"
    row = dict(zip(found.table.columns, found.table.rows[0], strict=True))
    names = measures_of(found.table.columns)
    about = [studied.about.measure(name) for name in names]
    ends = [(row[f"{name}_low"], row[f"{name}_high"]) for name in names]
    return Table(
        title="Averages over all cells",
        columns=(
            Column("measure", tuple(names), numeric=False),
            Column("mean", tuple(_number(row[name]) for name in names), numeric=True),
            Column(
                "95 % interval",
                tuple("" if None in pair else " to ".join(map(_number, pair)) for pair in ends),
                numeric=True,
            ),
            Column("unit", tuple(each.unit for each in about), numeric=False),
            Column("meaning", tuple(each.meaning for each in about), numeric=False),
        ),
        note=f"Over {plural(row['n_seeds'], 'whole seed')}." if "n_seeds" in row else "",
    )


async def _grouped(
    session: Session, found: Results, studied: Studied, group_by: Sequence[str]
) -> list[Table]:
    """Return the averages by parameters; nothing where they cannot be told."""
    try:
        table = await grouped(session, found, studied, group_by)
    except BilancioError:  # a report does without
        return []
    return [table] if table is not None else []


async def grouped(
    session: Session,
    found: Results,
    studied: Studied,
    group_by: Sequence[str],
    where: str = "",
) -> Table | None:
    """Return the averages by parameters, of the cells that meet a condition; None without any.

    Raises
    ------
    InvalidInput
        There is no such parameter, or the condition is none.
    """
    sampled = any(name in studied.subject.ranges for name in group_by)
    asked = question(group_by=group_by, where=where or None, bins=BINS if sampled else None)
    answer = await results.results(session, found.job.job_id, asked, limit=MOST_ROWS, offset=0)
    table = answer.table
    if table is None or not table.rows:
        return None
    title = f"By {joined(symbols(studied, answer.group_by))}" if answer.group_by else "Averages"
    return by_leading(f"{title}{where and ', where '}{where}", table, found.primary)


def by_leading(title: str, table: Answered, primary: str) -> Table:
    """Return an answer's table with its *primary* measure, if it has it, and the first others."""
    known = measures_of(table.columns)
    chosen = dict.fromkeys([primary] if primary in known else [])
    return _as_shown(title, table, tuple(chosen | dict.fromkeys(known[:LEADING_MEASURES])))


async def _effects(session: Session, found: Results) -> list[Table]:
    asked = question(effects=True)
    try:
        answer = await results.results(session, found.job.job_id, asked, limit=MOST_ROWS, offset=0)
    except BilancioError:  # a report does without
        return []
    table = answer.effects
    if table is None or not table.rows or not measures_of(table.columns):
        return []
    return [_as_shown(table.title or "Main effects and interactions", table)]


def _as_shown(title: str, table: Answered, measures: tuple[str, ...] = ()) -> Table:
    """Return an answer's table as a report shows it: rounded, intervals beside their measures."""
    shown = Shown(table.columns, table.rows[:MOST_ROWS], table.n_keys, measures)
    left = table.total_rows - min(len(table.rows), MOST_ROWS)
    columns, same = _without_same_counts(table, shown.columns)
    said = [
        f"{capitalised(table.title)}." if table.title and table.title != title else "",
        same,
        ADJUSTED if any("adjusted" in column.name for column in shown.columns) else "",
        f"The first {MOST_ROWS:,} of {table.total_rows:,} rows." if left > 0 else "",
    ]
    note = " ".join(filter(None, said))
    return Table(title=capitalised(title), columns=columns, note=note)


def _without_same_counts(table: Answered, columns: list[Column]) -> tuple[tuple[Column, ...], str]:
    """Leave the counts of cells and seeds out where all rows have the same; say them instead."""
    counted = [each for each in columns if each.name in {"n", "n_seeds"}]
    if len(table.rows) < 2 or len(counted) < 2 or any(len({*each.cells}) > 1 for each in counted):  # noqa: PLR2004
        return tuple(columns), ""
    n, n_seeds = (table.rows[0][table.columns.index(name)] for name in ("n", "n_seeds"))
    said = f"Each row is over {plural(n_seeds, 'whole seed')} of {plural(n // n_seeds, 'cell')}."
    return tuple(each for each in columns if each not in counted), said


async def failures(session: Session, job: Job, varied: Sequence[str]) -> Table | None:
    """Return the first failed runs: where they are, and why."""
    if not job.failed_runs or job.manual:
        return None
    try:
        rows = await results.runs(
            session, job.job_id, status="failed", limit=MOST_FAILURES, offset=0
        )
    except BilancioError:
        return None
    if not rows:
        return None
    shown = [name for name in ("seed", "arm", *varied) if any(name in row for row in rows)]
    columns = [Column("run", tuple(row["run_id"] for row in rows), numeric=False)]
    columns += [_column(name, [row.get(name) for row in rows]) for name in shown]
    errors = tuple(shortened(str(row.get("error") or ""), MOST_ERROR) for row in rows)
    columns.append(Column("error", errors, numeric=False))
    more = f"The first {len(rows):,} of {rows.total:,}." if rows.total > len(rows) else ""
    title = plural(job.failed_runs, "run")
    return Table(title=f"{title} that failed", columns=tuple(columns), note=more)


def _column(name: str, values: Sequence[Any]) -> Column:
    numeric = all(isinstance(each, int | float) and not isinstance(each, bool) for each in values)
    return Column(name, tuple(map(key_text, values)), numeric)


def _number(value: Any) -> str:
    return number(value).replace(",", "")
