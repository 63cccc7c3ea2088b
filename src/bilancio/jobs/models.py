"""What callers see of a job: itself, its events, its progress, estimates."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, Self, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    PlainSerializer,
    PrivateAttr,
    SkipValidation,
    model_validator,
)

from bilancio.experiments import registry
from bilancio.experiments.sweep_config import SweepConfig
from bilancio.frames.markup import html_facts
from bilancio.jobs.clock import to_text
from bilancio.jobs.job_id import JobId
from bilancio.jobs.origin import Origin, RunsReader
from bilancio.jobs.run_ids import listed_ids
from bilancio.printable import shortened
from bilancio.text import counts, standing, state, values

if TYPE_CHECKING:  # optional libraries
    from bilancio.frames.datasets import Dataset
    from bilancio.frames.tables import DataFrame

T = TypeVar("T")

Moment = Annotated[datetime, PlainSerializer(to_text, return_type=str, when_used="json")]
Config = Annotated[SweepConfig, PlainSerializer(SweepConfig.as_dict, return_type=dict[str, Any])]


class JobConfig(SweepConfig):
    """A sweep: its type and every parameter of it.

    ``JobConfig(sweep_type="balanced", …)`` gives an instance of the model that the registry knows
    for that type, as ``pathlib.Path`` gives a path of this system; each is an instance of this.
    """

    if TYPE_CHECKING:  # checkers take the fields of this class for its parameters otherwise

        def __init__(self, **parameters: Any) -> None: ...

    def __new__(cls, **parameters: Any) -> Self:
        """Check *parameters* by the model of their sweep type."""
        return registry.configuration(parameters)  # type: ignore[return-value]  # as pathlib.Path

    @classmethod
    def __subclasshook__(cls, other: type) -> bool:
        """Count the model of every sweep type as one of this."""
        return issubclass(other, SweepConfig)

    @model_validator(mode="wrap")
    @classmethod
    def _as_its_type(cls, data: Any, _: ModelWrapValidatorHandler[Self]) -> Self:
        chosen = registry.config_model(data.get("sweep_type")) if isinstance(data, Mapping) else cls
        return chosen.model_validate(data)  # type: ignore[return-value]


class JobStatus(StrEnum):
    """Where a job is in its life: pending → running → one of the other three."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether nothing happens to the job by itself any more."""
        return self not in {JobStatus.PENDING, JobStatus.RUNNING}


class EventType(StrEnum):
    """What can happen to a job."""

    CREATED = "created"
    STARTED = "started"
    PROGRESS = "progress"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    RESUMED = "resumed"
    EXTENDED = "extended"
    RECOVERED = "recovered"
    EDITED = "edited"
    NOTIFIED = "notified"
    UNDELIVERED = "undelivered"


#: Events that change nothing of a job's runs and state.
ASIDES = frozenset({EventType.EDITED, EventType.NOTIFIED, EventType.UNDELIVERED})


