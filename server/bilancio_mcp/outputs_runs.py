"""What tools return that compare jobs, or tell of single runs."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from bilancio.encoding import finite
from bilancio.jobs.telling import RunStory, ToldRun
from bilancio.jobs.views import Comparison
from bilancio.model.telling import ToldDay
from bilancio.printable import escaped, shortened
from bilancio_mcp.outputs import Answer, ResultsTable, Sparse, results_table
from bilancio_mcp.sizes import fitted, six_digits

DIFFERS, VALUES = 1_000, 600  # characters
DAYS, SHORT_DAYS, DAY = 10_000, 800, 6_000  # of all runs' days, of those by default, and of one


class ComparedJobs(Answer):
    """How jobs differ from the first of them."""

    differs: Annotated[
        dict[str, Any], BeforeValidator(lambda data: six_digits(fitted(finite(data), DIFFERS)))
    ] = Field(description="Parameter to each job's value.")
    table: ResultsTable | None = None


def compared_table(seen: Comparison) -> ResultsTable | None:
    """Return the differences, of the primary measure where none was chosen.

    Those that are not grouped stand in the sentence of the answer.
    """
    if not seen.group_by and not seen.measures:
        return None
    return results_table(seen.table, seen.primary, seen.measures or (seen.primary,), offset=0)


class ToldRunOut(Sparse):
    """One run."""

    run_id: str
    days: list[str] = Field(default=[], description="The most eventful ones.")
    days_left_out: int | None = None
    values: dict[str, Any] = Field(default={}, description="Where no days are told.")
    call: str = Field(default="", description="In Python, of a simulation of the user's own.")


class ShownRun(Answer):
    """What happened in a run, and in those of the other arms."""

    runs: list[ToldRunOut]


def told_runs(story: RunStory, *, short: bool) -> list[ToldRunOut]:
    """Return the runs of a story as an answer holds them.

    Parameters
    ----------
    short
        Whether a look at the days is enough.
    """
    told = sum(bool(run.days) for run in story.runs)
    room = (SHORT_DAYS if short else DAYS) // max(told, 1)
    return [_told(run, story.values(run), room) for run in story.runs]


def _told(run: ToldRun, values: dict[str, Any], room: int) -> ToldRunOut:
    lines = {day.day: shortened(_line(day), min(DAY, room)) for day in run.days}
    kept = _most_eventful(run.days, lines, room)
    return ToldRunOut(
        run_id=run.run_id,
        days=[lines[day] for day in sorted(kept)],
        days_left_out=len(lines) - len(kept) or None,
        values=six_digits(fitted(values, VALUES)),
        call=shortened(run.call, VALUES),
    )


def _most_eventful(days: Sequence[ToldDay], lines: dict[int, str], room: int) -> list[int]:
    """Return the days with most defaults, then those with most sales, while there is room."""
    order = sorted(
        days,
        key=lambda day: (-len(day.told.defaulting), -day.told.counts.get("sold", 0), day.day),
    )
    kept: list[int] = []
    for day in order:
        room -= len(lines[day.day])
        if room < 0 and kept:
            break
        kept.append(day.day)
    return kept


def _line(day: ToldDay) -> str:
    """Tell a day on one line."""
    number = f"day {day.day}" if day.day == day.last else f"days {day.day} to {day.last}, each"
    events = "; ".join(day.events)
    more = f"; {day.left_out:,} more" if day.left_out and day.events else ""
    return escaped(f"{number}: {day.told.sentence}" + (f" ({events}{more})" if events else ""))
