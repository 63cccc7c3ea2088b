"""The job manager for scripts and notebooks: the same methods, without await."""

import asyncio
import threading
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

from bilancio.errors import JobNotFound
from bilancio.experiments.sweep_config import SweepConfig
from bilancio.jobs.clock import Clock, utc_now
from bilancio.jobs.maintenance.reports import Deletion, Diagnosis, Imported, Recovery, Verification
from bilancio.jobs.manager import AsyncJobManager
from bilancio.jobs.models import (
    Estimate,
    Found,
    Job,
    JobEvent,
    JobStatus,
    Page,
    Progress,
    Results,
    Started,
)

T = TypeVar("T")


class JobManager:
    """A blocking face on `AsyncJobManager`, whose methods say what each call does.

    One event loop in a thread of its own serves all calls, so that it works where a loop runs
    already, as in notebooks, and from several threads.
    """

    def __init__(
        self,
        database_url: str | None = None,
        *,
        out_dir: Path | str | None = None,
        clock: Clock = utc_now,
    ) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="bilancio-jobs", daemon=True
        )
        self._thread.start()
        self._manager = AsyncJobManager(database_url, out_dir=out_dir, clock=clock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the store and end the thread; workers that were started go on."""
        if self._loop.is_closed():
            return
        self._wait(self._manager.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except KeyboardInterrupt:
            future.cancel()
            raise

    def create_job(
        self, description: str, config: SweepConfig | Mapping[str, Any], **options: Any
    ) -> Job:
        """Store a new job; see `AsyncJobManager.create_job`."""
        return self._wait(self._manager.create_job(description, config, **options))

    def estimate(self, config: SweepConfig) -> Estimate:
        """Return how long a sweep will take here."""
        return self._wait(self._manager.estimate(config))

    def start_sweep(self, job_id: str, *, request_key: str | None = None) -> Started:
        """Have a worker process carry the job out; return at once."""
        return self._wait(self._manager.start_sweep(job_id, request_key=request_key))

    def run_job(self, job_id: str) -> Job:
        """Carry the job out in this process, to its end."""
        return self._wait(self._manager.run_job(job_id))

    def wait(self, job_id: str, timeout_s: float = float("inf")) -> Job:
        """Wait until the job has ended or stalled, or time is up; return it as it is then."""

        async def last() -> Job:
            async for progress in self._manager.watch(job_id, timeout_s):
                job = progress.job
            return job

        return self._wait(last())

    def recover(self, *, at_once: int = 1) -> list[Recovery]:
        """Go on with every stalled job, to its end."""
        return self._wait(self._manager.recover(at_once=at_once))

    def cancel_job(self, job_id: str, reason: str = "") -> Job:
        """Cancel a job; its results so far stay."""
        return self._wait(self._manager.cancel_job(job_id, reason))

    def start_job(self, job_id: str) -> Job:
        """Mark the start of a job whose runs the caller executes."""
        return self._wait(self._manager.start_job(job_id))

    def record_progress(self, job_id: str, run_id: str, metrics: Mapping[str, float]) -> None:
        """Store the metrics of one run of a job started by hand."""
        self._wait(self._manager.record_progress(job_id, run_id, metrics))

    def complete_job(self, job_id: str, summary: Mapping[str, Any] | None = None) -> Job:
        """End a job that was started by hand as completed."""
        return self._wait(self._manager.complete_job(job_id, summary))

    def fail_job(self, job_id: str, error: str) -> Job:
        """End a job that was started by hand as failed."""
        return self._wait(self._manager.fail_job(job_id, error))

    def get_job(self, job_id: str) -> Job | None:
        """Return the job of this name in any clear spelling, or None."""
        return self._wait(self._manager.get_job(job_id))

    def get_exact(self, job_id: str) -> Job | None:
        """Return the job of exactly this name, case and separators apart, or None."""
        try:
            return self._wait(self._manager.exact(job_id))
        except JobNotFound:
            return None

    def find_job(self, name: str) -> Found:
        """Return the job that *name* means, and how it was read."""
        return self._wait(self._manager.find_job(name))

    def list_jobs(
        self,
        *,
        status: JobStatus | str | None = None,
        tag: str | None = None,
        text: str | None = None,
        limit: int = 20,
        offset: int = 0,
    ) -> Page:
        """Return jobs, newest first."""
        return self._wait(
            self._manager.list_jobs(status=status, tag=tag, text=text, limit=limit, offset=offset)
        )

    def progress(self, name: str) -> Progress:
        """Return how far a job is."""
        return self._wait(self._manager.progress(name))

    def events(self, name: str, **which: Any) -> list[JobEvent]:
        """Return a job's events in order."""
        return self._wait(self._manager.events(name, **which))

    def results(
        self, name: str, *, group_by: Sequence[str] = (), measures: Sequence[str] = (), **page: int
    ) -> Results:
        """Return what a job has found so far."""
        return self._wait(self._manager.results(name, group_by=group_by, measures=measures, **page))

    def runs(self, name: str, **which: Any) -> list[dict[str, Any]]:
        """Return single runs of a job."""
        return self._wait(self._manager.runs(name, **which))

    def import_job(self, path: Path | str) -> Job:
        """Store the job of a manifest, and the results beside it."""
        return self._wait(self._manager.import_job(path))

    def import_jobs(self, paths: Sequence[Path | str]) -> Imported:
        """Store the jobs of manifests and of folders with manifests."""
        return self._wait(self._manager.import_jobs(paths))

    def export_job(self, name: str, folder: Path | str | None = None) -> dict[str, str]:
        """Write a job's manifest and tables again from the store."""
        return self._wait(self._manager.export_job(name, folder))

    def verify(self, name: str, **how: Any) -> Verification:
        """Compute recorded runs again and compare them with what is stored, bit by bit."""
        return self._wait(self._manager.verify(name, **how))

    def delete_job(self, job_id: str, *, files: bool = True) -> Deletion:
        """Delete a job for good, with the files that were written for it."""
        return self._wait(self._manager.delete_job(job_id, files=files))

    def doctor(self, *, repair: bool = False) -> Diagnosis:
        """Look whether everything is in order."""
        return self._wait(self._manager.doctor(repair=repair))

    def backup(self, file: Path | str) -> Path:
        """Copy the whole store to a new file."""
        return self._wait(self._manager.backup(file))
