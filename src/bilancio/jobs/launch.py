"""Start jobs, carry them out, cancel them."""

import asyncio
import contextlib
import os
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from bilancio.errors import BilancioError, JobStateError, StoreError, WorkerError
from bilancio.executors import registry as executors
from bilancio.experiments import registry
from bilancio.failpoints import failpoint
from bilancio.jobs.artifacts.current import bring_up_to_date
from bilancio.jobs.artifacts.folder import PARQUET, RUNS
from bilancio.jobs.artifacts.formats import refuse_missing_library
from bilancio.jobs.artifacts.ownership import make_job_folder
from bilancio.jobs.lookup import exact, load, with_runs
from bilancio.jobs.models import (
    EventType,
    Growth,
    Job,
    JobStatus,
    Lease,
    Started,
)
from bilancio.jobs.notices.courier import deliver_at_end, hand_over
from bilancio.jobs.paging import check_whole
from bilancio.jobs.session import Session
from bilancio.jobs.store import JobStore
from bilancio.jobs.texts import check_texts
from bilancio.jobs.versions import other_version, refuse_missing
from bilancio.jobs.worker.spawn import spawn_worker
from bilancio.paths import absolute_path
from bilancio.text import FEW_SEEDS, MORE_SEEDS, NextStep, counts, next_steps

if TYPE_CHECKING:  # loads numpy and the experiment
    from bilancio.jobs.worker.worker import Worker

SPAWN_S = 30.0
ALREADY_RUNNING = "already running"
EXTENDED = "extended by more seeds"


async def start_sweep(
    session: Session,
    job_id: str,
    *,
    n_replicates: int | None = None,
    recompute: bool = False,
    request_key: str | None = None,
) -> Started:
    """Have a worker process of its own carry the job out; return at once.

    A pending job starts; of a stalled, failed or cancelled one the missing runs are computed;
    of a running one nothing is started.

    Parameters
    ----------
    n_replicates
        So many seeds for a completed, failed or cancelled job, more than it has: those that are
        missing are computed, as if it had been created with so many.
    recompute
        Compute a completed job again that was imported without its single runs; what was imported
        of them is deleted.
    request_key
        A repeated call with the same key starts nothing again, whatever has become of the job,
        and says what the first one did.

    Raises
    ------
    JobNotFound, JobStateError, InvalidInput, OutputError, LibraryMissing, WorkerError,
    ExecutorUnavailable, ExecutorFailed, TokenMissing
        Nothing was started or changed.
    """
    claimed = await _claim(
        session, job_id, SPAWN_S, request_key, n_replicates=n_replicates, recompute=recompute
    )
    if isinstance(claimed, Started):
        return claimed
    job, lease, event = claimed
    store = await session.store()
    try:
        failpoint("before-spawn")
        process = spawn_worker(job, lease, session.settings_for(job.config))
    except WorkerError as error:
        await store.end(lease, JobStatus.FAILED, error=str(error))
        raise
    with contextlib.suppress(StoreError):  # the worker runs, whatever the store does now
        await store.note_process(lease, process.pid)
        job = await load(session, job.job_id)
    return Started(job=job, action=event.value)


async def run_job(
    session: Session,
    job_id: str,
    *,
    n_replicates: int | None = None,
    recompute: bool = False,
    run: "Callable[[Worker], Awaitable[object]] | None" = None,
) -> Job:
    """Carry the job out in this process, and return it when it has ended.

    Parameters
    ----------
    n_replicates, recompute
        As in `start_sweep`.
    run
        Runs the worker, once it has the lease; what it raises is raised here. Without it the
        worker runs until the job ends.

    Raises
    ------
    JobNotFound, JobStateError, InvalidInput, OutputError, LibraryMissing, ExecutorUnavailable,
    ExecutorFailed, TokenMissing
        Nothing was started or changed.
    """
    claimed = await _claim(
        session, job_id, session.settings.lease_s, n_replicates=n_replicates, recompute=recompute
    )
    if isinstance(claimed, Started):
        advice = "A worker carries it out already."
        raise JobStateError(claimed.job.job_id, "running", "run here", advice)
    from bilancio.jobs.worker.worker import Worker  # loads numpy and the experiment

    job, lease, _ = claimed
    store = await session.store()
    worker = Worker(store, lease, session.settings_for(job.config))
    await (worker.run() if run is None else run(worker))
    await deliver_at_end(store, session.settings)
    return await load(session, job.job_id)


