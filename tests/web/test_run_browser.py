"""The days of a run in Chromium: played, slid, and left alone where motion is not wanted."""

import re

import pytest

from tests.web.conftest import TOKEN

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]

LATER_MS = 120_000  # nothing is asserted about time
CONFIG = {"sweep_type": "balanced", "n_agents": 6, "kappas": ["0.3"], "n_replicates": 1}


@pytest.fixture
def run(site, manager):
    """The address of a run of 30 days."""
    job = manager.run_job(manager.create_job("try", CONFIG).job_id)
    return f"{site.origin}/jobs/{job.job_id}/runs/1"


def opened(browser, run, day, **options):
    context = browser.new_context(**options)
    page, wrong = context.new_page(), []
    page.set_default_timeout(LATER_MS)
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(f"{run}?day={day}&token={TOKEN}")
    return page, wrong


def shows(page, day):
    page.wait_for_selector(f"#day-part[data-day='{day}']")
    page.wait_for_function("day => new URLSearchParams(location.search).get('day') == day", arg=day)


def test_play_goes_on_to_the_last_day_and_stops_there_in_silence(browser, run):
    page, wrong = opened(browser, run, 27)
    page.click("button:has-text('Play')")
    shows(page, 29)
    page.wait_for_selector(".player button:has-text('Play')")
    assert page.get_attribute("#day-slider", "aria-valuetext") == "29 of 29"
    assert page.inner_text("figcaption").startswith("Day 29: ")
    assert page.text_content("[role=status]") == ""
    assert wrong == []


def test_the_slider_and_the_links_are_moved_by_keys_and_keep_the_focus(browser, run):
    page, wrong = opened(browser, run, 27)
    page.focus("#day-slider")
    for key, day in (("ArrowLeft", 26), ("Home", 0), ("ArrowRight", 1)):
        page.keyboard.press(key)
        shows(page, day)
        assert page.evaluate("document.activeElement.id") == "day-slider"
    page.focus("a[rel=next]")
    page.keyboard.press("Enter")
    shows(page, 2)
    assert page.evaluate("document.activeElement.rel") == "next"
    page.click("nav >> text=passive")
    page.wait_for_url("**/runs/0?day=2")
    assert wrong == []


def test_nothing_moves_by_itself_for_those_who_asked_for_that(browser, run):
    page, wrong = opened(browser, run, 0, reduced_motion="reduce")
    assert page.is_visible("#day-slider")
    assert not page.is_visible("button:has-text('Play')")
    assert wrong == []


def test_without_scripts_days_are_pages(browser, run):
    page, _ = opened(browser, run, 0, java_script_enabled=False)
    assert not page.is_visible("#day-slider")
    page.click("text=Day after")
    page.wait_for_url("**/runs/1?day=1")
    page.fill("input[name=day]", "5")
    page.click("button:has-text('Show')")
    page.locator("figcaption", has_text=re.compile(r"^Day 5: ")).wait_for()
