"""Reports in Chromium: nothing loaded, no error, nothing that keeps a reader out (axe)."""

import pytest

from tests.chromium import axe
from tests.report.reported import KINDS, balanced, hostile, made

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]

VIEWS = [(390, "dark"), (1280, "light")]


def opened(browser, path, *, width=1280, scheme="light", **options):
    """Open a file; return the page, and what goes wrong on it from now on."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, **options
    )
    page, wrong = context.new_page(), []
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("dialog", lambda dialog: wrong.append(f"dialog {dialog.message}"))
    page.on("request", lambda asked: wrong.append(asked.url) if asked.url != uri else None)
    uri = path.as_uri()
    page.goto(uri)
    return page, wrong


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_report_has_no_error_and_keeps_nobody_out(kind, browser, tmp_path, monkeypatch):
    script = axe()
    _, path, _ = made(kind, tmp_path, monkeypatch)
    for width, scheme in VIEWS:
        page, wrong = opened(browser, path, width=width, scheme=scheme)
        page.evaluate(f"{script};0")
        found = page.evaluate("axe.run()")
        seen = [(each["id"], each["nodes"][0]["html"]) for each in found["violations"]]
        assert (seen, wrong) == ([], []), (width, scheme)
        assert page.evaluate("document.documentElement.scrollWidth") == width
        page.context.close()


def column(table, place):
    return [row.locator("td").nth(place).inner_text() for row in table.locator("tbody tr").all()]


def test_tables_are_sorted_by_mouse_and_keyboard(browser, tmp_path, monkeypatch):
    _, path, _ = made(balanced, tmp_path, monkeypatch)
    page, wrong = opened(browser, path)
    table = page.locator("table", has=page.locator("caption", has_text="Averages"))
    heads = table.locator("thead th")
    heads.nth(1).locator("button").click()
    up = [float(each) for each in column(table, 1)]
    assert (up, heads.nth(1).get_attribute("aria-sort")) == (sorted(up), "ascending")
    page.keyboard.press("Enter")
    down = [float(each) for each in column(table, 1)]
    assert (down, heads.nth(1).get_attribute("aria-sort")) == (up[::-1], "descending")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Space")
    names = column(table, 0)
    assert names == sorted(names)
    assert heads.nth(0).get_attribute("aria-sort") == "ascending"
    assert heads.nth(1).get_attribute("aria-sort") is None
    assert wrong == []


def test_a_report_is_whole_without_its_script(browser, tmp_path, monkeypatch):
    _, path, _ = made(balanced, tmp_path, monkeypatch)
    page, _ = opened(browser, path, java_script_enabled=False)
    assert page.locator("table.sortable").count() >= 3
    assert page.locator("svg").count() >= 3
    assert page.locator("thead button").count() == 0


def test_a_hostile_text_is_shown_as_it_is_and_does_nothing(browser, tmp_path, monkeypatch):
    _, path, _ = made(hostile, tmp_path, monkeypatch)
    page, wrong = opened(browser, path)
    shown = page.locator(".description").inner_text()
    assert "<script>alert('x')</script><img src=x onerror=alert(1)> \\u202eevil" in shown
    assert "\\x1b[31m \\x07 </title>" in shown
    assert page.locator("script").count() == 1
    assert page.locator("img").count() == 0
    assert wrong == []


def test_what_is_printed_is_light_and_holds_what_was_folded(browser, tmp_path, monkeypatch):
    _, path, _ = made(balanced, tmp_path, monkeypatch)
    page, _ = opened(browser, path, scheme="dark")
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details[open]").count() == page.locator("details").count() == 1
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == "rgb(255, 255, 255)"
