"""`bilancio jobs extend`: more seeds for a job that has ended."""

import pytest

from bilancio.jobs import JobManager
from tests.cli.conftest import program, rows

NAME = "calm-ring-9"
SWEEP = {"sweep_type": "balanced", "n_agents": 10, "kappas": ["0.3", "0.5"], "n_replicates": 2}
EXTEND = ("jobs", "extend", NAME, "--n-replicates")


@pytest.fixture
def two_seeds(isolated):
    """Carry a comparison of two seeds out."""
    with JobManager() as manager:
        manager.create_job("as others", SWEEP, job_id=NAME)
        manager.run_job(NAME)


def test_a_job_with_few_seeds_says_the_command_that_adds_some(bilancio, two_seeds):
    command = "bilancio jobs extend calm-ring-9 --n-replicates 10"
    results = bilancio("jobs", "results", NAME).out
    assert f"Only 2 seeds. Add more: {command}" in " ".join(results.split())
    assert command in " ".join(bilancio("jobs", "show", "calm-ring-9").out.split())
    assert bilancio(*command.split()[1:]).code == 0
    assert "Add more" not in bilancio("jobs", "show", "calm-ring-9").out


def test_an_extended_job_says_how_many_runs_are_new_and_has_all_in_its_files(
    bilancio, two_seeds, isolated
):
    said = program(*EXTEND, "4")
    assert said.code == 0, said.err
    assert said.out.startswith("Job ID: calm-ring-9\nExtended: 8 runs more,")
    table = rows(isolated / "out" / "calm-ring-9" / "runs.csv")
    assert sorted({row["seed"] for row in table}) == ["42", "43", "44", "45"]
    events = bilancio("jobs", "events", "calm-ring-9").out
    assert "extended" in events
    assert "2 to 4 seeds, 8 runs recorded" in events
    assert bilancio("jobs", "show", "calm-ring-9", "--json").json["job"]["config"][
        "n_replicates"
    ] == 4  # fmt: skip


def test_a_job_extended_in_the_background_completes_by_itself(bilancio, two_seeds):
    said = program(*EXTEND, "4", "--detach", "--json")
    assert (said.json["action"], said.json["estimate"]["runs"]) == ("extended", 8)
    assert bilancio("jobs", "watch", "calm-ring-9").code == 0
    assert bilancio("jobs", "show", "calm-ring-9", "--json").json["job"]["completed_runs"] == 16


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("2",), "n_replicates: got 2; allowed: more than 2, the number of seeds that it has."),
        (("x",), "n_replicates: got 'x'; allowed: whole numbers from 1."),
        ((), "n_replicates: got nothing; allowed: the number of seeds that the job is to have."),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(bilancio, two_seeds, words, reason):
    before = bilancio("jobs", "show", "calm-ring-9", "--json").json
    said = bilancio(*EXTEND[: 3 + bool(words)], *words)
    assert said.code == 1
    assert reason in said.err
    assert bilancio("jobs", "show", "calm-ring-9", "--json").json == before
