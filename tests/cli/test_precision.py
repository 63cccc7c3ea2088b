"""`bilancio sweep … --precision`."""

from tests.cli.conftest import program


def test_a_sweep_adds_seeds_until_its_precision_is_reached_and_says_so(bilancio):
    said = program(
        "sweep", "ring", "--n-agents", "10", "--kappas", "0.5,2", "--precision", "0.04",
        "--precision-by", "kappa", "--max-replicates", "500", "--job-id", "calm-ring-9",
    )  # fmt: skip
    assert said.code == 0, said.err
    assert "at most 1,000 runs" in said.out
    assert "Precision 0.04 reached in each group by kappa with" in " ".join(said.out.split())
    job = bilancio("jobs", "show", "calm-ring-9", "--json").json["job"]
    assert job["total_runs"] == job["completed_runs"] < 1000
    config = job["config"]
    assert (config["precision"], config["precision_by"]) == ("0.04", ["kappa"])
    assert (config["n_replicates"], config["max_replicates"]) == (20, 500)


def test_a_misspelt_group_is_refused_with_what_was_meant(bilancio, stored):
    said = bilancio(
        "sweep", "ring", "--kappas", "0.5,2", "--precision", "0.04", "--precision-by", "kapppa"
    )
    assert said.code == 1
    assert "precision_by: got 'kapppa'" in said.err
    assert "Did you mean kappa?" in said.err
    assert stored() == 0
