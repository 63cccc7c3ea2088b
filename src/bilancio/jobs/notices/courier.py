"""Have notices delivered while others work: by the worker at the end, or a process of its own."""

import asyncio
import logging
import subprocess
import threading

from bilancio import interpreter
from bilancio.errors import BilancioError
from bilancio.jobs.store import JobStore
from bilancio.notify.targets import known_targets
from bilancio.settings import Settings

AT_END_S = 5.0  # that a worker stays for

log = logging.getLogger("bilancio.notices")


async def is_due(store: JobStore, settings: Settings) -> bool:
    """Return whether a notice waits that may be tried now, and can be with these settings."""
    known = known_targets(settings)
    moment = await store.next_notice(known) if known else None
    return moment is not None and moment <= store.clock()


async def deliver_at_end(store: JobStore, settings: Settings) -> None:
    """Deliver notices of a job that a worker has carried out; leave to a courier what takes long.

    Whatever goes wrong, the job has ended.
    """
    if not settings.notify:
        return
    from bilancio.jobs.notices.delivery import deliver  # most jobs and commands tell nothing

    left = True
    try:
        async with asyncio.timeout(AT_END_S):
            left = await deliver(store, settings, patience_s=0.0)
    except TimeoutError:
        pass  # a receiver is slow
    except BilancioError as error:
        log.warning("notices were not delivered: %s", error)
    if left:
        start_courier(settings)


async def hand_over(store: JobStore, settings: Settings) -> bool:
    """Start a courier if a notice waits that may be tried now; return whether one was started."""
    if not settings.notify:
        return False
    try:
        due = await is_due(store, settings)
    except BilancioError:  # the next one that meets the notice delivers it
        return False
    if due:
        start_courier(settings)
    return due


def start_courier(settings: Settings) -> None:
    """Start a process that delivers what is due, and outlives this one."""
    try:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            interpreter.command("bilancio.jobs.notices.__main__"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env=interpreter.environment(**settings.as_environment()),
        )
    except OSError as error:
        log.warning("no courier could be started: %s", error)
        return
    # As with a worker: without a thread that waits it would stay as a zombie.
    threading.Thread(target=process.wait, name=f"reap-{process.pid}", daemon=True).start()
