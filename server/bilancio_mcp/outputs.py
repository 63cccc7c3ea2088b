"""What the tools return. The model sees these fields and nothing else of an answer."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from bilancio.encoding import finite
from bilancio.experiments.sweep_config import SweepConfig
from bilancio.jobs.models import Job, Table
from bilancio.printable import escaped, shortened
from bilancio_mcp.sizes import fitted, fitted_rows, six_digits, size

Data = dict[str, Any]

SUMMARY, TEXT, ERROR, PATH, TAG = 2_000, 500, 1_000, 1_000, 40  # characters
CONFIG, FINDINGS, MEANS, FAILURES = 1_500, 4_000, 1_000, 2_000
ROWS, FRONTIER_ROWS, JOBS = 6_000, 3_000, 16_000
COLUMNS, TAGS = 40, 8


def _text(limit: int) -> BeforeValidator:
    """Cut a text, without the control characters that a manifest from elsewhere may have in it."""
    return BeforeValidator(
        lambda text: shortened(escaped(text), limit) if isinstance(text, str) else text
    )


def _data(budget: int) -> BeforeValidator:
    return BeforeValidator(lambda data: six_digits(fitted(data, budget)))


Finite = Annotated[float | None, BeforeValidator(finite)]
Summary = Annotated[str, _text(SUMMARY)]
Text = Annotated[str, _text(TEXT)]


class Answer(BaseModel):
    """Base of all answers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    summary: Summary = Field(description="The answer in a sentence or two.")
    next: Summary = Field(description="What to do or call next.")


Config = Annotated[Data, _data(CONFIG), Field(description="What is not at its default.")]


class EstimateOut(BaseModel):
    """What a sweep will take on this machine."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seconds: Finite
    workers: int
    rough: bool = Field(
        description="From a shipped table; nothing like it has been timed here yet."
    )


class CreatedJob(Answer):
    """A job that was stored and waits to be started."""

    job_id: str
    total_runs: int
    estimate: EstimateOut
    folder: Annotated[str, _text(PATH)] = Field(description="Where its files will be.")
    config: Config


class StartedSweep(Answer):
    """What asking for a start did."""

    job_id: str
    action: str = Field(description="started, resumed, recovered, already running.")
    status: str
    completed_runs: int
    total_runs: int


class CancelledJob(Answer):
    """A job that is cancelled."""

    job_id: str
    status: str


class Status(Answer):
    """How far a job is."""

    job_id: str
    description: Text
    status: str = Field(
        description="pending, running, stalled (no worker carries it), completed, failed, cancelled"
    )
    total_runs: int
    completed_runs: int
    failed_runs: int
    runs_per_s: Finite
    eta_s: Finite
    elapsed_s: Finite
    means: Annotated[Data, _data(MEANS)] = Field(
        description="Means over the latest batch, not results."
    )
    error: Annotated[str | None, _text(ERROR)]
    created_at: str
    completed_at: str | None


class ResultsTable(BaseModel):
    """Rows of a table, as many as an answer holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    columns: list[str]
    rows: list[list[Any]] = Field(description="Groups exact, values to six digits.")
    offset: int
    total_rows: int


class JobResults(Answer):
    """What a job has found so far."""

    job_id: str
    description: Text
    status: str
    findings: Annotated[Data, _data(FINDINGS)] = Field(
        description="Counts, averages, intervals over all runs so far."
    )
    table: ResultsTable | None
    frontier: ResultsTable | None = Field(description="κ* by cell, if searched.")
    folder: Annotated[str, _text(PATH)]
    files: list[str] = Field(description="In the folder.")
    failures: Annotated[Data, _data(FAILURES)] = Field(
        description="First failed runs: id to error."
    )
    config: Config


class JobSummary(BaseModel):
    """One job in a list."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    job_id: str
    status: str
    description: Text
    sweep_type: str
    completed_runs: int
    total_runs: int
    created_at: str
    tags: list[str]


class JobList(Answer):
    """Jobs, newest first."""

    jobs: list[JobSummary]
    total: int
    offset: int


def results_table(
    table: Table | None, *, before: str, offset: int, budget: int = ROWS
) -> ResultsTable | None:
    """Return a table as an answer holds it: its first columns, and as many rows as there is room.

    Parameters
    ----------
    before
        The columns that stand before this one name the group; they are never rounded.
    """
    if table is None:
        return None
    keys = table.columns.index(before)
    rows = [[*finite(row[:keys]), *six_digits(finite(row[keys:COLUMNS]))] for row in table.rows]
    return ResultsTable(
        columns=[shortened(name, TAG * 2) for name in table.columns[:COLUMNS]],
        rows=fitted_rows(rows, budget),
        offset=offset,
        total_rows=table.total_rows,
    )


def job_summaries(jobs: Sequence[Job]) -> list[JobSummary]:
    """Return jobs as a list shows them, as many as an answer holds."""
    room, kept = JOBS, []
    for job in jobs:
        kept.append(_job_summary(job))
        room -= size(kept[-1].model_dump())
        if room < 0:
            return kept[:-1]
    return kept


def _job_summary(job: Job) -> JobSummary:
    return JobSummary(
        job_id=job.job_id,
        status=job.state,
        description=shortened(escaped(job.description)),
        sweep_type=job.config.sweep_type,
        completed_runs=job.completed_runs,
        total_runs=job.total_runs,
        created_at=moments(job)["created_at"],
        tags=_tags(job.tags),
    )


def _tags(tags: Sequence[str]) -> list[str]:
    left = len(tags) - TAGS
    shown = [shortened(escaped(tag), TAG) for tag in tags[:TAGS]]
    return [*shown, f"… {left} more"] if left > 0 else shown


def asked_for(config: SweepConfig) -> Data:
    """Return what a configuration sets that is not at its default."""
    asked = config.model_dump(exclude_defaults=True).keys() | {"sweep_type"}
    return {name: value for name, value in config.as_dict().items() if name in asked}


def moments(job: Job) -> dict[str, Any]:
    """Return when *job* was created and ended, as text."""
    return job.model_dump(mode="json", include={"created_at", "completed_at"})
