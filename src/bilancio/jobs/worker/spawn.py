"""Start a worker process that outlives the process that asked for it."""

import subprocess
import threading

from bilancio import ahead, interpreter, machine
from bilancio.errors import WorkerError
from bilancio.executors.registry import DEFAULT
from bilancio.experiments import registry
from bilancio.jobs.artifacts.log import opened_log
from bilancio.jobs.models import Job, Lease
from bilancio.settings import Settings


def spawn_worker(job: Job, lease: Lease, settings: Settings) -> "subprocess.Popen[bytes]":
    """Start the worker that takes up *lease*; its output goes to the job's worker.log.

    Raises
    ------
    WorkerError
        The process could not be started.
    """
    try:
        with opened_log(job.folder, lease.worker_id) as log:
            process = ahead.start(
                "bilancio.executors.standby",
                str(_processes(job, settings)),
                "bilancio.jobs.worker.__main__",
                lease.job_id,
                lease.worker_id,
                str(lease.fence),
                log=log,
                env=interpreter.environment(
                    **settings.as_environment(), **machine.sharing_cores(_workers(settings))
                ),
            )
    except OSError as error:
        raise WorkerError(job.job_id, f"it could not be started ({error}).") from error
    # Without a thread that waits, an ended worker stays in the process table as a zombie.
    threading.Thread(target=process.wait, name=f"reap-{process.pid}", daemon=True).start()
    return process


def _processes(job: Job, settings: Settings) -> int:
    """Return how many processes the worker will need for sure."""
    if settings.executor != DEFAULT or not registry.needs_processes(job.config.sweep_type):
        return 0
    return min(_workers(settings), job.total_runs - job.completed_runs)


def _workers(settings: Settings) -> int:
    return settings.workers or machine.cores()
