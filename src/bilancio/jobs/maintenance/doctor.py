"""Run the checks of machine, settings, store, jobs, workers and manifests; repair on request."""

from pathlib import Path

from bilancio.errors import (
    BilancioError,
    InvalidInput,
    LibraryMissing,
    NotAStore,
    StoreCorrupt,
    StoreError,
    StoreTooNew,
)
from bilancio.jobs.maintenance.checks import MACHINE_CHECKS, STORE_CHECKS
from bilancio.jobs.maintenance.checks.base import RESTORE, Checked, Issue, error
from bilancio.jobs.maintenance.reports import Diagnosis
from bilancio.jobs.session import Session
from bilancio.jobs.store import Location, locate
from bilancio.settings import Settings, redact_url, variable_of


async def examine(session: Session, *, repair: bool) -> Diagnosis:
    """Run every check; with *repair*, repair what can be without asking.

    A store that cannot be used is a finding, not an error; none is made where there is none.
    """
    settings = session.settings
    found = [each for check in MACHINE_CHECKS for each in check(settings)]
    place = _usable(settings)
    if place is not None:
        found += await _examine_store(place.file, session)
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
    findings = tuple(
        error(str(problem), f"Set {variable_of(problem.field)} to what is allowed.").finding
        for problem in fault.problems
    )
    return Diagnosis(store="", checked=("settings",), findings=findings)


def _usable(settings: Settings) -> Location | None:
    """Return where the store is; None where the address is wrong or refused, a finding already."""
    try:
        place = locate(settings.database_url)
    except (InvalidInput, StoreError):
        return None
    return None if place.network else place


async def _examine_store(path: Path | None, session: Session) -> list[Checked | Issue]:
    try:
        await session.store()
    except InvalidInput as fault:  # the driver reads addresses, too, and knows its options
        return [error(str(fault), "Correct or unset BILANCIO_DATABASE_URL.")]
    except LibraryMissing as fault:
        return [error(str(fault), "Install it, or unset BILANCIO_DATABASE_URL.")]
    except StoreError as fault:
        return [_store_issue(fault, path)]
    if path is not None and not path.exists():
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


def _store_issue(fault: StoreError, path: Path | None) -> Issue:
    other = "another file" if path is not None else "another database"
    match fault:
        case NotAStore():
            repair = f"Set BILANCIO_DATABASE_URL to {other}."
        case StoreTooNew():
            repair = f"Upgrade bilancio, or set BILANCIO_DATABASE_URL to {other}."
        case StoreCorrupt() if path is not None:
            repair = (
                f"{RESTORE}, {path}. Without one, move {path.name} and {path.name}-wal away and "
                "import the jobs from their files: bilancio jobs import out/experiments."
            )
        case _:
            repair = "Remove the cause and run bilancio doctor again."
    return error(str(fault), repair)
