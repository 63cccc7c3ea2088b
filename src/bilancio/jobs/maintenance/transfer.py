"""Bring jobs in from their manifests, and write their files again from the store."""

import asyncio
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

from bilancio.errors import InvalidInput, JobDamaged, Problem
from bilancio.jobs.artifacts import importing, tables
from bilancio.jobs.artifacts.folder import FIGURES, REPORT, REPORT_MD
from bilancio.jobs.artifacts.formats import exported_formats
from bilancio.jobs.lookup import find_with_runs, load
from bilancio.jobs.maintenance.reports import Imported
from bilancio.jobs.models import Job, JobStatus
from bilancio.jobs.session import Session
from bilancio.jobs.store import JobStore, ReadJob
from bilancio.paths import absolute_path

OTHERS = (FIGURES, REPORT, REPORT_MD)  # that an export does not write


class Change(StrEnum):
    """What importing a manifest did to the store."""

    ADDED = "added"
    UPDATED = "updated"
    NONE = "none"


async def import_job(session: Session, path: Path | str) -> Job:
    """Store the job of a manifest; see `AsyncJobManager.import_job`."""
    manifest = importing.manifests_at(absolute_path("path", path))[0]
    return (await _import(session, manifest, {}))[0]


async def import_jobs(session: Session, paths: Sequence[Path | str]) -> Imported:
    """Store the jobs of several manifests; see `AsyncJobManager.import_jobs`."""
    jobs: dict[Change, list[Job]] = {change: [] for change in Change}
    refused: dict[str, str] = {}
    left_out: dict[str, str] = {}
    for path in paths:
        try:
            manifests = importing.manifests_at(absolute_path("path", path))
        except (InvalidInput, OSError) as error:
            refused[str(path)] = str(error)
            continue
        for manifest in manifests:
            try:
                job, change = await _import(session, manifest, left_out)
            except (InvalidInput, JobDamaged, OSError) as error:
                refused[str(manifest)] = str(error)
            else:
                jobs[change].append(job)
    return Imported(
        jobs=tuple(jobs[Change.ADDED]),
        updated=tuple(jobs[Change.UPDATED]),
        already_there=tuple(jobs[Change.NONE]),
        refused=refused,
        left_out=left_out,
    )


async def export_job(
    session: Session, name: str, folder: Path | str | None, *, parquet: bool = False
) -> dict[str, str]:
    """Write a job's files again; see `AsyncJobManager.export_job`."""
    job = (await find_with_runs(session, name)).job
    if folder is not None:
        job = job.model_copy(update={"out_dir": absolute_path("folder", folder)})
    formats = exported_formats(session.settings, job.folder, parquet=parquet)
    await tables.write_files(await session.store(), job, formats=formats, most=None)
    written = tables.present(job)
    return {name: path for name, path in written.items() if name not in OTHERS}


async def _import(session: Session, manifest: Path, left_out: dict[str, str]) -> tuple[Job, Change]:
    """Import one manifest; where its files tell more than the store, store the job anew.

    Tables that are left out are added to *left_out*.

    Raises
    ------
    InvalidInput
        It cannot be read, or its name is that of a job with another configuration.
    """
    read = await asyncio.to_thread(importing.read_job, manifest)
    left_out |= {str(manifest.with_name(name)): why for name, why in read.left_out.items()}
    store = await session.store()
    added = await store.import_jobs([read])
    job = await load(session, read.row["job_id"])
    if added:
        return job, Change.ADDED
    if job.config_hash != read.row["config_hash"]:
        allowed = "a job with the same configuration, or a name that the store does not have"
        raise InvalidInput([Problem(f"{manifest}: job_id", repr(job.job_id), allowed)])
    if await _tells_more(store, job, read) and await store.replace_job(job, read):
        return await load(session, job.job_id), Change.UPDATED
    return job, Change.NONE


async def _tells_more(store: JobStore, job: Job, read: ReadJob) -> bool:
    """Return whether a manifest and its tables know more of *job* than the store does.

    They do with more recorded runs, or with as many where the stored job has not completed.
    Runs that were recorded manually cannot be computed again, so all of them must be in the files.
    """
    if job.manual and not {*job.run_ids} <= {chunk.run_id for chunk in read.chunks}:
        return False
    if job.state == "running" and not job.manual:
        return False  # its worker computes what is missing
    recorded = sum(last - first + 1 for first, last in await store.recorded(job.job_id))
    on_disk = sum(chunk.last_index - chunk.first_index + 1 for chunk in read.chunks)
    if on_disk != recorded:
        return on_disk > recorded
    told = JobStatus(read.row["status"])
    return told is JobStatus.COMPLETED and job.status is not JobStatus.COMPLETED
