"""What has ended since it was last asked, for the beginning of a conversation."""

import contextlib
import hashlib
import json
from datetime import datetime, timedelta
from pathlib import Path

from bilancio.jobs.clock import from_text, to_text
from bilancio.jobs.owner import present_user
from bilancio.jobs.session import Session
from bilancio.settings import state_dir

#: An end is seen in the store only when the job's files are written, which may take minutes.
OVERLAP = timedelta(minutes=15)


async def news(session: Session, asker: Path) -> dict[str, str]:
    """Return the status of each of this user's jobs that has ended since the last call, by name.

    When that was is kept in the user's state folder, for each *asker*, a folder as a rule, and
    each store. The first call knows of no earlier one and returns nothing.
    """
    store = await session.store()
    file = _file(session.settings.database_url, asker)
    seen = _seen(file)
    now = store.clock()
    since = now if seen is None else seen[0]
    ended = await store.ended_since(since - OVERLAP, present_user())
    known = {} if seen is None else seen[1]
    _note(file, now, ended)
    if seen is None:
        return {}
    return {name: status for name, (status, moment) in ended.items() if known.get(name) != moment}


def _file(database_url: str, asker: Path) -> Path:
    digest = hashlib.sha256(f"{database_url}\n{asker}".encode("utf-8", "replace")).hexdigest()
    return state_dir() / "news" / f"{digest[:16]}.json"


def _seen(file: Path) -> tuple[datetime, dict[str, str]] | None:
    """Return when the last call was, and the ends that it knew of, of the latest jobs."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        return from_text(found["moment"]), dict(found["ended"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _note(file: Path, moment: datetime, ended: dict[str, tuple[str, str]]) -> None:
    latest = to_text(moment - OVERLAP)
    kept = {name: end for name, (_, end) in ended.items() if end > latest}
    written = json.dumps({"moment": to_text(moment), "ended": kept})
    with contextlib.suppress(OSError):  # the next call says the same again
        file.parent.mkdir(parents=True, exist_ok=True)
        new = file.with_suffix(".new")
        new.write_text(written, encoding="utf-8")
        new.replace(file)
