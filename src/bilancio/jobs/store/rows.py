"""Rows of the store as the objects that callers see; a damaged one costs only itself."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

from bilancio.errors import JobDamaged
from bilancio.experiments import registry
from bilancio.experiments.sweep_config import SweepConfig, UncheckedSweep, digest_now
from bilancio.jobs.clock import from_text
from bilancio.jobs.job_id import JobId
from bilancio.jobs.models import EventType, Holder, InFlightBatch, Job, JobEvent, JobStatus
from bilancio.jobs.run_ids import RunIds
from bilancio.jobs.store.database import Row, storable

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Consecutive successful runs and their metrics, packed.

    Attributes
    ----------
    first_index, last_index
        The runs, both included.
    metrics
        A .npy of a structured array with one row a run.
    crc32
        Checksum of `metrics`.
    run_id
        In manual jobs, the id that the caller gave.
    """

    first_index: int
    last_index: int
    metrics: bytes
    crc32: int
    compute_s: float = 0.0
    run_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedBatch:
    """Runs that were computed in one batch.

    Attributes
    ----------
    chunks, failures
        Their results, and the errors of those that failed by index.
    details
        What the progress event says.
    """

    chunks: Sequence[Chunk] = ()
    failures: Mapping[int, str] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
    compute_s: float

    @property
    def completed(self) -> int:
        """Number of runs with results."""
        return sum(each.last_index - each.first_index + 1 for each in self.chunks)

    def ranges(self) -> list[tuple[int, int]]:
        """Return the indexes of all its runs, both ends of each range included."""
        ranges = [(each.first_index, each.last_index) for each in self.chunks]
        return ranges + [(index, index) for index in self.failures]


class ReadJob(NamedTuple):
    """A job as it is read from its manifest and the tables beside it.

    Attributes
    ----------
    row
        The columns of its row.
    chunks, failures
        Its results, and the errors of its failed runs by index.
    source
        The file that the chunks come from; empty where there are none.
    left_out
        Tables that lie there, too, but are damaged or contradict the manifest: name → why.
    """

    row: Mapping[str, Any]
    chunks: Sequence[Chunk]
    failures: Mapping[int, str]
    source: str = ""
    left_out: Mapping[str, str] = MappingProxyType({})


class Speed(NamedTuple):
    """What the worker of a job measured.

    Attributes
    ----------
    speed
        Seconds that one core took per unit of cost, over batches computed warm, or long; None if
        too little was computed to tell.
    startup_s
        Seconds from the event that announced the start to the end of the first batch, less what
        that batch takes warm; None if unknown.
    """

    speed: float | None
    startup_s: float | None


class JobList(NamedTuple):
    """A page of jobs, newest first.

    Attributes
    ----------
    total
        How many there are on all pages, damaged ones included.
    damaged
        Names of the jobs of this page that cannot be read, and why; they are not in `jobs`.
    """

    jobs: list[Job]
    total: int
    damaged: dict[str, str]


class Notice(NamedTuple):
    """A notice that waits to be delivered, or was given up.

    Attributes
    ----------
    seq
        Number of the event that it is about.
    total_runs, completed_runs, failed_runs
        Of its job at that moment.
    attempts
        How often it was tried, the try under way included.
    due_at
        When it may be tried again.
    given_up_at
        None while it waits.
    error
        Why the latest try failed.
    """

    job_id: str
    seq: int
    target: str
    total_runs: int
    completed_runs: int
    failed_runs: int
    posted_at: datetime
    due_at: datetime
    attempts: int
    courier: str | None
    given_up_at: datetime | None
    error: str | None


class EndedJob(NamedTuple):
    """What a manifest has to agree with: how a job ended, and where its folder is."""

    job_id: str
    status: str
    out_dir: Path
    completed_runs: int
    failed_runs: int


def job_from(row: Row, manual_run_ids: Sequence[str] = ()) -> Job:
    """Return the job of a row of jobs.

    Raises
    ------
    JobDamaged
        A column holds what was never stored; the error names it.
    """
    read = _Reader(row)
    job_id, stored = JobId(read("job_id", _text)), read("config", _object)
    config = read("config", lambda _: _config(stored))
    total_runs = read("total_runs", _count)
    planned = RunIds(job_id, config, total_runs)
    return Job(
        job_id=job_id,
        created_at=read("created_at", _moment),
        status=read("status", JobStatus),
        description=read("description", _text),
        config=config,
        config_hash=digest_now(config, stored, read("config_hash", _text)),
        engine=read("engine", _text),
        run_ids=manual_run_ids if row["manual"] else planned,
        total_runs=total_runs,
        completed_runs=read("completed_runs", _count),
        failed_runs=read("failed_runs", _count),
        started_at=read("started_at", _optional(_moment)),
        completed_at=read("completed_at", _optional(_moment)),
        error=read("error", _optional(_text)),
        notes=read("notes", _text),
        tags=read("tags", _texts),
        attempts=read("attempts", _count),
        manual=bool(row["manual"]),
        out_dir=Path(read("out_dir", _text)),
        executor=read("executor", _text),
        compute_s=read("compute_s", _number),
        summary=read("summary", _optional(_object)),
        provenance=read("provenance", _object),
        holder=_holder(read),
        in_flight=read("in_flight", _in_flight),
        unread=row["unread"] is not None,
        owner=read("owner", _optional(_text)),
        notify=read("notify", _texts),
    )


