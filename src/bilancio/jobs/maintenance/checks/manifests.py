"""Checks of the manifests in output folders."""

import asyncio
from collections.abc import AsyncIterator

from bilancio.errors import InvalidInput, JobNotFound
from bilancio.jobs.artifacts import discovery, tables
from bilancio.jobs.artifacts.folder import MANIFEST
from bilancio.jobs.artifacts.foreign import read_manifest
from bilancio.jobs.artifacts.formats import formats_of
from bilancio.jobs.maintenance.checks.base import (
    LISTED,
    Checked,
    Fix,
    Issue,
    cut,
    info,
    warning,
)
from bilancio.jobs.session import Session
from bilancio.jobs.store import EndedJob
from bilancio.text import plural


async def check_manifests(session: Session) -> AsyncIterator[Checked | Issue]:
    """Look whether the manifest of each job that has ended says how it ended."""
    store = await session.store()
    rows = await store.ended_jobs()
    behind = await asyncio.to_thread(lambda: [row for row in rows if _is_behind(row)])
    yield Checked(plural(len(rows), "manifest"))
    gone = [row for row in behind if not row.out_dir.is_dir()]
    for row in behind:
        if row not in gone:
            job_id = row.job_id
            yield warning(
                f"The manifest of job {job_id} is missing or out of date.",
                f"Run `bilancio doctor --repair`, or bilancio jobs export {job_id}.",
                job_id=job_id,
                fix=_rewrite(session, job_id),
            )
    if gone:
        names = ", ".join(cut([row.job_id for row in gone], 3))
        yield info(
            f"The output folders of {plural(len(gone), 'job')} are gone ({names}). "
            "The results are in the store.",
            "To write their files again: bilancio jobs export NAME FOLDER.",
        )


async def check_refused(session: Session) -> AsyncIterator[Checked | Issue]:
    """Look for manifests that searches skip because they cannot be imported."""
    roots = discovery.search_roots(session.settings.out_dir)
    refused = await discovery.refused_manifests(await session.store(), roots)
    yield Checked(f"manifests below {' and '.join(map(str, roots)) or 'no folder'}")
    for path, reason in list(refused.items())[:LISTED]:
        said = reason if str(path) in reason else f"{path}: {reason}"
        yield warning(
            f"A manifest is refused, so that its job is not found: {said}",
            "Repair or remove it, or ask for it where it came from.",
        )
    if len(refused) > LISTED:
        more = plural(len(refused) - LISTED, "more manifest")
        yield warning(f"{more} cannot be imported.", "bilancio jobs import names each of them.")


def _rewrite(session: Session, job_id: str) -> Fix:
    async def rewrite() -> None:
        store = await session.store()
        await store.read_runs(job_id)
        job = await store.job(job_id)
        if job is None:
            raise JobNotFound(job_id)
        await tables.write_files(store, job, formats=formats_of(session.settings))

    return rewrite


def _is_behind(row: EndedJob) -> bool:
    """Return whether the manifest of a job that has ended is missing, or older than its end."""
    try:
        manifest = read_manifest(row.out_dir / row.job_id / MANIFEST)
    except InvalidInput:
        return True
    return (manifest.status, manifest.run_counts.completed) != (row.status, row.completed_runs)
