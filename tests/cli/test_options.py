"""Options given twice, ranges, and files that are not what they seem."""

import os

import pytest

from tests.cli.conftest import program


@pytest.fixture
def configured(not_started):
    """Return the stored configuration of a sweep that options ask for."""
    return lambda *words: not_started(*words, "--n-agents", "5")["config"]


def test_a_list_given_twice_is_one_list(configured):
    config = configured(
        "balanced", "--kappas", "0.5", "--kappas", "1,2", "--seeds", "1", "--seeds", "2"
    )
    assert config["kappas"] == ["0.5", "1", "2"]
    assert config["seeds"] == [1, 2]


def test_points_given_twice_are_all_points(configured):
    config = configured("ring", "--points", "kappa=1", "--points", "kappa=2; kappa=3")
    assert [point["kappa"] for point in config["points"]] == ["1", "2", "3"]


def test_results_are_grouped_by_all_that_is_named(bilancio, job):
    at_once = bilancio("jobs", "results", job, "--group-by", "kappa,mu", "--json")
    apart = bilancio("jobs", "results", job, "--group-by", "kappa", "--group-by", "mu", "--json")
    assert apart.json["table"] == at_once.json["table"]
    one = ("--measures", "trading_effect")
    both = bilancio("jobs", "results", job, *one, "--measures", "delta_active", "--json")
    assert "delta_active" in both.json["table"]["columns"]


def test_a_run_is_shown_for_all_days_and_agents_that_are_named(bilancio):
    run = ("run", "ring", "--n-agents", "5", "--kappa", "0.5", "--mu", "0.5", "--json")
    apart = bilancio(*run, "--day", "0", "--day", "1", "--agent", "H1", "--agent", "H2")
    assert apart.json == bilancio(*run, "--day", "0,1", "--agent", "H1,H2").json


@pytest.mark.parametrize(
    "words",
    [
        ("sweep", "ring", "--n-agents", "5", "--n-agents", "6"),
        ("sweep", "ring", "--description", "a", "--description", "b"),
        ("sweep", "ring", "--job-id", "own-name-1", "--job-id", "own-name-2"),
        ("sweep", "ring", "--rollover", "--no-rollover"),
        ("sweep", "ring", "--lhs", "3", "--kappa-range", "1:2", "--kappa-range", "2:3"),
        ("sweep", "single", "--kappa", "1", "--kappa=2"),
        ("jobs", "list", "--limit", "1", "--limit", "2"),
        ("jobs", "list", "--tag", "a", "--tag", "b"),
        ("run", "ring", "--kappa", "1", "--kappa", "2"),
        ("worker", "--recover", "--jobs", "1", "--jobs", "2"),
    ],
    ids=" ".join,
)
def test_a_single_value_given_twice_is_refused(bilancio, stored, words):
    said = bilancio(*words)
    assert (said.code, said.out) == (1, "")
    assert said.err.endswith(": got 2 values; allowed: one value.\n")
    assert said.err.startswith("--")
    assert stored() == 0


def test_a_hole_in_a_list_given_twice_is_refused(bilancio):
    said = bilancio("sweep", "ring", "--kappas", "1", "--kappas", "")
    assert "kappas[1]: got ''; allowed: numbers" in said.err


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0.1:0.5:0.1", ["0.1", "0.2", "0.3", "0.4", "0.5"]),
        ("0.1:0.35:0.1", ["0.1", "0.2", "0.3"]),
        ("0.1:0.3:0.1,2", ["0.1", "0.2", "0.3", "2"]),
        ("[0.1, 0.2]", ["0.1", "0.2"]),
    ],
)
def test_a_list_can_be_written_as_a_range(configured, text, values):
    assert configured("ring", "--kappas", text)["kappas"] == values


def test_seeds_and_a_file_take_ranges_too(configured, tmp_path):
    (tmp_path / "sweep.yaml").write_text("kappas: 0.1:0.3:0.1\nmus: [0:1:0.5]\nseeds: 1:3:1\n")
    config = configured("ring", "--config", tmp_path / "sweep.yaml")
    assert (config["kappas"], config["mus"]) == (["0.1", "0.2", "0.3"], ["0", "0.5", "1"])
    assert config["seeds"] == [1, 2, 3]
    assert configured("ring", "--seeds", "5:9:2")["seeds"] == [5, 7, 9]


@pytest.fixture
def varied(not_started):
    """Return what the stored configuration of a sweep says of its axes."""

    def call(*words):
        config = not_started("ring", "--maturity-days", "3", *words)["config"]
        return {name: config[name] for name in ("n_agents", "kappas", "vary")}

    return call


