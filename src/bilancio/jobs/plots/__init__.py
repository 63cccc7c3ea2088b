"""Pictures of a job's results: what is asked for, gathered, drawn by `report`, and kept."""

from collections.abc import Mapping, Sequence
from typing import Any

from bilancio.jobs.plots.asked import asked_of
from bilancio.jobs.session import Session
from bilancio.jobs.views import Plot

__all__ = ["Plot", "plot"]


async def plot(
    session: Session,
    name: str,
    kind: str | None = None,
    *,
    x: str | None = None,
    y: str | None = None,
    by: str | None = None,
    where: str | Mapping[str, Any] | None = None,
    jobs: Sequence[str] | str = (),
    dark: bool = False,
    keep: bool = True,
) -> Plot:
    """Draw what a job has found so far, and keep it as PNG and SVG below the job's folder.

    Parameters
    ----------
    kind
        `effect`: the primary measure over one or two parameters; `default_rate`, `measure`: by a
        parameter, all arms; `distribution`: single paired effects; `days`: defaults by day;
        `main_effects`: which parameters matter; `precision`: the interval by number of seeds;
        `frontier`: what searches found; `compare`: with other *jobs*. By default what suits the
        parameters that vary.
    x
        Parameter along the axis.
    y
        Measure that is drawn; in `effect` also the second parameter.
    by
        Parameter whose values make rows or lines.
    where
        Which cells, as in `results`.
    jobs
        One to five other jobs.
    dark
        Whether the PNG is for a dark page; the SVG follows its reader's.
    keep
        Whether the files are written.

    Raises
    ------
    JobNotFound, InvalidInput, StoreCorrupt
    NothingToDraw
        There is nothing to draw yet.
    LibraryMissing
        matplotlib is not installed.
    """
    asked = asked_of(kind=kind, x=x, y=y, by=by, where=where, jobs=jobs, dark=dark)
    from bilancio.jobs.plots import plotting  # numpy, and matplotlib, which is optional

    return await plotting.plot(session, name, asked, keep=keep)
