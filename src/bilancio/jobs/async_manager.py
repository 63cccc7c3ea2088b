"""Everything one can do with jobs, as coroutines.

Each method is a function over a session, in the module that answers the question. Modules that
load numpy are imported by the methods that need them, so that listing jobs does without.
"""

import functools
import math
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, Concatenate, NoReturn, ParamSpec, Self, TypeVar

from bilancio.errors import ManagerUnusable, invalid
from bilancio.jobs import (
    asking,
    consent,
    create,
    documents,
    editing,
    estimate,
    exports,
    launch,
    lookup,
    manual,
    news,
    plots,
    preview,
    progress,
    search,
    stories,
)
from bilancio.jobs.artifacts.headers import read_whole
from bilancio.jobs.clock import Clock, utc_now
from bilancio.jobs.maintenance import backup, copying, recover
from bilancio.jobs.maintenance.reports import Deletion, Diagnosis, Imported, Verification
from bilancio.jobs.models import Job, Listing
from bilancio.jobs.notices import courier, listing
from bilancio.jobs.progress import Progress, watch
from bilancio.jobs.session import Session
from bilancio.jobs.store import JobStore
from bilancio.settings import Settings, load_settings

P = ParamSpec("P")
T = TypeVar("T")


def _of_session(
    function: Callable[Concatenate[Session, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate["AsyncJobManager", P], Coroutine[Any, Any, T]]:
    """Return *function* as a method of a manager, with its signature and docstring."""

    @functools.wraps(function)
    def method(
        self: "AsyncJobManager", /, *args: P.args, **kwargs: P.kwargs
    ) -> Coroutine[Any, Any, T]:
        return function(self._session, *args, **kwargs)

    return method


class AsyncJobManager:
    """Jobs in one store.

    Parameters
    ----------
    database_url
        The store; the setting BILANCIO_DATABASE_URL if not given.
    out_dir
        Folder of the jobs' output folders; the setting BILANCIO_OUT_DIR if not given.
    executor
        Where jobs compute, by name. If not given, those with `cloud` do on Modal, and others where
        the setting BILANCIO_EXECUTOR says.
    clock
        Source of the time.

    Notes
    -----
    The store is opened at the first call that needs it. Close the manager, or use it as an
    asynchronous context manager: an open store keeps the process alive.
    """

    def __init__(
        self,
        database_url: str | Path | None = None,
        *,
        out_dir: Path | str | None = None,
        executor: str | None = None,
        clock: Clock = utc_now,
    ) -> None:
        for name, value in {
            "database_url": database_url,
            "out_dir": out_dir,
            "executor": executor,
        }.items():
            if not isinstance(value, str | Path | None):
                raise invalid(name, value, "text or a path")
        given = {
            "database_url": database_url and str(database_url),
            "out_dir": out_dir and Path(out_dir),
        }
        settings = load_settings().model_copy(
            update={name: value for name, value in given.items() if value}
        )
        reader_of = functools.partial(exports.StoredRuns, settings)
        self._session = Session(settings, clock, reader_of, read_whole, executor or "")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __reduce__(self) -> NoReturn:
        raise ManagerUnusable(ManagerUnusable.COPIED)

    @property
    def settings(self) -> Settings:
        """The settings that this manager works with."""
        return self._session.settings

    async def close(self) -> None:
        """Close the store. Workers that were started continue."""
        await self._session.close()

    async def store(self) -> JobStore:
        """Return the store, opened."""
        return await self._session.store()

    create_job = _of_session(create.create_job)
    preview = _of_session(preview.preview)
    estimate = _of_session(estimate.estimate)
    question_before_start = _of_session(consent.question_before_start)
    start_sweep = _of_session(launch.start_sweep)
    run_job = _of_session(launch.run_job)
    cancel_job = _of_session(launch.cancel_job)

    start_job = _of_session(manual.start_job)
    record_progress = _of_session(manual.record_progress)
    complete_job = _of_session(manual.complete_job)
    fail_job = _of_session(manual.fail_job)

    get_job = _of_session(lookup.get_job)
    find_job = _of_session(lookup.find)
    exact = _of_session(lookup.exact)
    list_jobs = _of_session(search.list_jobs)
    edit_job = _of_session(editing.edit_job)
    wait = _of_session(progress.wait)
    events = _of_session(progress.events)
    progress = _of_session(progress.progress)

    results = _of_session(asking.results)
    compare = _of_session(asking.compare)
    run_story = _of_session(stories.run_story)
    runs_frame = _of_session(exports.runs_frame)
    to_xarray = _of_session(exports.to_xarray)
    plot = _of_session(plots.plot)
    report = _of_session(documents.report)
    report_text = _of_session(documents.report_text)
    contents = _of_session(documents.contents)
    package = _of_session(documents.package)

    recover = _of_session(recover.recover)
    backup = _of_session(backup.back_up)
    copy_jobs = _of_session(copying.copy_jobs)

    notices = _of_session(listing.notices)
    news = _of_session(news.news)

    async def hand_over_notices(self) -> bool:
        """Have a process of its own deliver the notices that are due; return whether one starts.

        Where the store was not needed yet nothing is looked at.
        """
        store = self._session.opened
        return store is not None and await courier.hand_over(store, self.settings)

    def watch(self, name: str, timeout_s: float = math.inf) -> AsyncIterator[Progress]:
        """Yield a job's progress whenever it has changed, until it ends, stalls, or time is up."""
        return watch(self._session, name, timeout_s)

    async def runs(
        self, name: str, *, status: str | None = None, limit: int | None = None, offset: int = 0
    ) -> Listing[dict[str, Any]]:
        """Return a job's runs, all or a page: id, index, cell, arm, seed, parameters and metrics.

        All are held at once; very many take less memory as `runs_frame`.

        Parameters
        ----------
        status
            `completed`, `failed` or `pending`; all runs by default.
        limit, offset
            The page: at most 1,000 runs, after the first *offset*; None is all runs after those.
            The `total` of the answer counts all.
        """
        from bilancio.jobs import results  # numpy and the experiment

        return await results.runs(self._session, name, status=status, limit=limit, offset=offset)

    async def run_of(self, name: str, which: str) -> dict[str, Any]:
        """Return one run of a job, given its index or its id, as `runs` does.

        Raises
        ------
        InvalidInput
            The job has no such run.
        """
        from bilancio.jobs import results  # numpy and the experiment

        return await results.run_of(self._session, name, which)

    async def import_job(self, path: Path | str) -> Job:
        """Store the job of a manifest, and the results that lie beside it.

        A table that is damaged, or contradicts the manifest, is left out; with none that can be
        read, the job keeps its headline, counts and averages.

        A job that is there already, with the same configuration, stays as it is, unless its files
        tell more than the store: after an older backup was restored, say. Then it is stored anew
        from its files.

        Raises
        ------
        InvalidInput
            It is not a manifest that can be read here, its name is that of a job with another
            configuration, or manually recorded runs of a job that is not completed are damaged.
        """
        from bilancio.jobs.maintenance import transfer  # numpy

        return await transfer.import_job(self._session, path)

    async def import_jobs(self, paths: Sequence[Path | str]) -> Imported:
        """Store the jobs of manifests, of folders with one, and of folders of such folders.

        Each is imported or refused by itself, as by `import_job`; tables that are left out are
        named.
        """
        from bilancio.jobs.maintenance import transfer  # numpy

        return await transfer.import_jobs(self._session, paths)

    async def export_job(
        self, name: str, folder: Path | str | None = None, *, parquet: bool = False
    ) -> dict[str, str]:
        """Write a job's manifest and tables again from the store; return them by name.

        The tables hold all runs, of which a worker writes the first million.

        Parameters
        ----------
        folder
            Where the job's folder is made; its own output folder if not given.
        parquet
            Write runs.parquet, too: all runs, typed, a group of rows for each 100,000. It is also
            written where the setting BILANCIO_RUNS_FORMAT asks for it, or one is there already.

        Raises
        ------
        JobNotFound, OutputError, StoreCorrupt
        LibraryMissing
            pyarrow is not installed.
        """
        from bilancio.jobs.maintenance import transfer  # numpy

        return await transfer.export_job(self._session, name, folder, parquet=parquet)

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
        from bilancio.jobs.maintenance.verify import verify  # numpy and the experiment

        job = (await lookup.find_with_runs(self._session, name)).job
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
        from bilancio.jobs.maintenance.delete import delete  # numpy

        return await delete(await self.store(), await self.exact(job_id), files=files)

    async def doctor(self, *, repair: bool = False) -> Diagnosis:
        """Look whether everything is in order: machine, settings, store, jobs, files.

        A store that cannot be used is a finding, not an error, and none is made where there is
        none.

        Parameters
        ----------
        repair
            Repair what can be repaired without asking: manifests are written again, jobs counted
            again, locks of dead workers removed.
        """
        from bilancio.jobs.maintenance.doctor import examine  # numpy

        return await examine(self._session, repair=repair)
