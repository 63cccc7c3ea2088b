"""Files in the layout of the older tool: translated, with a note of what differs."""

import pytest

OLDER = """\
version: 1
out_dir: older
runner:
  n_agents: 10
  q_total: 5000.0
  liquidity_mode: single_at
  liquidity_agent: H1
  base_seed: 7
  name_prefix: Ring
  dealer_enabled: true
  dealer_config: {ticket_size: 1}
  risk_assessment_enabled: true
grid:
  kappas: [0.25, 0.5]
  mus: [0, 1]
lhs:
  count: 0
  kappa_range: [0.2, 5]
frontier:
  enabled: true
  kappa_low: 0.1
  kappa_high: 4
  tolerance: 0.02
  max_iterations: 10
"""


@pytest.fixture
def planned(bilancio, tmp_path):
    """Plan a sweep from an older file in which some texts are replaced by others."""

    def call(sweep_type="balanced", *options, **changes):
        text = OLDER
        for old, new in changes.items():
            text = text.replace(f"{old}:", f"{new}:", 1) if new.isidentifier() else text + new
        file = tmp_path / "ring_sweep_config.yaml"
        file.write_text(text)
        return bilancio("sweep", sweep_type, "--config", file, *options, "--dry-run", "--json")

    return call


def test_every_value_is_taken_or_said_not_to_be(planned):
    said = planned()
    asked = {name: said.json["config"][name] for name in (
        "n_agents", "q_total", "liquidity_mode", "liquidity_agent", "kappas", "mus", "frontier",
        "kappa_range", "frontier_delta", "lhs",
    )}  # fmt: skip
    assert asked == {
        "n_agents": 10, "q_total": "5000", "liquidity_mode": "single_at", "liquidity_agent": 1,
        "kappas": ["0.25", "0.5"], "mus": ["0", "1"], "frontier": True,
        "kappa_range": ["0.1", "4"], "frontier_delta": "0.02", "lhs": None,
    }  # fmt: skip
    for word in (
        "name_prefix 'Ring'", "dealer_enabled was a treatment of its own", "(ticket_size)",
        "risk_assessment_* is not used", "lhs: kappa_range not used", "frontier.tolerance was two",
        "max_iterations is not used", "Seeds: the older tool gave each run the next number",
    ):  # fmt: skip
        assert word in said.err


def test_options_win_over_the_file(planned):
    config = planned("balanced", "--kappas", "2", "--n-replicates", "3").json["config"]
    assert (config["kappas"], config["n_replicates"], config["base_seed"]) == (["2"], 3, 7)


def test_the_folder_of_the_file_is_that_of_the_job(bilancio, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old.yaml").write_text("version: 1\nout_dir: older\nrunner: {n_agents: 3}\n")
    said = bilancio("sweep", "ring", "--config", "old.yaml", "--job-id", "my-older-sweep")
    assert said.code == 0, said.err
    assert (tmp_path / "older" / "my-older-sweep" / "summary.json").exists()


@pytest.mark.parametrize(
    ("sweep_type", "changes", "sentence"),
    [
        ("ring", {}, "runner.dealer_enabled: got true; allowed: false for a ring sweep"),
        ("balanced", {"n_agents": "n_agnts"}, "runner: n_agnts: unknown field; did you mean n_ag"),
        ("balanced", {"grid": "girds"}, "girds: unknown field; did you mean grid?"),
        ("balanced", {"": "output: {}\n"}, "output: unknown field"),
    ],
)
def test_what_it_cannot_mean_is_refused_by_name(planned, stored, sweep_type, changes, sentence):
    said = planned(sweep_type, **changes)
    assert (said.code, said.out) == (1, "")
    assert sentence in said.err


def test_another_version_is_refused(bilancio, tmp_path):
    file = tmp_path / "old.yaml"
    file.write_text("version: 2\nrunner: {n_agents: 3}\n")
    said = bilancio("sweep", "ring", "--config", file, "--dry-run")
    assert said.err.endswith("version: got 2; allowed: 1.\n")
