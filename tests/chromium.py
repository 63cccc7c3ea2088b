"""Chromium, in which pages and reports are looked at, and axe, which looks for what keeps out."""

import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


def needed(found, what):
    """Return what was found; where it is missing a test skips at home and fails in CI."""
    if found:
        return found
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is missing")
    pytest.skip(f"{what} is missing")


def chromium():
    names = ("chromium", "chromium-browser", "google-chrome")
    return needed(next(filter(None, map(shutil.which, names)), None), "chromium")


def axe():
    folder = Path(os.environ.get("BILANCIO_AXE") or ROOT / "tests/report/axe")
    script = folder / "node_modules" / "axe-core" / "axe.min.js"
    return needed(script.is_file() and script.read_text("utf-8"), "axe-core (npm install)")


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright  # its loop would stand in others' way

    program = chromium()
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        yield opened
        opened.close()
