"""Find jobs by name, and tell whether a running one still has its worker."""

from pathlib import Path

from bilancio.errors import JobNotFound, invalid
from bilancio.jobs.artifacts import discovery
from bilancio.jobs.artifacts.log import log_tail
from bilancio.jobs.job_id import JobId, Match, match_job_id, spoken
from bilancio.jobs.models import Found, Holder, Job, JobStatus
from bilancio.jobs.session import Session
from bilancio.jobs.spoken_names import read_job_id
from bilancio.jobs.store import JobStore
from bilancio.jobs.texts import MAX_TEXT
from bilancio.jobs.worker.lock_file import WorkerState, process_exists, worker_state
from bilancio.printable import shortened

MAX_REASON = 300  # characters of a refusal that is repeated


async def find(session: Session, name: str) -> Found:
    """Return the job that *name* means, and how it was read where that is not obvious.

    A name that the store does not have is looked for among the manifests of the output
    folder, and its job is imported; its runs stay unread.

    Raises
    ------
    JobNotFound
        Nothing fits, or several jobs do: they are named.
    """
    return await _find(session, name, exact=False)


async def find_with_runs(session: Session, name: str) -> Found:
    """Return the job that *name* means, as `find` does, its runs read."""
    found = await find(session, name)
    return found.model_copy(update={"job": await with_runs(session, found.job)})


async def with_runs(session: Session, job: Job) -> Job:
    """Return *job* as it is once its runs are read: the tables may count others than it does."""
    if not job.unread:
        return job
    await (await session.store()).read_runs(job.job_id)
    return await load(session, job.job_id)


async def get_job(session: Session, job_id: str) -> Job | None:
    """Return the job that *job_id* names in any clear spelling, or None."""
    try:
        return (await find(session, job_id)).job
    except JobNotFound:
        return None


async def exact(session: Session, name: str) -> Job:
    """Return the job with exactly this name, case and separators apart.

    Raises
    ------
    JobNotFound
        With the names that may have been meant.
    """
    return (await _find(session, name, exact=True)).job


async def load(session: Session, job_id: str) -> Job:
    """Return the stored job of this name as it is now.

    Raises
    ------
    JobNotFound
        The store does not have it.
    """
    store = await session.store()
    job = await store.job(job_id)
    if job is None:
        raise JobNotFound(job_id)
    return await with_stall(session, job)


async def with_stall(session: Session, job: Job) -> Job:
    """Return *job*, marked as stalled where it is running and its worker is gone."""
    if job.status is not JobStatus.RUNNING or job.manual:
        return job
    store = await session.store()
    if job.holder is not None and _has_worker(store, job.job_id, job.holder):
        return job
    # A worker ends its job first and releases its lock afterwards.
    now = await store.job(job.job_id)
    if now is None or (now.status is job.status and now.holder == job.holder):
        return job.model_copy(update={"stalled": True, "error": _early_death(job)})
    return await with_stall(session, now)


async def stalled_jobs(store: JobStore) -> tuple[str, ...]:
    """Return the jobs that are running for the record, but that no worker carries."""
    return tuple(
        [
            job_id
            for job_id, holder in (await store.holders()).items()
            if holder is None or not _has_worker(store, JobId(job_id), holder)
        ]
    )


async def _find(session: Session, name: str, *, exact: bool) -> Found:
    if not isinstance(name, str):
        raise invalid("job_id", name, "the name of a job, as text")
    if len(name) > MAX_TEXT:
        raise JobNotFound(name)
    store = await session.store()
    spelled = "-".join(spoken(name))
    job = await store.job(spelled) if spelled else None
    if job is not None:
        return Found(job=await with_stall(session, job), reading="")
    match, on_disk = await _match(session, store, name, exact=exact)
    if match.job_id is None or (exact and not match.exact):
        similar = match.candidates if match.job_id is None else (match.job_id,)
        if not similar:
            raise JobNotFound(name, advice=_refusal(session, spelled))
        raise JobNotFound(name, similar, "Give the whole name." if exact else "")
    job = await store.job(match.job_id)
    if job is None:
        if match.job_id not in on_disk:  # it was deleted a moment ago
            raise JobNotFound(name)
        if await discovery.import_found(store, on_disk[match.job_id]) is None:
            raise JobNotFound(name, advice=_refusal(session, match.job_id))
        job = await load(session, match.job_id)
    return Found(job=await with_stall(session, job), reading=match.how)


def _refusal(session: Session, job_id: str) -> str:
    """Say why the files of a job that is not found were refused, if there are any."""
    reason = discovery.why_refused(job_id, discovery.search_roots(session.settings.out_dir))
    return f"Its files are there, but refused: {shortened(reason, MAX_REASON)}" if reason else ""


async def _match(
    session: Session, store: JobStore, name: str, *, exact: bool
) -> tuple[Match, dict[JobId, Path]]:
    """Match *name* with the jobs of the store and of the output folder; return these, too."""
    roots = discovery.search_roots(session.settings.out_dir)
    on_disk = await discovery.unknown_manifests(store, roots)
    match = match_job_id if exact else read_job_id
    return match(name, [*await store.job_ids(), *on_disk]), on_disk


def _early_death(job: Job) -> str | None:
    """Say what a worker logged that ended before it took up its lease; None of any other."""
    if job.holder is None or job.holder.host is not None:
        return None
    told = log_tail(job.folder, job.holder.worker_id) or "it logged nothing."
    return f"Its worker ended before it began: {told}"


def _has_worker(store: JobStore, job_id: JobId, holder: Holder) -> bool:
    """Return whether the holder of a lease is alive; on this machine its lock decides, no clock."""
    leased = holder.expires_at >= store.clock()
    if holder.host is None:  # no worker has taken the lease up yet; its parent process is known
        return leased and (holder.pid is None or process_exists(holder.pid))
    if holder.host != store.host:
        return leased
    match worker_state(store.worker_lock(job_id, holder.fence)):
        case WorkerState.ALIVE:
            return True
        case WorkerState.STARTING:
            return leased
        case WorkerState.UNRESPONSIVE | WorkerState.DEAD:
            return False
