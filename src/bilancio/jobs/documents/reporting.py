"""Write a report."""

import asyncio
from pathlib import Path

from bilancio.jobs.artifacts.folder import REPORT, REPORT_MD, write_whole
from bilancio.jobs.artifacts.ownership import make_job_folder
from bilancio.jobs.documents.documents import Format, Report
from bilancio.jobs.documents.gathering import page_of
from bilancio.jobs.lookup import find_with_runs
from bilancio.jobs.models import Job
from bilancio.jobs.session import Session
from bilancio.report.page import Page

FILES = {Format.HTML: REPORT, Format.MD: REPORT_MD}


async def report_text(session: Session, name: str, wanted: Format) -> str:
    """Return a report's text; see `documents.report_text`."""
    job = (await find_with_runs(session, name)).job
    page = await page_of(session, job, pictures=wanted is Format.HTML)
    return await asyncio.to_thread(written, page, wanted)


async def report(session: Session, name: str, wanted: Format) -> Report:
    """Write a report; see `documents.report`."""
    found = await find_with_runs(session, name)
    page = await page_of(session, found.job, pictures=wanted is Format.HTML)
    text = await asyncio.to_thread(written, page, wanted)
    path = await asyncio.to_thread(_keep, found.job, FILES[wanted], text)
    return Report(job=found.job, reading=found.reading, format=wanted, path=path)


def written(page: Page, wanted: Format) -> str:
    """Return a report's text.

    Raises
    ------
    LibraryMissing
        jinja2 is not installed.
    """
    if wanted is Format.MD:
        from bilancio.report.markdown import markdown  # which HTML does without

        return markdown(page)
    from bilancio.report.html import html  # jinja2 is optional

    return html(page)


def _keep(job: Job, name: str, text: str) -> Path:
    make_job_folder(job)
    write_whole(job.folder / name, text, durable=False)
    return job.folder / name
