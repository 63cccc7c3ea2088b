"""What a check is, and the pieces that checks share."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from typing import NamedTuple

from bilancio.jobs.maintenance.reports import Finding, Severity
from bilancio.jobs.session import Session
from bilancio.settings import Settings

#: Items of a list that are named in a finding; the rest is counted.
LISTED = 20

RESTORE = "Restore the store from a backup: copy the backup to where the store is"
NO_ACTION = "No action needed."

#: Repairs what a finding is about; running it again changes nothing.
Fix = Callable[[], Awaitable[object]]


class Checked(NamedTuple):
    """Something that a check has looked at, in a few words with how much of it there was."""

    what: str


class Issue(NamedTuple):
    """A finding, and its repair where that can be done without asking."""

    finding: Finding
    fix: Fix | None = None


MachineCheck = Callable[[Settings], Iterator[Checked | Issue]]
StoreCheck = Callable[[Session], AsyncIterator[Checked | Issue]]


def error(message: str, repair: str, *, job_id: str | None = None) -> Issue:
    """Return the finding of something that is lost or does not work."""
    return _issue(Severity.ERROR, message, repair, job_id)


def warning(
    message: str, repair: str, *, job_id: str | None = None, fix: Fix | None = None
) -> Issue:
    """Return the finding of something that is wrong and can be repaired."""
    return _issue(Severity.WARNING, message, repair, job_id, fix)


def info(message: str, repair: str, *, job_id: str | None = None, fix: Fix | None = None) -> Issue:
    """Return the finding of something worth knowing that is not wrong."""
    return _issue(Severity.INFO, message, repair, job_id, fix)


def _issue(
    severity: Severity, message: str, repair: str, job_id: str | None, fix: Fix | None = None
) -> Issue:
    finding = Finding(severity=severity, message=message, repair=repair, job_id=job_id)
    return Issue(finding, fix)


def cut(texts: Iterable[str], limit: int = LISTED) -> list[str]:
    """Return the first of *texts*, and how many more there are."""
    every = list(texts)
    more = [f"and {len(every) - limit} more"] if len(every) > limit else []
    return every[:limit] + more
