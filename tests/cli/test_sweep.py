"""A sweep from the command line, from its options to its files."""

import json
import math
import statistics
from pathlib import Path

import pytest
from scipy.stats import t

from bilancio.cli.render.progress import pace
from bilancio.jobs import JobManager
from bilancio.jobs.models import JobStatus
from tests.cli.conftest import program, rows
from tests.own_project import working_in, write

#: The issue's own line.
COMPARISON = (
    "sweep", "balanced", "--n-agents", "100", "--kappas", "0.25,0.5,1,2",
    "--concentrations", "0.5,1,2", "--mus", "0,0.5,1", "--outside-mid-ratios", "1.0,0.75",
    "--seeds", "42,43",
)  # fmt: skip
LEADING_KEYS = [
    "job_id", "created_at", "completed_at", "status", "description", "config", "runs", "summary",
]  # fmt: skip
LEADING_FIELDS = ["sweep_type", "n_agents", "kappas", "concentrations", "mus"]
LEADING_COUNTS = ["total_runs", "completed_runs", "failed_runs"]


@pytest.fixture(scope="module")
def comparison(tmp_path_factory):
    """The output of the issue's line, and the folder of its job."""
    folder = tmp_path_factory.mktemp("comparison")
    database = f"sqlite:///{folder / 'bilancio.db'}"
    said = program(*COMPARISON, BILANCIO_DATABASE_URL=database, BILANCIO_OUT_DIR=str(folder))
    assert said.code == 0, said.err
    return said, folder / said.out.split()[2]


def recomputed(path: Path) -> dict[str, float]:
    """Summarise runs.csv without any code of bilancio."""
    runs = rows(path)
    pairs: dict[tuple[str, str], dict[str, float]] = {}
    for run in runs:
        pairs.setdefault((run["cell"], run["seed"]), {})[run["arm"]] = float(run["delta_total"])
    effects: dict[str, list[float]] = {}
    for (_, seed), arms in pairs.items():
        effects.setdefault(seed, []).append(arms["passive"] - arms["active"])
    by_seed = [statistics.mean(values) for values in effects.values()]
    half = t.ppf(0.975, len(by_seed) - 1) * statistics.stdev(by_seed) / math.sqrt(len(by_seed))
    every = [effect for values in effects.values() for effect in values]
    return {
        "runs": len(runs),
        "passive": statistics.mean(arms["passive"] for arms in pairs.values()),
        "active": statistics.mean(arms["active"] for arms in pairs.values()),
        "effect": statistics.mean(by_seed),
        "low": statistics.mean(by_seed) - half,
        "high": statistics.mean(by_seed) + half,
        "improved": sum(effect > 0 for effect in every),
        "unchanged": sum(effect == 0 for effect in every),
        "worsened": sum(effect < 0 for effect in every),
    }


def test_the_comparison_says_its_name_first_and_last(comparison):
    said, folder = comparison
    lines = said.out.splitlines()
    assert lines[0] == lines[-1] == f"Job ID: {folder.name}"
    assert "288 runs" in lines[2]


def test_the_printed_effect_is_the_one_that_runs_csv_gives(comparison):
    said, folder = comparison
    found = recomputed(folder / "runs.csv")
    assert found["runs"] == 288
    assert (
        f"Trading lowered the average default rate by {found['effect']:.4f}, from "
        f"{found['passive']:.4f} (passive) to {found['active']:.4f} (active); 95 % interval "
        f"{found['low']:.4f} to {found['high']:.4f}, 2 seeds. Of 144 pairs {found['improved']} "
        f"improved, {found['unchanged']} did not change, {found['worsened']} worsened."
    ) in said.out


def test_the_comparison_says_where_its_files_are_and_what_to_type_next(comparison):
    said, folder = comparison
    assert f"Files in {folder}:" in said.out
    for name in ("job_manifest.json", "runs.csv", "comparison.csv", "summary.json"):
        assert name in said.out
        assert (folder / name).is_file()
    assert f"bilancio jobs results {folder.name} --group-by kappa," in said.out


