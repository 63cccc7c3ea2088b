"""A sweep run in this process and recorded as a job, for scripts and notebooks."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from bilancio.errors import JobNotFound, invalid
from bilancio.executors import registry as executors
from bilancio.experiments.sweep_config import SweepConfig
from bilancio.jobs.manager import JobManager
from bilancio.jobs.models import Job
from bilancio.jobs.preview import checked_config
from bilancio.jobs.session import Session
from bilancio.jobs.views import Results
from bilancio.paths import absolute_path
from bilancio.settings import load_settings


class SweepRunner:
    """Runs one sweep as a job: a new one, or the pending or broken-off one that is named.

    Parameters
    ----------
    config
        The sweep.
    out_dir
        Folder of the job's output folder.
    executor
        Where it computes, by name; the setting BILANCIO_EXECUTOR if not given.
    job_id
        Name of a job that exists with this configuration, or a free name for a new one; drawn
        if not given.
    description
        What it is for.
    """

    sweep_type: ClassVar[str]

    def __init__(
        self,
        config: SweepConfig | Mapping[str, Any],
        out_dir: Path | str | None = None,
        executor: str | None = None,
        *,
        job_id: str | None = None,
        description: str = "",
    ) -> None:
        self.config = checked_config(config)
        if self.config.sweep_type != self.sweep_type:
            raise invalid(
                "config.sweep_type", self.config.sweep_type, f"{self.sweep_type} in this runner"
            )
        session = Session(load_settings(), executor=executor or "")
        executors.check(session.settings_for(self.config))
        self.executor = executor
        self.out_dir = out_dir
        self.job_id = job_id
        self.description = description or f"{self.sweep_type.capitalize()} sweep"

    def run(self) -> Results:
        """Run what is missing of the sweep and return its results.

        Raises
        ------
        InvalidInput
            The job named has another configuration or output folder.
        JobStateError
            It is completed, or a worker carries it out.
        """
        with JobManager(out_dir=self.out_dir, executor=self.executor) as manager:
            job = self._named(manager)
            if job is None:
                job = manager.create_job(self.description, self.config, job_id=self.job_id)
            elif job.config.digest() != self.config.digest():
                allowed = "a job with the same configuration, or a free name"
                raise invalid("job_id", self.job_id, allowed)
            elif self.out_dir and absolute_path("out_dir", self.out_dir) != job.out_dir:
                raise invalid("out_dir", self.out_dir, f"{job.out_dir}, where this job writes")
            self.job_id = job.job_id
            manager.run_job(job.job_id)
            return manager.results(job.job_id)

    def _named(self, manager: JobManager) -> Job | None:
        """Return the job of exactly the name given, or None."""
        if self.job_id is None:
            return None
        try:
            return manager.exact(self.job_id)
        except JobNotFound:
            return None


class RingSweepRunner(SweepRunner):
    """Plain rings over a grid."""

    sweep_type = "ring"


class BalancedComparisonRunner(SweepRunner):
    """Dealers that trade against dealers that hold, in pairs."""

    sweep_type = "balanced"
