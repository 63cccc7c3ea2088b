"""`bilancio jobs import|export|verify|delete|backup`: keep jobs, move them, prove them."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from bilancio import text as words
from bilancio.cli.context import (
    AsJson,
    ExactName,
    JobName,
    emit,
    known_names,
    name_of,
    with_manager,
)
from bilancio.cli.parsing import whole
from bilancio.errors import InvalidInput, Problem
from bilancio.jobs.maintenance.reports import Deletion, Difference, Imported, Verification
from bilancio.jobs.manager import AsyncJobManager
from bilancio.jobs.models import Job


def import_jobs(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH", help="A job_manifest.json, a job's folder, or a folder of such folders."
        ),
    ],
    *,
    as_json: AsJson = False,
) -> None:
    """Store the jobs of manifests, with the results that lie beside them.

    What is there already, with the same configuration, stays as it is, so that
    one can import again and again.

    Example:

      $ bilancio jobs import out/experiments
    """
    found = with_manager(lambda manager: manager.import_jobs(paths))
    if as_json:
        emit(found)
    else:
        _show_imported(found)
    raise typer.Exit(1 if found.refused else 0)


def export(
    job: Annotated[
        str,
        typer.Argument(
            metavar="JOB", help="The job's name, as one word.", autocompletion=known_names
        ),
    ],
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FOLDER]", help="Where its folder is made; where it is, if left out."
        ),
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Write a job's manifest and tables again from the store.

    Another store reads them in with bilancio jobs import.

    Example:

      $ bilancio jobs export bright-ocean-swift-tiger ~/paper/data
    """
    files = with_manager(lambda manager: manager.export_job(job, folder))
    if as_json:
        emit({"files": files})
        return
    for path in files.values():
        typer.echo(path)