def test_axes_are_named_once_several_times_or_with_semicolons(varied):
    at_once = varied("--vary", "n-agents=5:9:2; default_handling=fail-fast,expel-agent")
    apart = ("--vary", "default_handling=fail-fast,expel-agent", "--vary", "n_agents=5,7,9")
    assert at_once == varied(*apart)
    assert at_once["vary"] == {
        "n_agents": [5, 7, 9],
        "default_handling": ["fail-fast", "expel-agent"],
    }
    assert varied("--vary", '{"n_agents": [5, 7]}')["vary"] == {"n_agents": [5, 7]}


def test_an_option_takes_the_place_of_what_a_file_says_of_a_parameter(varied, tmp_path):
    file = tmp_path / "sweep.yaml"
    file.write_text("n_agents: 5\nkappas: [1, 2]\nvary: {q_total: 1:2:1, early_stop: true}\n")
    from_file = ("--config", file)
    kept = {"q_total": ["1", "2"], "early_stop": [True]}
    assert varied(*from_file) == {"n_agents": 5, "kappas": ["1", "2"], "vary": kept}
    assert varied(*from_file, "--vary", "n_agents=5,6;kappa=3") == {
        "n_agents": None,
        "kappas": ["3"],
        "vary": {"n_agents": [5, 6], **kept},
    }
    assert varied(*from_file, "--q-total", "7", "--vary", "early_stop=no") == {
        "n_agents": 5,
        "kappas": ["1", "2"],
        "vary": {"early_stop": [False]},
    }


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("n_agents", "vary: got 'n_agents'; allowed: such as 'kappa=0.5,1; mu=0:1:0.1'."),
        ("n_agents=5;n-agents=6", "vary.n_agents: got '5' and '6'; allowed: each name once."),
        ("n_agnts=5", "vary.n_agnts: unknown field; did you mean n_agents?"),
        ("n_agents=", "vary.n_agents: got an empty list; allowed: at least one value"),
    ],
)
def test_axes_that_cannot_be_read_are_refused(bilancio, stored, text, sentence):
    said = bilancio("sweep", "ring", "--vary", text)
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith(sentence)
    assert stored() == 0


def test_a_limit_to_search_for_is_written_by_names_and_values(bilancio, stored):
    sought = ("sweep", "balanced", "--vary", "kappa=0.5:20", "--threshold")
    said = bilancio(*sought, "axis=kappa; measure=trading_effect; at_most=0.01", "--dry-run")
    assert "threshold axis kappa measure trading_effect at_most 0.01" in said.out
    assert said.out.startswith("At most 22 runs, ")
    refused = bilancio(*sought, "kappa").err
    example = "axis=kappa; measure=delta; at_most=0.05"
    assert refused == f"threshold: got 'kappa'; allowed: such as '{example}'.\n"
    assert bilancio(*sought, example, "--dry-run").code == 0
    assert stored() == 0


def test_results_show_words_and_booleans_as_they_are_written(bilancio):
    words = ("--vary", "default_handling=fail-fast,expel-agent;early_stop=true,false")
    said = bilancio("sweep", "ring", "--n-agents", "5", *words, "--detach", "--json")
    job = said.json["job"]["job_id"]
    bilancio("jobs", "watch", job)
    shown = bilancio("jobs", "results", job, "--group-by", "default_handling,early_stop").out
    assert "fail-fast" in shown
    assert " true " in shown
    run = bilancio("run", "job", job, "--run", "0", "--json").json
    assert run["parameters"]["default_handling"] == "fail-fast"


@pytest.mark.parametrize(
    "text", ["0.5:0.1:0.1", "0.1:0.5:0", "1:2:3:4", "a:b:c", "1::2", "0:1:1e-9"]
)
def test_a_range_that_leads_nowhere_is_refused(bilancio, stored, text):
    said = bilancio("sweep", "ring", "--kappas", text)
    assert (said.code, said.out, said.err.count("\n")) == (1, "", 1)
    assert "kappas" in said.err
    assert stored() == 0


BOMB = "a: &a [1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]\n"
    for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
