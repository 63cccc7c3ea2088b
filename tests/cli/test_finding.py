"""`jobs list`, `jobs edit` and `jobs watch`: what they say, and by which exit code."""

import csv
import io
import re

import pytest

from bilancio import machine
from bilancio.jobs import JobManager
from tests.cli.conftest import program

RING = {"sweep_type": "ring", "n_agents": 5}


@pytest.fixture
def manager(isolated):
    with JobManager() as manager:
        yield manager


@pytest.fixture
def two(manager):
    manager.create_job("Stressed liquidity", RING | {"kappas": [1, 2]}, job_id="my-first")
    manager.create_job("a | b", RING, job_id="my-second", tags=["x", "y"])


def test_jobs_are_listed_by_all_filters_at_once(bilancio, two):
    said = bilancio(
        "jobs", "list", "--since", "yesterday", "--until", "today", "--min-runs", "2",
        "--varied", "kappas", "--status", "pending", "--sweep-type", "ring", "--text",
        "liquidity stressed", "--json",
    )  # fmt: skip
    assert [job["job_id"] for job in said.json["jobs"]] == ["my-first"]
    assert said.json["filters"]["varied"] == "kappa"


def test_where_nothing_matches_the_filters_are_repeated_and_one_is_named_to_loosen(bilancio, two):
    said = bilancio("jobs", "list", "--text", "zebra", "--min-runs", "2")
    assert said.code == 0
    assert "Filters: text zebra, min_runs 2." in said.out
    assert "Loosen a filter. Jobs that match without text: 1." in said.out


def test_a_list_is_a_table_for_other_programs(bilancio, two):
    said = bilancio("jobs", "list", "--format", "csv")
    table = list(csv.DictReader(io.StringIO(said.out)))
    assert [row["job_id"] for row in table] == ["my-second", "my-first"]
    assert (table[0]["tags"], table[1]["total_runs"]) == ("x, y", "2")
    assert r"a \| b" in bilancio("jobs", "list", "--format", "md").out
    assert r"\begin{tabular}" in bilancio("jobs", "list", "--format", "latex").out
    assert bilancio("jobs", "list", "--format", "table").out == bilancio("jobs", "list").out
    wrong = bilancio("jobs", "list", "--format", "cvs")
    assert (wrong.code, "Did you mean csv?" in wrong.err) == (1, True)


def test_words_about_a_job_are_edited(bilancio, two):
    edited = bilancio(
        "jobs", "edit", "my-second", "--description", "new", "--notes", "why", "--tag", "z",
        "--untag", "x", "--json",
    ).json  # fmt: skip
    assert (edited["description"], edited["notes"], edited["tags"]) == ("new", "why", ["y", "z"])
    assert "my-second is edited." in bilancio("jobs", "edit", "my second", "--notes", "").out
    events = bilancio("jobs", "events", "my-second")
    assert "edited" in events.out
    assert "description, notes, tags" in events.out
    nothing = bilancio("jobs", "edit", "my-second")
    assert (nothing.code, "nothing to change" in nothing.err) == (1, True)


def test_a_job_with_more_runs_recorded_than_its_sweep_has_is_listed_with_these(manager, bilancio):
    manager.create_job("x", RING, job_id="by-hand")
    manager.start_job("by-hand")
    for run in range(7):
        manager.record_progress("by-hand", f"run-{run}", {"loss": 1.0})
    manager.complete_job("by-hand", {})
    assert re.search(r"by-hand +completed +7 +just now", bilancio("jobs", "list").out)


def ended(manager, how):
    job_id = manager.create_job("x", RING | {"n_replicates": 40}, job_id="my-job").job_id
    match how:
        case "completed":
            manager.run_job(job_id)
        case "failed":
            manager.start_job(job_id)
            manager.fail_job(job_id, "the power\nwent")
        case "cancelled":
            manager.cancel_job(job_id)
        case "stalled":

            async def claim():
                store = await manager._manager.store()
                await store.claim(job_id, "a-worker", lease_s=-1, executor="local")

            manager._loop.wait(claim)
    return job_id


@pytest.mark.parametrize(
    ("how", "code", "headline"),
    [
        ("completed", 0, "my-job: The average default rate is 0."),
        ("failed", 1, "my-job: Failed, 0 of 40 runs: the power went"),
        ("cancelled", 2, "my-job: Cancelled, 0 of 40 runs so far."),
        ("stalled", 3, "my-job: Stalled, 0 of 40 runs so far: Its worker"),
        ("pending", 4, "my-job: Not started."),
    ],
)
def test_watching_ends_with_the_headline_and_the_code_of_how_the_job_ended(
    bilancio, manager, how, code, headline
):
    ended(manager, how)
    said = bilancio("jobs", "watch", "my", "job")
    assert said.code == code
    assert said.out.splitlines()[-1].startswith(headline)
    assert said.err == ""


def test_a_job_is_watched_in_at_most_twelve_lines():
    size = ("--n-agents", "1000", "--n-replicates", "20000")
    program("sweep", "ring", *size, "--job-id", "my-job", "--detach")
    said = program("jobs", "watch", "my-job")
    lines = [*said.out.splitlines(), *said.err.splitlines()]
    assert said.code == 0
    assert len(lines) <= 12
    assert said.out.splitlines()[-1].endswith("Completed, 20,000 of 20,000 runs.")


def test_help_tells_the_exit_codes(bilancio):
    said = " ".join(bilancio("jobs", "watch", "--help").out.split())
    assert "0 completed, 1 failed, 2 cancelled, 3 stalled" in said


def test_jobs_are_listed_by_owner_and_owners_are_shown_where_there_are_others(
    bilancio, two, manager, monkeypatch
):
    assert (
        f"@{machine.host()}"
        not in bilancio("jobs", "list").out + bilancio("jobs", "show", "my-first").out
    )
    monkeypatch.setenv("LOGNAME", "ben")
    manager.create_job("of another", RING, job_id="my-third")
    assert [job["job_id"] for job in bilancio("jobs", "list", "--mine", "--json").json["jobs"]] == [
        "my-third"
    ]
    assert bilancio("jobs", "list", "--owner", "ben", "--json").json["total"] == 1
    assert "ben@" in bilancio("jobs", "list").out
    assert "ben@" not in bilancio("jobs", "show", "my-third").out
    monkeypatch.setenv("LOGNAME", "anna")
    assert "ben@" in bilancio("jobs", "show", "my-third").out
    both = bilancio("jobs", "list", "--mine", "--owner", "ben")
    assert (both.code, both.err) == (1, "--mine: got --owner ben as well; allowed: one of both.\n")