def test_the_manifest_begins_with_the_promised_fields_and_has_the_summary(comparison):
    _, folder = comparison
    manifest = json.loads((folder / "job_manifest.json").read_text())
    assert list(manifest)[: len(LEADING_KEYS)] == LEADING_KEYS
    config = manifest["config"]
    assert (list(config)[:5], list(config)[-1]) == (LEADING_FIELDS, "cloud")
    assert config["kappas"] == ["0.25", "0.5", "1", "2"]
    assert config["outside_mid_ratios"] == ["1", "0.75"]
    assert len(manifest["runs"]) == 288
    assert {tuple(run) for run in manifest["runs"]} == {("run_id", "status")}
    summary, found = manifest["summary"], recomputed(folder / "runs.csv")
    assert list(summary)[:3] == LEADING_COUNTS
    assert summary["total_runs"] == summary["completed_runs"] == 288
    assert summary["avg_delta_passive"] == pytest.approx(found["passive"], rel=1e-12)
    assert summary["avg_delta_active"] == pytest.approx(found["active"], rel=1e-12)
    assert summary["avg_trading_effect"] == pytest.approx(found["effect"], rel=1e-12)
    assert summary["trading_effect_ci95"] == pytest.approx([found["low"], found["high"]], rel=1e-9)


def test_progress_on_a_pipe_is_a_few_lines_on_stderr(comparison):
    said, _ = comparison
    assert said.err.count("288/288 runs, in ") == 1
    assert said.err.count("288/288") - said.err.count("writing the results") == 1
    assert len(said.err.splitlines()) < 20


def test_json_is_alone_on_stdout(bilancio):
    said = bilancio("sweep", "ring", "--n-agents", "10", "--seeds", "1,2", "--json")
    found = said.json
    assert (said.code, found["action"], found["job"]["status"]) == (0, "started", "completed")
    assert found["job"]["job_id"] in said.err
    assert found["summary"]["completed_runs"] == 2
    assert found["headline"].startswith("The average default rate is")


def test_a_single_run_needs_nothing(bilancio):
    said = bilancio("sweep", "single")
    assert said.code == 0
    assert "1 run, " in said.out


def test_every_parameter_reaches_the_stored_configuration(not_started):
    config = not_started(
        "balanced", "--n-agents", "12", "--monotonicities", "-1,0", "--base-seed", "5",
        "--n-replicates", "2", "--no-rollover", "--early-stop", "--phi-m", "0.50",
        "--default-handling", "fail-fast", "--maturity-days", "4",
    )["config"]  # fmt: skip
    assert config["monotonicities"] == ["-1", "0"]
    assert (config["n_replicates"], config["base_seed"]) == (2, 5)
    assert (config["rollover"], config["early_stop"]) == (False, True)
    assert (config["phi_m"], config["default_handling"]) == ("0.5", "fail-fast")
    assert (config["maturity_days"], config["horizon"]) == (4, 4)


def test_negative_numbers_can_follow_an_equals_sign(not_started):
    config = not_started("single", "--n-agents", "5", "--monotonicity=-0.5")["config"]
    assert config["monotonicity"] == "-0.5"


def test_a_vector_is_a_comma_list(not_started):
    config = not_started(
        "single", "--n-agents", "3", "--liquidity-mode", "vector", "--liquidity-vector", "1, 2,3.5",
    )["config"]  # fmt: skip
    assert config["liquidity_vector"] == ["1", "2", "3.5"]


def test_single_cells_are_pairs_of_name_and_value(not_started):
    config = not_started("ring", "--n-agents", "8", "--points", "kappa=0.3,mu=1; kappa=2")
    points = config["config"]["points"]
    assert [(point["kappa"], point["mu"]) for point in points] == [("0.3", "1"), ("2", "0")]
    assert "points kappa 0.3 concentration 1 mu 1 " in config["description"]


