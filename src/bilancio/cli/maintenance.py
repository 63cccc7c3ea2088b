"""`bilancio jobs import|export|verify|delete|backup|copy`: move jobs, check them, remove them."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from bilancio.cli.context import AsJson, ExactName, JobName, known_names, name_of, with_manager
from bilancio.cli.parsing import command
from bilancio.cli.render.console import Output, can_move, emit
from bilancio.errors import InvalidInput, Problem, invalid
from bilancio.jobs.maintenance.reports import Deletion, Difference, Imported, Verification
from bilancio.jobs.manager import AsyncJobManager
from bilancio.jobs.models import Job
from bilancio.paths import absolute_path
from bilancio.text import deleted, plural, runs
from bilancio.validation import nearest, parse_int

RUN_FORMATS = ("csv", "parquet")


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this module to those that concern jobs."""
    command(
        app,
        "import",
        "Store the jobs of manifests, with the results that lie beside them.\n\n"
        "A job that is already stored with the same configuration stays as it is, so that "
        "an import can be repeated.",
        "bilancio jobs import out/experiments",
    )(import_jobs)
    command(
        app,
        "export",
        "Write a job's manifest and tables again from the store.\n\n"
        "Another store reads them with `bilancio jobs import`.",
        "bilancio jobs export bright-ocean-swift-tiger ~/paper/data",
    )(export)
    command(
        app,
        "verify",
        "Compute recorded runs again and compare them with the store, bit by bit.\n\n"
        "The exit code is 1 where a run differs.",
        "bilancio jobs verify bright-ocean-swift-tiger --sample 500",
    )(verify)
    command(
        app,
        "backup",
        "Copy the whole store to a file, while workers continue.\n\n"
        "The copy is a store: BILANCIO_DATABASE_URL=FILE opens it. To restore it, end "
        "everything that uses bilancio, move the store and the files beside it that end in "
        "-wal and -shm away, and copy the backup to the store's place (`bilancio doctor` "
        "names it).",
        "bilancio jobs backup ~/bilancio-monday.db",
    )(backup)
    command(
        app,
        "copy",
        "Copy all jobs, with their results, into another store, such as a team's.\n\n"
        "A job that is there already stays as it is, so that a copy can be repeated. No job may "
        "run meanwhile. Files of jobs stay where they are.",
        "bilancio jobs copy postgresql://lab@db.example/bilancio",
    )(copy)
    command(
        app,
        "delete",
        "Delete a job for good: its results in the store, and the files bilancio wrote.\n\n"
        "Other files in its folder stay. With --keep-files its manifest becomes "
        "job_manifest.deleted.json, from which it can be imported.",
        "bilancio jobs delete bright-ocean-swift-tiger",
    )(delete)


def import_jobs(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH", help="A job_manifest.json, a job's folder, or a folder of such folders."
        ),
    ],
    *,
    as_json: AsJson = False,
) -> None:
    """Import jobs."""
    given = [absolute_path("path", path) for path in paths]
    found = with_manager(lambda manager: manager.import_jobs(given))
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
        str | None,
        typer.Argument(
            metavar="[FOLDER]",
            help="Where its folder is made. Default: where it is.",
        ),
    ] = None,
    *,
    table_format: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="parquet writes runs.parquet, too. Default: csv.",
        ),
    ] = "csv",
    as_json: AsJson = False,
) -> None:
    """Export one job."""
    target = None if folder is None else absolute_path("folder", folder)
    if table_format not in RUN_FORMATS:
        allowed, meant = " or ".join(RUN_FORMATS), nearest(table_format, RUN_FORMATS)
        raise invalid("format", table_format, allowed, meant)
    parquet = table_format == "parquet"
    files = with_manager(lambda manager: manager.export_job(job, target, parquet=parquet))
    if as_json:
        emit({"files": files})
        return
    output = Output()
    for path in files.values():
        output.say(str(path))


