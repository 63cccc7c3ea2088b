"""Change the words about a job."""

from collections.abc import Collection

from bilancio.errors import InvalidInput, Problem, invalid
from bilancio.jobs.artifacts.current import bring_up_to_date
from bilancio.jobs.lookup import exact, load
from bilancio.jobs.models import Job
from bilancio.jobs.session import Session
from bilancio.jobs.store import Edit
from bilancio.jobs.texts import check_name, check_texts, checked_tags
from bilancio.validation import nearest


async def edit_job(
    session: Session,
    job_id: str,
    *,
    description: str | None = None,
    notes: str | None = None,
    tags: Collection[str] | None = None,
    add_tags: Collection[str] = (),
    remove_tags: Collection[str] = (),
) -> Job:
    """Change the words about a job in any state, and return it; its results stay as they are.

    The change is noted as an event, and the manifest in the job's folder written again.

    Parameters
    ----------
    description
        What it is for; never empty.
    notes
        Instead of those that it has; an empty text clears them.
    tags
        All that it has then; an empty list clears them.
    add_tags, remove_tags
        Those that it gets besides, and loses.

    Raises
    ------
    JobNotFound
        No job has exactly this name.
    InvalidInput
        Nothing is to be changed, or a text cannot be stored. Nothing was changed.
    """
    if description is not None:
        check_name("description", description, wanted="a few words on what the job is for")
    if notes is not None:
        check_texts({"notes": notes})
    edit = Edit(
        description=description,
        notes=notes,
        tags=None if tags is None else checked_tags(tags),
        add_tags=checked_tags(add_tags),
        remove_tags=checked_tags(remove_tags),
    )
    if edit == Edit():
        allowed = "a description, notes or tags that the job is to have"
        raise InvalidInput([Problem("edit", "nothing to change", allowed)])
    job = await exact(session, job_id)
    known = {*job.tags, *edit.add_tags} if edit.tags is None else {*edit.tags, *edit.add_tags}
    for tag in edit.remove_tags:
        if tag not in known:
            allowed = ", ".join(sorted(known)) or "nothing, for the job has no tags"
            raise invalid("remove_tags", tag, allowed, nearest(tag, known))
    store = await session.store()
    if await store.edit(job.job_id, edit):
        await bring_up_to_date(store, await load(session, job.job_id))
    return await load(session, job.job_id)
