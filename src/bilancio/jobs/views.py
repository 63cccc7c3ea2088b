"""What callers see of a job's results."""

from typing import Any

from bilancio.jobs.models import Job, View


class Table(View):
    """Rows under named columns; None where a value is missing.

    Attributes
    ----------
    total_rows
        How many there are in all; `rows` may be a cut.
    n_keys
        How many of the first columns name the row.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    total_rows: int
    n_keys: int = 0


class Results(View):
    """What a job has found so far.

    Attributes
    ----------
    reading
        How the name was read where it was not written exactly; else empty.
    headline
        The answer in a sentence or two.
    summary
        Counts and averages, from the runs recorded until now.
    primary
        The measure that verdicts and the plan are about.
    table
        Means grouped by parameters: a row for each group with `n` (cells times whole seeds),
        `n_seeds` (whole seeds), `verdict` where arms are compared, and for each measure m the
        columns m, m_low, m_high: its mean and 95 % interval.
    contrasts
        Differences to the lowest level of a parameter, paired by seed; None unless asked for.
    effects
        Main effects and interactions as shares of the variance between cells; None unless asked
        for.
    frontier
        What each search of a frontier has found; None where the sweep has none.
    plan
        How many seeds a precision of the primary measure takes; None where that is not known.
    warnings
        What to know before drawing conclusions, a sentence each.
    files
        Name → path of what was written for this job.
    failures
        The first failed runs: run id → error.
    """

    job: Job
    reading: str = ""
    headline: str
    summary: dict[str, Any]
    primary: str = ""
    table: Table | None
    contrasts: Table | None = None
    effects: Table | None = None
    frontier: Table | None = None
    plan: dict[str, Any] | None = None
    warnings: tuple[str, ...] = ()
    files: dict[str, str]
    failures: dict[str, str]


class Comparison(View):
    """How two jobs differ over the cells and seeds that both have.

    Attributes
    ----------
    reading
        How names were read where they were not written exactly; else empty.
    headline
        The answer in a sentence.
    table
        Differences, job − other, paired by seed: a row for each group with `n_cells`, `n_seeds`,
        `verdict`, and m, m_low, m_high of each measure m that both have.
    differs
        Parameters that the two do not share: name → both values.
    """

    job: Job
    other: Job
    reading: str = ""
    headline: str
    table: Table
    differs: dict[str, list[Any]]
