"""`bilancio experiments` says what is found, what it takes, and what is wrong with it."""

import re

import pytest

from tests.cli.conftest import program

QUEUE = '''
import random
from typing import Annotated
from pydantic import Field
from bilancio import experiment

Rate = Annotated[float, Field(gt=0, description="Arrivals.")]

@experiment(
    "queue",
    arms=("one-line", "two-lines"),
    primary="wait",
    metrics={"wait": ("min", "Mean wait.")},
)
def simulate(seed: int, arm: str, rate: Rate = 0.5):
    """Queue up."""
    print("noise")
    return {"wait": random.Random(seed).random() * rate}
'''


@pytest.fixture
def folder(tmp_path, monkeypatch):
    here = tmp_path / "study"
    here.mkdir()
    monkeypatch.chdir(here)
    (here / "my_queue.py").write_text(QUEUE)
    (here / "pyproject.toml").write_text('[tool.bilancio]\nexperiments = ["my_queue", "missing"]\n')
    return here


def test_the_list_says_what_is_found_and_what_cannot_be_used(folder):
    said = program("experiments", "list")
    assert said.code == 0
    assert "queue" in said.out
    assert "Queue up." in said.out
    assert f"missing ({folder / 'pyproject.toml'}) cannot be used: the module" in " ".join(
        said.out.split()
    )
    found = program("experiments", "list", "--json").json
    assert [each["name"] for each in found["experiments"]] == [
        "single",
        "ring",
        "balanced",
        "queue",
    ]
    assert found["experiments"][-1]["source"] == str(folder / "pyproject.toml")
    assert found["faults"] == [
        {
            "address": "missing",
            "reason": "the module 'missing' is not installed",
            "source": str(folder / "pyproject.toml"),
        }
    ]


def test_an_experiment_is_shown_with_parameters_arms_and_metrics(folder):
    said = program("experiments", "show", "queue")
    for words in ("one-line, two-lines", "numbers above 0", "Arrivals.", "Mean wait.", "0.5"):
        assert words in said.out
    facts = program("experiments", "show", "queue", "--json").json
    assert facts["address"] == "my_queue:simulate"
    assert facts["primary"] == "wait"
    assert facts["parameters"] == [
        {
            "name": "rate",
            "allowed": "numbers above 0",
            "default": "0.5",
            "required": False,
            "description": "Arrivals.",
        }
    ]


def test_a_built_in_experiment_is_shown_too(bilancio):
    assert "Horizon: the largest due day" in bilancio("experiments", "show", "ring", "--json").out
    assert bilancio("experiments", "show", "rnig").err == (
        "sweep_type: got 'rnig'; allowed: single, ring, balanced. Did you mean ring?\n"
    )


def test_a_module_is_checked_by_a_few_runs(folder):
    said = program("experiments", "check", "my_queue")
    assert said.code == 0, said.err
    assert said.out.splitlines()[0] == "queue (my_queue:simulate)"
    assert "one-line: wait 0.4222" in said.out
    assert "noise" not in said.out
    (found,) = program("experiments", "check", "my_queue", "--json").json["experiments"]
    assert found["problems"] == found["remarks"] == []
    assert found["metrics"]["two-lines"]["wait"] == pytest.approx(0.42221, abs=1e-4)


def test_a_checked_experiment_says_the_sweep_to_try_and_that_sweep_runs(folder):
    *_, last = program("experiments", "check", "my_queue").out.splitlines()
    assert last.strip() == "Next: bilancio sweep queue --vary rate=0.25,0.5 --n-replicates 20"
    assert last.removeprefix("  Next: ") in program("sweep", "queue", "--help").out
    assert program(*last.split()[2:]).code == 0


def test_a_module_that_an_installed_package_names_needs_no_other_name(folder, monkeypatch):
    about = folder / "my_queue-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: my-queue\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[bilancio.experiments]\nqueue = my_queue\n")
    (folder / "pyproject.toml").unlink()
    monkeypatch.syspath_prepend(str(folder))
    said = program("experiments", "check", "my_queue")
    assert said.code == 0, said.err
    assert "To use it" not in said.out


