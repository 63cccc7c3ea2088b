"""Run the checks of machine, settings, store, jobs, workers and manifests; repair on request."""

from pathlib import Path

from bilancio.errors import (
    BilancioError,
    InvalidInput,
    NotAStore,
    StoreCorrupt,
    StoreError,
    StoreTooNew,
)
from bilancio.jobs.maintenance.checks import MACHINE_CHECKS, STORE_CHECKS
from bilancio.jobs.maintenance.checks.base import RESTORE, Checked, Issue, error
from bilancio.jobs.maintenance.reports import Diagnosis
from bilancio.jobs.session import Session
from bilancio.jobs.store import locate
from bilancio.settings import Settings, redact_url


async def examine(session: Session, *, repair: bool) -> Diagnosis:
    """Run every check; with *repair*, repair what can be without asking.

    A store that cannot be used is a finding, not an error; none is made where there is none.
    """
    settings = session.settings
    found = [each for check in MACHINE_CHECKS for each in check(settings)]
    path = _store_file(settings)
    if path is not None:
        found += await _examine_store(path, session)
    issues = [each for each in found if isinstance(each, Issue)]
    repaired, left = await _repair(issues) if repair else ([], issues)
    return Diagnosis(
        store=redact_url(settings.database_url),
        checked=tuple(each.what for each in found if isinstance(each, Checked)),
        findings=tuple(issue.finding for issue in left),
        repaired=tuple(repaired),
    )


def diagnose_settings(fault: InvalidInput) -> Diagnosis:
    """Return the diagnosis where the settings are so wrong that nothing else can be checked."""
    repair = "Correct or unset the environment variable BILANCIO_<NAME>."
    findings = tuple(error(str(problem), repair).finding for problem in fault.problems)
    return Diagnosis(store="", checked=("settings",), findings=findings)


def _store_file(settings: Settings) -> Path | None:
    """Return the store's file; None where the address is wrong or refused, which is a finding."""
    try:
        place = locate(settings.database_url)
    except (InvalidInput, StoreError):
        return None
    return None if place.network else place.file


async def _examine_store(path: Path, session: Session) -> list[Checked | Issue]:
    try:
        await session.store()
    except StoreError as fault:
        return [_store_issue(fault, path)]
    if not path.exists():
        return [Checked("no store yet: the first job creates it")]
    found: list[Checked | Issue] = []
    for check in STORE_CHECKS:
        try:
            found += [each async for each in check(session)]
        except StoreError as fault:
            found.append(_store_issue(fault, path))
    return found


async def _repair(issues: list[Issue]) -> tuple[list[str], list[Issue]]:
    """Repair what can be; return what was repaired, and what is left."""
    repaired, left = [], []
    for issue in issues:
        if issue.fix is None:
            left.append(issue)
            continue
        try:
            await issue.fix()
        except (BilancioError, OSError) as fault:
            advice = f"{issue.finding.repair} (The repair failed: {fault})"
            left.append(Issue(issue.finding.model_copy(update={"repair": advice})))
        else:
            repaired.append(issue.finding.message)
    return repaired, left


def _store_issue(fault: StoreError, path: Path) -> Issue:
    match fault:
        case NotAStore():
            repair = "Set BILANCIO_DATABASE_URL to another file."
        case StoreTooNew():
            repair = "Upgrade bilancio, or set BILANCIO_DATABASE_URL to another file."
        case StoreCorrupt():
            repair = (
                f"{RESTORE}, {path}. Without one, move {path.name} and {path.name}-wal away and "
                "import the jobs from their files: bilancio jobs import out/experiments."
            )
        case _:
            repair = "Remove the cause and run bilancio doctor again."
    return error(str(fault), repair)
