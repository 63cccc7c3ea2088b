"""Bring jobs in from their manifests, and write their files again from the store."""

from collections.abc import Sequence
from pathlib import Path

from bilancio.errors import InvalidInput
from bilancio.jobs.artifacts import importing, tables
from bilancio.jobs.lookup import find, import_manifest
from bilancio.jobs.maintenance.reports import Imported
from bilancio.jobs.models import Job
from bilancio.jobs.session import Session


async def import_job(session: Session, path: Path | str) -> Job:
    """Store the job of a manifest; see `AsyncJobManager.import_job`."""
    manifest = importing.manifests_at(Path(path))[0]
    return (await import_manifest(session, manifest))[0]


async def import_jobs(session: Session, paths: Sequence[Path | str]) -> Imported:
    """Store the jobs of several manifests; see `AsyncJobManager.import_jobs`."""
    new: list[Job] = []
    known: list[Job] = []
    refused: dict[str, str] = {}
    for path in paths:
        try:
            manifests = importing.manifests_at(Path(path))
        except InvalidInput as error:
            refused[str(path)] = str(error)
            continue
        for manifest in manifests:
            try:
                job, added = await import_manifest(session, manifest)
            except (InvalidInput, OSError) as error:
                refused[str(manifest)] = str(error)
            else:
                (new if added else known).append(job)
    return Imported(jobs=tuple(new), already_there=tuple(known), refused=refused)


async def export_job(session: Session, name: str, folder: Path | str | None) -> dict[str, str]:
    """Write a job's files again; see `AsyncJobManager.export_job`."""
    job = (await find(session, name)).job
    if folder is not None:
        out_dir = Path(folder).expanduser().absolute()
        job = job.model_copy(update={"out_dir": out_dir})
    await tables.write_files(await session.store(), job)
    return tables.present(job)
