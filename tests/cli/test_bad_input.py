"""Bad input gets a sentence and exit code 1, and leaves nothing behind."""

import pytest

BAD_SWEEPS = {
    "unknown sweep type": (
        ["rnig"],
        "sweep_type: got 'rnig'; allowed: single, ring, balanced. Did you mean ring?",
    ),
    "misspelt option": (["ring", "--n-agnets", "5"], "Did you mean --n-agents?"),
    "option of another sweep": (
        ["ring", "--vbt-share", "0.1"],
        "Did you mean bilancio sweep balanced, which has it?",
    ),
    "unknown short option": (["ring", "-x"], "-x: got an option that"),
    "empty list": (["ring", "--kappas", ""], "kappas: got an empty list; allowed: at least one"),
    "range without a step": (
        ["ring", "--kappas", "0.25-1"],
        "kappas: got '0.25-1'; allowed: numbers, or low:high:step. Did you mean 0.25:1:step?",
    ),
    "hole in a list": (["ring", "--kappas", "1,,2"], "kappas[1]: got ''; allowed: numbers"),
    "value twice": (["ring", "--kappas", "0.5,0.50"], "kappas: got 0.50 twice; allowed: each"),
    "seed twice": (["ring", "--seeds", "7,7"], "seeds: got 7 twice; allowed: each value once."),
    "negative seed": (["ring", "--seeds=-1"], "seeds[0]: got '-1'; allowed: whole numbers from 0"),
    "kappa zero": (["ring", "--kappas", "0"], "kappas[0]: got '0'; allowed: numbers above 0"),
    "kappa negative": (["single", "--kappa", "-1"], "kappa: got '-1'; allowed: numbers above 0"),
    "not a number": (["ring", "--kappas", "nan"], "kappas[0]: got 'nan'; allowed: numbers"),
    "infinity": (["ring", "--mus", "inf"], "mus[0]: got 'inf'; allowed: numbers from 0 to 1."),
    "no number at all": (["ring", "--n-agents", "many"], "n_agents: got 'many'; allowed: whole"),
    "two agents": (["ring", "--n-agents", "2"], "n_agents: got '2'; allowed: whole numbers from 3"),
    "too many agents": (["ring", "--n-agents", "1000000000"], "from 3 to 100000."),
    "too many days": (["ring", "--maturity-days", "1001"], "maturity_days: got '1001'; allowed"),
    "too much debt": (["ring", "--q-total", "1000000001"], "q_total: got '1000000001'; allowed"),
    "too many runs": (
        ["ring", "--n-replicates", "10000000", "--kappas", "1,2"],
        "grid: got 20,000,000 runs; allowed: at most 10,000,000 runs in one job.",
    ),
    "seeds in two ways": (
        ["ring", "--seeds", "1", "--n-replicates", "3"],
        "seeds: got a list and n_replicates 3; allowed: either",
    ),
    "unknown word": (
        ["balanced", "--outside-depth", "unlimitd"],
        "outside_depth: got 'unlimitd'; allowed: balance-sheet or unlimited. Did you mean unlim",
    ),
    "malformed name": (["ring", "--job-id", "One"], "job_id: got 'One'; allowed: 2 to 8 words"),
    "cloud": (["ring", "--cloud"], "Modal needs a token, and there is none in MODAL_TOKEN_ID and"),
    "cloud elsewhere": (
        ["ring", "--cloud", "--executor", "local"],
        "executor: got 'local'; allowed: modal, or nothing, because cloud is true",
    ),
    "list written with spaces": (
        ["ring", "--kappas", "0.5", "1"],
        "bilancio sweep ring: got '1' beside its options; allowed: options only; values of one",
    ),
    "option without its value": (["ring", "--kappas"], "--kappas: got nothing; allowed: a value"),
    "switch with a value": (["ring", "--rollover=1"], "--rollover: got a value; allowed: the"),
    "pair without a value": (["ring", "--points", "kappa"], "points: got 'kappa'; allowed: such"),
    "no such file": (["ring", "--config", "none.yaml"], "none.yaml'; allowed: a file that"),
    "empty description": (["ring", "--description", " "], "description: got ' '; allowed"),
}


@pytest.mark.parametrize(("words", "sentence"), BAD_SWEEPS.values(), ids=BAD_SWEEPS)
def test_a_wrong_sweep_is_refused_and_nothing_is_stored(
    bilancio, stored, isolated, words, sentence
):
    said = bilancio("sweep", *words)
    assert sentence in said.err
    assert (said.code, said.out, said.err.count("\n")) == (1, "", 1)
    assert stored() == 0
    assert not (isolated / "out").exists()


def test_several_wrong_values_are_all_named(bilancio):
    said = bilancio("sweep", "ring", "--n-agents", "2", "--mus", "0,3", "--seeds", "x")
    assert [line.partition(":")[0] for line in said.err.splitlines()] == [
        "n_agents", "seeds[0]", "mus[1]",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("kapas: [1]", "kapas: unknown field; did you mean kappas? Known fields: "),
        ("kappas: [0]", "kappas[0]: got 0; allowed: numbers above 0"),
        ("kappas: [.nan]", "kappas[0]: got '.nan'; allowed: numbers"),
        ("sweep_type: ring", "sweep_type: got 'ring'; allowed: balanced, as the command says."),
        ("kappas: [1]\nkappas: [2]", "kappas: got 'two values'; allowed: each name once."),
        ("- 1\n- 2", "allowed: a YAML file with a parameter's name and value on each line."),
        ("kappas: [1", "allowed: a YAML file with a parameter's name and value on each line"),
    ],
)
def test_a_wrong_file_is_refused(bilancio, stored, tmp_path, text, sentence):
    (tmp_path / "sweep.yaml").write_text(text)
    said = bilancio("sweep", "balanced", "--config", tmp_path / "sweep.yaml")
    assert sentence in said.err
    assert (said.code, said.out, said.err.count("\n")) == (1, "", 1)
    assert stored() == 0


