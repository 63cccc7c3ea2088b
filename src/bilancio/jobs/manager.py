"""What one can do with jobs: create, start, follow, ask for results, end."""

import asyncio
import contextlib
import json
import math
import os
import random
import secrets
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from bilancio import machine
from bilancio.errors import (
    BilancioError,
    ExecutorUnavailable,
    InvalidInput,
    JobExists,
    JobNotFound,
    JobStateError,
    Problem,
    WorkerError,
    invalid,
)
from bilancio.executors import registry as executors
from bilancio.experiments import registry
from bilancio.experiments.sweep_config import SweepConfig
from bilancio.failpoints import failpoint
from bilancio.jobs.clock import Clock, utc_now
from bilancio.jobs.job_id import JobId, Match, generate_job_id, match_job_id, validate_job_id
from bilancio.jobs.maintenance.reports import Deletion, Diagnosis, Imported, Recovery, Verification
from bilancio.jobs.models import (
    Estimate,
    EventType,
    Found,
    Holder,
    Job,
    JobEvent,
    JobStatus,
    Lease,
    Page,
    Progress,
    Results,
    Started,
)
from bilancio.jobs.store import JobStore, open_store
from bilancio.jobs.worker.lock_file import WorkerState, process_exists, worker_state
from bilancio.jobs.worker.spawn import spawn_worker
from bilancio.settings import Settings, load_settings
from bilancio.validation import validated

MAX_TEXT = 10_000
MAX_TAGS = 50
REDRAWS = 100
SPAWN_S = 30.0
POLL_S = 0.25
MEASURED_S = 0.5  # a rate over less says little
# Seconds that one core takes for a unit of work, which is one agent of a plain ring.
SHIPPED_SECONDS_PER_WORK = 1.2e-7
OVERHEAD_S = 1.0


