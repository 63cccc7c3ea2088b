"""The pages on statistics: their commands run, and print what a page shows."""

import re
import shlex
from pathlib import Path

import pytest

from bilancio.cli.main import run

DOCS = Path(__file__).parent.parent / "docs"


def sessions(page):
    """Return each command of a page with the lines that it shows."""
    for block in re.findall(r"```console\n(.*?)```", page, flags=re.DOTALL):
        for said in block.removeprefix("$ ").split("\n$ "):
            command, *shown = said.strip().splitlines()
            yield command, [line.rstrip() for line in shown if line.strip()]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["study.md", "statistics.md"])
def test_each_command_of_a_page_prints_what_it_shows(name, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    page = (DOCS / name).read_text(encoding="utf-8")
    for command, shown in sessions(page):
        code = run(shlex.split(command)[1:])
        said = capsys.readouterr()
        assert code == 0, (command, said)
        printed = [line.rstrip() for line in said.out.splitlines()]
        assert [line for line in shown if line not in printed] == [], command
        assert sorted(shown, key=printed.index) == shown, command
    for program, shown in re.findall(r"```python\n(.*?)```\n\n```\n(.*?)```", page, re.DOTALL):
        exec(compile(program, name, "exec"), {})
        assert capsys.readouterr().out.strip() == shown.strip()
