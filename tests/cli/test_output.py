"""Whatever takes the output, and whatever is in it: never a traceback, and nothing is obeyed."""

import ast
import io
import itertools
import json
import os
import re
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

import bilancio
from bilancio.cli.render.console import prepare_streams
from bilancio.printable import escaped
from tests.cli.conftest import PROGRAM, Said, program

#: Commands that say something of each kind: tables, pairs, documents, events, help.
COMMANDS = {
    "list": ["jobs", "list"],
    "document": ["jobs", "list", "--json"],
    "show": ["jobs", "show", "JOB"],
    "results": ["jobs", "results", "JOB", "--group-by", "kappa"],
    "runs": ["jobs", "runs", "JOB"],
    "noun": ["jobs"],
    "options": ["sweep", "balanced", "--help"],
}
IN_THE_GATE = {"list", "show", "options"}
every_command = pytest.mark.parametrize(
    "words",
    [
        pytest.param(words, id=name, marks=[] if name in IN_THE_GATE else pytest.mark.nightly)
        for name, words in COMMANDS.items()
    ],
)


def spoken(words, job):
    return [job if word == "JOB" else word for word in words]


def shell(line, *words, **environment):
    """Run a line of a shell in which "$@" is the command."""
    done = subprocess.run(
        ["/bin/sh", "-c", line, "sh", PROGRAM, *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=os.environ | environment,
        check=False,
    )
    return Said(done.returncode, done.stdout, done.stderr)


@every_command
def test_where_only_ascii_can_be_written_the_rest_is_written_by_it(job, words):
    said = program(*spoken(words, job), LC_ALL="C", PYTHONIOENCODING="ascii")
    assert (said.code, said.err) == (0, "")
    assert said.out.isascii()


def literals(folder):
    """Yield the texts in a folder's code that are not its documentation."""
    for file in folder.rglob("*.py"):
        tree = ast.parse(file.read_text())
        bare = {
            id(node.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and id(node) not in bare:
                yield from [node.value] if isinstance(node.value, str) else []


def test_each_sign_that_bilancio_writes_has_a_spelling_in_ascii(monkeypatch):
    texts = literals(Path(bilancio.__file__).parent)
    signs = {sign for text in texts for sign in text if sign.isprintable() and not sign.isascii()}
    for name in ("stdout", "stderr"):  # not those that pytest reads
        monkeypatch.setattr(sys, name, io.TextIOWrapper(io.BytesIO(), "ascii"))
    prepare_streams()
    assert {sign for sign in signs if b"\\" in sign.encode("ascii", "bilancio")} == set()
    assert "10⁻⁶ ± 2".encode("ascii", "bilancio") == b"10^-6 +- 2"


def test_a_locale_without_utf8_is_written_to_as_well(job):
    said = program(
        *("jobs", "results", job, "--group-by", "kappa"),
        LC_ALL="C", PYTHONCOERCECLOCALE="0", PYTHONUTF8="0",
    )  # fmt: skip
    assert (said.code, said.err) == (0, "")
    assert re.search(r"\d \.\.\. ", said.out)


@every_command
def test_a_full_disk_is_a_sentence(job, words):
    said = shell('"$@" >/dev/full', *spoken(words, job))
    assert (said.code, said.err) == (
        1, "The output cannot be written: No space left on device.\n",
    )  # fmt: skip


@every_command
def test_a_reader_that_leaves_ends_the_command_quietly(job, words):
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [PROGRAM, *spoken(words, job)],
        stdin=subprocess.DEVNULL, stdout=writing, stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_error_and_the_store_takes_no_harm(job, closed):
    said = shell(f'"$@" {closed}', "jobs", "show", "calm", "blue")
    assert said.code == 0
    assert said.out.startswith("" if ">&-" in closed.split() else f"Job ID: {job}\n")
    refused = shell(f'"$@" {closed}', "jobs", "show", "no-such-job")
    assert refused.code == 1
    assert program("doctor").code == 0


@pytest.mark.parametrize("width", [30, 45])
@pytest.mark.parametrize(
    "words", [*(COMMANDS[each] for each in ("list", "show", "results", "runs"))]
)
def test_names_are_whole_however_narrow_the_terminal(bilancio, job, monkeypatch, words, width):
    monkeypatch.setenv("COLUMNS", str(width))
    said = bilancio(*spoken(words, job))
    assert (said.code, said.err) == (0, "")
    names = [job] if "runs" not in words else re.findall(r"balanced_\w+", said.out)
    assert all(re.search(rf"(^|\s|/){re.escape(name)}($|\s|:|/)", said.out) for name in names)
    assert "…" not in "".join(re.findall(r"\S*balanced_\w*\S*", said.out))


def test_a_list_in_thirty_columns_fits_them(bilancio, job, monkeypatch):
    monkeypatch.setenv("COLUMNS", "30")
    lines = bilancio("jobs", "list").out.splitlines()
    assert lines[0] == job
    assert max(map(len, lines)) <= 30


@pytest.mark.parametrize("verb", ["show", "events"])
def test_lines_are_broken_without_losing_a_word(bilancio, job, monkeypatch, verb):
    said = {}
    for width in (30, 200):
        monkeypatch.setenv("COLUMNS", str(width))
        said[width] = re.sub(r"just\s+now|\d+\s+\w+\s+ago", "", bilancio("jobs", verb, job).out)
    assert said[30].split() == said[200].split()
    assert not re.search(r" $", said[30], flags=re.MULTILINE)


def without_ages(out):
    """Return output without ages, and without the widths of their column."""
    return re.sub(r" +|─+", " ", re.sub(r"just now|\d+ \w+ ago", "", out))


@every_command
def test_help_and_all_else_is_the_same_in_an_optimised_interpreter(job, words):
    plain, optimised = (
        program(*spoken(words, job), **more) for more in ({}, {"PYTHONOPTIMIZE": "2"})
    )
    assert without_ages(optimised.out) == without_ages(plain.out)
    assert (optimised.code, optimised.err) == (0, "")


@pytest.mark.parametrize("module", ["typer", "pydantic", "rapidfuzz", "aiosqlite"])
def test_ctrl_c_while_the_code_is_loaded_ends_it_silently(job, tmp_path, module):
    """The module sends what a terminal sends, in the midst of the imports."""
    (tmp_path / f"{module}.py").write_text(
        "import os\nos.kill(os.getpid(), 2)\nfor _ in range(9): pass\n"
    )
    done = subprocess.run(
        [PROGRAM, "jobs", "show", "calm", "blu"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_an_error_without_a_traceback_names_the_way_to_one(job, tmp_path):
    (tmp_path / "rapidfuzz.py").write_text("1 / 0\n")
    said = program("jobs", "lst", PYTHONPATH=str(tmp_path))
    assert said.code == 1
    assert said.err == (
        "Unexpected error (ZeroDivisionError: division by zero). "
        "Set BILANCIO_DEBUG=1 for a traceback.\n"
    )
    told = program("jobs", "lst", PYTHONPATH=str(tmp_path), BILANCIO_DEBUG="1")
    assert "Traceback" in told.err


#: What terminals obey, or do not show: escapes, their 8-bit forms, what reorders or hides.
NASTY = {
    "colour": "\x1b[31mred", "title": "\x1b]0;owned\x07", "clear": "\x1b[2J", "c1": "\x9b31m",
    "osc 8": "\x1b]8;;http://x\x1b\\link", "carriage return": "fine\rbad", "backspace": "ab\bc",
    "bell": "a\x07", "delete": "a\x7f", "bidi": "a\u202eb", "isolate": "a\u2066b",
    "zero width": "a\u200bb", "line separator": "a\u2028b", "tag": "a\U000e0041b",
    "form feed": "a\x0cb", "next line": "a\x85b",
}  # fmt: skip
nasty = pytest.mark.parametrize("text", NASTY.values(), ids=NASTY)
REFUSED = [
    ["jobs", "show", "TEXT"], ["jobs", "list", "--status", "TEXT"], ["TEXT"], ["sweep", "TEXT"],
    ["sweep", "ring", "--kappas", "TEXT"], ["sweep", "ring", "--TEXT"], ["jobs", "list", "TEXT"],
    ["sweep", "ring", "--job-id", "TEXT"], ["sweep", "ring", "--config", "TEXT"],
    ["jobs", "import", "TEXT"], ["run", "ring", "--agent", "TEXT"],
    ["sweep", "ring", "--points", "TEXT"],
]  # fmt: skip


def obeyed(text):
    """What of a text is not letters, signs and ends of lines."""
    return [
        each
        for each in text
        if unicodedata.category(each) in {"Cc", "Cf", "Zl", "Zp"} and each != "\n"
    ]


@nasty
def test_control_characters_are_shown_instead_of_sent(text):
    assert obeyed(escaped(text)) == []
    assert escaped(text) != text
    assert "\\" in escaped(text)


def test_what_people_write_is_shown_as_it_is():
    text = "Größe 10 %, κ → μ, 中文, العربية, 👩‍🔬 [bold]not markup[/bold] C:\\x1b\n"
    assert escaped(text) == text


def test_stored_text_does_not_reach_a_terminal_as_more_than_text(bilancio):
    text = " ".join(NASTY.values())
    stored = bilancio(
        "sweep", "single", "--n-agents", "3", "--job-id", "own-name-1", "--description", text,
        "--notes", text, "--tag", text,
    )  # fmt: skip
    assert obeyed(stored.out + stored.err) == []
    for words in (["list"], ["show", "own-name-1"], ["list", "--tag", text]):
        said = bilancio("jobs", *words)
        assert said.code == 0
        assert obeyed(said.out + said.err) == []
        assert "\\x1b[31mred" in said.out
    document = bilancio("jobs", "show", "own-name-1", "--json")
    assert obeyed(document.out) == []
    assert json.loads(document.out)["job"]["description"] == text
    assert json.loads(document.out)["job"]["tags"] == [text]


def test_a_refusal_shows_what_was_given_without_sending_it(bilancio, stored):
    for words, text in itertools.product(REFUSED, NASTY.values()):
        said = bilancio(*(word.replace("TEXT", text) for word in words))
        assert said.code == 1, words
        assert obeyed(said.out + said.err) == [], words
    assert stored() == 0


def test_colours_are_for_terminals_that_want_them(job, tmp_path):
    import pty

    def on_terminal(**more):
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [PROGRAM, "jobs", "list"], stdout=theirs, stdin=subprocess.DEVNULL,
            env=os.environ | more,
        )  # fmt: skip
        assert process.wait(60) == 0
        os.close(theirs)
        shown = os.read(ours, 65536).decode()
        os.close(ours)
        return shown

    assert "\x1b[32mcompleted" in on_terminal(TERM="xterm")
    assert "\x1b" not in on_terminal(TERM="xterm", NO_COLOR="1")
    assert "\x1b" not in on_terminal(TERM="dumb")


def test_a_word_of_stored_text_is_no_markup(bilancio, not_started):
    not_started("single", "--n-agents", "3", "--description", "[red]x[/red] :smile:")
    assert "[red]x[/red] :smile:" in bilancio("jobs", "list").out
