"""What the documents say is so: settings, files, advice; and it is said plainly."""

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import typer

from bilancio.cli.main import app
from bilancio.jobs import AsyncJobManager, JobConfig
from bilancio.model import simulate
from bilancio.model.trace import DESKS
from bilancio.settings import Settings

ROOT = Path(__file__).parent.parent
DOCUMENTS = [
    "README.md",
    "CLAUDE.md",
    "CHANGELOG.md",
    "SECURITY.md",
    ".github/CONTRIBUTING.md",
    *(f"docs/{file.name}" for file in sorted((ROOT / "docs").glob("*.md"))),
]
#: Idioms that are not English, and what to write instead.
IDIOMS = {
    r"\bsomebody|\bnobody (?!buys)": "a passive, or who it is",
    r"\bgo(es)? on\b": "continue",
    r"of use only": "needed only",
    r"\bmended|put right": "fixed, repaired",
    r"sign of life|life sign": "heartbeat, lock",
    r"\b(?:which|that|it) is no (?!longer)": "is not a",
    r"unforeseen": "unexpected",
}


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def code():
    for folder in ("src", "server"):
        for file in (ROOT / folder).rglob("*.py"):
            yield file.read_text(encoding="utf-8")


def test_every_setting_is_documented_with_its_default():
    table = read("docs/SETTINGS.md")
    for name, field in Settings.model_fields.items():
        row = next(line for line in table.splitlines() if f"| `BILANCIO_{name.upper()}`" in line)
        if field.default_factory is None and field.default:
            assert f"`{field.default:g}`" in row if isinstance(field.default, float) else (
                f"`{field.default}`" in row
            )  # fmt: skip


def test_every_variable_that_is_read_is_documented_and_no_other():
    documented = {*re.findall(r"BILANCIO_[A-Z_]+\b", read("docs/SETTINGS.md"))}
    used = {name for text in code() for name in re.findall(r"\"(BILANCIO_[A-Z_]+)\"", text)}
    assert used - documented == set()
    fields = {f"BILANCIO_{name.upper()}" for name in Settings.model_fields}
    in_tests = {
        name
        for file in (ROOT / "tests").rglob("*.py")
        for name in re.findall(r"BILANCIO_[A-Z_]+\b", file.read_text(encoding="utf-8"))
    }
    assert documented - used - fields - in_tests == set()
    for name in DOCUMENTS:
        assert {*re.findall(r"BILANCIO_[A-Z_]+\b", read(name))} - documented == set(), name


@pytest.mark.parametrize(
    ("file", "first"),
    [
        ("queue/queueing.py", "@experiment("),
        ("vectorised/ruin.py", "@experiment("),
        ("epidemic/epidemic/experiments.py", "@experiment("),
        ("epidemic/test_epidemic.py", "def test_"),
        ("epidemic/pyproject.toml", "[project.entry-points"),
    ],
)
def test_the_functions_shown_are_those_of_the_examples(file, first):
    source = read(f"examples/{file}")
    shown = source[source.index(first) :]
    if file.endswith(".toml"):
        shown = shown.partition("\n\n")[0]
    assert shown in read("docs/own-simulation.md")


#: What stands on a page without being a command: a sweep type of an example, and a command that
#: is answered with the one that was meant.
NO_COMMANDS = {"queue", "results"}


def commands_shown(text):
    """Return the words of each command line of bilancio in blocks, and between backquotes."""
    blocks = re.findall(r"```(?:console|bash)\n(.*?)```", text, flags=re.DOTALL)
    inline = re.findall(r"`([^`]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    lines = [line for block in blocks for line in block.splitlines()]
    for shown in [*lines, *(" ".join(each.split()) for each in inline)]:
        words = shown.removeprefix("$ ").removeprefix("uv run ").partition(" #")[0].split()
        if words[:1] == ["bilancio"]:
            yield words[1:]


@pytest.mark.parametrize("name", [name for name in DOCUMENTS if name != "CHANGELOG.md"])
def test_commands_that_are_shown_exist_with_their_options(name):
    for words in commands_shown(read(name)):
        command = typer.main.get_command(app)
        for word in words:
            if not hasattr(command, "list_commands") or not re.match("[a-z]", word):
                break
            found = [command.get_command(None, each) for each in word.split("|")]
            assert None not in found or word in NO_COMMANDS, words
            command = found[0]
            if command is None or found[1:]:
                break
        if command is not None and not hasattr(command, "list_commands"):
            known = {opt for each in command.params for opt in (*each.opts, *each.secondary_opts)}
            asked = {word.partition("=")[0] for word in words if word.startswith("--")}
            assert asked <= known | {"--help"}, words


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_somewhere(name):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)[^)]*\)", read(name)):
        assert ((ROOT / name).parent / target).exists(), target


