"""Questions about what jobs have found, as callers ask them."""

from collections.abc import Mapping, Sequence
from typing import Any

from bilancio.jobs.session import Session
from bilancio.jobs.views import Comparison, Results


async def results(
    session: Session,
    name: str,
    *,
    of: str | None = None,
    group_by: Sequence[str] | str = (),
    measures: Sequence[str] | str = (),
    where: str | Mapping[str, Any] | None = None,
    order_by: Sequence[str] | str = (),
    contrast: str | None = None,
    effects: bool = False,
    pivot: str | None = None,
    bins: int | None = None,
    precision: float | None = None,
    limit: int | None = None,
    offset: int = 0,
) -> Results:
    """Return what a job has found so far: averages over whole seeds, with 95 % intervals.

    Parameters
    ----------
    of
        `cells` (the default), or `runs`: single runs in place of averages, pairs of arms where
        measures of pairs are asked for, such as an effect. *where* and *order_by* then take the
        seed, the arm and all measures, too, and *measures* those of single runs; nothing else is
        taken.
    group_by
        Parameters whose values make the rows of the table; `seed` may be among them.
    measures
        What is shown; all by default.
    where
        Which cells: text such as ``"kappa < 0.5 and mu = 0"``, or a mapping such as
        ``{"kappa": "<0.5", "mu": 0}``.
    order_by
        Columns of the table; with a minus before it one is descending. Without *group_by* and
        *pivot* the rows are the cells.
    contrast
        A parameter; adds the differences between its levels and the lowest one, paired by
        seed.
    effects
        Adds main effects and interactions of a crossed grid as shares of the variance
        between cells, of the first of *measures* or of the primary one.
    pivot
        A parameter whose values make the columns of the table, of one measure.
    bins
        Number of bins for parameters that were sampled from ranges.
    precision
        Half width that the plan of seeds is for; half the present one by default.
    limit, offset
        At most so many rows of each table, after the first *offset*; all by default.

    Raises
    ------
    JobNotFound, InvalidInput, StoreCorrupt
    """
    from bilancio.experiments.questions import question
    from bilancio.jobs import results  # numpy and the experiment

    asked = question(
        of=of,
        group_by=group_by,
        measures=measures,
        where=where,
        order_by=order_by,
        contrast=contrast,
        effects=effects,
        pivot=pivot,
        bins=bins,
        precision=precision,
    )
    return await results.results(session, name, asked, limit=limit, offset=offset)


async def compare(
    session: Session,
    *names: str,
    group_by: Sequence[str] | str = (),
    measures: Sequence[str] | str = (),
    where: str | Mapping[str, Any] | None = None,
    limit: int | None = None,
    offset: int = 0,
) -> Comparison:
    """Return how jobs differ from the first over the cells and seeds that both have.

    A cell is what varies in either job; a parameter with one value in each, but another one,
    is a difference between the jobs. Effects are paired by cell and seed.

    Parameters
    ----------
    names
        Two to six jobs; each is subtracted from the first.
    group_by, measures, where
        As in `results`; parameters and measures are those that both jobs have.

    Raises
    ------
    JobNotFound, InvalidInput, StoreCorrupt
    """
    from bilancio.experiments.questions import question
    from bilancio.jobs import comparison  # numpy and the experiment

    asked = question(group_by=group_by, measures=measures, where=where)
    return await comparison.compare(session, names, asked, limit=limit, offset=offset)