def event_from(row: Row) -> JobEvent:
    """Return the event of a row of events.

    Raises
    ------
    JobDamaged
        A column holds what was never stored; the error names it.
    """
    read = _Reader(row, f"event {row['seq']}: its ")
    return JobEvent(
        job_id=JobId(row["job_id"]),
        seq=row["seq"],
        event_type=read("event_type", EventType),
        timestamp=read("timestamp", _moment),
        details=read("details", _object),
    )


def notice_from(row: Row) -> Notice:
    """Return the notice of a row of outbox.

    Raises
    ------
    JobDamaged
        A column holds what was never stored; the error names it.
    """
    read = _Reader(row, f"notice of event {row['seq']}: its ")
    return Notice(
        job_id=row["job_id"],
        seq=read("seq", _count),
        target=read("target", _text),
        total_runs=read("total_runs", _count),
        completed_runs=read("completed_runs", _count),
        failed_runs=read("failed_runs", _count),
        posted_at=read("posted_at", _moment),
        due_at=read("due_at", _moment),
        attempts=read("attempts", _count),
        courier=read("courier", _optional(_text)),
        given_up_at=read("given_up_at", _optional(_moment)),
        error=read("error", _optional(_text)),
    )


def holder_from(row: Row) -> Holder | None:
    """Return who has the lease of the job of a row; None where nobody has.

    Raises
    ------
    JobDamaged
        A column holds what was never stored; the error names it.
    """
    return _holder(_Reader(row))


class _Reader:
    """Reads the columns of one row, and names the one that cannot be read."""

    def __init__(self, row: Row, where: str = "its ") -> None:
        self._row = row
        self._where = where

    def __call__(self, column: str, parse: Callable[[Any], T]) -> T:
        try:
            return parse(self._row[column])
        except (ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            job_id = storable(str(self._row["job_id"]))
            raise JobDamaged(job_id, f"{self._where}{column} cannot be read") from error


def _holder(read: _Reader) -> Holder | None:
    worker_id = read("worker_id", _optional(_text))
    if worker_id is None:
        return None
    return Holder(
        worker_id=worker_id,
        fence=read("fence", _count),
        expires_at=read("lease_expires_at", _moment),
        pid=read("worker_pid", _optional(_count)),
        host=read("worker_host", _optional(_text)),
    )


def _config(stored: dict[str, Any]) -> SweepConfig:
    """Read a stored configuration; one that only another version or plug-in can check, as is."""
    try:
        return registry.stored_configuration(stored)
    except ValueError:
        _text(stored.get("sweep_type"))
        return UncheckedSweep.model_construct(**stored)


def _object(text: str) -> dict[str, Any]:
    value = _json(text)
    if not isinstance(value, dict):
        raise TypeError
    return value


def _texts(text: str) -> tuple[str, ...]:
    return tuple(_text(each) for each in _list(text))


def _in_flight(text: str) -> tuple[InFlightBatch, ...]:
    return tuple(InFlightBatch(*(_count(number) for number in each)) for each in _list(text))


def _list(text: str) -> list[Any]:
    value = _json(text)
    if not isinstance(value, list):
        raise TypeError
    return value


def _json(text: str) -> Any:
    """Read JSON that the store wrote; it holds no NaN and no infinity, however spelled."""
    return json.loads(text, parse_constant=_refuse, parse_float=_number)


def _refuse(name: str) -> float:
    raise ValueError(name)


def _number(value: str | float) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(value)
    return number


def _count(value: Any) -> int:
    if not isinstance(value, int) or value < 0:
        raise ValueError(value)
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    value.encode()  # lone surrogates stand for bytes that are not UTF-8
    return value


def _moment(text: str) -> datetime:
    moment = from_text(text)
    moment.astimezone(UTC)  # overflows at the edges of the calendar
    return moment


def _optional(parse: Callable[[Any], T]) -> Callable[[Any], T | None]:
    return lambda value: None if value is None else parse(value)
