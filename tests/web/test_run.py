"""One run in a browser: the ring day by day, with links alone or with a slider."""

import re

import pytest

from bilancio.web.kept import Kept
from tests.web.reading import Page

PAIRS = {"sweep_type": "balanced", "n_agents": 12, "kappas": ["0.3"], "n_replicates": 4}


@pytest.fixture
def pairs(manager):
    return manager.run_job(manager.create_job("try", PAIRS).job_id)


@pytest.fixture
def story(manager, pairs):
    """The run of the worst pair in which dealers trade, as it is told elsewhere."""
    return manager.run_story(pairs.job_id, "worst")


def shown(site, path, status=200):
    answer = site.get(path)
    assert answer.status == status, answer.text
    return Page(answer)


def address(story, query=""):
    return f"/jobs/{story.job.job_id}/runs/{story.runs[0].index}{query}"


def attribute(page, tag, name, **has):
    return [
        attributes[name]
        for found, attributes, _ in page.said
        if found == tag
        and name in attributes
        and all(attributes.get(key) == value for key, value in has.items())
    ]


def test_the_worst_pair_says_why_it_was_chosen_and_what_came_of_it(site, pairs, story):
    page = shown(site, f"/jobs/{pairs.job_id}/runs/worst")
    assert page.texts("p", class_="lead") == [story.headline]
    assert story.runs[0].run_id in page.texts("code")
    assert dict(zip(page.texts("dt"), page.texts("dd"), strict=True))["n_defaults"] == str(
        story.runs[0].metrics["n_defaults"]
    )
    assert any("exactly the result that is recorded" in said for said in page.texts("p"))


def test_each_day_is_a_page_that_links_lead_through_and_tells_what_its_trace_tells(site, story):
    run, seen = story.runs[0], []
    page = shown(site, address(story, "?day=0"))
    while True:
        (said,) = page.texts("figcaption")
        assert attribute(page, "svg", "aria-label", role="img") == [said]
        day = int(re.match(r"Day (\d+)", said)[1])
        rows = [row for row in run.trace.event_rows() if row["day"] == day]
        failed = [name for name, first in run.trace.first_defaults().items() if first <= day]
        assert said.endswith(f"{len(failed)} of 12 agents have defaulted so far.")
        kinds = [row["event"] for row in page.rows]
        counted = "".join(page.texts("p", class_="pages"))
        assert len(kinds) == min(len(rows), 100)
        assert len(rows) <= 100 or f"{len(rows)} events" in counted
        assert ("sold" in kinds) == any(row["event"] == "sold" for row in rows)
        seen.append(day)
        if "Day after" not in page.links:
            break
        page = shown(site, page.links["Day after"])
    assert seen == list(range(run.n_days))
    assert page.links["Day before"].endswith(f"?day={run.n_days - 2}")


def test_a_day_alone_is_what_the_page_shows_of_it(site, story):
    page, part = (site.get(address(story, f"?day=1{more}")).text for more in ("", "&part=day"))
    assert part.startswith('<div id="day-part" data-day="1"')
    assert part.strip() in page
    assert "value-based trader (VBT)" in part
    assert "<html" not in part


def test_the_other_arm_is_a_link_away_on_the_same_day(site, story):
    page = shown(site, address(story, "?day=2"))
    other = shown(site, page.links["passive"])
    assert other.texts("figcaption")[0].startswith("Day 2: ")
    assert other.links["active"] == address(story, "?day=2")


def test_a_ring_without_dealers_sells_nothing_and_is_told_so(site, manager):
    job = manager.run_job(
        manager.create_job("ring", {"sweep_type": "ring", "n_agents": 8, "kappas": ["0.3"]}).job_id
    )
    page = shown(site, f"/jobs/{job.job_id}/runs/0")
    assert not any("sells" in said for said in page.texts("li"))
    assert not any(said.startswith("Desks") for said in page.texts("p"))
    assert any(said.startswith("pays (") for said in page.texts("li"))


def test_agents_are_picked_by_number_or_in_words(site, story):
    page = shown(site, address(story, "?day=1&agent=2,+VBT+short"))
    assert page.texts("figcaption")[0].startswith("Day 1, as far as H2, VBT short took part: ")
    for row in page.rows:
        assert {"H2", "VBT short"} & {*row.values()}


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("?day=999", "day: got '999'; allowed: whole numbers from 0 to "),
        ("?day=-1", "day: got '-1'; allowed: whole numbers from 0"),
        ("?day=x", "day: got 'x'"),
        ("?agent=H99", "agent: got 'H99'; allowed: H1 to H12"),
    ],
)
def test_days_and_agents_that_there_are_not_are_refused_in_a_sentence(site, story, query, said):
    (refused,) = shown(site, address(story, query)).texts("p", role="alert")
    assert refused.startswith(said)


@pytest.mark.parametrize("run", ["99", "9" * 5000, "balanced_active_nowhere", "failed", "%3Cb%3E"])
def test_a_run_that_the_job_does_not_have_is_refused_in_a_sentence(site, pairs, run):
    answer = site.get(f"/jobs/{pairs.job_id}/runs/{run}")
    assert answer.status == 400
    assert Page(answer).texts("p", class_="lead")[0].startswith("run: got ")
    assert "<b>" not in answer.text


def test_a_run_that_is_not_computed_yet_is_shown_and_said_not_to_be_recorded(site, manager):
    job = manager.create_job("later", PAIRS)
    page = shown(site, f"/jobs/{job.job_id}/runs/1")
    assert "It has not been recorded yet." in page.texts("p", class_="lead")[0]
    assert page.texts("figcaption")


async def test_what_is_kept_is_bounded_by_what_it_weighs():
    kept, made = Kept(10, len), []

    async def get(text):
        async def make():
            made.append(text)
            return text

        return await kept.get(text[0], make)

    for text in ("a" * 6, "b" * 6, "b" * 6, "a" * 6, "c" * 40, "c" * 40):
        assert await get(text) == text
    assert made == ["a" * 6, "b" * 6, "a" * 6, "c" * 40]