class AsyncJobManager:
    """Jobs in one store.

    Parameters
    ----------
    database_url
        The store; the setting BILANCIO_DATABASE_URL if not given.
    out_dir
        Folder of the jobs' output folders; the setting BILANCIO_OUT_DIR if not given.
    clock
        Source of the time.

    Notes
    -----
    The store is opened at the first call that needs it. Close the manager, or use it as an
    asynchronous context manager: an open store keeps the process alive.
    """

    def __init__(
        self,
        database_url: str | None = None,
        *,
        out_dir: Path | str | None = None,
        clock: Clock = utc_now,
    ) -> None:
        given = {"database_url": database_url, "out_dir": out_dir and Path(out_dir)}
        self.settings: Settings = load_settings().model_copy(
            update={name: value for name, value in given.items() if value}
        )
        self._clock = clock
        self._opened: JobStore | None = None
        self._opening = asyncio.Lock()
        self._probed: set[Path] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the store. Workers that were started go on."""
        store, self._opened = self._opened, None
        if store is not None:
            await store.close()

    async def store(self) -> JobStore:
        """Return the store, opened."""
        async with self._opening:
            if self._opened is None:
                self._opened = await open_store(self.settings.database_url, self._clock)
            return self._opened

    # -- create and start -------------------------------------------------------------------

    async def create_job(
        self,
        description: str,
        config: SweepConfig | Mapping[str, Any],
        *,
        job_id: str | None = None,
        notes: str = "",
        tags: Sequence[str] = (),
        out_dir: Path | str | None = None,
        request_key: str | None = None,
        rng: random.Random | None = None,
    ) -> Job:
        """Store a new job under a name of its own; nothing is computed yet.

        Parameters
        ----------
        description
            What it is for, in the words of whoever asks.
        config
            The sweep.
        job_id
            A name of one's own instead of four words that are drawn.
        request_key
            A repeated call with the same key returns the job that the first one made.
        rng
            Source of the names drawn; the system's by default.

        Raises
        ------
        InvalidInput, JobExists, ExecutorUnavailable, OutputError
            Nothing was stored.
        """
        checked = checked_config(config)
        texts = {"description": description, "notes": notes}
        _check_texts(texts, tags)
        name = None if job_id is None else validate_job_id(job_id)
        if checked.cloud:
            raise ExecutorUnavailable("modal", executors.names())
        folder = Path(out_dir or self.settings.out_dir).expanduser().absolute()
        if folder not in self._probed:
            from bilancio.jobs.artifacts import tables  # numpy, which other calls do not need

            await asyncio.to_thread(tables.probe_folder, folder)
            self._probed.add(folder)
        store = await self.store()
        if name is not None:
            await self._refuse_taken(name, folder)
        engine = registry.experiment(checked.sweep_type).version
        for attempt in range(REDRAWS):
            drawn = name or generate_job_id(rng)
            try:
                return await store.add(
                    drawn,
                    checked,
                    description=description,
                    notes=notes,
                    tags=tags,
                    engine=engine,
                    out_dir=folder,
                    executor=executors.DEFAULT,
                    request_key=request_key,
                )
            except JobExists:
                if name is not None or attempt == REDRAWS - 1:
                    raise
        raise AssertionError  # the loop returns or raises

    async def _refuse_taken(self, name: JobId, folder: Path) -> None:
        """Refuse a name that only a manifest in the output folder holds."""
        manifest = folder / name / "job_manifest.json"
        if manifest.exists() and await (await self.store()).job(name) is None:
            found = await self._import(manifest)
            if found is not None:
                raise JobExists(name, found.description)

    async def estimate(self, config: SweepConfig) -> Estimate:
        """Return how long a sweep will take here, without running anything of it."""
        store = await self.store()
        workers = self.settings.workers or machine.cores()
        version = registry.experiment(config.sweep_type).version
        measured = await store.speed(config.sweep_type, machine.host(), version)
        each = SHIPPED_SECONDS_PER_WORK if measured is None else measured
        return Estimate(
            runs=config.total_runs,
            seconds=config.cost * each / workers + OVERHEAD_S,
            workers=workers,
            rough=measured is None,
        )

    async def start_sweep(self, job_id: str, *, request_key: str | None = None) -> Started:
        """Have a worker process of its own carry the job out; return at once.

        A pending job starts; a stalled, failed or cancelled one goes on with what is missing; of
        a running one nothing is started.

        Parameters
        ----------
        request_key
            A repeated call with the same key starts nothing again, whatever has become of the job,
            and says what the first one did.

        Raises
        ------
        JobNotFound, JobStateError, OutputError, WorkerError
            Nothing was started.
        """
        claimed = await self._claim(job_id, SPAWN_S, request_key)
        if isinstance(claimed, Started):
            return claimed
        job, lease, event = claimed
        store = await self.store()
        try:
            failpoint("before-spawn")
            process = spawn_worker(job, lease, self.settings)
        except WorkerError as error:
            await store.end(lease, JobStatus.FAILED, error=str(error))
            raise
        await store.note_process(lease, process.pid)
        return Started(job=await self._seen(job.job_id), action=event.value)

    async def run_job(self, job_id: str) -> Job:
        """Carry the job out in this process, and return it when it has ended."""
        claimed = await self._claim(job_id, self.settings.lease_s)
        if isinstance(claimed, Started):
            raise JobStateError(
                claimed.job.job_id, "running", "run here", "A worker carries it out already."
            )
        from bilancio.jobs.worker.worker import Worker  # loads numpy and the experiment

        await Worker(await self.store(), claimed[1], self.settings).run()
        return await self._seen(claimed[0].job_id)

    async def _claim(
        self, name: str, lease_s: float, request_key: str | None = None
    ) -> Started | tuple[Job, Lease, EventType]:
        """Lease the job to a worker about to start; say so where one has it already."""
        job = await self.exact(name)
        if request_key is not None:
            start = await (await self.store()).last_start(job.job_id)
            if start is not None and start.details.get("request") == request_key:
                return Started(job=job, action=start.event_type.value)
        if job.status is JobStatus.COMPLETED:
            raise JobStateError(
                job.job_id, "completed", "started again", "Its results are there: job_results."
            )
        if job.manual:
            advice = "Its runs are recorded by hand, and computed ones would not mix with them."
            raise JobStateError(job.job_id, f"{job.status} by hand", "started", advice)
        if job.status is JobStatus.RUNNING and not job.stalled:
            return Started(job=job, action="already running")
        self._refuse_other_numbers(job)
        from bilancio.jobs.artifacts import tables  # numpy, which other calls do not need

        await asyncio.to_thread(tables.make_folder, job.folder)
        store = await self.store()
        failpoint("before-claim")
        dead = job.holder.fence if job.stalled and job.holder else None
        claimed = await store.claim(
            job.job_id,
            secrets.token_hex(6),
            lease_s=lease_s,
            executor=job.executor,
            dead_fence=dead,
            pid=os.getpid(),
            request_key=request_key,
        )
        failpoint("after-claim")
        if claimed is None:  # somebody else was faster
            return Started(job=await self._seen(job.job_id), action="already running")
        return (await self._seen(job.job_id), *claimed)

    def _refuse_other_numbers(self, job: Job) -> None:
        """Results of two versions of the model must not be mixed in one job."""
        if not job.completed_runs:
            return
        version = registry.experiment(job.config.sweep_type).version
        if (job.engine, job.config_hash) != (version, job.config.digest()):
            raise JobStateError(
                job.job_id,
                job.state,
                "resumed",
                f"Its results come from engine {job.engine}; this is {version}, whose numbers "
                "may differ. Create a new job with the same configuration.",
            )

    async def recover(
        self, *, at_once: int = 1, tell: Callable[[Recovery], None] = lambda _: None
    ) -> list[Recovery]:
        """Go on with every stalled job, each in a worker process of its own, to its end.

        Parameters
        ----------
        at_once
            How many go on at the same time; each takes all cores.
        tell
            Is called with each job when it has been taken over, and when it has ended.

        Raises
        ------
        InvalidInput
            *at_once* is no number from 1 to 64.
        """
        from bilancio.jobs.maintenance.recover import recover  # of use only here

        return await recover(self, at_once=at_once, tell=tell)

    async def cancel_job(self, job_id: str, reason: str = "") -> Job:
        """Cancel a job; its results so far stay, and it can be resumed.

        Raises
        ------
        JobStateError
            It is completed.
        """
        job = await self.exact(job_id)
        store = await self.store()
        if not await store.cancel(job.job_id, reason):
            job = await self._seen(job.job_id)
            if job.status is JobStatus.COMPLETED:
                raise JobStateError(
                    job.job_id, "completed", "cancelled", "Its results are there: job_results."
                )
            return job
        job = await self._seen(job.job_id)
        await self._note_on_disk(job)
        return job

    # -- manual jobs ------------------------------------------------------------------------

    async def start_job(self, job_id: str) -> Job:
        """Mark the start of a job whose runs the caller executes; see `record_progress`."""
        job = await self.exact(job_id)
        if not await (await self.store()).start_by_hand(job.job_id):
            raise JobStateError(
                job.job_id, job.state, "started by hand", "Only a pending job can be."
            )
        job = await self._seen(job.job_id)
        await self._note_on_disk(job)
        return job

    async def record_progress(self, job_id: str, run_id: str, metrics: Mapping[str, float]) -> None:
        """Store the numeric *metrics* of one run of a job that was started by hand.

        Raises
        ------
        InvalidInput
            A metric is no finite number.
        RunAlreadyRecorded
            The run was recorded with other metrics.
        JobStateError
            The job was not started by hand, or has ended.
        """
        job = await self.exact(job_id)
        numbers = _numbers(metrics)
        if not run_id or len(run_id) > MAX_TEXT:
            raise invalid("run_id", run_id, "a text that names the run")
        from bilancio.jobs.store import packing as chunks  # numpy, which other calls do not need

        packed, crc32 = chunks.pack(chunks.one_row(numbers))
        store = await self.store()
        if not await store.record_by_hand(job.job_id, run_id, packed, crc32, numbers):
            raise JobStateError(
                job.job_id, job.state, "recorded to", "Only a job started by hand takes runs so."
            )

    async def complete_job(self, job_id: str, summary: Mapping[str, Any] | None = None) -> Job:
        """End a job that was started by hand as completed."""
        return await self._end_by_hand(job_id, JobStatus.COMPLETED, summary=dict(summary or {}))

    async def fail_job(self, job_id: str, error: str) -> Job:
        """End a job that was started by hand as failed."""
        return await self._end_by_hand(job_id, JobStatus.FAILED, error=str(error))

    async def _end_by_hand(self, name: str, status: JobStatus, **how: Any) -> Job:
        job = await self.exact(name)
        try:
            json.dumps(how, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise invalid("summary", error, "values that JSON holds, no NaN") from None
        if not await (await self.store()).end_by_hand(job.job_id, status, **how):
            raise JobStateError(
                job.job_id, job.state, f"marked {status}", "Only a job started by hand can be."
            )
        job = await self._seen(job.job_id)
        await self._note_on_disk(job)
        return job

    # -- look -------------------------------------------------------------------------------

    async def get_job(self, job_id: str) -> Job | None:
        """Return the job that *job_id* names in any clear spelling, or None."""
        try:
            return (await self.find_job(job_id)).job
        except JobNotFound:
            return None

    async def find_job(self, name: str) -> Found:
        """Return the job that *name* means, and how it was read where that is not obvious.

        A name that the store does not have is looked for among the manifests of the output
        folder, and its job is imported.

        Raises
        ------
        JobNotFound
            Nothing fits, or several jobs do: they are named.
        """
        match = await self._match(name)
        if match.job_id is None:
            raise JobNotFound(name, match.candidates)
        return Found(job=await self._known(match.job_id), reading=match.how)

    async def exact(self, name: str) -> Job:
        """Return the job with exactly this name, case and separators apart.

        Raises
        ------
        JobNotFound
            With the names that may have been meant.
        """
        match = await self._match(name)
        if match.job_id is None or not match.exact:
            similar = match.candidates if match.job_id is None else (match.job_id,)
            raise JobNotFound(name, similar, "Give the whole name." if similar else "")
        return await self._known(match.job_id)

    async def list_jobs(
        self,
        *,
        status: JobStatus | str | None = None,
        tag: str | None = None,
        text: str | None = None,
        limit: int = 20,
        offset: int = 0,
    ) -> Page:
        """Return jobs, newest first: those with a status, a tag, or a text in their words.

        Jobs that only the manifests in the output folder tell of are imported first.
        """
        problems = []
        allowed = [each.value for each in JobStatus]
        if status is not None and status not in allowed:
            problems.append(Problem("status", repr(str(status)), ", ".join(allowed)))
        if not 1 <= limit <= 1000:  # noqa: PLR2004 - said in the sentence
            problems.append(Problem("limit", str(limit), "whole numbers from 1 to 1000"))
        if offset < 0:
            problems.append(Problem("offset", str(offset), "whole numbers from 0"))
        if problems:
            raise InvalidInput(problems)
        store = await self.store()
        await self._import_unknown(store)
        wanted = None if status is None else JobStatus(status)
        jobs, total = await store.jobs(
            status=wanted, tag=tag, text=text, limit=limit, offset=offset
        )
        seen = tuple([await self._with_stall(store, job) for job in jobs])
        return Page(jobs=seen, total=total, offset=offset)

    async def progress(self, name: str) -> Progress:
        """Return how far a job is."""
        return await self._progress((await self.find_job(name)).job)

    async def watch(self, name: str, timeout_s: float = math.inf) -> AsyncIterator[Progress]:
        """Yield a job's progress whenever it has changed, until it ends, stalls, or time is up."""
        job_id = (await self.find_job(name)).job.job_id
        deadline, last = time.monotonic() + timeout_s, None
        while True:
            progress = await self._progress(await self._seen(job_id))
            mark = (progress.job.state, progress.done_runs)
            if mark != last:
                yield progress
            last = mark
            if progress.job.status is not JobStatus.RUNNING or progress.job.stalled:
                return
            left = deadline - time.monotonic()
            if left <= 0:
                return
            await asyncio.sleep(min(POLL_S, left))

    async def events(
        self, name: str, *, after: int = 0, limit: int = -1, last: bool = False
    ) -> list[JobEvent]:
        """Return a job's events in order: those past number *after*, or the *last* few."""
        job = (await self.find_job(name)).job
        return await (await self.store()).events(job.job_id, after=after, limit=limit, last=last)

    async def results(
        self,
        name: str,
        *,
        group_by: Sequence[str] = (),
        measures: Sequence[str] = (),
        limit: int = 50,
        offset: int = 0,
    ) -> Results:
        """Return what a job has found so far, with a table of means grouped by parameters.

        Raises
        ------
        JobNotFound, InvalidInput, StoreCorrupt
        """
        job = (await self.find_job(name)).job
        from bilancio.jobs import results  # numpy and the experiment, of use only here

        return await results.load(
            await self.store(), job, group_by, measures, limit=limit, offset=offset
        )

    async def runs(
        self, name: str, *, status: str | None = None, limit: int = 50, offset: int = 0
    ) -> list[dict[str, Any]]:
        """Return single runs of a job: id, index, cell, arm, seed, parameters and metrics.

        Parameters
        ----------
        status
            `completed` or `failed`; both, and pending ones, by default.
        """
        job = (await self.find_job(name)).job
        from bilancio.jobs import results  # numpy and the experiment, of use only here

        return await results.runs(
            await self.store(), job, status=status, limit=limit, offset=offset
        )

    async def run_of(self, name: str, which: str) -> dict[str, Any]:
        """Return one run of a job, given its index or its id, as `runs` does.

        Raises
        ------
        InvalidInput
            The job has no such run.
        """
        job = (await self.find_job(name)).job
        from bilancio.jobs import results  # numpy and the experiment, of use only here

        return await results.one_run(await self.store(), job, which)

    # -- keep in order ------------------------------------------------------------------------

    async def import_job(self, path: Path | str) -> Job:
        """Store the job of a manifest, and the results that lie beside it.

        A job that is there already, with the same configuration, stays as it is.

        Raises
        ------
        InvalidInput
            It is no manifest, what lies beside it does not belong to it, or its name is that of
            a job with another configuration.
        """
        from bilancio.jobs.artifacts import importing  # numpy, of use only here

        manifest = importing.manifests_at(Path(path))[0]
        return (await self._read_in(manifest))[0]

    async def import_jobs(self, paths: Sequence[Path | str]) -> Imported:
        """Store the jobs of manifests, of folders with one, and of folders of such folders.

        Each is imported or refused by itself; what is there already is left as it is.
        """
        from bilancio.jobs.artifacts import importing  # numpy, of use only here

        new: list[Job] = []
        known: list[Job] = []
        refused: dict[str, str] = {}
        for path in paths:
            try:
                manifests = importing.manifests_at(Path(path))
            except InvalidInput as error:
                refused[str(path)] = str(error)
                continue
            for manifest in manifests:
                try:
                    job, added = await self._read_in(manifest)
                except (InvalidInput, OSError) as error:
                    refused[str(manifest)] = str(error)
                else:
                    (new if added else known).append(job)
        return Imported(jobs=tuple(new), already_there=tuple(known), refused=refused)

    async def _read_in(self, manifest: Path) -> tuple[Job, bool]:
        """Import one manifest; tell whether the store did not have its job."""
        from bilancio.jobs.artifacts import importing  # numpy, of use only here

        read = await asyncio.to_thread(importing.read_job, manifest.absolute())
        name = read.row["job_id"]
        added = await (await self.store()).import_job(*read)
        job = await self._seen(name)
        if not added and job.config_hash != read.row["config_hash"]:
            allowed = "a job with the same configuration, or a name that the store does not have"
            raise InvalidInput([Problem(f"{manifest}: job_id", repr(name), allowed)])
        return job, added

    async def export_job(self, name: str, folder: Path | str | None = None) -> dict[str, str]:
        """Write a job's manifest and tables again from the store; return them by name.

        Parameters
        ----------
        folder
            Where the job's folder is made; its own output folder if not given.

        Raises
        ------
        JobNotFound, OutputError, StoreCorrupt
        """
        from bilancio.jobs.artifacts import tables  # numpy, of use only here

        job = (await self.find_job(name)).job
        if folder is not None:
            out_dir = Path(folder).expanduser().absolute()
            job = job.model_copy(update={"out_dir": out_dir})
        await tables.write_files(await self.store(), job)
        return tables.present(job)

    async def verify(
        self,
        name: str,
        *,
        sample: int | None = 100,
        seed: int | None = None,
        tell: Callable[[int, int], None] = lambda _done, _total: None,
    ) -> Verification:
        """Compute recorded runs again and compare them with what is stored, bit by bit.

        Parameters
        ----------
        sample
            How many runs at most, the first and the last recorded among them; None takes all.
        seed
            Draws the runs; without it they are spread evenly.
        tell
            Is called with the number of runs compared so far, and of all that will be.

        Raises
        ------
        InvalidInput, JobNotFound, JobStateError, ResultsMissing, StoreCorrupt
        """
        job = (await self.find_job(name)).job
        from bilancio.jobs.maintenance.verify import (
            verify,  # numpy and the experiment, of use only here
        )

        workers = self.settings.workers
        return await verify(
            await self.store(), job, sample=sample, seed=seed, workers=workers, tell=tell
        )

    async def delete_job(self, job_id: str, *, files: bool = True) -> Deletion:
        """Delete a job for good: all that is stored of it and, with *files*, what was written.

        Only files of bilancio's are removed, from the job's own folder. Where files are kept the
        manifest gets another name, so that the job does not come back when its name is asked for.
        A kill on the way leaves either the whole job, or nothing of it.

        Raises
        ------
        JobNotFound
            No job has exactly this name.
        JobStateError
            It is running: cancel it first.
        OutputError
            A file cannot be removed; the job is there still.
        """
        job = await self.exact(job_id)
        from bilancio.jobs.maintenance.delete import delete  # numpy, of use only here

        return await delete(await self.store(), job, files=files)

    async def doctor(self, *, repair: bool = False) -> Diagnosis:
        """Look whether everything is in order: machine, settings, store, jobs, files.

        A store that cannot be used is a finding, no error, and none is made where there is none.

        Parameters
        ----------
        repair
            Put right what can be without asking: manifests written again, jobs counted again,
            locks of dead workers removed.
        """
        from bilancio.jobs.maintenance.doctor import examine  # numpy, which other calls do not need

        return await examine(self.settings, self.store, self._with_stall, repair=repair)

    async def backup(self, file: Path | str) -> Path:
        """Copy the whole store, as it is at one moment, to a new file; workers go on meanwhile.

        The copy is a store itself: put it in the place of the old one to restore it.

        Raises
        ------
        InvalidInput
            The file exists, or cannot be written.
        """
        from bilancio.jobs.maintenance.backup import back_up  # of use only here

        return await back_up(await self.store(), file)

    async def _import_unknown(self, store: JobStore) -> None:
        from bilancio.jobs.artifacts.manifest import manifests_in  # as for a search by name

        on_disk = await asyncio.to_thread(manifests_in, self._out_dir())
        for name in await store.unknown(on_disk) if on_disk else []:
            await self._import(on_disk[JobId(name)])

    async def _import(self, manifest: Path) -> Job | None:
        """Import for a search by name; a manifest that cannot be read is no match."""
        with contextlib.suppress(InvalidInput, OSError):
            return await self.import_job(manifest)
        return None

    # -- pieces -----------------------------------------------------------------------------

    async def _match(self, name: str) -> Match:
        from bilancio.jobs.artifacts.manifest import (
            manifests_in,  # of use only when names are searched
        )

        store = await self.store()
        spelled = "-".join(name.split()).replace("_", "-").casefold() if name else ""
        if spelled and await store.job(spelled):
            return match_job_id(name, [spelled])
        on_disk = await asyncio.to_thread(manifests_in, self._out_dir())
        return match_job_id(name, [*await store.job_ids(), *on_disk])

    async def _known(self, job_id: JobId) -> Job:
        """Return a job that the store has, or that a manifest in the output folder tells of."""
        store = await self.store()
        job = await store.job(job_id)
        if job is None:
            await self.import_job(self._out_dir() / job_id)
            return await self._seen(job_id)
        return await self._with_stall(store, job)

    async def _seen(self, job_id: str) -> Job:
        store = await self.store()
        job = await store.job(job_id)
        if job is None:
            raise JobNotFound(job_id)
        return await self._with_stall(store, job)

    async def _with_stall(self, store: JobStore, job: Job) -> Job:
        """Say whether anybody carries a running job: lease, and sign of life on this machine."""
        if job.status is not JobStatus.RUNNING or job.manual:
            return job
        if job.holder is not None and self._carried(store, job.job_id, job.holder):
            return job
        # A worker that has done its work ends its job first, and then its sign of life.
        now = await store.job(job.job_id)
        if now is None or (now.status is job.status and now.holder == job.holder):
            return job.model_copy(update={"stalled": True})
        return await self._with_stall(store, now)

    def _carried(self, store: JobStore, job_id: JobId, holder: Holder) -> bool:
        """Tell whether the holder of a lease lives; here its own word counts, not the clocks'."""
        leased = holder.expires_at >= self._clock()
        if holder.host is None:  # no worker has taken the lease up yet: who started it is known
            return leased and (holder.pid is None or process_exists(holder.pid))
        if holder.host != machine.host():
            return leased
        match worker_state(store.worker_lock(job_id, holder.fence)):
            case WorkerState.ALIVE:
                return True
            case WorkerState.STARTING:
                return leased
            case WorkerState.UNRESPONSIVE | WorkerState.DEAD:
                return False

    async def _progress(self, job: Job) -> Progress:
        done = job.completed_runs + job.failed_runs
        rate = eta = elapsed = None
        if job.started_at is not None:
            elapsed = ((job.completed_at or self._clock()) - job.started_at).total_seconds()
        store = await self.store()
        start = await store.last_start(job.job_id) if job.status is JobStatus.RUNNING else None
        if start is not None and not job.stalled:
            rate = await self._rate(store, job, start)
            eta = (job.total_runs - done) / rate if rate else None
        latest = await store.events(job.job_id, limit=1, last=True)
        details = latest[0].details if latest else {}
        return Progress(
            job=job,
            done_runs=done,
            rate=rate,
            eta_s=eta,
            elapsed_s=elapsed,
            means=details.get("means") or details.get("metrics") or {},
        )

    async def _rate(self, store: JobStore, job: Job, start: JobEvent) -> float | None:
        """Return the runs recorded a second since the first batch: starting up is no work."""
        first = await store.events(job.job_id, after=start.seq, limit=1)
        if not first:
            return None
        before = start.details.get("completed_runs", 0) + first[0].details.get("completed", 0)
        since = (self._clock() - first[0].timestamp).total_seconds()
        new = job.completed_runs - before
        return new / since if new > 0 and since >= MEASURED_S else None

    async def _note_on_disk(self, job: Job) -> None:
        """Bring the manifest up to date; the store is the truth, so a full disk is no error."""
        from bilancio.jobs.artifacts import tables  # numpy, which other calls do not need

        with contextlib.suppress(BilancioError):
            await asyncio.to_thread(tables.make_folder, job.folder)
            by_hand = job.manual and job.status.ended
            write = tables.write_files if by_hand else tables.write_job_manifest
            await write(await self.store(), job)

    def _out_dir(self) -> Path:
        return self.settings.out_dir.expanduser().absolute()


