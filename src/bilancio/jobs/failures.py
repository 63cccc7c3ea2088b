"""Failed runs: where they are, and whether they would fail again."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bilancio.errors import BilancioError
from bilancio.experiments.reporting import parameters_of
from bilancio.experiments.standard import StandardExperiment
from bilancio.jobs.models import EventType, Job, JobStatus
from bilancio.jobs.store import JobStore
from bilancio.jobs.versions import experiment_of
from bilancio.text import key_text, plural

EVENTS = 100  # the latest ones, among which a job's ends are looked for
#: Columns of a run that name it, or its place, which is told otherwise.
NOT_TOLD = ("job_id", "run_id", "index", "cell", "design", "arm", "seed")
#: What a calculation raises whatever the machine: no file, memory, network or time is behind it.
CALCULATED = frozenset(
    {
        "ArithmeticError", "AssertionError", "AttributeError", "FloatingPointError", "IndexError",
        "NameError", "NotImplementedError", "OverflowError", "TypeError", "ValueError",
        "ZeroDivisionError",
    }
)  # fmt: skip

Values = Mapping[str, Any]


def places_of(job: Job, indices: Sequence[int]) -> dict[int, str]:
    """Return where runs are, by index: what varies in the job, arm, seed: `kappa 0.5, seed 43`.

    Empty where the experiment cannot say it.
    """
    try:
        columns = parameters_of(experiment_of(job), job.config, np.array(indices, np.int64))
    except BilancioError:
        return dict.fromkeys(indices, "")
    rows = {name: column.tolist() for name, column in columns.items()}
    return {
        index: place(job, {name: column[at] for name, column in rows.items()})
        for at, index in enumerate(indices)
    }


def place(job: Job, row: Values) -> str:
    """Return where a run is, given its parameters, arm and seed."""
    told = [f"{name} {key_text(value)}" for name, value in varied(job, row).items()]
    if len(job.config.arms) > 1 and "arm" in row:
        told.append(str(row["arm"]))
    if "seed" in row:
        told.append(f"seed {row['seed']}")
    return ", ".join(told)


def varied(job: Job, row: Values) -> dict[str, Any]:
    """Return the parameters of a run that vary in its job; what is not known is left out.

    Of a sweep that does not say what it varies these are all parameters.
    """
    names = getattr(job.config, "varied", None)
    if names is None:
        columns = list(row)
        names = columns[: columns.index("status")] if "status" in row else columns
    own = [name for name in names if name not in NOT_TOLD and name in row]
    return {name: row[name] for name in own if row[name] == row[name] is not None}


def told(job: Job, failed: Mapping[int, str]) -> dict[str, str]:
    """Return errors of runs by run id, each after its cell and seed."""
    places = places_of(job, list(failed))
    return {
        job.run_ids[index]: f"{places[index]}: {error}" if places[index] else error
        for index, error in failed.items()
    }


async def repetition(store: JobStore, job: Job) -> str:
    """Say why a job's failed runs would fail again, in a sentence; nothing where that is open.

    They would where they have failed again with the same error, all runs of a cell have failed, or
    what they raised comes from the calculation alone.
    """
    if not job.failed_runs or job.manual or job.status is not JobStatus.FAILED:
        return ""
    latest = await store.events(job.job_id, limit=EVENTS, last=True)
    ends = [each.details.get("error") for each in latest if each.event_type is EventType.FAILED]
    if len(ends) > 1 and ends[-1] == ends[-2] is not None:
        return "The same runs failed again with the same error; another start alone will not help."
    failed = await store.failed_runs(job.job_id)
    return await asyncio.to_thread(_of_cells, job, failed) or _of_errors(failed)


def _of_errors(failed: Mapping[int, str]) -> str:
    """Say which errors runs with the same parameters and seed raise again, if all are of these."""
    kinds = list(dict.fromkeys(error.partition(":")[0] for error in failed.values()))
    if not kinds or not CALCULATED.issuperset(kinds):
        return ""
    return (
        f"The same parameters and seed raise {' and '.join(kinds)} again; another start alone will "
        "not help."
    )


def _of_cells(job: Job, failed: Mapping[int, str]) -> str:
    """Say in which cells all runs have failed, of all arms or of one."""
    try:
        experiment = experiment_of(job)
    except BilancioError:
        return ""
    if not isinstance(experiment, StandardExperiment):
        return ""
    layout = experiment.layout(job.config)
    if layout.n_seeds == 1:
        return ""
    lost = np.zeros(layout.n_runs, bool)
    lost[[index for index in failed if index < layout.n_runs]] = True
    by_arm: NDArray[np.bool_] = np.asarray(layout.cube(lost).all(axis=0))
    whole = by_arm.all(axis=1)
    cells = np.flatnonzero(whole if whole.any() else by_arm.any(axis=1))
    if not len(cells):
        return ""
    arm = 0 if whole.any() else int(np.argmax(by_arm[cells[0]]))
    columns = parameters_of(experiment, job.config, layout.index(0, cells[:1], arm))
    left_out = {"seed", "arm"} if whole.any() else {"seed"}
    row = {name: column[0].item() for name, column in columns.items() if name not in left_out}
    where = place(job, row)
    others = f", as in {plural(len(cells) - 1, 'other cell')}" if len(cells) > 1 else ""
    return (
        f"All runs{where and f' with {where}'} failed{others}; another start alone will not help."
    )