def verify(
    job: JobName,
    *,
    sample: Annotated[
        str,
        typer.Option(metavar="N", help="How many runs, spread evenly; the first and last are in."),
    ] = "100",
    every: Annotated[bool, typer.Option("--all", metavar="", help="Every run.")] = False,
    seed: Annotated[
        str | None, typer.Option(metavar="N", help="Draw the runs instead, by this seed.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compute recorded runs again and compare them with the store, bit by bit.

    The exit code is 1 where a run differs.

    Example:

      $ bilancio jobs verify bright-ocean-swift-tiger --sample 500
    """
    count = None if every else whole("sample", sample)
    drawn_by = None if seed is None else whole("seed", seed)

    async def compare(manager: AsyncJobManager) -> Verification:
        found = await manager.find_job(name_of(job))
        if found.reading:
            typer.echo(f"Job {found.job.job_id}: {found.reading}.", err=True)
        return await manager.verify(
            found.job.job_id, sample=count, seed=drawn_by, tell=_meter("compared")
        )

    found = with_manager(compare)
    if as_json:
        emit({"same": found.same, **found.model_dump(mode="json")})
    else:
        _show_verified(found)
    raise typer.Exit(0 if found.same else 1)


def delete(
    job: ExactName,
    *,
    keep_files: Annotated[
        bool,
        typer.Option(
            "--keep-files", metavar="", help="Delete it from the store only; its files stay."
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", metavar="", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete a job for good: its results in the store, and the files bilancio wrote.

    Files of others in its folder stay. With --keep-files its manifest becomes
    job_manifest.deleted.json, from which it can be imported.

    Example:

      $ bilancio jobs delete bright-ocean-swift-tiger
    """

    async def remove(manager: AsyncJobManager) -> Deletion | None:
        known = await manager.exact(name_of(job))
        if not yes and not _sure(known, keep_files=keep_files):
            return None
        return await manager.delete_job(known.job_id, files=not keep_files)

    done = with_manager(remove)
    if done is None:
        typer.echo("Nothing was deleted.", err=True)
        raise typer.Exit(1)
    if as_json:
        emit(done)
        return
    files = f", with {len(done.removed)} files" if done.removed else ""
    typer.echo(f"Job {done.job_id} is deleted{files}.")
    if done.left:
        typer.echo(f"In {done.folder} stay: {', '.join(done.left)}.")


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file that does not exist yet.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Copy the whole store to a file, while workers go on.

    The copy is a store: BILANCIO_DATABASE_URL=FILE looks into it. To restore
    it, end everything that uses bilancio, move the store and the files beside
    it that end in -wal and -shm away, and copy the backup to the store's place
    (bilancio doctor names it).

    Example:

      $ bilancio jobs backup ~/backups/bilancio-monday.db
    """
    copy = with_manager(lambda manager: manager.backup(file))
    size = copy.stat().st_size
    if as_json:
        emit({"file": str(copy), "bytes": size})
        return
    typer.echo(f"The store is copied to {copy} ({size / (1 << 20):,.1f} MiB).")


def _sure(job: Job, *, keep_files: bool) -> bool:
    """Ask whether a job is to be deleted; where nobody can answer, refuse."""
    if not sys.stdin.isatty():
        got = "nothing, and there is no terminal to ask on"
        raise InvalidInput([Problem("--yes", got, "--yes, to delete for good")])
    what = (
        "its results in the store" if keep_files else f"its results and the files in {job.folder}"
    )
    done = f"{job.state}, {words.runs(job.completed_runs)}"
    typer.echo(f"Job {job.job_id} ({done}): {job.description}", err=True)
    return typer.confirm(f"Delete {what} for good?", default=False, err=True)


class _Meter:
    """Tells on stderr how far something is: on a terminal in one line, else not at all."""

    def __init__(self, done_word: str) -> None:
        self._word = done_word

    def __call__(self, done: int, total: int) -> None:
        if sys.stderr.isatty():
            typer.echo(
                f"\r{done:,} of {words.runs(total)} {self._word}", err=True, nl=done == total
            )


def _meter(done_word: str) -> _Meter:
    return _Meter(done_word)


def _show_imported(found: Imported) -> None:
    for job in found.jobs:
        typer.echo(f"Job {job.job_id} is here: {job.state}, {words.runs(job.completed_runs)}.")
    for job in found.already_there:
        typer.echo(f"Job {job.job_id} was here already; nothing was changed.")
    for path, reason in found.refused.items():
        typer.echo(reason if path in reason else f"{path}: {reason}", err=True)
    total = len(found.jobs) + len(found.already_there) + len(found.refused)
    if total > 1:
        typer.echo(
            f"{len(found.jobs):,} imported, {len(found.already_there):,} already there, "
            f"{len(found.refused):,} refused."
        )


def _show_verified(found: Verification) -> None:
    checked = f"{found.checked_runs:,} of {words.runs(found.recorded_runs)}"
    if found.same:
        typer.echo(f"Job {found.job_id}: {checked} computed again, all the same to the last bit.")
    else:
        typer.echo(
            f"Job {found.job_id}: {checked} computed again, {found.differing_runs:,} differ."
        )
    for difference in found.differences:
        typer.echo(f"  {_said(difference)}")
    if found.differing_runs > len(found.differences):
        typer.echo(f"  and {found.differing_runs - len(found.differences):,} more")
    for name, version in found.versions.items():
        before = found.stored_versions.get(name)
        if before != version:
            typer.echo(f"  {name}: stored with {before or 'an unknown version'}, now {version}")
    if found.versions == found.stored_versions:
        typer.echo(
            f"Engine {found.versions['engine']}, numpy {found.versions['numpy']}, as before."
        )


def _said(difference: Difference) -> str:
    if difference.error is not None:
        return f"{difference.run_id}: {difference.error}"
    metrics = ", ".join(
        f"{name} {stored!r} is now {computed!r}"
        for name, (stored, computed) in difference.metrics.items()
    )
    return f"{difference.run_id}: {metrics}"
