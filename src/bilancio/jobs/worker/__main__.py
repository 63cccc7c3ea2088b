"""A worker process; its arguments are JOB_ID WORKER_ID FENCE."""

import asyncio
import logging
import os
import signal
import sys
import threading
import time

from bilancio.errors import BilancioError, LeaseLost
from bilancio.jobs.clock import utc_now
from bilancio.jobs.job_id import JobId
from bilancio.jobs.models import JobStatus, Lease
from bilancio.jobs.store import open_store
from bilancio.jobs.worker.worker import Stopped, Worker
from bilancio.settings import Settings, load_settings

LEFT_ON_SIGNAL = 143
STUCK = 70
LEASES_TO_HANG = 4
SHORTEST_HANG_S = 120.0
LOOKS = 20

log = logging.getLogger("bilancio.worker")


async def carry_out(lease: Lease, settings: Settings) -> JobStatus:
    """Open the store, run one worker in it, and stop it on SIGTERM or SIGINT."""
    store = await open_store(settings.database_url, utc_now)
    try:
        worker = Worker(store, lease, settings)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, worker.stop)
        patience_s = max(LEASES_TO_HANG * settings.lease_s, SHORTEST_HANG_S)
        threading.Thread(
            target=_end_when_stuck, args=(worker, patience_s), name="watchdog", daemon=True
        ).start()
        return await worker.run()
    finally:
        await store.close()


def _end_when_stuck(worker: Worker, patience_s: float) -> None:
    """End this process when its event loop is blocked for *patience_s* seconds.

    A run in a thread can close all files of the process or block it for good; its job has long
    been taken over then, and nothing else would end it. The time that the process itself is
    suspended does not count.
    """
    missed, seen = 0, -1
    while missed < LOOKS:
        time.sleep(patience_s / LOOKS)
        missed = missed + 1 if worker.heartbeats == seen else 0
        seen = worker.heartbeats
    os._exit(STUCK)


async def _process(lease: Lease) -> None:
    """Carry the job out and exit here: the end of the loop would wait for computations."""
    code = 1
    try:
        await carry_out(lease, load_settings())
        code = 0
    except Stopped as stopped:
        log.info("%s", stopped)
        code = LEFT_ON_SIGNAL
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