CHECKS = {
    "unnamed": ('return {"wait": seed}', 0, 'write experiments = ["other"] under [tool.bilancio].'),
    "constant": ('return {"wait": 1}', 0, "Two seeds gave the same: does it draw by its seed?"),
    "raises": ("return 1 / 0", 1, "wrong: ZeroDivisionError: division by zero (other.py:4)"),
    "unseeded": (
        'import random; return {"wait": random.random()}',
        1,
        "wrong: ValueError: a run gave other numbers the second time; allowed: draws that follow",
    ),
    "leaves": ("raise SystemExit(3)", 1, "wrong: SystemExit: 3"),
    "text": ('return "soon"', 1, "wrong: TypeError: what simulate returned: got 'soon'; allowed:"),
    "needs more": ('return {"wait": rate}', 0, "there is no default of rate."),
}


@pytest.mark.parametrize(("body", "code", "sentence"), CHECKS.values(), ids=CHECKS)
def test_what_is_wrong_with_a_module_is_said(folder, body, code, sentence):
    extra = ", rate: float" if "rate" in body else ""
    (folder / "other.py").write_text(
        'from bilancio import experiment\n@experiment("other")\n'
        f"def simulate(seed: int{extra}):\n    {body}\n"
    )
    said = program("experiments", "check", "other")
    assert sentence in " ".join(said.out.split())
    assert said.code == code


def test_a_function_that_is_refused_is_refused_in_a_check(folder):
    (folder / "other.py").write_text(QUEUE.replace('"queue"', '"A"').replace("seed: int", "rng"))
    said = program("experiments", "check", "other")
    assert said.code == 1
    assert [line.partition(":")[0] for line in said.err.splitlines()] == [
        "name of simulate",
        "rng of simulate",
        "seed of simulate",
    ]


def test_the_name_of_a_built_in_experiment_is_refused_in_a_check(folder):
    (folder / "other.py").write_text(QUEUE.replace('"queue"', '"ring"'))
    said = program("experiments", "check", "other")
    assert said.code == 1
    assert "name of simulate: got 'ring'; allowed: another name, for single, ring, balanced" in (
        " ".join(said.out.split())
    )


def test_a_decorator_without_a_name_is_refused_in_a_check(folder):
    (folder / "other.py").write_text(
        "from bilancio import experiment\n@experiment\ndef simulate(seed: int):\n    return {}\n"
    )
    said = program("experiments", "check", "other")
    assert said.code == 1
    assert said.err == (
        "@experiment: got the function simulate in place of a name; allowed: a name, as in "
        '@experiment("queue").\n'
    )


def test_a_module_that_is_not_there_is_named(folder):
    assert program("experiments", "check", "nothing").err == (
        "MODULE: got 'nothing', where the module 'nothing' is not installed; it was looked for in "
        f"{folder}, too.\n"
    )
    assert program("experiments", "check", "my_queu").err.endswith("Did you mean my_queue?\n")
    assert program("experiments", "check", "my_queue.py").err == (
        "MODULE: got my_queue.py; allowed: a module as it is imported. Did you mean my_queue?\n"
    )


FRAGILE = """
import random
from bilancio import experiment

@experiment("fragile", arms=("slow", "fast"))
def simulate(seed: int, arm: str, rate: float = 0.5):
    wait = random.Random(seed).random() * (2 if arm == "slow" else 1)
    return {"wait": wait / (rate - 0.7) * (rate - 0.7)}
"""


@pytest.fixture
def fragile(folder):
    (folder / "fragile.py").write_text(FRAGILE)
    (folder / "pyproject.toml").write_text('[tool.bilancio]\nexperiments = ["fragile"]\n')
    return folder


def test_failed_runs_show_the_parameter_that_all_of_them_share(fragile):
    swept = ("--vary", "rate=0.5,0.7", "--n-replicates", "2")
    program("sweep", "fragile", *swept, "--job-id", "wide-river-old-mill")
    said = program("jobs", "runs", "wide-river-old-mill", "--status", "failed")
    heading, _, *rows = said.out.splitlines()
    assert "rate" in heading.split()
    assert [row.split()[2] for row in rows[:4] if "ZeroDivisionError" in row] == ["0.7"] * 4


LONG_ERROR = "has not converged after 100 iterations; the residual was 0.0341, the tolerance 1e-9"


