"""Fill the page's templates in; all text of jobs is escaped."""

import functools
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from typing import Any
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from bilancio.jobs.clock import utc_now
from bilancio.report.html import environment, inline, stylesheet
from bilancio.report.page import Figure
from bilancio.text import ago, capitalised, duration, key_text, number, plural, values

PACKAGE = "bilancio.web"
Params = Mapping[str, Any]


def page(request: Request, template: str, status: int = 200, **shown: Any) -> Response:
    """Return a page."""
    return HTMLResponse(html(request, template, **shown), status)


def html(request: Request, template: str, **shown: Any) -> str:
    """Return a template filled in."""
    filled: str = (
        _environment()
        .get_template(f"{template}.html.j2")
        .render(read_only=request.app.state.read_only, now=utc_now(), **shown)
    )
    return filled


def pictures(figures: Iterable[Figure]) -> list[tuple[str, str]]:
    """Return pictures as they stand within a page, each with its sentence."""
    return [(inline(each.svg), each.sentence) for each in figures]


def address(*parts: object, **asked: Any) -> str:
    """Return the address of a page: its path, and what is asked for that is not empty."""
    path = "/" + "/".join(quote(str(each), safe="") for each in parts)
    wanted = [
        (name, each)
        for name, value in asked.items()
        for each in (value if isinstance(value, list | tuple) else [value])
        if each not in {None, "", False}
    ]
    return f"{path}?{urlencode(wanted)}" if wanted else path


def condition(parameters: Sequence[str], *others: str) -> str:
    """Return what a condition on a parameter looks like, with *others* or one on a second."""
    named = [f"{name} {than}" for name, than in zip(parameters, ("< 1", "= 0"), strict=False)]
    return " and ".join([*named[:1], *(others or named[1:])])


@functools.cache
def assets() -> dict[str, tuple[bytes, str]]:
    """Return what pages load: name → its bytes and their type."""
    folder = files(PACKAGE).joinpath("templates")
    style = stylesheet() + folder.joinpath("page.css").read_text("utf-8")
    script, player = (folder.joinpath(name).read_text("utf-8") for name in ("page.js", "run.js"))
    sorting = files("bilancio.report").joinpath("templates", "report.js").read_text("utf-8")
    return {
        "page.css": (style.encode(), "text/css; charset=utf-8"),
        "page.js": (script.encode(), "text/javascript; charset=utf-8"),
        "run.js": (player.encode(), "text/javascript; charset=utf-8"),
        "tables.js": (sorting.encode(), "text/javascript; charset=utf-8"),
    }


@functools.cache
def asset(name: str) -> str:
    """Return the address of a file that pages load, another one whenever it is another file."""
    return address("static", name, v=hashlib.sha256(assets()[name][0]).hexdigest()[:12])


@functools.cache
def _environment() -> Any:
    made = environment(PACKAGE)
    made.globals |= {
        "address": address,
        "asset": asset,
        "ago": ago,
        "capitalised": capitalised,
        "duration": duration,
        "number": number,
        "key_text": key_text,
        "plural": plural,
        "values": values,
    }
    return made