def verify(
    job: JobName,
    *,
    sample: Annotated[
        str,
        typer.Option(
            metavar="N", help="How many runs, spread evenly, the first and the last among them."
        ),
    ] = "100",
    every: Annotated[bool, typer.Option("--all", metavar="", help="Every run.")] = False,
    seed: Annotated[
        str | None, typer.Option(metavar="N", help="Draw the runs at random, by this seed.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Verify one job."""
    count = None if every else parse_int("sample", sample)
    drawn_by = None if seed is None else parse_int("seed", seed)

    async def compare(manager: AsyncJobManager) -> Verification:
        found = await manager.find_job(name_of(job))
        Output(as_json).reading(found)
        with _comparing(Output(as_json)) as tell:
            return await manager.verify(found.job.job_id, sample=count, seed=drawn_by, tell=tell)

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
    """Delete one job."""

    async def remove(manager: AsyncJobManager) -> Deletion | None:
        known = await manager.exact(name_of(job))
        if not yes and not _confirmed(known, keep_files=keep_files):
            return None
        return await manager.delete_job(known.job_id, files=not keep_files)

    output = Output(as_json)
    done = with_manager(remove)
    if done is None:
        output.note("Nothing was deleted.")
        raise typer.Exit(1)
    if as_json:
        emit(done)
        return
    output.say(deleted(done.job_id, done.removed, done.left, str(done.folder)))


def backup(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A file that does not exist yet.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Back the store up."""
    copy = with_manager(lambda manager: manager.backup(absolute_path("file", file)))
    size = copy.stat().st_size
    if as_json:
        emit({"file": str(copy), "bytes": size})
        return
    Output().say(f"The store is copied to {copy} ({size / (1 << 20):,.1f} MiB).")


def copy(
    url: Annotated[str, typer.Argument(metavar="URL", help="The other store, as in settings.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Copy the jobs of the store into another."""
    done = with_manager(lambda manager: manager.copy_jobs(url))
    if as_json:
        emit(done)
        return
    there = f"; {len(done.already_there):,} were there" if done.already_there else ""
    Output().say(f"{plural(len(done.copied), 'job')} copied to {done.store}{there}.")


def _confirmed(job: Job, *, keep_files: bool) -> bool:
    """Ask whether a job is to be deleted; without a terminal to ask on, refuse."""
    if sys.stdin is None or not sys.stdin.isatty():
        got = "nothing, and there is no terminal to ask on"
        raise InvalidInput([Problem("--yes", got, "--yes, to delete for good")])
    what = (
        "its results in the store" if keep_files else f"its results and the files in {job.folder}"
    )
    output = Output()
    output.note(f"Job {job.job_id} ({job.state}, {runs(job.completed_runs)}): {job.description}")
    output.note(f"Delete {what} for good? Type y for yes:")
    return sys.stdin.readline().strip().casefold() in {"y", "yes"}


@contextmanager
def _comparing(output: Output) -> Iterator[Callable[[int, int], None]]:
    """Tell on a terminal how many runs have been compared."""
    if not can_move(sys.stderr):
        yield lambda _done, _total: None
        return
    from bilancio.cli.render.progress import moving_bar  # rich, which nothing else here needs

    with moving_bar(output) as move:
        yield lambda done, total: move(done, total, f"{done:,} of {runs(total)} compared")


def _show_imported(found: Imported) -> None:
    output = Output()
    for job in found.jobs:
        output.say(f"Job {job.job_id} is imported: {job.state}, {runs(job.completed_runs)}.")
    for job in found.updated:
        done = f"{job.state}, {runs(job.completed_runs)}"
        output.say(f"Job {job.job_id} is stored anew from its files: {done}.")
    for job in found.already_there:
        output.say(f"Job {job.job_id} was stored already; nothing was changed.")
    for path, reason in found.refused.items():
        output.note(_with(path, reason))
    for path, reason in found.left_out.items():
        output.note(f"A damaged table was left out: {_with(path, reason)}")
    new = len(found.jobs) + len(found.updated)
    if new + len(found.already_there) + len(found.refused) > 1:
        output.say(
            f"{new:,} imported, {len(found.already_there):,} already stored, "
            f"{len(found.refused):,} refused."
        )


def _with(path: str, reason: str) -> str:
    return reason if path in reason else f"{path}: {reason}"


def _show_verified(found: Verification) -> None:
    output = Output()
    checked = f"{found.checked_runs:,} of {runs(found.recorded_runs)}"
    verdict = "all identical" if found.same else f"{found.differing_runs:,} differ"
    output.say(f"Job {found.job_id}: {checked} computed again, {verdict}.")
    for difference in found.differences:
        output.say(f"  {_difference(difference)}")
    if found.differing_runs > len(found.differences):
        output.say(f"  and {found.differing_runs - len(found.differences):,} more")
    for name, version in found.versions.items():
        before = found.stored_versions.get(name)
        if before != version:
            output.say(f"  {name}: stored with {before or 'an unknown version'}, now {version}")
    if found.versions == found.stored_versions:
        output.say(
            f"Engine {found.versions['engine']}, numpy {found.versions['numpy']}, as before."
        )


def _difference(difference: Difference) -> str:
    if difference.error is not None:
        return f"{difference.run_id}: {difference.error}"
    metrics = ", ".join(
        f"{name} {stored!r} is now {computed!r}"
        for name, (stored, computed) in difference.metrics.items()
    )
    return f"{difference.run_id}: {metrics}"