def test_options_override_a_file_whose_decimals_stay_exact(not_started, tmp_path):
    file = tmp_path / "sweep.yaml"
    file.write_text(
        "n_agents: 9\nkappas: [0.10, 1]\nseeds: [1, 2]\nrollover: yes\n"
        "description: From a file\ntags: [calm]\n"
    )
    job = not_started(
        "ring",
        "--config",
        file,
        "--n-agents",
        "7",
        "--n-replicates",
        "3",
        "--no-rollover",
    )
    config = job["config"]
    assert (config["n_agents"], config["kappas"]) == (7, ["0.1", "1"])
    assert (config["seeds"], config["n_replicates"], config["rollover"]) == (None, 3, False)
    assert (job["description"], job["tags"]) == ("From a file", ["calm"])


def test_options_choose_between_a_total_and_debts_per_agent(bilancio, not_started, tmp_path):
    file = tmp_path / "sweep.yaml"
    file.write_text("q_total: 500\n")
    config = not_started("ring", "--config", file, "--q-per-agent", "70")["config"]
    assert (config["q_total"], config["q_per_agent"]) == (None, "70")
    file.write_text("q_per_agent: 500\n")
    config = not_started("ring", "--config", file, "--q-total", "70")["config"]
    assert (config["q_total"], config["q_per_agent"]) == ("70", None)
    refused = bilancio("sweep", "ring", "--q-total", "5", "--q-per-agent", "3")
    assert "q_per_agent: got '3', beside q_total '5'; allowed: either q_per_agent or" in refused.err


def test_a_manifest_is_a_file_to_run_once_more(bilancio, not_started, isolated):
    words = ("ring", "--n-agents", "8", "--seeds", "3", "--notes", "first")
    first = bilancio("sweep", *words, "--json").json["job"]
    manifest = isolated / "out" / first["job_id"] / "job_manifest.json"
    again = not_started("ring", "--config", manifest)
    assert again["config"] == first["config"]
    assert (again["notes"], again["job_id"] == first["job_id"]) == ("first", False)


def test_a_sweep_without_description_describes_itself(not_started):
    job = not_started("ring", "--n-agents", "8", "--kappas", "0.3,1", "--seeds", "1")
    assert job["description"] == "Ring sweep: n_agents 8; kappas 0.3, 1"


def test_what_a_sweep_says_of_itself_stays_true_when_seeds_are_added(not_started):
    asked = ("ring", "--n-agents", "8", "--kappas", "0.3,1", "--n-replicates")
    few, more = not_started(*asked, "2"), not_started(*asked, "3")
    assert few["description"] == more["description"]


def test_description_notes_tags_name_and_folder_are_kept(bilancio, tmp_path):
    job = bilancio(
        "sweep", "ring", "--n-agents", "8", "--description", "Why [not]?", "--notes", "a note",
        "--tag", "a", "--tag", "b", "--job-id", "my-own-name", "--out-dir", tmp_path / "here",
        "--json",
    ).json["job"]  # fmt: skip
    assert (job["job_id"], job["description"]) == ("my-own-name", "Why [not]?")
    assert (job["notes"], job["tags"]) == ("a note", ["a", "b"])
    assert (tmp_path / "here" / "my-own-name" / "runs.csv").is_file()


def test_detached_the_job_completes_by_itself():
    said = program("sweep", "ring", "--n-agents", "10", "--n-replicates", "50", "--detach")
    name = said.out.split()[2]
    assert said.code == 0
    assert f"bilancio jobs watch {name}" in said.out
    watched = program("jobs", "watch", name)
    assert watched.code == 0
    assert "Completed, 50 of 50 runs." in watched.out


