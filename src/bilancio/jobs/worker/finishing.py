"""What a worker says of its job: the details of an event, why it failed, the summary."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bilancio.executors.base import Outcome
from bilancio.jobs.failures import places_of
from bilancio.jobs.findings import findings
from bilancio.jobs.models import Job
from bilancio.jobs.store import JobStore
from bilancio.text import runs


def failure_sentence(job: Job, failed: dict[int, str]) -> str:
    """Say how many runs failed, where and why the first did, and whether some were left undone."""
    index, reason = next(iter(failed.items()))
    where = places_of(job, [index])[index]
    of_lots = job.config.adaptive and not job.config.searches
    done = job.completed_runs + job.failed_runs
    sentence = (
        f"{job.failed_runs} of {done if of_lots else job.total_runs} runs failed; "
        f"the first, {job.run_ids[index]}{where and f' ({where})'}: {reason}"
    )
    left = job.total_runs - done
    if of_lots:
        sentence += " (Their seeds are left out.)"
    elif left and job.config.searches:
        sentence += " (The searches that these runs belong to are not finished.)"
    elif left:
        sentence += f" ({runs(left)} left undone after max_failures {job.config.max_failures}.)"
    return sentence


async def summarise(store: JobStore, job: Job) -> dict[str, Any]:
    """Return the counts of *job* and its experiment's summary of the runs recorded so far.

    Where the experiment cannot summarise them, `summary_error` says why.
    """
    if job.manual or not job.completed_runs:
        return job.counts
    return job.counts | (await findings(store, job)).summary


def progress_details(job: Job, outcome: Outcome) -> dict[str, Any]:
    """Return what the progress event of a batch says."""
    indices = np.concatenate([outcome.indices, np.array(sorted(outcome.failures), np.int64)])
    details: dict[str, Any] = {
        "first": job.run_ids[int(indices.min())],
        "last": job.run_ids[int(indices.max())],
        "completed": len(outcome.indices),
        "failed": len(outcome.failures),
        "compute_s": round(outcome.compute_s, 6),
    }
    if len(indices) == 1:
        details["run_id"] = details["first"]
    if len(outcome.indices):
        name = "metrics" if len(indices) == 1 else "means"
        details[name] = means(outcome.metrics)
    return details


def means(metrics: NDArray[np.void]) -> dict[str, float]:
    """Return the mean of each column of floats over the rows where it is not NaN."""
    known_means = {}
    for name in metrics.dtype.names or ():
        column = metrics[name]
        if column.dtype.kind == "f":
            known = column[~np.isnan(column)]
            if len(known):
                known_means[name] = float(known.mean())
    return known_means