class View(BaseModel):
    """Base of what is handed out: frozen, nothing unknown in it."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", arbitrary_types_allowed=True, defer_build=True
    )


class Listing(list[T]):
    """A cut of a job's events or runs, in order.

    Attributes
    ----------
    total
        How many there are in all, of the status asked for.
    job
        The job that they are of.
    reading
        How its name was read where it was not written exactly; else empty.
    """

    def __init__(self, items: Iterable[T], *, job: "Job", reading: str, total: int) -> None:
        super().__init__(items)
        self.total = total
        self.job = job
        self.reading = reading


class Holder(View):
    """Who has the lease of a running job, as it stands in the store.

    Attributes
    ----------
    pid, host
        Known once the worker has taken the lease up; None before.
    """

    worker_id: str
    fence: int
    expires_at: Moment
    pid: int | None
    host: str | None


RunIdsField = Annotated[SkipValidation[Sequence[str]], PlainSerializer(listed_ids)]


class InFlightBatch(NamedTuple):
    """A batch that computes: its runs, both ends included, and the workers it has outlived."""

    first: int
    last: int
    deaths: int


class Job(View):
    """One submission of a sweep.

    Attributes
    ----------
    run_ids
        Lazy sequence of the ids of all runs by index. They are those planned: a job that has not
        begun has them, too, and a search reserves some that it may not need. Of a manual job,
        those recorded. In JSON a list of up to 100, else the first, the last, and a count.
    engine
        Version of the code that its numbers come from.
    out_dir
        Where its `folder` lies.
    compute_s
        Seconds that its runs took, of all cores together.
    total_runs
        Number of runs; of a search, the most that it may need, until it has completed.
    manual
        Started manually: no worker, ended only by its owner.
    stalled
        Whether it is running for the record, but no worker carries it.
    attempts
        How often it was started or taken over.
    error
        Why it failed.
    summary
        What was found, once it has completed.
    unread
        Whether the job is known from its manifest alone: status and counts are those that it
        tells. The runs are read from its folder when somebody asks for them.
    owner
        Who has created it, as ``anna@laptop``; None where that is unknown.
    notify
        Targets of notices, which are sent whenever it ends.
    """

    job_id: JobId
    created_at: Moment
    status: JobStatus
    stalled: bool = False
    description: str
    config: Config
    config_hash: str
    engine: str
    run_ids: RunIdsField = Field(repr=False, description="Ids of all runs planned, by index.")
    total_runs: int
    completed_runs: int
    failed_runs: int
    started_at: Moment | None
    completed_at: Moment | None
    error: str | None
    notes: str
    tags: tuple[str, ...]
    attempts: int
    manual: bool
    out_dir: Path
    executor: str
    compute_s: float
    summary: dict[str, Any] | None
    provenance: dict[str, Any] = Field(repr=False)
    holder: Holder | None = Field(exclude=True, repr=False)
    in_flight: tuple[InFlightBatch, ...] = Field(exclude=True, repr=False)
    unread: bool = False
    owner: str | None = None
    notify: tuple[str, ...] = ()
    _origin: Origin = PrivateAttr(default_factory=Origin)

    @model_validator(mode="before")
    @classmethod
    def _total_as_it_turned_out(cls, data: Any) -> Any:
        if data["status"] is JobStatus.COMPLETED and data["config"].adaptive and not data["manual"]:
            return {**data, "total_runs": data["completed_runs"]}  # it needed no more
        return data

    @property
    def total_is_bound(self) -> bool:
        """Whether `total_runs` is but the most that there may be."""
        return self.config.adaptive and self.status is not JobStatus.COMPLETED

    @property
    def counts(self) -> dict[str, int]:
        """Its runs by what has become of them, as a summary begins."""
        return {
            "total_runs": self.total_runs,
            "completed_runs": self.completed_runs,
            "failed_runs": self.failed_runs,
        }

    @property
    def folder(self) -> Path:
        """Where the job's manifest, tables and log are."""
        return self.out_dir / self.job_id

    @property
    def state(self) -> str:
        """The status as a reader sees it: `stalled` where no worker carries a running job."""
        return "stalled" if self.stalled else self.status.value

    def read_from(self, origin: Origin) -> Self:
        """Note where the job was read from, and return it."""
        self._origin = origin
        return self

    def reader(self, method: str) -> RunsReader:
        """Return what reads the job's runs where it came from, as *method* of a manager does."""
        return self._origin.reader(self.job_id, method)

    def runs_frame(self, *, status: str | None = None) -> "DataFrame":
        """Return all runs of the job as a pandas frame; see `JobManager.runs_frame`.

        They are read from the store that the job came from, as they are now, whether its manager
        is open still or not. It blocks, also where an event loop runs.

        Parameters
        ----------
        status
            `completed`, `failed` or `pending`; all runs by default.

        Raises
        ------
        ResultsMissing
            No job manager of this process returned the job: it was unpickled, say.
        JobNotFound, InvalidInput, StoreCorrupt
        LibraryMissing
            pandas is not installed.
        """
        return self.reader("runs_frame").runs_frame(self.job_id, status)

    def to_xarray(self) -> "Dataset":
        """Return the metrics of the job's runs as arrays; see `JobManager.to_xarray`.

        They are read as by `runs_frame`, which raises the same errors.
        """
        return self.reader("to_xarray").to_xarray(self.job_id)

    def __str__(self) -> str:
        return f"{self.job_id}: {standing(self)}"

    def _repr_html_(self) -> str:
        """Return what a notebook shows: what the job is, and how far."""
        asked = {name: values(value) for name, value in self.config.asked().items()}
        sweep = "; ".join(f"{name} {value}" for name, value in asked.items())
        return html_facts(
            {
                "job": self.job_id,
                "description": shortened(self.description),
                "state": state(self),
                "runs": counts(self),
                "sweep": f"{self.config.sweep_type}{sweep and ': '}{shortened(sweep)}",
                "error": shortened(self.error or ""),
                "tags": shortened(", ".join(self.tags)),
                "files": str(self.folder),
            }
        )


class JobEvent(View):
    """Something that happened to a job; never changed once appended."""

    job_id: JobId
    seq: int
    event_type: EventType
    timestamp: Moment
    details: dict[str, Any]


class Lease(View):
    """A worker's right to a job until a moment, with a fence number."""

    job_id: JobId
    worker_id: str
    fence: int


class Growth(NamedTuple):
    """More seeds for a job that has ended.

    Attributes
    ----------
    config
        Its sweep with them.
    n_seeds
        How many it has, and how many it will have.
    attempts
        Of the job when that was decided; a start meanwhile counts as one.
    """

    config: SweepConfig
    n_seeds: tuple[int, int]
    attempts: int


class Estimate(View):
    """What a sweep, or the rest of a job, will take where it computes.

    Attributes
    ----------
    runs
        To be computed.
    seconds
        From start to last result; 0 without runs, None without runs timed here or a shipped figure.
    workers, elsewhere
        Cores of this machine, or containers of Modal; whether other cores than these compute, as
        many as there are when the job does.
    rough
        Whether the speed is a shipped figure, as no such run has been timed on this machine.
    dollars, prices_of
        What it costs on Modal, None where the time is, and the day of the prices; empty elsewhere.
    """

    runs: int
    seconds: float | None
    workers: int
    rough: bool
    elsewhere: bool = False
    dollars: float | None = None
    prices_of: str = ""


class Started(View):
    """What asking for a start did.

    Attributes
    ----------
    action
        `started`, `resumed`, `extended`, `recovered`, or `already running`.
    """

    job: Job
    action: str


class Found(View):
    """A job found by name.

    Attributes
    ----------
    reading
        How the name was read where it was not written exactly; else empty.
    """

    job: Job
    reading: str