async def cancel_job(session: Session, job_id: str, reason: str = "") -> Job:
    """Cancel a job; its results so far stay, and it can be resumed.

    Raises
    ------
    JobStateError
        It is completed.
    """
    check_texts({"reason": reason})
    job = await exact(session, job_id)
    store = await session.store()
    changed = await store.cancel(job.job_id, reason)
    job = await load(session, job.job_id)
    if changed:
        await bring_up_to_date(store, job)
        await hand_over(store, session.settings)
    elif job.status is JobStatus.COMPLETED:
        raise JobStateError(job.job_id, "completed", "cancelled", "Its results are stored.")
    return job


async def _claim(
    session: Session,
    name: str,
    lease_s: float,
    request_key: str | None = None,
    *,
    n_replicates: int | None = None,
    recompute: bool = False,
) -> Started | tuple[Job, Lease, EventType]:
    """Lease the job to a worker that is about to start; say so where one has it already."""
    job = await with_runs(session, await exact(session, name))
    store = await session.store()
    if request_key is not None and (action := await _repeated(store, job, request_key)):
        return Started(job=job, action=action)
    again = await _engine_to_recompute(store, job) if recompute else None
    growth = None
    if n_replicates is not None:
        growth = await _growth(store, job, n_replicates, recomputed=again is not None)
    elif again is None:
        await _refuse_start(store, job)
    if job.status is JobStatus.RUNNING and not job.stalled:
        return Started(job=job, action=ALREADY_RUNNING)
    refuse_missing_library(session.settings)
    settings = session.settings_for(job.config)
    await asyncio.to_thread(executors.probe, settings)
    out_dir = _out_dir_here(session, job) if store.shared else None
    if out_dir is not None:
        job = job.model_copy(update={"out_dir": out_dir})
    await asyncio.to_thread(make_job_folder, job)
    failpoint("before-claim")
    claimed = await store.claim(
        job.job_id,
        secrets.token_hex(6),
        lease_s=lease_s,
        executor=settings.executor,
        dead_fence=job.holder.fence if job.stalled and job.holder else None,
        pid=os.getpid(),
        request_key=request_key,
        recompute=again,
        growth=growth,
        out_dir=out_dir,
    )
    failpoint("after-claim")
    job = await load(session, job.job_id)
    if claimed is None:  # another start was faster
        if request_key is not None and (action := await _repeated(store, job, request_key)):
            return Started(job=job, action=action)
        if growth is not None:
            _refuse_growth(job)
        return Started(job=job, action=ALREADY_RUNNING)
    return (job, *claimed)


def _out_dir_here(session: Session, job: Job) -> Path | None:
    """Return where a job's files go that another machine created; None where it says so."""
    if job.out_dir.is_dir():
        return None
    return absolute_path("BILANCIO_OUT_DIR", session.settings.out_dir)


async def _repeated(store: JobStore, job: Job, request_key: str) -> str:
    """Return what the last start did if it had the same key; else an empty text."""
    start = await store.last_start(job.job_id)
    same = start is not None and start.details.get("request") == request_key
    return start.event_type.value if start is not None and same else ""


async def _engine_to_recompute(store: JobStore, job: Job) -> str | None:
    """Return the version that computes a completed job again; None where no run is missing.

    Raises
    ------
    InvalidInput
        Its experiment is not installed.
    """
    if job.status is not JobStatus.COMPLETED or job.manual or not await _lacks_runs(store, job):
        return None
    return registry.experiment(job.config.sweep_type).version