def checked_config(config: SweepConfig | Mapping[str, Any]) -> SweepConfig:
    """Return *config* as the model of its sweep type.

    Raises
    ------
    InvalidInput
        One sentence for each field that is wrong.
    """
    if isinstance(config, SweepConfig):
        return config
    if not isinstance(config, Mapping):
        raise invalid("config", config, "the parameters of a sweep by name")
    return validated(registry.config_model(config.get("sweep_type")), config)


def _check_texts(texts: Mapping[str, object], tags: Sequence[str]) -> None:
    problems = [
        Problem(name, f"{str(text)[:40]!r}", f"text of at most {MAX_TEXT:,} characters")
        for name, text in texts.items()
        if not isinstance(text, str) or len(text) > MAX_TEXT
    ]
    if not isinstance(texts["description"], str) or not texts["description"].strip():
        problems.append(Problem("description", "no text", "a few words on what the job is for"))
    if isinstance(tags, str) or len(tags) > MAX_TAGS or not all(_is_tag(tag) for tag in tags):
        problems.append(
            Problem("tags", str(tags)[:80], f"at most {MAX_TAGS} short texts, none empty")
        )
    if problems:
        raise InvalidInput(problems)


def _is_tag(tag: object) -> bool:
    return isinstance(tag, str) and 0 < len(tag.strip()) <= 100  # noqa: PLR2004 - a short text


def _numbers(metrics: Mapping[str, float]) -> dict[str, float]:
    problems = []
    found: dict[str, float] = {}
    for name, value in metrics.items():
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if not math.isfinite(number):
            problems.append(Problem(f"metrics.{name}", str(value), "finite numbers"))
        found[name] = number
    if not metrics:
        problems.append(Problem("metrics", "none", "at least one number by name"))
    if problems:
        raise InvalidInput(problems)
    return found