UNREADABLE = {
    "octal": ("n_agents: 010", "line 1: '010' is not a decimal number"),
    "hexadecimal": ("n_agents: 0x10", "line 1: '0x10' is not a decimal number"),
    "binary number": ("n_agents: 0b11", "line 1: '0b11' is not a decimal number"),
    "octal in a list": ("kappas: [1, 012]", "line 1: '012' is not a decimal number"),
    "python": ("kappas: !!python/object/apply:os.system [ls]", "!!python/object/apply:os.system"),
    "binary data": ("description: !!binary aGk=", "'!!binary' is not allowed"),
    "set": ("kappas: !!set {1, 2}", "'!!set' is not allowed"),
    "own tag": ("kappas: !mine 1", "'!mine' is not allowed"),
    "bomb": (BOMB, "it holds more than 100,000 values"),
    "endless": ("kappas: &a [*a]", "it is nested too deeply"),
    "deep": ("kappas: " + "[" * 500, "it is nested too deeply"),
    "unknown anchor": ("kappas: *a", "line 1: found undefined alias"),
    "list for a name": ("? [a, b]\n: 1", "line 1: a name must be text"),
    "merge": ("a: &a {n_agents: 5}\n<<: *a", "'!!merge' is not allowed"),
    "list": ("- 1\n- 2", "it holds a list"),
    "word": ("kappas", "it holds a single value"),
    "nothing": ("", "it holds nothing"),
    "comment": ("# later", "it holds nothing"),
    "two documents": ("kappas: [1]\n---\nmus: [0]", "line 2: but found another document"),
    "open bracket": ("kappas: [1", "line 1: expected ',' or ']'"),
    "tab": ("kappas:\n\t- 1", "line 2: found character '\\t'"),
    "control character": ("description: a\x07", "special characters are not allowed"),
    "no text": (b"description: \xff\xfe", "it is not UTF-8 text"),
    "zero byte": (b"n_agents: 5\0", "special characters are not allowed"),
    "half a pair": ('description: "\\ud800"', "it holds text that is not Unicode"),
    "large": (b"# " + b"x" * (1 << 20), "it is larger than 1 MiB"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "reason"), UNREADABLE.values(), ids=UNREADABLE)
def test_a_file_that_is_no_sweep_is_refused_with_the_reason(
    bilancio, stored, tmp_path, content, reason
):
    path = tmp_path / "sweep.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    said = bilancio("sweep", "ring", "--config", path)
    assert (said.code, said.out, said.err.count("\n")) == (1, "", 1)
    assert reason in said.err
    assert "Unexpected" not in said.err
    assert stored() == 0


MISREAD = {
    "base 60": ("n_agents: 1:30", "n_agents: got '1:30'; allowed: whole numbers"),
    "octal of 1.2": ("n_agents: 0o17", "n_agents: got '0o17'; allowed: whole numbers"),
    "date": ("n_agents: 2020-01-01", "n_agents: got '2020-01-01'; allowed: whole numbers"),
    "number for a name": ("1: 2", "1: unknown field"),
    "empty name": ("'': 2", "unknown field"),
    "very long number": (f"n_agents: {'9' * 5000}", "n_agents: got '9999"),
    "description without text": ("description: [1]", "description: got "),
    "tags without a list": ("tags: calm", "tags: got 'calm'"),
}


@pytest.mark.parametrize(("text", "sentence"), MISREAD.values(), ids=MISREAD)
def test_what_yaml_reads_otherwise_than_people_is_refused(
    bilancio, stored, tmp_path, text, sentence
):
    (tmp_path / "sweep.yaml").write_text(text)
    said = bilancio("sweep", "ring", "--config", tmp_path / "sweep.yaml")
    assert (said.code, said.out) == (1, "")
    assert sentence in said.err
    assert len(said.err) < 2000
    assert stored() == 0


def test_thousands_of_unknown_names_are_refused_briefly(bilancio, tmp_path):
    (tmp_path / "sweep.yaml").write_text("\n".join(f"name_{i}: 1" for i in range(5000)))
    said = bilancio("sweep", "ring", "--config", tmp_path / "sweep.yaml")
    assert said.code == 1
    assert said.err.count("unknown field") <= 10
    assert "4,990" in said.err


def test_a_mark_of_byte_order_and_anchors_are_taken(configured, tmp_path):
    text = "kappas: &grid [0.10, 1]\nmonotonicities: *grid\nmus: 0\ndescription: 2020-01-01\n"
    (tmp_path / "sweep.yaml").write_bytes(b"\xef\xbb\xbf" + text.encode())
    config = configured("ring", "--config", tmp_path / "sweep.yaml", "--mus", "0")
    assert (config["kappas"], config["monotonicities"]) == (["0.1", "1"], ["0.1", "1"])


def test_a_folder_is_no_file(bilancio, tmp_path):
    said = bilancio("sweep", "ring", "--config", tmp_path)
    assert (said.code, said.out, said.err.count("\n")) == (1, "", 1)
    assert "it is not a regular file" in said.err


