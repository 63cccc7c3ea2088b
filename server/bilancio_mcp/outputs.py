"""What the tools return. The model sees these fields and nothing else of an answer."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from bilancio.encoding import finite
from bilancio.jobs.models import Job
from bilancio.text import shortened

Data = dict[str, Any]


def _six_digits(rows: Any) -> Any:
    return [
        [float(f"{each:.6g}") if isinstance(each, float) else each for each in row] for row in rows
    ]


Finite = Annotated[float | None, BeforeValidator(finite)]
FiniteData = Annotated[Data, BeforeValidator(finite)]


class Answer(BaseModel):
    """Base of all answers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    summary: str = Field(description="The answer in a sentence or two.")
    next: str = Field(description="What to do or call next.")


class EstimateOut(BaseModel):
    """What a sweep will take on this machine."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seconds: Finite
    workers: int
    rough: bool = Field(description="From a shipped table; nothing like it has run here yet.")


class CreatedJob(Answer):
    """A job that was stored and waits to be started."""

    job_id: str
    total_runs: int
    estimate: EstimateOut
    folder: str = Field(description="Where its files will be.")
    config: FiniteData = Field(description="Every parameter, defaults written out.")


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
    description: str
    status: str = Field(
        description="pending, running, stalled (no worker carries it), completed, failed, cancelled"
    )
    total_runs: int
    completed_runs: int
    failed_runs: int
    runs_per_s: Finite
    eta_s: Finite
    elapsed_s: Finite
    means: FiniteData = Field(description="Means over the latest batch, not results.")
    error: str | None
    created_at: str
    completed_at: str | None


class ResultsTable(BaseModel):
    """Means by group."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    columns: list[str]
    rows: Annotated[list[list[Any]], BeforeValidator(_six_digits), BeforeValidator(finite)] = Field(
        description="Six significant digits."
    )
    offset: int
    total_rows: int


class JobResults(Answer):
    """What a job has found so far."""

    job_id: str
    description: str
    status: str
    findings: FiniteData = Field(description="Counts, averages, intervals over all runs so far.")
    table: ResultsTable | None
    frontier: FiniteData = Field(default_factory=dict, description="κ* by cell, if searched.")
    files: dict[str, str] = Field(description="Name to path.")
    failures: dict[str, str] = Field(description="First failed runs: id to error.")
    config: FiniteData


class JobSummary(BaseModel):
    """One job in a list."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    job_id: str
    status: str
    description: str
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


def job_summary(job: Job) -> JobSummary:
    """Return *job* as one of a list."""
    return JobSummary(
        job_id=job.job_id,
        status=job.state,
        description=shortened(job.description),
        sweep_type=job.config.sweep_type,
        completed_runs=job.completed_runs,
        total_runs=job.total_runs,
        created_at=moments(job)["created_at"],
        tags=list(job.tags),
    )


def moments(job: Job) -> dict[str, Any]:
    """Return when *job* was created and ended, as text."""
    return job.model_dump(mode="json", include={"created_at", "completed_at"})
