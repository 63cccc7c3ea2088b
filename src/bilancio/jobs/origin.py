"""Where a job was read from, so that it can answer questions about its runs by itself."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

from bilancio.errors import ResultsMissing

if TYPE_CHECKING:  # pandas is optional
    from bilancio.frames.tables import DataFrame

#: Returns the frame of a job's runs, given its name and the status of runs that are wanted.
FrameReader = Callable[[str, str | None], "DataFrame"]


class Origin:
    """The store that a job was read from, or none.

    It is no part of the job: origins are all equal, and a job that is pickled leaves its own
    behind, because the address of a store may hold a password and means nothing elsewhere.
    """

    __slots__ = ("_read",)

    def __init__(self, read: FrameReader | None = None) -> None:
        self._read = read

    def runs_frame(self, job_id: str, status: str | None) -> "DataFrame":
        """Return the runs of a job as a frame; blocks.

        Raises
        ------
        ResultsMissing
            There is no store.
        """
        if self._read is None:
            why = (
                "it was not returned by a job manager of this process. "
                f"Ask one: manager.runs_frame({job_id!r})."
            )
            raise ResultsMissing(job_id, why)
        return self._read(job_id, status)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Origin)

    def __hash__(self) -> int:
        return hash(Origin)

    def __deepcopy__(self, _: dict[int, Any]) -> Self:
        return self

    def __reduce__(self) -> tuple[type["Origin"], tuple[()]]:
        return Origin, ()
