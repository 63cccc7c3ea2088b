"""How far a job is, in the words that a page shows and replaces."""

from dataclasses import asdict, dataclass, replace
from typing import Any

from bilancio.jobs.models import Job
from bilancio.jobs.progress import Progress
from bilancio.text import WRITING, capitalised, counts, duration, recorded, standstill, state

NONE = "–"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A job's state, in texts by the name of their place on the page.

    Attributes
    ----------
    mark
        Another one whenever there is something else to be seen.
    percent
        Of its runs that have finished; None where results decide how many there are.
    """

    job: str
    state: str
    mark: str
    percent: float | None
    texts: dict[str, str]

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return asdict(self)


def standing(job: Job) -> Told:
    """Say how far a job is, by its counts alone."""
    bound, done = job.total_is_bound, job.completed_runs + job.failed_runs
    share = done / job.total_runs if job.total_runs else 1.0
    percent = None if bound else round(min(share, 1.0) * 100, 1)
    texts = {
        "state": job.state,
        "about": capitalised(state(job)),
        "counts": capitalised(counts(job)),
        "recorded": recorded(job),
        "failed": f"{job.failed_runs:,}",
        "percent": NONE if percent is None else f"{percent:.1f} %",
        "error": job.error or "",
    }
    mark = f"{job.state}/{done}/{job.total_runs}/{job.attempts}"
    return Told(job=job.job_id, state=job.state, mark=mark, percent=percent, texts=texts)


def told(progress: Progress) -> Told:
    """Say how far a job is, how quickly it moves, and why it does not."""
    base = standing(progress.job)
    idle = "" if progress.idle_s is None else f"{capitalised(standstill(progress.idle_s))}."
    written = WRITING if progress.writing else ""
    texts = {
        "rate": NONE if progress.rate is None else f"{progress.rate:,.1f}",
        "left": NONE if progress.eta_s is None else duration(progress.eta_s),
        "elapsed": NONE if progress.elapsed_s is None else duration(progress.elapsed_s),
        "idle": f"It waits: {progress.waiting}." if progress.waiting else idle or written,
    }
    minutes = "" if progress.idle_s is None else progress.idle_s // 60
    mark = f"{base.mark}/{minutes}/{progress.waiting}{progress.writing or ''}"
    return replace(base, mark=mark, texts=base.texts | texts)