def test_a_misspelt_name_in_a_file_is_told_the_nearest(bilancio, tmp_path):
    (tmp_path / "sweep.yaml").write_text("outside_mid_ratio: [1]")
    said = bilancio("sweep", "balanced", "--config", tmp_path / "sweep.yaml")
    assert "unknown field; did you mean outside_mid_ratios?" in said.err


BAD_VERBS = {
    "unknown noun": (
        ["job"],
        "notify, doctor. Did you mean bilancio jobs?",
    ),
    "unknown verb": (
        ["jobs", "lst"],
        "bilancio jobs: got 'lst'; allowed: list, news, edit, show",
    ),
    "no name": (["jobs", "show"], "JOB: got nothing; allowed: a job's name."),
    "unknown name": (["jobs", "show", "no-such-job"], "No job 'no-such-job', and none with a"),
    "similar name": (
        ["jobs", "results", "calm-red-river-7"],
        "No job 'calm-red-river-7'. Did you mean calm-blue-river-7?",
    ),
    "cancelling by half a name": (["jobs", "cancel", "calm"], "Did you mean calm-blue-river-7?"),
    "starting a completed job": (
        ["jobs", "start", "calm-blue-river-7"],
        "Job calm-blue-river-7 is completed and cannot be started again.",
    ),
    "cancelling a completed job": (
        ["jobs", "cancel", "calm-blue-river-7"],
        "Job calm-blue-river-7 is completed and cannot be cancelled.",
    ),
    "name taken": (
        ["sweep", "ring", "--job-id", "calm-blue-river-7"],
        "job_id: 'calm-blue-river-7' names a job already ('Calm [water]'); allowed: a name",
    ),
    "limit no number": (["jobs", "list", "--limit", "x"], "limit: got 'x'; allowed: whole numbers"),
    "limit too high": (["jobs", "list", "--limit", "1001"], "limit: got 1001; allowed: whole"),
    "unknown format": (
        ["jobs", "results", "calm-blue-river-7", "--format", "mrkdown"],
        "format: got 'mrkdown'; allowed: markdown, latex, csv. Did you mean markdown?",
    ),
    "unknown export format": (
        ["jobs", "export", "calm-blue-river-7", "--format", "parket"],
        "format: got 'parket'; allowed: csv or parquet. Did you mean parquet?",
    ),
    "two formats": (
        ["jobs", "results", "calm-blue-river-7", "--format", "csv", "--json"],
        "format: got csv and --json; allowed: one of the two.",
    ),
    "two tables in one": (
        [
            "jobs",
            "results",
            "calm-blue-river-7",
            "--group-by",
            "kappa",
            "--format",
            "csv",
            "--effects",
        ],
        "format: got csv of 2 tables; allowed: csv of one: group_by, contrast or effects.",
    ),
    "unknown status": (["jobs", "list", "--status", "done"], "status: got 'done'; allowed: pend"),
    "unknown parameter": (
        ["jobs", "results", "calm-blue-river-7", "--group-by", "kapa"],
        "group_by: got 'kapa'; allowed: outside_mid_ratio, kappa,",
    ),
    "unknown measure": (
        ["jobs", "results", "calm-blue-river-7", "--measures", "delta_pasive"],
        "Did you mean delta_passive?",
    ),
    "unknown status of runs": (
        ["jobs", "runs", "calm-blue-river-7", "--status", "x"],
        "status: got 'x'; allowed: completed, failed, pending.",
    ),
    "last none": (["jobs", "events", "calm-blue-river-7", "--last", "0"], "last: got '0'; allowed"),
    "no manifest": (["jobs", "import", "/"], "path: got '/'; allowed: a job_manifest.json, or"),
}


@pytest.mark.parametrize(("words", "sentence"), BAD_VERBS.values(), ids=BAD_VERBS)
def test_a_wrong_question_is_refused_in_a_sentence(bilancio, job, stored, words, sentence):
    said = bilancio(*words)
    assert sentence in said.err
    assert (said.code, said.out, said.err.count("\n")) == (1, "", 1)
    assert stored() == 1


def test_a_folder_that_cannot_be_written_is_refused(bilancio, stored, tmp_path):
    (tmp_path / "file").write_text("")
    said = bilancio("sweep", "ring", "--out-dir", tmp_path / "file" / "below")
    assert said.code == 1
    assert said.err.startswith(f"out_dir: {tmp_path / 'file' / 'below'} cannot be written (")
    assert stored() == 0


def test_a_database_file_that_is_none_is_refused_and_left_as_it_is(bilancio, tmp_path, monkeypatch):
    path = tmp_path / "letter.txt"
    path.write_text("Dear reader, " * 100)
    monkeypatch.setenv("BILANCIO_DATABASE_URL", f"sqlite:///{path}")
    said = bilancio("sweep", "ring")
    assert (said.code, said.out, said.err.count("\n")) == (1, "", 1)
    assert f"The store {path} cannot be used" in said.err
    assert path.read_text() == "Dear reader, " * 100


def test_with_json_a_refusal_leaves_stdout_empty(bilancio):
    said = bilancio("sweep", "ring", "--kappas", "0", "--json")
    assert (said.code, said.out) == (1, "")