def test_a_pipe_or_device_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.yaml")
    for path in (tmp_path / "pipe.yaml", "/dev/zero"):
        said = program("sweep", "ring", "--config", path)
        assert (said.code, said.out, said.err.count("\n")) == (1, "", 1)
        assert "it is not a regular file" in said.err


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("[" * 100_000, "nested deeper"),
        ('{"kappas": [NaN]}', "NaN"),
        ("{", "not JSON"),
        ("[1]", "a list"),
    ],
)
def test_a_manifest_that_is_none_is_refused(bilancio, stored, tmp_path, content, reason):
    (tmp_path / "job_manifest.json").write_text(content)
    said = bilancio("sweep", "ring", "--config", tmp_path / "job_manifest.json")
    assert (said.code, said.out, said.err.count("\n")) == (1, "", 1)
    assert reason in said.err
    assert stored() == 0


LONG = "x" * 5000
UNUSABLE = {
    "bytes for a name": (["jobs", "show", b"\xff\xfe"], "arguments of Unicode text"),
    "bytes for a description": (["sweep", "ring", "--description", b"a\xffb"], "Unicode text"),
    "bytes for a folder": (["sweep", "ring", "--out-dir", b"a\xff"], "Unicode text"),
    "bytes for a command": ([b"\xff"], "Unicode text"),
    "no such user": (["sweep", "ring", "--out-dir", "~nosuchuser/x"], "there is no such user"),
    "no user to export to": (["jobs", "export", "JOB", "~nosuchuser/x"], "no such user"),
    "no user to import from": (["jobs", "import", "~nosuchuser/x"], "there is no such user"),
    "no user to back up to": (["jobs", "backup", "~nosuchuser/x"], "there is no such user"),
    "no user with a file": (["sweep", "ring", "--config", "~nosuchuser/x"], "no such user"),
    "no user to write a run to": (
        ["run", "ring", "--n-agents", "3", "--out-dir", "~nosuchuser/x"], "there is no such user",
    ),
    "long folder": (["sweep", "ring", "--out-dir", f"/tmp/{LONG}"], "out_dir: "),
    "long manifest": (["jobs", "import", f"/tmp/{LONG}"], "path: "),
    "long backup": (["jobs", "backup", f"/tmp/{LONG}"], "file: "),
    "long file": (["sweep", "ring", "--config", LONG], "config: "),
    "long name": (["sweep", "ring", "--job-id", LONG], "job_id: "),
    "long description": (["sweep", "ring", "--description", "x" * 10_001], "at most 10,000"),
    "long tag": (["sweep", "ring", "--tag", LONG], "tags"),
    "empty description": (["sweep", "ring", "--description", ""], "description: got "),
    "empty tag": (["sweep", "ring", "--tag", ""], "tags"),
    "empty name": (["sweep", "ring", "--job-id", ""], "job_id: got ''"),
    "empty folder": (["sweep", "ring", "--out-dir", ""], "out_dir: got "),
    "empty file": (["sweep", "ring", "--config", ""], "config: got "),
    "offset past everything": (["jobs", "list", "--offset", "9" * 30], "offset: got "),
    "very long limit": (["jobs", "list", "--limit", "9" * 5000], "limit: got "),
}  # fmt: skip


@pytest.mark.parametrize(("words", "sentence"), UNUSABLE.values(), ids=UNUSABLE)
def test_what_cannot_be_kept_whole_is_refused_in_a_sentence(bilancio, job, stored, words, sentence):
    typed = [os.fsdecode(word) if isinstance(word, bytes) else word for word in words]
    said = bilancio(*(job if word == "JOB" else word for word in typed))
    assert (said.code, said.out) == (1, "")
    assert sentence in said.err
    assert "Unexpected" not in said.err
    assert len(said.err) < 1000
    assert stored() == 1


def test_text_is_read_as_it_was_typed_where_the_locale_has_no_letters_for_it(isolated):
    said = program(
        *("sweep", "single", "--n-agents", "3", "--description", "Größe κ", "--json", "--detach"),
        LC_ALL="C", PYTHONCOERCECLOCALE="0", PYTHONUTF8="0",
    )  # fmt: skip
    assert said.json["job"]["description"] == "Größe κ"
    assert program("jobs", "watch", said.json["job"]["job_id"]).code == 0


def test_pages_past_the_end_are_empty(bilancio, job):
    for words in (["runs", job], ["results", job, "--group-by", "kappa"]):
        said = bilancio("jobs", *words, "--offset", str(2**62), "--json")
        assert (said.code, said.err) == (0, "")
