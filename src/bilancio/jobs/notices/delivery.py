"""Deliver notices at least once: claim, send, settle; try again later, and give up at last.

Whoever delivers is a courier: the worker after its job's end, or a process of its own. A receiver
that is down, slow or refuses delays nothing else.
"""

import asyncio
import contextlib
import logging
import secrets
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from bilancio.errors import BilancioError, NoticeNotDelivered
from bilancio.failpoints import failpoint
from bilancio.jobs.notices.telling import message_of
from bilancio.jobs.store import JobStore
from bilancio.jobs.store.rows import Notice
from bilancio.notify.targets import Target, known_targets, send
from bilancio.settings import Settings
from bilancio.text import error_text

ATTEMPTS = 20  # the last one two days after the first, if all that time a courier is there
FIRST_RETRY_S, LAST_RETRY_S = 5.0, 6 * 3600.0
SEND_S = 30.0
CLAIM_S = 90.0  # after which the courier of a claimed notice counts as gone

T = TypeVar("T")
log = logging.getLogger("bilancio.notices")


async def deliver(store: JobStore, settings: Settings, *, patience_s: float) -> bool:
    """Deliver what is due, and what becomes due within *patience_s* seconds.

    Returns
    -------
    bool
        Whether some are left that could be tried later.
    """
    known, courier = known_targets(settings), secrets.token_hex(6)
    ends = time.monotonic() + patience_s
    while known:
        claimed = await store.claim_notices(courier, known, lease_s=CLAIM_S)
        await asyncio.gather(
            *(_deliver(store, each, known[each.target], settings) for each in claimed)
        )
        if claimed:
            continue
        due = await store.next_notice(known)
        if due is None:
            break
        wait_s = _seconds_until(due, store.clock())
        if time.monotonic() + wait_s > ends:
            return True
        await asyncio.sleep(wait_s)
    return False


def _seconds_until(moment: datetime, now: datetime) -> float:
    return max((moment - now).total_seconds(), 0.0)


async def _deliver(store: JobStore, notice: Notice, target: Target, settings: Settings) -> None:
    """Try once to deliver a notice, and note what came of it."""
    try:
        message = await message_of(store, notice)
        answer = await _within(SEND_S, lambda: send(target, message, settings))
    except TimeoutError:
        await _failed(store, notice, f"it did not answer within {SEND_S:.0f} s")
    except NoticeNotDelivered as error:
        await _failed(store, notice, error.reason, for_good=error.for_good)
    except BilancioError as error:
        await _failed(store, notice, str(error))
    except Exception as error:
        log.exception("a notice to %s failed", notice.target)
        await _failed(store, notice, error_text(error))
    else:
        failpoint("after-notice")
        await store.notice_delivered(notice, answer)


async def _failed(store: JobStore, notice: Notice, why: str, *, for_good: bool = False) -> None:
    left = 0 if for_good else ATTEMPTS - notice.attempts
    await store.notice_failed(notice, why, retry_s(notice.attempts) if left > 0 else None)


def retry_s(attempts: int) -> float:
    """Return how many seconds after so many attempts the next one follows."""
    return min(FIRST_RETRY_S * 2.0 ** (attempts - 1), LAST_RETRY_S)


async def _within(seconds: float, call: Callable[[], T]) -> T:
    """Return what *call* returns, from a thread that nothing waits for when time is up.

    Raises
    ------
    TimeoutError
        It takes longer. It may still come to its end.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: Exception | None) -> None:
        if done.done():
            return
        if error is None:
            done.set_result(result)  # type: ignore[arg-type]  # T, unless there is an error
        else:
            done.set_exception(error)

    def run() -> None:
        result, failed = None, None
        try:
            result = call()
        except Exception as error:  # noqa: BLE001 - raised where it is waited for
            failed = error
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, result, failed)

    threading.Thread(target=run, name="notice", daemon=True).start()
    return await asyncio.wait_for(done, seconds)
