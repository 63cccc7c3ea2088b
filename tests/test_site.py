"""The documents build as a site, without a warning, and no link within it is dead."""

import inspect
import os
import re
import shutil
import subprocess
import sys
import tomllib
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from typing import get_args, get_origin
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from docs_src.__main__ import PAGES

from bilancio import jobs
from bilancio.jobs import JobManager

ROOT = Path(__file__).parent.parent
# One that cannot exist: what is not below it is elsewhere.
SITE = "http://site.invalid/"
CONFIG = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))
NO_GENERATOR = find_spec("zensical") is None and not os.environ.get("CI")


class Page(HTMLParser):
    """What a page refers to, loads, can be reached by and sets in italics."""

    def __init__(self, text):
        super().__init__()
        self.links, self.loaded, self.anchors, self.italics = [], [], {""}, []
        self._in_italics = False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        of = dict(attrs)
        self.anchors.add(of.get("id") or "")
        if tag == "a" and of.get("href"):
            self.links.append(of["href"])
        if tag in {"script", "img", "link", "iframe"} and of.get("rel") != "canonical":
            self.loaded.append(of.get("src") or of.get("href") or "")
        self._in_italics |= tag == "em"

    def handle_endtag(self, tag):
        self._in_italics &= tag != "em"

    def handle_data(self, data):
        if self._in_italics:
            self.italics.append(data)


def in_nav(entry):
    if isinstance(entry, str):
        return [entry]
    return [name for value in entry.values() for each in _listed(value) for name in in_nav(each)]


def _listed(value):
    return value if isinstance(value, list) else [value]


def test_every_page_is_in_the_navigation_once():
    named = [name for entry in CONFIG["project"]["nav"] for name in in_nav(entry)]
    assert sorted(named) == sorted(file.name for file in (ROOT / "docs").glob("*.md"))


def test_the_page_on_the_api_has_all_that_is_promised_and_what_calls_return():
    shown = re.findall(r"^::: ([\w.]+)$", (ROOT / "docs" / "api.md").read_text(), re.MULTILINE)
    assert {f"bilancio.jobs.{name}" for name in jobs.__all__} <= {*shown}
    returned = {
        found.__qualname__: found.__module__
        for name, method in vars(JobManager).items()
        if inspect.isfunction(method) and not name.startswith("_")
        for found in _parts(inspect.signature(method).return_annotation)
        if getattr(found, "__module__", "").startswith("bilancio.")
    }
    missing = {name for name in returned if name not in {each.split(".")[-1] for each in shown}}
    assert missing == set()


def _parts(annotation):
    """Return the types that an annotation is made of."""
    inner = [each for part in get_args(annotation) for each in _parts(part)]
    return [get_origin(annotation) or annotation, *inner]


@pytest.mark.slow
@pytest.mark.parametrize("name", PAGES)
def test_a_page_made_from_the_code_is_as_the_code_says(name):
    made = PAGES[name]()
    assert made == (ROOT / "docs" / name).read_text(encoding="utf-8"), "uv run python -m docs_src"


@pytest.mark.slow
@pytest.mark.skipif(NO_GENERATOR, reason="the group docs is not installed")
def test_the_site_builds_without_a_warning_and_no_link_or_anchor_is_dead(tmp_path):
    for folder in ("src", "docs_src"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    shutil.copy(ROOT / "zensical.toml", tmp_path)
    build = [sys.executable, "-m", "zensical", "build", "--strict"]
    done = subprocess.run(build, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "No issues found\n"), done.stdout + done.stderr
    site = tmp_path / CONFIG["project"]["site_dir"]
    pages = {
        urljoin(SITE, file.relative_to(site).as_posix().removesuffix("index.html")): Page(
            file.read_text(encoding="utf-8")
        )
        for file in site.rglob("*.html")
        if file.name != "404.html"
    }
    assert len(pages) == len([*(ROOT / "docs").glob("*.md")])
    for address, page in pages.items():
        for target in [*page.links, *page.loaded]:
            seen = urlsplit(urljoin(address, target))
            if seen.netloc == urlsplit(SITE).netloc:
                there = seen._replace(fragment="").geturl()
                file = site / unquote(seen.path).lstrip("/")
                assert there in pages or file.is_file(), f"{address}: {target}"
                if there in pages:
                    assert unquote(seen.fragment) in pages[there].anchors, f"{address}: {target}"
        if address == f"{SITE}api/":
            methods = {name for name in vars(JobManager) if not name.startswith("_")}
            assert {f"bilancio.jobs.JobManager.{name}" for name in methods} <= page.anchors
        elsewhere = [each for each in page.loaded if re.match("(https?:)?//", each)]
        assert elsewhere == [], f"{address} loads from elsewhere"
        formulas = [text for text in page.italics if re.search("[*/·]", text)]
        assert formulas == [], f"{address} takes a formula's stars for italics"
