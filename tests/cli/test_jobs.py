"""Jobs found, shown and listed."""

import csv
import shutil

import pytest

from bilancio.jobs import JobManager
from tests.cli.conftest import rows

COLUMNS = 80


def test_an_empty_store_says_how_a_job_is_started(bilancio):
    said = bilancio("jobs", "list")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("There are no jobs yet.")
    assert "bilancio sweep balanced" in said.out
    document = bilancio("jobs", "list", "--json").json
    assert (document["jobs"], document["total"], document["offset"]) == ([], 0, 0)


def test_a_list_says_that_a_manifest_could_not_be_read(bilancio, isolated):
    folder = isolated / "out" / "letter"
    folder.mkdir(parents=True)
    (folder / "job_manifest.json").write_text("Dear reader")
    said = bilancio("jobs", "list")
    assert said.err == "1 manifest could not be read; `bilancio doctor` says why.\n"
    assert bilancio("jobs", "list", "--json").json["refused_manifests"] == 1


def test_a_list_names_each_job_with_state_runs_age_and_description(bilancio, job):
    said = bilancio("jobs", "list")
    first, second = said.out.splitlines()[2:4]
    assert first.split()[:3] == [job, "completed", "16"]
    assert first.rstrip().endswith(("just now", "ago"))
    assert second.strip() == "Calm [water]"


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (("--status", "completed"), 1), (("--status", "failed"), 0),
        (("--tag", "calm"), 1), (("--tag", "wild"), 0),
        (("--text", "water"), 1), (("--text", "fire"), 0),
        (("--offset", "1"), 0),
    ],
)  # fmt: skip
def test_a_list_can_be_narrowed(bilancio, job, words, count):
    assert len(bilancio("jobs", "list", *words, "--json").json["jobs"]) == count
    assert (job in bilancio("jobs", "list", *words).out) == bool(count)


def test_a_list_that_goes_on_says_so(bilancio, job, small_job, monkeypatch, tmp_path):
    database = tmp_path / "copy.db"
    shutil.copy(small_job / "bilancio.db", database)
    monkeypatch.setenv("BILANCIO_DATABASE_URL", f"sqlite:///{database}")
    assert bilancio("sweep", "single", "--n-agents", "5").code == 0
    said = bilancio("jobs", "list", "--limit", "1")
    assert said.out.endswith("Job 1 of 2; --offset 1 shows more.\n")
    assert "shows more" not in bilancio("jobs", "list", "--limit", "1", "--offset", "1").out


