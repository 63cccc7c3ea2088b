"""What callers see of lists of jobs, and of a job's results."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, PlainSerializer, SerializationInfo

from bilancio.errors import OutputError, ResultsMissing
from bilancio.frames import markup
from bilancio.jobs.models import Job, View

CELLS, RUNS = "cells", "runs"  # what the rows of a table are of

if TYPE_CHECKING:  # optional libraries
    from bilancio.frames.datasets import Dataset
    from bilancio.frames.tables import DataFrame


class Table(View):
    """Rows under named columns; None where a value is missing.

    Attributes
    ----------
    total_rows
        How many there are in all; `rows` may be a cut.
    n_keys
        How many of the first columns name the row.
    title
        What the values are, where the columns do not say it.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    total_rows: int
    n_keys: int = 0
    title: str = ""

    def to_pandas(self) -> "DataFrame":
        """Return the rows as a frame: words are categories, missing numbers NaN or NA.

        Raises
        ------
        LibraryMissing
            pandas is not installed.
        """
        from bilancio.frames.tables import frame_of_rows  # optional

        return frame_of_rows(self.columns, self.rows)

    def to_markdown(self, *, measures: Sequence[str] = ()) -> str:
        """Return the rows as a Markdown table, rounded, an interval beside each measure.

        Parameters
        ----------
        measures
            Which measures are shown; all that the table has by default.

        Raises
        ------
        InvalidInput
            The table has no such measure.
        """
        return markup.to_markdown(self._shown(measures))

    def to_latex(self, *, measures: Sequence[str] = ()) -> str:
        """Return the rows as a LaTeX tabular with the rules of booktabs; see `to_markdown`."""
        return markup.to_latex(self._shown(measures))

    def to_csv(self, path: Path | str | None = None) -> str | None:
        """Return all columns as CSV, numbers with all their digits; with a *path*, write it there.

        Raises
        ------
        OutputError
            The file cannot be written.
        """
        text = markup.to_csv(self.columns, self.rows)
        if path is None:
            return text
        try:
            Path(path).write_text(text, encoding="utf-8", newline="")
        except OSError as error:
            raise OutputError(str(path), error.strerror or str(error)) from error
        return None

    def __str__(self) -> str:
        return self.to_markdown().rstrip("\n")

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the first rows and measures."""
        return _table_html(self)

    def _shown(self, measures: Sequence[str]) -> markup.Shown:
        return markup.Shown(self.columns, self.rows, self.n_keys, measures)


def _without_run_ids(job: Job, info: SerializationInfo) -> dict[str, Any]:
    return job.model_dump(mode=info.mode, exclude={"run_ids"})


Listed = Annotated[Job, PlainSerializer(_without_run_ids, return_type=dict[str, Any])]


class Page(View):
    """A cut of a list of jobs, newest first.

    Attributes
    ----------
    total
        How many there are in all, damaged ones included.
    filters
        How each filter that was given was read; days of `since` and `until` are both included.
    without
        Where no job matches: how many would without each of the filters, the most first.
    damaged
        Names of jobs of this cut that cannot be read from the store; they are not in `jobs`.
    refused_manifests
        How many manifests in the output folders were skipped because they cannot be imported.
    """

    jobs: tuple[Listed, ...]
    total: int
    offset: int
    filters: Mapping[str, str] = Field(default_factory=dict)
    without: Mapping[str, int] = Field(default_factory=dict)
    damaged: tuple[str, ...] = ()
    refused_manifests: int = 0


class Tabular(View):
    """What has a main table, which the methods named after formats return."""

    @property
    def _main(self) -> Table:
        raise NotImplementedError

    def to_pandas(self) -> "DataFrame":
        """Return the table as a frame; see `Table.to_pandas`.

        Raises
        ------
        ResultsMissing
            There is no table, of the frontier neither.
        LibraryMissing
            pandas is not installed.
        """
        return self._main.to_pandas()

    def to_markdown(self, *, measures: Sequence[str] = ()) -> str:
        """Return the table as Markdown; see `Table.to_markdown`."""
        return self._main.to_markdown(measures=measures)

    def to_latex(self, *, measures: Sequence[str] = ()) -> str:
        """Return the table as LaTeX; see `Table.to_latex`."""
        return self._main.to_latex(measures=measures)

    def to_csv(self, path: Path | str | None = None) -> str | None:
        """Return the table as CSV, or write it; see `Table.to_csv`."""
        return self._main.to_csv(path)


class Plot(View):
    """A picture of results.

    Attributes
    ----------
    reading, others_read
        How its name, and those of other jobs, were read where not written exactly; else empty.
    read
        As in `Results`.
    kind
        What it shows.
    sentence
        What one sees on it.
    files
        `png` and `svg` → path of what was written; empty where the output folder is gone.
    png, svg
        The picture itself. The SVG follows its reader's mode, light or dark.
    """

    job: Job
    reading: str = ""
    others_read: str = ""
    read: dict[str, str] = Field(default_factory=dict)
    kind: str
    sentence: str
    files: dict[str, str]
    png: bytes = Field(exclude=True, repr=False)
    svg: str = Field(exclude=True, repr=False)

    def _repr_png_(self) -> bytes:
        """Return what a notebook shows."""
        return self.png

    def _repr_svg_(self) -> str:
        """Return what a notebook shows where it can."""
        return self.svg


class Results(Tabular):
    """What a job has found so far.

    Attributes
    ----------
    reading
        How the name was read where it was not written exactly; else empty.
    headline
        The answer in a sentence or two, to what was asked for.
    summary
        Counts and averages, from the runs recorded until now.
    of, group_by, measures
        What was asked for, by the names that the sweep has.
    known
        With `of` runs, all measures that such rows can show.
    read
        Word → the name that it was read as, where that is another one.
    primary
        The measure that verdicts are about.
    table
        Single runs, with `of` runs. Else means grouped by parameters: a row for each group with
        `n` (cells times whole seeds), `n_seeds` (whole seeds), `verdict` where arms are compared,
        and for each measure m the columns m, m_low, m_high: its mean and 95 % interval. None
        where nothing has been recorded, or nothing but a search.
    contrasts, effects
        Differences to the lowest level of a parameter, paired by seed; main effects and
        interactions as shares of the variance between cells. None unless asked for.
    frontier
        What each search of a frontier has found; None where the sweep has none.
    verdicts
        How many rows of the table have each verdict; empty where there are less than two.
    plan
        How many seeds a precision takes of the primary measure, or of the first one shown where
        that is not among them; None where that is not known.
    meanings, warnings
        What the measures are that were asked for; what to know before drawing conclusions.
    files
        Name → path of what was written for this job.
    runs_in_tables
        How many runs the tables among the files hold, the first ones; None for all of them.
    failures
        The first failed runs: run id → cell, seed and error.
    repetition
        Why the failed runs would fail again, in a sentence; empty where that is open.
    """

    job: Job
    reading: str = ""
    headline: str
    summary: dict[str, Any]
    of: str = CELLS
    group_by: tuple[str, ...] = ()
    measures: tuple[str, ...] = ()
    known: tuple[str, ...] = Field(default=(), exclude=True, repr=False)
    read: dict[str, str] = Field(default_factory=dict)
    primary: str = ""
    table: Table | None
    contrasts: Table | None = None
    effects: Table | None = None
    frontier: Table | None = None
    verdicts: dict[str, int] = Field(default_factory=dict)
    plan: dict[str, Any] | None = None
    meanings: dict[str, str] = Field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    files: dict[str, str]
    runs_in_tables: int | None = None
    failures: dict[str, str]
    repetition: str = ""

    def plot(self, kind: str | None = None, **asked: Any) -> Plot:
        """Draw the job, as it is now in the store that it came from; see `JobManager.plot`.

        It blocks, also where an event loop runs.

        Raises
        ------
        ResultsMissing
            No job manager of this process returned these results: they were unpickled, say.
        """
        found: Plot = self.job.reader("plot").plot(self.job.job_id, kind, **asked)
        return found

    @property
    def _main(self) -> Table:
        """The table; what a frontier has found where there is nothing else."""
        tables = [each for each in (self.table, self.frontier) if each is not None]
        if not tables:
            raise ResultsMissing(self.job.job_id, self.headline)
        return next((each for each in tables if each.rows), tables[0])

    def to_xarray(self) -> "Dataset":
        """Return all runs of the job as arrays, whatever the table shows; see `Job.to_xarray`."""
        return self.job.to_xarray()

    @property
    def _tables(self) -> tuple[Table | None, ...]:
        return self.frontier, self.table, self.contrasts, self.effects

    def __str__(self) -> str:
        tables = [str(each) for each in self._tables if each is not None and each.rows]
        return "\n\n".join([self.headline, *tables, *self.warnings])

    def _repr_html_(self) -> str:
        """Return what a notebook shows: headline, tables, what to know, the plan."""
        notes = "".join(f"<li>{markup.html_text(each)}</li>" for each in self.warnings)
        plan = markup.html_text(self.plan["sentence"]) if self.plan else ""
        return (
            _html(self.job.job_id, self.headline, self._tables)
            + (f"<ul>{notes}</ul>" if notes else "")
            + (f"<p><small>{plan}</small></p>" if plan else "")
        )


class Comparison(Tabular):
    """How jobs differ from the first of them, over the cells and seeds that both have.

    Attributes
    ----------
    job, other, more
        The first job, the second, and further ones, each of which is compared with the first.
    reading
        Which jobs were meant, and how that was read, by names not written exactly; else empty.
    headline
        The answer in a sentence.
    comparability
        Whether the jobs' own headlines may be compared, in a sentence with the reason.
    group_by, measures, read
        As in `Results`.
    primary
        The measure that the headline is about.
    varied
        Parameters with several values that all have, by which the table can be grouped.
    table
        Differences, job − other, paired by seed: a row for each group with `n_cells`, `n_seeds`,
        `verdict`, and m, m_low, m_high of each measure m that both have. Of more than two jobs a
        row for each group and job, named in the column `job`.
    differs
        Parameters that they do not share: name → the value of each job.
    """

    job: Job
    other: Job
    more: tuple[Job, ...] = ()
    reading: str = ""
    headline: str
    comparability: str
    group_by: tuple[str, ...] = ()
    measures: tuple[str, ...] = ()
    read: dict[str, str] = Field(default_factory=dict)
    primary: str
    varied: tuple[str, ...] = ()
    table: Table
    differs: dict[str, list[Any]]

    @property
    def _main(self) -> Table:
        return self.table

    def __str__(self) -> str:
        return f"{self.headline} {self.comparability}\n\n{self.table}"

    def _repr_html_(self) -> str:
        """Return what a notebook shows: headline and table."""
        others = ", ".join(each.job_id for each in (self.other, *self.more))
        name = f"{self.job.job_id} − {others}"
        return _html(name, f"{self.headline} {self.comparability}", [self.table])


def _html(name: str, headline: str, tables: Iterable[Table | None]) -> str:
    """Return a headline and the tables that have rows."""
    said = f"<p><b>{markup.html_text(name)}</b>: {markup.html_text(headline)}</p>"
    shown = (each for each in tables if each is not None and each.rows)
    return said + "".join(map(_table_html, shown))


def _table_html(table: Table) -> str:
    """Return what a notebook shows of a table, its title above it."""
    title = f"<p>{markup.html_text(table.title)}</p>" if table.title else ""
    shown = markup.to_html(table.columns, table.rows, table.n_keys, table.total_rows)
    return title + shown
