"""A worker process; its arguments are JOB_ID WORKER_ID FENCE."""

import asyncio
import logging
import os
import sys

from bilancio.errors import BilancioError, LeaseLost
from bilancio.jobs.clock import utc_now
from bilancio.jobs.job_id import JobId
from bilancio.jobs.models import JobStatus, Lease
from bilancio.jobs.notices.courier import deliver_at_end
from bilancio.jobs.store import open_store
from bilancio.jobs.worker.alone import run_alone
from bilancio.jobs.worker.worker import PATIENCE_S, Stopped, Worker
from bilancio.settings import Settings, load_settings

log = logging.getLogger("bilancio.worker")


async def carry_out(lease: Lease, settings: Settings) -> JobStatus:
    """Open the store, run one worker in it, and stop it on SIGTERM or SIGINT."""
    store = await open_store(settings.database_url, utc_now, patience_s=PATIENCE_S)
    try:
        status = await run_alone(Worker(store, lease, settings), settings.lease_s)
        await deliver_at_end(store, settings)
        return status
    finally:
        await store.close()


async def _process(lease: Lease) -> None:
    """Carry the job out and exit here: the end of the loop would wait for computations."""
    code = 1
    try:
        await carry_out(lease, load_settings())
        code = 0
    except Stopped as stopped:
        log.info("%s", stopped)
        code = stopped.exit_code
    except LeaseLost as lost:
        log.info("%s", lost)
    except BilancioError as error:
        log.error("%s", error)  # noqa: TRY400 - a sentence of ours needs no traceback
    except Exception:
        log.exception("the worker failed")
    logging.shutdown()
    os._exit(code)


def main() -> None:
    """Run a worker process."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    job_id, worker_id, fence = sys.argv[1:]
    asyncio.run(_process(Lease(job_id=JobId(job_id), worker_id=worker_id, fence=int(fence))))


if __name__ == "__main__":
    main()
