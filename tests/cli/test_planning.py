"""What a sweep would be, sweeps like other jobs', and large ones, on the command line."""

import pytest

from bilancio.text import UNTIMED
from tests.own_project import working_in, write

RING = ["ring", "--n-agents", "5", "--kappas", "0.5,1", "--seeds", "1,2,3"]


def test_dry_run_says_what_a_sweep_would_be_and_stores_nothing(bilancio, stored):
    said = bilancio("sweep", *RING, "--dry-run")
    assert said.code == 0
    assert said.out.startswith("6 runs: 2 cells × 3 seeds, probably less than 1 s on ")
    assert "Set: n_agents 5; kappas 0.5, 1; seeds 1, 2, 3." in said.out.replace("\n", " ")
    assert "concentrations 1" in said.out
    assert bilancio("sweep", *RING, "--dry-run", "--json").json["runs"] == 6
    assert stored() == 0


def test_a_sweep_like_another_needs_no_type_and_options_change_it(bilancio):
    first = bilancio("sweep", *RING, "--job-id", "my-first-ring", "--json").json["job"]
    said = bilancio("sweep", "--like", "My first ring", "--n-agents", "7", "--dry-run", "--json")
    config = said.json["config"]
    assert (config["n_agents"], config["kappas"]) == (7, first["config"]["kappas"])
    told = bilancio("sweep", "balanced", "--like=my first", "--dry-run")
    assert "Taken to mean my-first-ring" in told.err
    assert "12 runs: 2 cells × 3 seeds × 2 arms" in told.out


def test_a_large_sweep_without_a_terminal_needs_a_word(bilancio, monkeypatch):
    monkeypatch.setenv("BILANCIO_CONFIRM_RUNS", "5")
    said = bilancio("sweep", *RING, "--job-id", "my-large-ring")
    assert said.code == 1
    assert "bilancio jobs start my-large-ring with --yes" in " ".join(said.err.split())
    assert bilancio("jobs", "show", "my-large-ring", "--json").json["job"]["status"] == "pending"
    assert bilancio("jobs", "start", "my-large-ring", "--yes").code == 0


@pytest.mark.parametrize(
    ("word", "option"),
    [
        ("--liquidity", "--kappas"), ("--no-wait", "--detach"), ("--background", "--detach"),
        ("--output-dir", "--out-dir"), ("--name", "--job-id"), ("--backend", "--executor"),
        ("--workers", "the setting BILANCIO_WORKERS"),
    ],
)  # fmt: skip
def test_a_word_for_an_option_is_answered_with_the_option(bilancio, word, option):
    said = bilancio("sweep", "ring", word, "1")
    assert f"Did you mean {option}?" in " ".join(said.err.split())


SLEEPLESS = """
from bilancio import experiment

@experiment("sleepless")
def simulate(seed: int, rate: float = 0.5):
    return {"wait": seed * rate}
"""


def test_a_sweep_that_was_never_timed_is_announced_without_a_time(bilancio, tmp_path, monkeypatch):
    with working_in(tmp_path / "study", monkeypatch) as folder:
        write(folder, sleepless=SLEEPLESS)
        sweep = ["sweep", "sleepless", "--n-replicates", "6"]
        plan = bilancio(*sweep, "--dry-run")
        told = bilancio(*sweep, "--dry-run", "--json").json["estimate"]
        said = bilancio(*sweep)
    assert plan.out.replace("\n", " ").startswith(
        f"6 runs: 1 cell × 6 seeds, on 2 cores. {UNTIMED} Nothing was stored."
    )
    assert (told["seconds"], told["rough"]) == (None, False)
    assert f"6 runs, on 2 cores. {UNTIMED}" in said.out.replace("\n", " ")
