"""Where a job was read from, so that it can answer questions about its runs by itself."""

from typing import TYPE_CHECKING, Any, Protocol, Self

from bilancio.errors import ResultsMissing

if TYPE_CHECKING:  # optional libraries
    from bilancio.frames.datasets import Dataset
    from bilancio.frames.tables import DataFrame


class RunsReader(Protocol):
    """Reads the runs of jobs of one store; blocks."""

    def runs_frame(self, job_id: str, status: str | None) -> "DataFrame":
        """Return the runs of this status, or all, as a frame."""
        ...

    def to_xarray(self, job_id: str) -> "Dataset":
        """Return all runs as arrays."""
        ...

    def plot(self, job_id: str, kind: str | None, **asked: Any) -> Any:
        """Return a picture of what they found."""
        ...


class Origin:
    """The store that a job was read from, or none.

    It is no part of the job: origins are all equal, and a job that is pickled leaves its own
    behind, because the address of a store may hold a password and means nothing elsewhere.
    """

    __slots__ = ("_reader",)

    def __init__(self, reader: RunsReader | None = None) -> None:
        self._reader = reader

    def reader(self, job_id: str, method: str) -> RunsReader:
        """Return what reads the runs of a job.

        Parameters
        ----------
        method
            Of a manager, that does the same.

        Raises
        ------
        ResultsMissing
            There is no store.
        """
        if self._reader is None:
            why = (
                "it was not returned by a job manager of this process. "
                f"Ask one: manager.{method}({job_id!r})."
            )
            raise ResultsMissing(job_id, why)
        return self._reader

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Origin)

    def __hash__(self) -> int:
        return hash(Origin)

    def __deepcopy__(self, _: dict[int, Any]) -> Self:
        return self

    def __reduce__(self) -> tuple[type["Origin"], tuple[()]]:
        return Origin, ()
