"""The pages on statistics: their commands run, and print what a page shows."""

import re
import shlex
from pathlib import Path

import pytest

from bilancio.cli.main import run

DOCS = Path(__file__).parent.parent / "docs"
NAME = re.compile(r"[a-z]+(-[a-z]+){3}")


def sessions(page):
    """Return each command of a page with the lines that it shows."""
    for block in re.findall(r"```console\n(.*?)```", page, flags=re.DOTALL):
        for said in block.removeprefix("$ ").split("\n$ "):
            command, *shown = said.strip().splitlines()
            yield command, [line.rstrip() for line in shown if line.strip()]


def stories(page):
    """Return the commands of a page, those about the same jobs together, with what they show."""
    found = []
    for command, shown in sessions(page):
        jobs = {word for word in shlex.split(command) if NAME.fullmatch(word)}
        same = [story for story in found if story[0] & jobs]
        found = [story for story in found if story not in same]
        before = [each for story in same for each in story[1]]
        found.append((jobs.union(*(story[0] for story in same)), [*before, (command, shown)]))
    return [story for _, story in found]


PAGES = {name: (DOCS / name).read_text(encoding="utf-8") for name in ("study.md", "statistics.md")}
STORIES = [story for page in PAGES.values() for story in stories(page)]


@pytest.mark.slow
@pytest.mark.parametrize("story", STORIES, ids=[story[0][0][:60] for story in STORIES])
def test_each_command_of_a_page_prints_what_it_shows(story, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    for command, shown in story:
        code = run(shlex.split(command)[1:])
        said = capsys.readouterr()
        assert code == 0, (command, said)
        printed = [line.rstrip() for line in said.out.splitlines()]
        assert [line for line in shown if line not in printed] == [], command
        assert sorted(shown, key=printed.index) == shown, command
    if story is STORIES[0]:
        check_programs(PAGES["study.md"], capsys)


def check_programs(page, capsys):
    """Run the Python that a page shows after its commands; it prints what stands below it."""
    for program, shown in re.findall(r"```python\n(.*?)```\n\n```\n(.*?)```", page, re.DOTALL):
        exec(compile(program, "page", "exec"), {})
        assert capsys.readouterr().out.strip() == shown.strip()
