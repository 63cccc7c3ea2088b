"""The job manager for scripts and notebooks: the methods of `AsyncJobManager`, without await."""

import functools
import math
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, NoReturn, ParamSpec, Self, TypeVar

from bilancio.errors import ManagerUnusable
from bilancio.experiments.sweep_config import SweepConfig
from bilancio.jobs.async_manager import AsyncJobManager
from bilancio.jobs.clock import Clock, utc_now
from bilancio.jobs.models import Job
from bilancio.jobs.paging import MAX_ROWS, Paged
from bilancio.jobs.progress import Progress
from bilancio.jobs.sync import LoopThread

if TYPE_CHECKING:  # pandas is optional
    from bilancio.frames.tables import DataFrame

__all__ = ["AsyncJobManager", "JobManager", "create_job"]

P = ParamSpec("P")
T = TypeVar("T")


def _blocking(
    method: Callable[Concatenate[AsyncJobManager, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate["JobManager", P], T]:
    """Return *method* as one that blocks, with its signature and docstring."""

    @functools.wraps(method)
    def call(self: "JobManager", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._loop.wait(lambda: method(self._manager, *args, **kwargs))

    return call


class JobManager:
    """A blocking face on `AsyncJobManager`, which takes the same parameters.

    One event loop in a thread of its own serves all calls, so that it works where a loop runs
    already, as in notebooks, and from several threads.
    """

    def __init__(
        self,
        database_url: str | Path | None = None,
        *,
        out_dir: Path | str | None = None,
        executor: str | None = None,
        clock: Clock = utc_now,
    ) -> None:
        self._manager = AsyncJobManager(
            database_url, out_dir=out_dir, executor=executor, clock=clock
        )
        self._loop = LoopThread("bilancio-jobs")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce__(self) -> NoReturn:
        raise ManagerUnusable(ManagerUnusable.COPIED)

    def close(self) -> None:
        """Close the store and end the thread; workers that were started continue.

        Calls that other threads wait for are ended with `ManagerUnusable`.
        """
        self._loop.close(self._manager.close)

    create_job = _blocking(AsyncJobManager.create_job)
    preview = _blocking(AsyncJobManager.preview)
    estimate = _blocking(AsyncJobManager.estimate)
    question_before_start = _blocking(AsyncJobManager.question_before_start)
    start_sweep = _blocking(AsyncJobManager.start_sweep)
    run_job = _blocking(AsyncJobManager.run_job)
    cancel_job = _blocking(AsyncJobManager.cancel_job)
    recover = _blocking(AsyncJobManager.recover)

    start_job = _blocking(AsyncJobManager.start_job)
    record_progress = _blocking(AsyncJobManager.record_progress)
    complete_job = _blocking(AsyncJobManager.complete_job)
    fail_job = _blocking(AsyncJobManager.fail_job)

    get_job = _blocking(AsyncJobManager.get_job)
    find_job = _blocking(AsyncJobManager.find_job)
    exact = _blocking(AsyncJobManager.exact)
    list_jobs = _blocking(AsyncJobManager.list_jobs)
    edit_job = _blocking(AsyncJobManager.edit_job)
    progress = _blocking(AsyncJobManager.progress)
    wait = _blocking(AsyncJobManager.wait)
    events = _blocking(AsyncJobManager.events)
    notices = _blocking(AsyncJobManager.notices)
    news = _blocking(AsyncJobManager.news)
    hand_over_notices = _blocking(AsyncJobManager.hand_over_notices)
    results = _blocking(AsyncJobManager.results)
    compare = _blocking(AsyncJobManager.compare)
    run_of = _blocking(AsyncJobManager.run_of)
    run_story = _blocking(AsyncJobManager.run_story)
    runs_frame = _blocking(AsyncJobManager.runs_frame)
    to_xarray = _blocking(AsyncJobManager.to_xarray)
    plot = _blocking(AsyncJobManager.plot)
    report = _blocking(AsyncJobManager.report)
    report_text = _blocking(AsyncJobManager.report_text)
    contents = _blocking(AsyncJobManager.contents)
    package = _blocking(AsyncJobManager.package)

    import_job = _blocking(AsyncJobManager.import_job)
    import_jobs = _blocking(AsyncJobManager.import_jobs)
    export_job = _blocking(AsyncJobManager.export_job)
    verify = _blocking(AsyncJobManager.verify)
    delete_job = _blocking(AsyncJobManager.delete_job)
    doctor = _blocking(AsyncJobManager.doctor)
    backup = _blocking(AsyncJobManager.backup)
    copy_jobs = _blocking(AsyncJobManager.copy_jobs)

    def runs(self, name: str, *, status: str | None = None) -> "Runs":
        """Return all runs of a job: id, index, cell, arm, seed, parameters and metrics.

        The sequence reads them from the store when they are asked for, 1,000 at a time. How many
        there are is told once, when it is made. A slice of it is a page, and its `to_pandas` is
        `runs_frame`.

        Parameters
        ----------
        status
            `completed`, `failed` or `pending`; all runs by default.
        """
        known = self._loop.wait(lambda: self._manager.runs(name, status=status, limit=1))

        def page(offset: int) -> Sequence[dict[str, Any]]:
            ask = functools.partial(self._manager.runs, status=status, limit=MAX_ROWS)
            return self._loop.wait(lambda: ask(known.job.job_id, offset=offset))

        def frame() -> "DataFrame":
            return self.runs_frame(known.job.job_id, status=status)

        return Runs(page, known.total, frame)

    def watch(self, name: str, timeout_s: float = math.inf) -> Iterator[Progress]:
        """Yield a job's progress whenever it has changed, until it ends, stalls, or time is up."""
        steps = self._manager.watch(name, timeout_s)

        async def following() -> Progress | None:
            return await anext(steps, None)

        while (step := self._loop.wait(following)) is not None:
            yield step


class Runs(Paged[dict[str, Any]]):
    """All runs of a job, read a page at a time, or as a frame at once."""

    def __init__(
        self,
        read: Callable[[int], Sequence[dict[str, Any]]],
        total: int,
        frame: "Callable[[], DataFrame]",
    ) -> None:
        super().__init__(read, total)
        self._frame = frame

    def to_pandas(self) -> "DataFrame":
        """Return the runs as a frame; see `AsyncJobManager.runs_frame`."""
        return self._frame()


def create_job(
    description: str,
    config: SweepConfig | Mapping[str, Any] | None = None,
    *,
    like: str | None = None,
    job_id: str | None = None,
    notes: str = "",
    tags: Sequence[str] = (),
    notify: Sequence[str] = (),
    out_dir: Path | str | None = None,
) -> Job:
    """Store a new job in the default store; see `JobManager.create_job`."""
    with JobManager() as manager:
        return manager.create_job(
            description,
            config,
            like=like,
            job_id=job_id,
            notes=notes,
            tags=tags,
            notify=notify,
            out_dir=out_dir,
        )
