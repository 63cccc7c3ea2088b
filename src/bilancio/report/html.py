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
    from jinja2 import Environment, PackageLoader, StrictUndefined
except ImportError as error:
    raise LibraryMissing("jinja2", str(error), extra="plots") from None

TEMPLATES = "templates"
#: Styles that each SVG brings along for when it stands alone; the page has them once.
_OWN_STYLE = re.compile(r"\s*<style\b[^>]*>.*?</style>", re.DOTALL)
_EMPTY_DEFS = re.compile(r"\s*<defs>\s*</defs>")


def html(page: Page) -> str:
    """Return a report as HTML: complete, all of its text escaped, without outside resources."""
    style, script = _style(), _text("report.js")
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            page=page,
            mark=page.mark,
            figures=[(_picture(each.svg), each.sentence) for each in page.figures],
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


def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("bilancio.report", TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _shown(value: Any) -> Any:
    """Return text with what would reorder or hide letters written out."""
    return escaped(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def _style() -> str:
    paper = "".join(f"{PREFIX}{name}:{colour};" for name, colour in LIGHT.items())
    return f"{css('body')}@media print{{body{{{paper}}}}}\n{_text('report.css')}"


def _picture(svg: str) -> str:
    return _EMPTY_DEFS.sub("", _OWN_STYLE.sub("", svg))


def _text(name: str) -> str:
    return files("bilancio.report").joinpath(TEMPLATES, name).read_text("utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