def test_the_tree_in_claude_md_is_the_tree():
    tree = re.search(r"```\n(src/bilancio/\n.*?)```", read("CLAUDE.md"), flags=re.DOTALL)[1]
    parents = {0: ROOT}
    listed = set()
    for line in tree.splitlines():
        depth = len(line) - len(line.lstrip())
        for name in re.split(r" {2,}", line.strip())[0].split():
            above = parents[max(each for each in parents if each <= depth)]
            assert (above / name).exists(), above / name
            listed.add(above / name)
            if name.endswith("/"):
                parents = {d: p for d, p in parents.items() if d <= depth} | {
                    depth + 1: above / name
                }
    package = ROOT / "src" / "bilancio"
    rooms = {file for file in package.iterdir() if not file.name.startswith(("_", "py.typed"))}
    assert rooms <= listed
    rooms = {folder for folder in (package / "jobs").iterdir() if (folder / "__init__.py").exists()}
    assert rooms <= listed


def test_the_files_that_the_page_on_building_names_exist():
    roots = (ROOT, ROOT / "src" / "bilancio", ROOT / "server" / "bilancio_mcp")
    folder = ROOT / "src" / "bilancio" / "jobs" / "store"
    page = read("docs/building.md")
    named = re.findall(r"`([\w./-]+(?:\.py|\.sql|\.md|/))`", page)
    named += re.findall(r" (tests/[\w./]+)", page)
    assert len(named) > 20
    for name in named:
        if "NNN" not in name:
            assert any((root / name).exists() for root in (*roots, folder)), name


@pytest.mark.skipif(
    not (ROOT / ".git").exists() or shutil.which("git") is None,
    reason="this is no clone, or no git",
)
def test_what_is_to_be_committed_is_not_ignored():
    for name in re.findall(r"`(\w+\.(?:json|csv))`", read("CLAUDE.md").partition("## Dev")[0]):
        done = subprocess.run(
            ["git", "check-ignore", "-q", f"out/experiments/a-b-c-d/{name}"], cwd=ROOT, check=False
        )
        assert done.returncode == 1, name
        assert name in read("README.md"), name


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_are_written_in_plain_english(name):
    text = " ".join(read(name).split())
    for idiom, better in IDIOMS.items():
        found = re.search(f".{{0,40}}(?:{idiom}).{{0,30}}", text, flags=re.IGNORECASE)
        assert found is None, f"{found[0]!r}: write {better}"


def test_advice_on_results_claims_no_more_than_they_show():
    claude, readme = (" ".join(read(name).split()) for name in ("CLAUDE.md", "README.md"))
    assert "An interval that contains 0 is no evidence of an effect" in claude
    assert (
        "it is not evidence that there is none. With few seeds say that nothing is known" in claude
    )
    assert "run by run with the published reference in everything but trading" in readme


async def test_trading_helps_least_at_mu_0_and_harms_where_debts_increase():
    """The advice that CLAUDE.md gives on μ, as a sweep of its own finds it."""

    async def effect(mu, monotonicity):
        config = JobConfig(
            sweep_type="balanced", kappas=["0.25", "0.5", "1", "2", "4"], mus=[mu],
            monotonicities=[monotonicity], n_replicates=40,
        )  # fmt: skip
        async with AsyncJobManager() as manager:
            job = await manager.run_job((await manager.create_job("advice", config)).job_id)
        return job.summary["avg_trading_effect"]

    assert 0.005 < await effect(0, 0) < 0.02
    assert 0.14 < await effect(1, 0) < 0.18
    assert await effect(0, -1) < 0
    assert "0.01, against 0.16 at μ = 1" in " ".join(read("CLAUDE.md").split())


def test_the_model_in_words_says_how_unequal_debts_are_and_how_much_cash_there_is():
    page = read("docs/words.md")

    def debts(c, seed):
        run = simulate(
            kind="ring", concentration=c, seed=seed, q_total=10**8, kappa=1000, trace=True
        )
        return np.sort(run.trace.events["face"].astype(float))

    def gini(faces):
        above = np.subtract.outer(faces, faces).clip(0).sum()
        return above / (len(faces) * faces.sum())

    rows = {}
    for c in ("0.2", "0.5", "1", "2", "5"):
        drawn = [debts(float(c), seed) for seed in range(20)]
        assert {len(faces) for faces in drawn} == {100}
        rows.setdefault("Gini coefficient", []).append(np.mean([*map(gini, drawn)]))
        tops = [faces[-10:].sum() / faces.sum() for faces in drawn]
        rows.setdefault("share of the ten largest", []).append(np.mean(tops))
    for name, values in rows.items():
        assert f"| {name} | {' | '.join(f'{value:.2f}' for value in values)} |" in page
    run = simulate(kind="balanced", kappa=0.25, trace=True)
    start = next(iter(run.trace.balance_rows()))
    traders = sum(cash for agent, cash in start.items() if agent.startswith("H"))
    desks = sum(start[desk] for desk in DESKS)
    assert (round(traders), round(desks)) == (2_500 + 3_750, 3_750)
    assert "2,500 + 3,750, and the desks hold 3,750" in page