@pytest.mark.parametrize(
    "words",
    [
        ("list",), ("show", "JOB"), ("results", "JOB"), ("runs", "JOB"), ("events", "JOB"),
        ("results", "JOB", "--group-by", "kappa,mu,outside_mid_ratio,concentration,seed"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_tables_fit_eighty_columns(bilancio, job, words):
    said = bilancio("jobs", *(job if word == "JOB" else word for word in words))
    assert said.code == 0
    prose = ("Trading", "Also available", "Not shown", "Files in", "files", "Note", "The interval")
    lines = [line for line in said.out.splitlines() if not line.startswith(prose)]
    assert max(map(len, lines)) <= COLUMNS
    assert "\x1b" not in said.out


@pytest.mark.parametrize("name", ["calm-blue-river-7", "Calm Blue_River 7", "CALM-BLUE-RIVER-7"])
def test_a_name_is_read_in_any_spelling(bilancio, job, name):
    said = bilancio("jobs", "show", name, "--json")
    assert (said.json["job"]["job_id"], said.json["reading"]) == (job, "")


def test_a_name_may_stand_unquoted_with_spaces(bilancio, job):
    assert bilancio("jobs", "show", "Calm", "Blue", "River", "7").out.startswith(f"Job ID: {job}\n")


def test_a_name_that_was_guessed_is_said(bilancio, job):
    said = bilancio("jobs", "show", "calm", "blue")
    assert said.out.startswith(f"Job ID: {job}\n")
    assert said.err == f"Taken to mean {job} (only one name begins with 'calm-blue').\n"


def test_show_tells_state_times_parameters_and_folder(bilancio, job, small_job):
    text = bilancio("jobs", "show", job).out
    told = {line.split()[0]: " ".join(line.split()[1:]) for line in text.splitlines() if line}
    assert (told["status"], told["runs"]) == ("completed", "16 of 16 runs")
    assert (told["kappas"], told["anchor_update"]) == ("0.3, 0.5", "yes")
    assert told["files"] == str(small_job / "out" / job)


def test_results_are_grouped_by_parameters(bilancio, job, small_job):
    table = bilancio(
        "jobs", "results", job, "--group-by", "kappa", "--measures", "trading_effect", "--json"
    ).json["table"]
    assert table["columns"][:5] == ["kappa", "n", "n_seeds", "verdict", "trading_effect"]
    pairs = rows(small_job / "out" / job / "comparison.csv")
    for kappa, n, _, _, effect, *_ in table["rows"]:
        effects = [float(row["trading_effect"]) for row in pairs if float(row["kappa"]) == kappa]
        assert (n, effect) == (4, pytest.approx(sum(effects) / 4))


def test_values_that_are_all_but_equal_are_told_apart(bilancio):
    with JobManager() as manager:
        job = manager.create_job(
            "near", {"sweep_type": "ring", "n_agents": 5, "kappas": [0.3, 0.1 + 0.2], "seeds": [1]}
        )
        manager.run_job(job.job_id)
    for words in (["results", job.job_id, "--group-by", "kappa"], ["runs", job.job_id]):
        lines = [line.split() for line in bilancio("jobs", *words).out.splitlines()]
        told = [word for line in lines if line[:1] != ["Note:"] for word in line]
        assert (told.count("0.3"), told.count("0.30000000000000004")) == (1, 1), words


def test_results_for_people_show_few_measures_and_name_the_others(bilancio, job, small_job):
    said = bilancio("jobs", "results", job, "--group-by", "kappa,mu")
    assert "Trading" in said.out
    assert "95 % interval" in said.out
    assert "Also available, by --measures: trading_relief_ratio, n_defaults_passive" in said.out
    assert f"Files in {small_job / 'out' / job}:" in said.out


def test_a_measure_is_shown_with_its_interval_or_not_at_all(bilancio, job):
    chosen = "trading_effect,delta_passive,delta_active"
    said = bilancio("jobs", "results", job, "--group-by", "kappa,mu", "--measures", chosen)
    assert said.out.count("95 % interval") == 3 - said.err.count("delta_active")
    assert "delta_active; --json has all" in said.err


def test_tables_that_are_added_say_what_their_numbers_are(bilancio, job):
    lines = bilancio("jobs", "results", job, "--contrast", "mu", "--effects").out.splitlines()
    assert "mu against its lowest level: differences, paired by seed" in lines
    assert "shares of the variance between cells, without the noise of seeds" in lines
    assert not any(
        line.endswith("helps") for line in lines
    )  # one row over all repeats the headline


def test_results_page_by_limit_and_offset(bilancio, job):
    said = bilancio("jobs", "results", job, "--group-by", "kappa,mu", "--limit", "3")
    assert "Rows 1–3 of 4; --offset 3 shows more." in said.out


def test_tables_say_what_they_are_of_where_their_columns_do_not(bilancio, job):
    asked = ("--group-by", "kappa", "--pivot", "mu", "--contrast", "mu")
    lines = bilancio("jobs", "results", job, *asked).out.splitlines()
    assert "trading_effect by mu" in lines
    assert "mu against its lowest level: differences, paired by seed" in lines


def test_results_are_written_as_markdown_latex_and_csv(bilancio, job):
    def written(*words):
        return bilancio("jobs", "results", job, "--group-by", "kappa", "--format", *words).out

    lines = written("markdown").splitlines()
    assert [name.strip() for name in lines[0].split("|")][1:6] == [
        "kappa", "n", "n_seeds", "verdict", "delta_passive [95 %]",
    ]  # fmt: skip
    assert len(lines) == 4
    assert "delta active" not in written("latex", "--measures", "trading_effect")
    table = list(csv.DictReader(written("csv", "--limit", "1").splitlines()))
    told = bilancio("jobs", "results", job, "--group-by", "kappa", "--json").json["table"]
    assert list(table[0]) == told["columns"]
    assert float(table[0]["vbt_pnl_low"]) == told["rows"][0][told["columns"].index("vbt_pnl_low")]
    assert len(table) == 1
    both = written("markdown", "--contrast", "mu")
    assert "| against |" in both.split("\n\n")[1]
    said = bilancio("jobs", "results", job, "--effects", "--format", "csv")
    assert said.out.startswith("effect on trading_effect,share,share_low,share_high,variance\n")


def test_runs_are_paged(bilancio, job):
    said = bilancio("jobs", "runs", job, "--limit", "3", "--offset", "2")
    assert "Runs 3–5 of 16; --offset 5 shows more." in said.out
    page = bilancio("jobs", "runs", job, "--limit", "3", "--offset", "2", "--json").json
    assert (page["job_id"], page["total"], len(page["runs"])) == (job, 16, 3)
    assert [run["index"] for run in page["runs"]] == [2, 3, 4]


def test_no_run_of_a_status_is_said(bilancio, job):
    said = bilancio("jobs", "runs", job, "--status", "failed")
    assert (said.code, said.out.startswith("No such runs: 0 runs")) == (0, True)


def test_events_are_told_in_order_from_the_first_to_the_last(bilancio, job):
    every = bilancio("jobs", "events", job, "--after", "0", "--last", "1000", "--json").json
    kinds = [event["event_type"] for event in every["events"]]
    assert (kinds[:2], kinds[-1]) == (["created", "started"], "completed")
    assert set(kinds[2:-1]) == {"progress"}


def test_events_can_be_the_last_few_or_those_after_one(bilancio, job):
    last = bilancio("jobs", "events", job, "--last", "2", "--json").json["events"]
    assert [event["event_type"] for event in last] == ["progress", "completed"]
    after = bilancio("jobs", "events", job, "--after", "1", "--json").json["events"]
    assert (after[0]["seq"], after[-1]) == (2, last[-1])


def test_a_manifest_is_imported_into_another_store(bilancio, job, small_job, tmp_path, monkeypatch):
    monkeypatch.setenv("BILANCIO_DATABASE_URL", f"sqlite:///{tmp_path / 'other.db'}")
    monkeypatch.setenv("BILANCIO_OUT_DIR", str(tmp_path / "nowhere"))
    folder = small_job / "out" / job
    said = bilancio("jobs", "import", folder)
    assert said.out == f"Job {job} is imported: completed, 16 runs.\n"
    assert bilancio("jobs", "results", job).code == 0


def test_names_are_completed_for_the_shell(job):
    from bilancio.cli.context import known_names

    assert known_names("calm") == [job]
    assert known_names("wild") == []


def test_no_names_are_completed_where_there_is_no_store(tmp_path, monkeypatch):
    from bilancio.cli.context import known_names

    (tmp_path / "letter.txt").write_text("Dear reader, " * 100)
    monkeypatch.setenv("BILANCIO_DATABASE_URL", f"sqlite:///{tmp_path / 'letter.txt'}")
    assert known_names("calm") == []
