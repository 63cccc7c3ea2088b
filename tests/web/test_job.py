"""A job's page: what is told at once, what is told to be coming, and what has happened to it."""

import pytest

from bilancio.web.pages.job import EVENTS
from tests.report.reported import ran
from tests.web.reading import Page

pytestmark = pytest.mark.slow

NAME = "quiet-meadow-golden-hawk"
RING = {"sweep_type": "ring", "n_agents": 10, "kappas": ["0.5", "1"], "n_replicates": 40}


@pytest.fixture
def running(manager):
    """The name of a job that this test carries out by hand."""
    manager.create_job("By hand.", RING, job_id=NAME)
    manager.start_job(NAME)
    return NAME


def test_what_takes_long_is_announced_before_it_comes(site, manager):
    ran(manager, NAME, RING)
    said = site.get(f"/jobs/{NAME}").text
    coming = ["Reading results", 'id="findings"', "Drawing pictures", 'id="pictures"']
    coming += ["Computing tables", 'id="tables"']
    places = [said.index(each) for each in coming]
    assert places == sorted(places)
    assert len(Page(site.get(f"/jobs/{NAME}")).texts("p", class_="waiting")) == 3


def test_a_job_says_what_its_experiment_does_and_how_a_condition_on_it_looks(site, manager):
    ran(manager, NAME, RING)
    page = site.get(f"/jobs/{NAME}").text
    assert "ring: Plain rings, no dealers." in page
    assert 'placeholder="kappa &lt; 1"' in page
    assert 'placeholder="kappa &lt; 1 and seed = 42"' in site.get(f"/jobs/{NAME}/runs").text


def test_pictures_of_a_running_job_are_said_to_stay_as_they_are(site, manager, running):
    assert "load it again" in Page(site.get(f"/jobs/{NAME}")).links
    manager.cancel_job(NAME)
    assert "load it again" not in Page(site.get(f"/jobs/{NAME}")).links


def test_events_are_leafed_through_to_both_ends(site, manager, running):
    for number in range(EVENTS + 3):
        manager.record_progress(NAME, f"run-{number}", {"delta_total": 0.5})
    newest = Page(site.get(f"/jobs/{NAME}/events"))
    assert "Newer" not in newest.links
    older = Page(site.get(newest.links["Older"]))
    assert "Older" not in older.links
    told = [page.texts("span", class_="kind") for page in (newest, older)]
    assert len(told[0]) == EVENTS
    assert told[1][-1] == "created"
    assert sum(map(len, told)) == manager.events(NAME, limit=0).total
    again = Page(site.get(older.links["Newer"]))
    assert again.texts("span", class_="kind") == told[0]


def test_all_events_on_one_page_lead_nowhere_else(site, running):
    assert not {"Older", "Newer"} & Page(site.get(f"/jobs/{NAME}/events")).links.keys()


def test_a_job_that_has_failed_is_not_offered_to_be_cancelled(site, manager, running):
    manager.fail_job(NAME, "out of ink")
    offered = Page(site.get(f"/jobs/{NAME}")).links
    assert "Cancel" not in offered
    assert "Delete" in offered


def test_adding_seeds_says_how_many_there_are(site, manager):
    ran(manager, NAME, RING)
    assert "It has 40 seeds." in site.get(f"/jobs/{NAME}/extend").text
