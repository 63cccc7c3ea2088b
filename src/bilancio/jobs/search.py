"""List jobs, including those known only from manifests in the output folder."""

from bilancio.errors import invalid
from bilancio.jobs.artifacts import discovery
from bilancio.jobs.lookup import with_stall
from bilancio.jobs.models import JobStatus
from bilancio.jobs.paging import check_page
from bilancio.jobs.session import Session
from bilancio.jobs.texts import check_texts
from bilancio.jobs.views import Page


async def list_jobs(
    session: Session,
    *,
    status: JobStatus | str | None = None,
    tag: str | None = None,
    text: str | None = None,
    limit: int = 20,
    offset: int = 0,
) -> Page:
    """Return jobs, newest first: those with a status, a tag, or a text in their words.

    Jobs known only from manifests in the output folder are imported first.
    """
    allowed = [each.value for each in JobStatus]
    if status is not None and status not in allowed:
        raise invalid("status", str(status), ", ".join(allowed))
    check_texts({"tag": tag or "", "text": text or ""})
    check_page(limit, offset)
    store = await session.store()
    roots = discovery.search_roots(session.settings.out_dir)
    refused = await discovery.import_unknown(store, roots)
    wanted = None if status is None else JobStatus(status)
    found = await store.jobs(status=wanted, tag=tag, text=text, limit=limit, offset=offset)
    seen = tuple([await with_stall(session, job) for job in found.jobs])
    return Page(
        jobs=seen,
        total=found.total,
        offset=offset,
        damaged=tuple(found.damaged),
        refused_manifests=refused,
    )
