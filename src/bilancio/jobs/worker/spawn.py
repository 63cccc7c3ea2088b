"""Start a worker process that outlives the process that asked for it."""

import os
import subprocess
import sys
import threading

from bilancio.errors import WorkerError
from bilancio.jobs.models import Job, Lease
from bilancio.settings import Settings

LOG = "worker.log"


def spawn_worker(job: Job, lease: Lease, settings: Settings) -> "subprocess.Popen[bytes]":
    """Start the worker that takes up *lease*; its output goes to the job's worker.log.

    Raises
    ------
    WorkerError
        The process could not be started.
    """
    environment = os.environ | {
        f"BILANCIO_{name.upper()}": str(value) for name, value in settings.model_dump().items()
    }
    command = [
        sys.executable, "-m", "bilancio.jobs.worker",
        lease.job_id, lease.worker_id, str(lease.fence),
    ]  # fmt: skip
    try:
        with (job.folder / LOG).open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=environment,
            )
    except OSError as error:
        raise WorkerError(job.job_id, f"it could not be started ({error}).") from error
    # Without a thread that waits, an ended worker stays in the process table as a zombie.
    threading.Thread(target=process.wait, name=f"reap-{process.pid}", daemon=True).start()
    return process
