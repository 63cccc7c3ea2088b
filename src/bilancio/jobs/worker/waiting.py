"""Tell why nothing computes, as long as an executor waits for something."""

import asyncio
import contextlib
import logging
from typing import NoReturn

from bilancio.errors import BilancioError
from bilancio.executors.base import Executor
from bilancio.jobs.models import Lease
from bilancio.jobs.store import JobStore

LOOK_S = 0.4

log = logging.getLogger("bilancio.worker")


async def tell_waiting(
    store: JobStore, lease: Lease, executor: Executor, lease_s: float
) -> NoReturn:
    """Write into the log and the job's events when *executor* begins to wait, and when it ends."""
    told = ""
    while True:
        if (waiting := executor.waiting) != told:
            log.info("waiting: %s", waiting) if waiting else log.info("no longer waiting")
            with contextlib.suppress(BilancioError):  # what matters of a store is seen elsewhere
                await store.note_waiting(lease, waiting, lease_s)
            told = waiting
        await asyncio.sleep(LOOK_S)
