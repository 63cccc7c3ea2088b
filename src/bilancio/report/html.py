"""A report as one HTML file that loads nothing from elsewhere."""

import base64
import hashlib
import re
from importlib.resources import files
from typing import Any

from bilancio.errors import LibraryMissing
from bilancio.printable import escaped
from bilancio.report.page import Page
from bilancio.report.style import LIGHT, PREFIX, css

try:
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
except ImportError as error:
    raise LibraryMissing("jinja2", str(error), extra="plots") from None

TEMPLATES = "templates"
#: Styles that each SVG brings along for when it stands alone; the page has them once.
_OWN_STYLE = re.compile(r"\s*<style\b[^>]*>.*?</style>", re.DOTALL)
_EMPTY_DEFS = re.compile(r"\s*<defs>\s*</defs>")


def html(page: Page) -> str:
    """Return a report as HTML: complete, all of its text escaped, without outside resources."""
    style, script = stylesheet(), _text("report.js")
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            page=page,
            mark=page.mark,
            figures=[(inline(each.svg), each.sentence) for each in page.figures],
            style=style,
            script=script,
            policy=policy(style, script),
        )
    )


def policy(style: str, script: str) -> str:
    """Return the page's content security policy: its own style and script, and nothing else.

    Pictures carry styles in attributes, by which no text of a job comes in.
    """
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src '{_hash(script)}'",
            f"style-src-elem '{_hash(style)}'",
            "style-src-attr 'unsafe-inline'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def environment(*packages: str) -> Environment:
    """Return what fills templates in: those of *packages*, and the pieces of a report.

    Text that goes in is escaped, and what would reorder or hide its letters written out.
    """
    folders = [PackageLoader(each, TEMPLATES) for each in (*packages, "bilancio.report")]
    return Environment(
        loader=ChoiceLoader(folders),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _shown(value: Any) -> Any:
    return escaped(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def stylesheet() -> str:
    """Return the style of a report: its colours in both modes and on paper, and its layout."""
    paper = "".join(f"{PREFIX}{name}:{colour};" for name, colour in LIGHT.items())
    return f"{css('body')}@media print{{body{{{paper}}}}}\n{_text('report.css')}"


def inline(svg: str) -> str:
    """Return a picture without the styles that it brings along, which the page has once."""
    return _EMPTY_DEFS.sub("", _OWN_STYLE.sub("", svg))


def _text(name: str) -> str:
    return files("bilancio.report").joinpath(TEMPLATES, name).read_text("utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
