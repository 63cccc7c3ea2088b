"""What a job's runs are as frames of outside libraries, which are loaded when one is asked for."""

from typing import TYPE_CHECKING

from bilancio.jobs.session import Session

if TYPE_CHECKING:  # optional libraries
    from bilancio.frames.datasets import Dataset
    from bilancio.frames.tables import DataFrame


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
