"""Checks of notices: whether their targets can be sent to, and whether they were delivered."""

import functools
from collections.abc import AsyncIterator, Collection, Iterator

from bilancio.errors import InvalidInput, LibraryMissing
from bilancio.jobs.maintenance.checks.base import (
    LISTED,
    NO_ACTION,
    Checked,
    Issue,
    info,
    warning,
)
from bilancio.jobs.notices.listing import PendingNotice, notices
from bilancio.jobs.session import Session
from bilancio.notify.targets import check, known_targets, targets
from bilancio.settings import Settings
from bilancio.text import plural


def check_targets(settings: Settings) -> Iterator[Checked | Issue]:
    """Look whether each target of the settings can be sent to; nothing is sent."""
    try:
        known = targets(settings)
    except InvalidInput as fault:
        yield warning(f"No notice can be sent: {fault}", "Correct or unset BILANCIO_NOTIFY.")
        return
    for target in known.values():
        try:
            check(target, settings)
        except LibraryMissing as fault:
            yield warning(str(fault), f"Install it, or take {target.name} out of BILANCIO_NOTIFY.")
        except InvalidInput as fault:
            yield warning(f"Nothing can be sent to {target.name}: {fault}", "Correct the setting.")
    if known:
        yield Checked(f"targets of notices: {', '.join(known)}")


async def check_notices(session: Session) -> AsyncIterator[Checked | Issue]:
    """Look which notices wait, and which were given up."""
    known = known_targets(session.settings)
    pending = await notices(session)
    yield Checked(f"{plural(len(pending), 'notice')} not delivered")
    for notice in pending[:LISTED]:
        if notice.state == "waiting":
            yield info(_waits(notice), _advice(notice, known), job_id=notice.job_id)
        else:
            store = await session.store()
            yield warning(
                f"A notice of job {notice.job_id} to {notice.target} was given up after "
                f"{plural(notice.attempts, 'attempt')}: {notice.error}.",
                f"Find the cause by `bilancio notify test {notice.target}`; then `bilancio doctor "
                "--repair` has it tried again.",
                job_id=notice.job_id,
                fix=functools.partial(store.repost, notice.job_id),
            )


def _waits(notice: PendingNotice) -> str:
    tried = plural(notice.attempts, "attempt")
    why = f", {tried}: {notice.error}" if notice.error else ""
    return f"A notice of job {notice.job_id} to {notice.target} waits{why}."


def _advice(notice: PendingNotice, known: Collection[str]) -> str:
    if notice.target in known:
        return f"{NO_ACTION} It is tried again by whatever uses bilancio next."
    return f"Name the address of {notice.target} in BILANCIO_NOTIFY."
