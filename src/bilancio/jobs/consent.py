"""What is asked before a large sweep starts, by those who can ask somebody."""

import math

from bilancio.errors import InvalidInput
from bilancio.jobs.estimate import estimate
from bilancio.jobs.lookup import exact, with_runs
from bilancio.jobs.models import Estimate, Job
from bilancio.jobs.session import Session
from bilancio.settings import Settings
from bilancio.text import computing, duration, money, runs


async def question_before_start(
    session: Session, job_id: str, *, n_replicates: int | None = None, recompute: bool = False
) -> str:
    """Return why somebody should agree before a job starts; an empty text where nobody has to.

    `start_sweep` itself does not ask: a program that calls it has decided. The limits are
    the settings BILANCIO_CONFIRM_SECONDS, BILANCIO_CONFIRM_RUNS and BILANCIO_CONFIRM_DOLLARS.
    A time that is unknown is above no limit, since a job that turns out to take too long can be
    cancelled with what it has recorded. A cost that is unknown is above any: spent is spent.

    Parameters
    ----------
    n_replicates, recompute
        As in `start_sweep`.

    Raises
    ------
    JobNotFound
    """
    job = await with_runs(session, await exact(session, job_id))
    if not _starts(job, again=recompute or n_replicates is not None):
        return ""
    try:
        config = job.config if recompute else job
        expected = await estimate(session, config, n_replicates=n_replicates)
    except InvalidInput:  # the start refuses it, or knows that it has happened already
        return ""
    limit = _exceeded(expected, session.settings)
    if not limit:
        return ""
    starting = computing(f"Starting {job.job_id} computes {runs(expected.runs)}", expected)
    return f"{starting} The limit is {limit}."


def _starts(job: Job, *, again: bool) -> bool:
    """Return whether a start computes anything, rather than being refused or having happened."""
    if job.manual or job.state == "running":
        return False
    return again or job.state != "completed"


def _exceeded(expected: Estimate, settings: Settings) -> str:
    """Return the limit that a sweep is above; an empty text where there is none."""
    if 0 < settings.confirm_runs < expected.runs:
        return f"{runs(settings.confirm_runs)} (BILANCIO_CONFIRM_RUNS)"
    if 0 < settings.confirm_seconds < (expected.seconds or 0):
        return f"{duration(settings.confirm_seconds)} (BILANCIO_CONFIRM_SECONDS)"
    dollars = expected.dollars if expected.dollars is not None else math.inf
    if expected.prices_of and 0 < settings.confirm_dollars < dollars:
        return f"{money(settings.confirm_dollars)} (BILANCIO_CONFIRM_DOLLARS)"
    return ""
