"""Jobs beside each other: what differs, what they share, and by how much they differ there."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from bilancio.errors import BilancioError, InvalidInput
from bilancio.jobs.manager import AsyncJobManager
from bilancio.jobs.views import Comparison
from bilancio.report.page import Figure, Table
from bilancio.text import several_read_as, values
from bilancio.validation import split_csv
from bilancio.web import rendering

SHOWN = 200


async def compared(request: Request) -> Response:
    """Show how jobs differ from the first of them."""
    asked = request.query_params
    names = [name for each in asked.getlist("job") for name in split_csv(each)]
    by, where = asked.getlist("by"), asked.get("where", "").strip()
    shown: dict[str, Any] = {"names": names, "by": by, "where": where, "refused": ""}
    manager: AsyncJobManager = request.app.state.manager
    if len(names) > 1:
        try:
            found = await manager.compare(*names, group_by=by, where=where or None, limit=SHOWN)
            await request.app.state.drawing.loaded()
            shown |= _told(found) | {"pictures": await _pictures(manager, found, by, where)}
        except InvalidInput as error:
            shown["refused"] = str(error)
    return rendering.page(request, "compare", 400 if shown["refused"] else 200, **shown)


def _told(found: Comparison) -> dict[str, Any]:
    jobs = (found.job, found.other, *found.more)
    return {
        "found": found,
        "example": rendering.condition(found.varied),
        "jobs": jobs,
        "reading": several_read_as(found.reading).strip(),
        "differs": [
            (name, [values(each) for each in all_]) for name, all_ in found.differs.items()
        ],
        "table": _table(found),
    }


def _table(found: Comparison) -> Table | None:
    if not found.table.rows:
        return None
    from bilancio.jobs.documents.tables import by_leading  # numpy

    return by_leading("Differences, paired by seed", found.table, found.primary)


async def _pictures(
    manager: AsyncJobManager, found: Comparison, by: list[str], where: str
) -> list[tuple[str, str]]:
    """Draw the comparison; nothing where there is nothing to draw."""
    others = [each.job_id for each in (found.other, *found.more)]
    try:
        plot = await manager.plot(
            found.job.job_id,
            "compare",
            jobs=others,
            x=by[0] if by else None,
            where=where or None,
            keep=False,
        )
    except BilancioError:
        return []
    return rendering.pictures([Figure(svg=plot.svg, sentence=plot.sentence)])