async def _growth(store: JobStore, job: Job, n_replicates: int, *, recomputed: bool) -> Growth:
    """Return what makes a job one of so many seeds.

    Raises
    ------
    JobStateError, InvalidInput
        It cannot be.
    """
    check_whole("n_replicates", n_replicates, low=1)
    _refuse_growth(job)
    if not recomputed:
        if await _lacks_runs(store, job):
            advice = "The results of its single runs are not here: they can be recomputed first."
            raise JobStateError(job.job_id, job.state, EXTENDED, advice)
        _refuse_other_numbers(job, EXTENDED)
    config = job.config.grown(n_replicates)
    before: int = getattr(job.config, "n_seeds", 1)
    return Growth(config=config, n_seeds=(before, n_replicates), attempts=job.attempts)


def _refuse_growth(job: Job) -> None:
    """Refuse more seeds for a job in a state that does not take them."""
    if job.manual:
        advice = "It was started manually: whoever started it records its runs."
    else:
        match job.state:
            case "pending":
                advice = "Start it as it is, or create a new job with as many seeds."
            case "running":
                advice = f"{counts(job)} are recorded. Wait until it has ended, or cancel it."
            case "stalled":
                advice = "Resume it first, or cancel it."
            case _:
                return
    raise JobStateError(job.job_id, job.state, EXTENDED, advice)


async def _lacks_runs(store: JobStore, job: Job) -> bool:
    """Return whether a job was imported without all that was found of its single runs."""
    (created,) = await store.events(job.job_id, limit=1)
    if not created.details.get("imported") or created.details.get("source") in {RUNS, PARQUET}:
        return False
    starts = await store.last_start(job.job_id)
    return starts is None or bool(starts.details.get("imported"))


async def _refuse_start(store: JobStore, job: Job) -> None:
    """Refuse a job that no worker can carry out in the state that it is in."""
    if job.status is JobStatus.COMPLETED:
        advice = "Its results are stored."
        if not job.manual and await _lacks_runs(store, job):
            advice += " Those of its single runs are not: they can be recomputed."
        raise JobStateError(job.job_id, "completed", "started again", advice)
    if job.manual:
        advice = "It was started manually, and computed runs would not mix with the recorded ones."
        raise JobStateError(job.job_id, job.state, "started", advice)
    if job.state != "running":  # else nothing is started, and its state is the answer
        _refuse_other_numbers(job)


def available_steps(job: Job, repetition: str = "") -> tuple[NextStep, ...]:
    """Return what one would do next with a job, as `next_steps` does.

    A plug-in, which may import numpy, is loaded only where the answer depends on it.

    Parameters
    ----------
    repetition
        Why its failed runs would fail again, as `Progress` and `Results` say it.
    """
    settled = job.manual or job.state in {"pending", "running", "completed"}
    return next_steps(
        job,
        resumable=settled or _resumable(job),
        few_seeds=few_seeds(job) is not None,
        failing_again=bool(repetition),
    )


def few_seeds(job: Job) -> int | None:
    """Return how many seeds a completed job has if they are few, and more can be added here."""
    n_seeds: int = getattr(job.config, "n_seeds", FEW_SEEDS)
    computed = job.compute_s > 0  # one that was imported may lack its single runs
    if job.state != "completed" or job.manual or not computed or n_seeds >= FEW_SEEDS:
        return None
    try:
        job.config.grown(MORE_SEEDS)
    except BilancioError:
        return None
    return n_seeds if _resumable(job) else None


def _resumable(job: Job) -> bool:
    """Return whether the missing runs of a job can be computed here and mixed with those recorded.

    They cannot where its experiment is not installed, or its results come from another version.
    """
    if not job.completed_runs:
        return True
    try:
        refuse_missing(job)
        version = registry.version(job.config.sweep_type)
    except BilancioError:
        return False
    return (job.engine, job.config_hash) == (version, job.config.digest())


def _refuse_other_numbers(job: Job, asked: str = "resumed") -> None:
    """Results of two versions of the model must not be mixed in one job."""
    if not _resumable(job):
        refuse_missing(job)
        reason = other_version(job, registry.version(job.config.sweep_type))
        advice = f"{reason} Create a new job with the same configuration."
        raise JobStateError(job.job_id, job.state, asked, advice)