def test_a_job_whose_engine_is_being_compiled_says_so_and_does_not_stand_still(
    isolated, monkeypatch
):
    with JobManager() as manager:
        job = manager.create_job("d", {"sweep_type": "ring", "n_agents": 5})
        progress = manager.progress(job.job_id)
    running = progress.job.model_copy(update={"status": JobStatus.RUNNING})
    seen = progress.model_copy(update={"job": running, "idle_s": 70.0})
    monkeypatch.setenv("BILANCIO_CACHE_DIR", str(isolated / "empty"))
    assert pace(seen) == "compiling the engine"
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    assert pace(seen) == "no run has finished for 1 min 10 s"
    assert pace(seen.model_copy(update={"idle_s": None})) == "starting"


def test_a_sampled_parameter_is_shown_in_bins(bilancio):
    sampled = ("--lhs", "8", "--kappa-range", "0.25:4")
    said = bilancio("sweep", "ring", "--n-agents", "5", *sampled, "--seeds", "1,2")
    firsts = [line.split()[0] for line in said.out.splitlines() if line.strip()]
    assert len([word for word in firsts if ":" in word.strip(":")]) == 5
    assert "--group-by kappa --bins 5" in said.out


WHO = """
import os
import psutil
from bilancio import experiment

@experiment("who")
def worker(seed: int):
    worker = psutil.Process(os.getppid())
    return {"loaded_ahead": "bilancio.ahead" in worker.cmdline()}
"""


@pytest.mark.parametrize(
    ("kappas", "step"),
    [((), "plot {job}"), (("0.3", "1"), "results {job} --group-by kappa,mu")],
)
def test_after_a_search_no_grouping_of_its_probes_is_suggested(bilancio, kappas, step):
    listed = ("--kappas", ",".join(kappas)) if kappas else ()
    search = ("--frontier", "--kappa-range", "0.2:5", "--frontier-tolerance", "0.5")
    said = bilancio("sweep", "balanced", "--n-agents", "5", "--mus", "0,1", *search, *listed)
    job = said.out.splitlines()[0].removeprefix("Job ID: ")
    assert f"More: bilancio jobs {step.format(job=job)}" in said.out.splitlines()


def test_a_sweep_is_carried_out_by_an_interpreter_that_loaded_meanwhile(tmp_path, monkeypatch):
    with working_in(tmp_path / "project", monkeypatch) as place:
        write(place, who=WHO)
        program("sweep", "who", "--job-id", "wide-river-old-mill")
        runs = program("jobs", "runs", "wide-river-old-mill", "--json").json["runs"]
        assert [run["loaded_ahead"] for run in runs] == [1.0]


def test_a_sweep_that_is_not_started_waits_for_a_worker_of_its_name(bilancio, isolated):
    words = ("sweep", "ring", "--n-agents", "5", "--n-replicates", "3", "--job-id", "my-job")
    said = bilancio(*words, "--no-start")
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines()[0] == "Job ID: my-job"
    assert "Start: bilancio jobs start my-job" in said.out
    assert "bilancio worker my-job" in said.out
    waiting = bilancio("jobs", "show", "my-job", "--json").json["job"]
    assert (waiting["status"], waiting["completed_runs"]) == ("pending", 0)
    done = program("worker", "my-job")
    assert (done.code, "3 of 3" in done.out + done.err) == (0, True), done.out + done.err


def test_what_is_created_only_is_told_as_one_object(bilancio):
    words = ("sweep", "ring", "--n-agents", "5", "--n-replicates", "3", "--no-start", "--json")
    told = bilancio(*words).json
    assert (told["action"], told["job"]["status"]) == ("created", "pending")
    assert told["estimate"]["runs"] == 3


def test_a_sweep_cannot_be_detached_without_being_started(bilancio):
    said = bilancio("sweep", "ring", "--no-start", "--detach")
    assert said.code == 1
    assert said.err == "--no-start: got --detach as well, which starts it; allowed: one of both.\n"
    assert bilancio("jobs", "list", "--json").json["total"] == 0
