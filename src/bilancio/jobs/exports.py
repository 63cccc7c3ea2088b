"""What a job's runs are as frames and pictures; outside libraries are loaded when asked for."""

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from bilancio.jobs import plots
from bilancio.jobs.artifacts.headers import read_whole
from bilancio.jobs.session import Session
from bilancio.jobs.sync import LoopThread
from bilancio.jobs.views import Plot
from bilancio.settings import Settings

if TYPE_CHECKING:  # optional libraries
    from bilancio.frames.datasets import Dataset
    from bilancio.frames.tables import DataFrame

T = TypeVar("T")


async def runs_frame(session: Session, name: str, *, status: str | None = None) -> "DataFrame":
    """Return all runs of a job as a pandas frame, numbered by `index`.

    Its columns are cell, parameters, `seed`, `arm`, `status` and the metrics; words are
    categories. Where a run has no result, numbers are NaN and whole numbers NA. Units and
    meanings are in ``attrs``. Besides what is returned, it takes no memory that grows with the
    job.

    Parameters
    ----------
    status
        `completed`, `failed` or `pending`; all runs by default.

    Raises
    ------
    JobNotFound, InvalidInput, StoreCorrupt
    LibraryMissing
        pandas is not installed.
    """
    from bilancio.jobs import frames  # numpy and the experiment

    return await frames.runs_frame(session, name, status=status)


async def to_xarray(session: Session, name: str) -> "Dataset":
    """Return the metrics of a job's runs as an xarray Dataset, a variable for each metric.

    The dimensions of a crossed grid are `seed`, `arm` and the parameters that vary; what has
    one value is a coordinate without a dimension (but for the seeds). Cells of other designs
    lie along `cell`, with `design` and the parameters as coordinates. Runs without results are
    NaN, of words an empty text; a metric of whole numbers of which some are missing is of
    floats. Units and meanings are the attributes `units` and `long_name`.

    Raises
    ------
    InvalidInput
        The experiment does not say how its runs lie, or they were recorded manually.
    JobNotFound, ResultsMissing, StoreCorrupt
    LibraryMissing
        xarray is not installed.
    """
    from bilancio.jobs import arrays  # numpy and the experiment

    return await arrays.to_xarray(session, name)


class StoredRuns:
    """Reads runs from the store at *database_url*, for jobs that came from it; blocks.

    The store is opened in a loop of its own: whoever read the job may have closed theirs.
    """

    def __init__(self, settings: Settings, database_url: str) -> None:
        self._settings = settings.model_copy(update={"database_url": database_url})

    def runs_frame(self, job_id: str, status: str | None) -> "DataFrame":
        """Return the runs of this status, or all, as a frame."""
        return self._wait(lambda session: runs_frame(session, job_id, status=status))

    def to_xarray(self, job_id: str) -> "Dataset":
        """Return all runs as arrays."""
        return self._wait(lambda session: to_xarray(session, job_id))

    def plot(self, job_id: str, kind: str | None, **asked: Any) -> Plot:
        """Return a picture of what they found."""
        return self._wait(lambda session: plots.plot(session, job_id, kind, **asked))

    def _wait(self, ask: Callable[[Session], Coroutine[Any, Any, T]]) -> T:
        session, loop = Session(self._settings, read_whole=read_whole), LoopThread("bilancio-runs")
        try:
            return loop.wait(lambda: ask(session))
        finally:
            loop.close(session.close)
