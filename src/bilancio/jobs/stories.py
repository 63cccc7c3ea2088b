"""One run of a job as a story: what happened in it day by day, and in its other arms."""

from collections.abc import Callable, Sequence

from bilancio.jobs.session import Session
from bilancio.jobs.telling import RunStory


async def run_story(
    session: Session,
    name: str,
    run: str | int = "worst",
    *,
    day: int | Sequence[int] | None = None,
    agent: str | int | Sequence[str | int] | None = None,
    limit: int = 3,
    notify: Callable[[str], None] = lambda _: None,
) -> RunStory:
    """Tell what happened in one run, day by day.

    Runs of ring and balanced sweeps are simulated again, and compared with what is recorded.
    Others have no trace: their parameters and metrics are told.

    Parameters
    ----------
    run
        Index, id, `failed` (the first run that failed), or `worst` or `best`: of a sweep with arms
        the pair with the lowest or highest effect, of which both runs are told; else the run with
        the lowest or highest primary measure. The worst default rate is the highest.
    day
        Only these days, from 0.
    agent
        Only what concerns these agents: 7 or `H7` a trader, `dealer_short` … a desk.
    limit
        Most events told of a day.
    notify
        Called with a sentence before the engine is compiled.

    Raises
    ------
    JobNotFound, InvalidInput, StoreCorrupt
    """
    from bilancio.jobs import retelling  # numpy and the experiment

    return await retelling.story(
        session, name, run, day=day, agent=agent, limit=limit, notify=notify
    )