def test_an_error_too_long_for_its_column_stands_below_whole_and_once(folder):
    (folder / "other.py").write_text(
        'from bilancio import experiment\n@experiment("other")\ndef simulate(seed: int):\n'
        f"    raise RuntimeError('{LONG_ERROR}' + '!' * (seed == 44))\n"
    )
    (folder / "pyproject.toml").write_text('[tool.bilancio]\nexperiments = ["other"]\n')
    program("sweep", "other", "--n-replicates", "3", "--job-id", "wide-river-old-mill")
    said = program("jobs", "runs", "wide-river-old-mill", "--status", "failed").out
    assert all(len(line) <= 80 for line in said.splitlines())
    first, _, third = (line.split()[0] for line in said.splitlines()[2:5])
    error, where = f"RuntimeError: {LONG_ERROR}", "(other.py:4)"
    assert " ".join(said.split()).endswith(
        f"{first} and 1 more: {error} {where} {third}: {error}! {where}"
    )


def test_runs_that_would_fail_again_are_not_proposed_to_start_again(fragile):
    swept = ("--vary", "rate=0.5,0.7", "--n-replicates", "2")
    said = program("sweep", "fragile", *swept, "--job-id", "wide-river-old-mill")
    assert "(rate 0.7, slow, seed 42): ZeroDivisionError" in " ".join(said.err.split())
    for text in (said.err, program("jobs", "show", "wide-river-old-mill").out):
        words = " ".join(text.split())
        assert "All runs with rate 0.7 failed; another start alone will not help." in words
        assert "bilancio jobs runs wide-river-old-mill --status failed" in words
        assert "jobs resume" not in words
    assert (
        "Job wide-river-old-mill failed, 4 of 8 runs: 4 of 8 runs failed; the first, " in said.err
    )
    assert "4/8 runs, 4 failed, in " in said.err
    results = program("jobs", "results", "wide-river-old-mill").out
    assert "failed, rate 0.7, slow, seed 42: ZeroDivisionError" in results
    told = program("run", "job", "wide-river-old-mill", "--run", "failed").out
    assert "rate 0.7, slow, seed 42. It failed: ZeroDivisionError" in " ".join(told.split())
    assert "0.7000" not in told
    assert "In Python: fragile.simulate(seed=42, arm='slow', rate=0.7" in " ".join(told.split())


def test_each_axis_of_a_sweep_is_told_by_itself(bilancio):
    axes = ("--vary", "n_agents=10,20", "--vary", "early_stop=true,false")
    said = bilancio("sweep", "ring", *axes, "--dry-run").out
    assert "Set: vary n_agents 10, 20; vary early_stop yes, no." in " ".join(said.split())


def test_an_own_sweep_is_described_and_compared_in_plain_words(fragile):
    swept = ("--vary", "rate=0.5,0.6", "--n-replicates", "3")
    said = program("sweep", "fragile", *swept, "--job-id", "wide-river-old-mill")
    assert "vary rate 0.5, 0.6" in said.out
    lower = re.search(r": (\S+) lower \(95 % interval (\S+) to (\S+),", said.out)
    assert lower is not None
    difference, low, high = map(float, lower.groups())
    assert (low + high) / 2 == pytest.approx(difference, rel=0.01)
    assert "--group-by rate --contrast rate" in said.out


SEARCH = (
    "sweep", "queue", "--vary", "rate=0.1:2", "--n-replicates", "8",
    "--threshold", '{"axis": "rate", "measure": "wait", "at_most": 0.4, "arm": "one-line"}',
)  # fmt: skip


def test_a_load_is_searched_for_and_a_killed_search_ends_as_an_unbroken_one(folder):
    unbroken = program(*SEARCH, "--job-id", "unbroken-search")
    assert unbroken.code == 0, unbroken.err
    words = " ".join(unbroken.out.split())
    assert "rate from 0.1 to 2 where the mean wait is at most 0.4: rate* " in words
    killed = program(*SEARCH, "--job-id", "killed-search", BILANCIO_CRASH_AT="after-record:4")
    assert killed.code == 1
    assert "Job killed-search has stalled" in killed.err
    resumed = program("jobs", "resume", "killed-search")
    assert resumed.code == 0, resumed.err
    one, other = (
        program("jobs", "results", name, "--json").json
        for name in ("unbroken-search", "killed-search")
    )
    assert one["frontier"]["rows"] == other["frontier"]["rows"]
    assert one["summary"] == other["summary"]


def test_a_search_of_what_a_function_lacks_is_refused_and_nothing_is_stored(folder):
    said = program(*SEARCH[:-1], '{"axis": "rat", "at_most": 1}')
    assert said.code == 1
    assert "threshold.axis: got 'rat'; allowed: one of rate. Did you mean rate?" in said.err
    assert program("jobs", "list", "--json").json["total"] == 0
