"""What all parts of the store share: the database, the clock, events and values."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import timedelta
from typing import Any

from bilancio.encoding import MAX_DEPTH, finite, to_json
from bilancio.errors import LeaseLost, invalid
from bilancio.experiments.sweep_config import SweepConfig
from bilancio.jobs.clock import Clock, to_text
from bilancio.jobs.models import EventType, JobStatus, Lease
from bilancio.jobs.origin import Origin
from bilancio.jobs.store.database import Database, Statement, Transaction, Value
from bilancio.jobs.store.rows import Chunk

ENDED = {
    JobStatus.COMPLETED: EventType.COMPLETED,
    JobStatus.FAILED: EventType.FAILED,
    JobStatus.CANCELLED: EventType.CANCELLED,
}


class StoreBase:
    """A database and the time.

    Attributes
    ----------
    database
        Only the store's own modules use it.
    origin
        What jobs read from here answer questions about their runs by.
    """

    def __init__(self, database: Database, clock: Clock, origin: Origin | None = None) -> None:
        self.database = database
        self.clock = clock
        self.origin = origin or Origin()

    def _now(self, plus_s: float = 0.0) -> str:
        return to_text(self.clock() + timedelta(seconds=plus_s))

    async def _as_holder(self, name: str, lease: Lease, **params: Value) -> None:
        """Execute a statement that changes the job of *lease* if the lease still holds it.

        Twice is as good as once.
        """

        async def write() -> None:
            async with self.database.write(lease.job_id) as transaction:
                await self._held(transaction, name, lease, **params)

        await self.database.repeated(write)

    async def _held(
        self, transaction: Transaction, name: str, lease: Lease, **params: Value
    ) -> None:
        if not await transaction.execute(name, **lease.model_dump(), **params):
            raise LeaseLost(lease.job_id, lease.worker_id)

    def _inserted(self, job_id: str, chunk: Chunk, fence: int) -> Statement:
        """Return what stores a chunk."""
        return "insert_chunk", {
            "job_id": job_id,
            "fence": fence,
            "now": self._now(),
            "first_index": chunk.first_index,
            "last_index": chunk.last_index,
            "metrics": chunk.metrics,
            "crc32": chunk.crc32,
            "compute_s": chunk.compute_s,
            "run_id": chunk.run_id,
        }

    def _appended(
        self,
        job_id: str,
        event_type: EventType,
        details: Mapping[str, Any],
        moment: str | None = None,
    ) -> Statement:
        """Return what appends an event."""
        return "append_event", {
            "job_id": job_id,
            "event_type": event_type,
            "now": moment or self._now(),
            "details": as_json("details", details),
        }

    async def _append(
        self,
        transaction: Transaction,
        job_id: str,
        event_type: EventType,
        details: Mapping[str, Any],
    ) -> None:
        name, event = self._appended(job_id, event_type, details)
        await transaction.execute(name, **event)


def as_json(name: str, value: Any) -> str:
    """Return *value* as the store holds it: JSON, with null for NaN and infinity.

    Raises
    ------
    InvalidInput
        JSON does not hold it, or it is nested too deep.
    """
    if _is_deep(value, MAX_DEPTH):
        raise invalid(name, "a value nested too deep", f"at most {MAX_DEPTH} levels")
    try:
        return to_json(value)
    except (TypeError, ValueError) as error:
        raise invalid(name, str(error), "values that JSON holds") from None


def sweep_columns(config: SweepConfig) -> dict[str, Any]:
    """Return the columns that describe the sweep of a job."""
    return {
        "sweep_type": config.sweep_type,
        "config": as_json("config", config.as_dict()),
        "config_hash": config.digest(),
        "varied": varied_column(config),
        "total_runs": config.total_runs,
        "work": finite(config.cost) or 0.0,
    }


def words_column(job_id: str, description: str, notes: str, tags: Sequence[str]) -> str:
    """Return the words by which a job is found, a line each, without regard to case."""
    return "\n".join((job_id, description, notes, *tags)).casefold()


def varied_column(config: SweepConfig) -> str:
    """Return the parameters that differ between runs as the store holds them, between spaces."""
    varied = getattr(config, "varied", ())
    return f" {' '.join(varied)} " if varied else ""


def _is_deep(value: Any, levels: int) -> bool:
    if isinstance(value, Mapping):
        value = value.values()
    elif not isinstance(value, Sequence | AbstractSet) or isinstance(value, str | bytes):
        return False
    return levels == 0 or any(_is_deep(each, levels - 1) for each in value)
