"""Write a replication package: what is needed to compute a job's results again elsewhere."""

import asyncio
import os
import secrets
import shutil
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from bilancio.errors import JobStateError, OutputError, ResultsMissing
from bilancio.experiments import registry
from bilancio.experiments.sources import Sources, sources_of
from bilancio.jobs.artifacts.ownership import mark_of
from bilancio.jobs.documents.accompanying import (
    citation,
    environment,
    named_authors,
    readme,
    script,
)
from bilancio.jobs.documents.documents import Format, Package
from bilancio.jobs.documents.gathering import page_of
from bilancio.jobs.documents.pictures import drawn
from bilancio.jobs.documents.reporting import FILES, written
from bilancio.jobs.lookup import find_with_runs
from bilancio.jobs.maintenance import transfer
from bilancio.jobs.models import Job
from bilancio.jobs.plots.studied import studied
from bilancio.jobs.session import Session
from bilancio.paths import absolute_path
from bilancio.report.page import Command

DATA, FIGURES, CODE = "data", "figures", "code"
COMMANDS = (
    Command(
        what="Compute every run again, and compare runs and tables bit by bit:",
        command="./replicate.sh",
    ),
)
EARLIEST = (1980, 1, 1, 0, 0, 0)  # that a ZIP file can say
EXECUTABLE, PLAIN = 0o755, 0o644


async def package(
    session: Session,
    name: str,
    out: Path | str | None,
    *,
    zipped: bool,
    authors: Sequence[str],
) -> Package:
    """Write a replication package; see `documents.package`."""
    named = named_authors(authors)
    found = await find_with_runs(session, name)
    job = found.job
    _refuse(job)
    parent = absolute_path("out", out if out is not None else Path())
    stem = f"{job.job_id}-replication"
    target = parent / (f"{stem}.zip" if zipped else stem)
    if target.exists() or target.is_symlink():
        raise OutputError(str(target), "it is there already")
    partial = parent / f".{stem}-{secrets.token_hex(4)}"
    try:
        try:
            await asyncio.to_thread(partial.mkdir, parents=True)
            await _fill(session, job, partial, named)
            files = _files(partial)
            if zipped:
                await asyncio.to_thread(_zip, partial, files, stem, target)
            else:
                partial.rename(target)
        finally:
            await asyncio.to_thread(shutil.rmtree, partial, ignore_errors=True)
    except OSError as error:
        raise OutputError(str(target), error.strerror or str(error)) from error
    return Package(job=job, reading=found.reading, path=target, files=tuple(files))


def _refuse(job: Job) -> None:
    """Refuse a job that nobody else could compute again.

    Raises
    ------
    JobStateError, ResultsMissing
    """
    if job.manual:
        advice = "Its runs were recorded manually, and only their owner can compute them again."
        raise JobStateError(job.job_id, job.state, "packaged", advice)
    if job.state == "running":
        raise JobStateError(job.job_id, job.state, "packaged", "Wait for its end, or cancel it.")
    if not job.completed_runs:
        raise ResultsMissing(job.job_id, "no run is recorded, so there is nothing to package.")


async def _fill(
    session: Session, job: Job, folder: Path, authors: Sequence[Mapping[str, str]]
) -> None:
    """Write all files of a package into a new folder."""
    await transfer.export_job(session, job.job_id, folder / DATA)
    page = replace(await page_of(session, job, pictures=True), files=(), commands=COMMANDS)
    sources = await asyncio.to_thread(sources_of, _address(job))
    texts = {
        FILES[Format.HTML]: await asyncio.to_thread(written, page, Format.HTML),
        "README.md": readme(job, page, sources),
        "CITATION.cff": citation(job, authors),
        "replicate.sh": script(job),
        **environment(sources),
    }
    await _draw(session, job, folder / FIGURES)
    await asyncio.to_thread(_write, folder, texts, sources)


def _address(job: Job) -> str:
    """Return where the experiment of a job is; empty where it is built in."""
    found = registry.plugins().experiments.get(job.config.sweep_type)
    return "" if found is None else found.address


async def _draw(session: Session, job: Job, folder: Path) -> None:
    from bilancio.report import drawing  # matplotlib is optional

    folder.mkdir()
    for each in await drawn(await studied(await session.store(), job)):
        png = await asyncio.to_thread(drawing.png, each.picture)
        svg = await asyncio.to_thread(drawing.svg, each.picture)
        (folder / f"{each.kind}.png").write_bytes(png)
        (folder / f"{each.kind}.svg").write_text(f"{mark_of(job)}\n{svg}", encoding="utf-8")


def _write(folder: Path, texts: dict[str, str], sources: Sources) -> None:
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8", newline="")
    (folder / "replicate.sh").chmod(EXECUTABLE)
    code = folder / CODE
    code.mkdir()
    for name, path in sources.files.items():
        place = code / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)
    (code / "pyproject.toml").write_text(sources.project, encoding="utf-8")


def _files(folder: Path) -> list[str]:
    return sorted(str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file())


def _zip(folder: Path, files: list[str], stem: str, target: Path) -> None:
    """Write a ZIP file of a folder; it is there whole or not at all."""
    partial = folder / f"{stem}.zip"
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in files:
            entry = zipfile.ZipInfo(f"{stem}/{name}", EARLIEST)
            entry.compress_type = zipfile.ZIP_DEFLATED
            mode = EXECUTABLE if os.access(folder / name, os.X_OK) else PLAIN
            entry.external_attr = (0o100000 | mode) << 16
            with (folder / name).open("rb") as read, packed.open(entry, "w") as write:
                shutil.copyfileobj(read, write)
    partial.rename(target)
