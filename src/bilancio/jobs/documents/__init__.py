"""What a job leaves for readers elsewhere: a report, and a package from which it is replicated."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bilancio.jobs.documents.documents import Format, Package, Report, format_of
from bilancio.jobs.lookup import find_with_runs
from bilancio.jobs.session import Session

if TYPE_CHECKING:  # numpy
    from bilancio.jobs.documents.gathering import Contents

__all__ = ["Format", "Package", "Report", "contents", "package", "report", "report_text"]


async def report(session: Session, name: str, format: str = "html") -> Report:  # noqa: A002 - as options call it
    """Write a report of what a job has found so far into the job's folder.

    Parameters
    ----------
    format
        `html`: `report.html`, one file with pictures and sortable tables that loads nothing from
        elsewhere; `md`: `report.md`, words and tables for the appendix of a paper.

    Raises
    ------
    JobNotFound, InvalidInput, OutputError, StoreCorrupt
    LibraryMissing
        jinja2, which `html` needs, is not installed. Without matplotlib there are no pictures.
    """
    wanted = format_of(format)
    from bilancio.jobs.documents import reporting  # numpy, and libraries that are optional

    return await reporting.report(session, name, wanted)


async def report_text(session: Session, name: str, format: str = "md") -> str:  # noqa: A002 - as above
    """Return a report as `report` writes it, without writing it.

    Raises
    ------
    JobNotFound, InvalidInput, StoreCorrupt, LibraryMissing
    """
    wanted = format_of(format)
    from bilancio.jobs.documents import reporting  # as above

    return await reporting.report_text(session, name, wanted)


async def contents(session: Session, name: str) -> "Contents":
    """Return what a report tells of a job, part by part, for pages of one's own.

    Raises
    ------
    JobNotFound, InvalidInput, StoreCorrupt
    """
    from bilancio.jobs.documents.gathering import Contents  # as above

    return await Contents.of(session, (await find_with_runs(session, name)).job)


async def package(
    session: Session,
    name: str,
    out: Path | str | None = None,
    *,
    zip: bool = False,  # noqa: A002 - as options call it
    authors: Sequence[str] = (),
) -> Package:
    """Write what is needed to check a job's results elsewhere, and to compute them again.

    A folder `<job>-replication` with manifest, tables, data dictionary, figures, report, exact
    versions, a citation, and `replicate.sh`, which computes all runs again, compares them bit by
    bit, and exits with 0 where all are identical. The modules of the user's own experiment go
    along.

    Parameters
    ----------
    out
        Where the folder is made; the working folder if not given.
    zip
        Whether it becomes one ZIP file.
    authors
        Who is to be cited: people as `Family, Given`, others by name. Their place is kept free
        if none are given.

    Raises
    ------
    JobNotFound, InvalidInput, StoreCorrupt, LibraryMissing
    JobStateError
        It is running, or nothing has been recorded.
    OutputError
        It cannot be written, or is there already.
    """
    from bilancio.jobs.documents import packaging  # as above

    return await packaging.package(session, name, out, zipped=zip, authors=authors)
