"""The page on the 625-cell study shows what its commands print."""

import re
import shlex
from pathlib import Path

import pytest

from bilancio.cli.main import run

PAGE = (Path(__file__).parent.parent / "docs" / "study.md").read_text(encoding="utf-8")


def sessions():
    """Return each command of the page with the lines that it shows."""
    for block in re.findall(r"```console\n(.*?)```", PAGE, flags=re.DOTALL):
        for said in block.removeprefix("$ ").split("\n$ "):
            command, *shown = said.strip().splitlines()
            yield command, [line.rstrip() for line in shown if line.strip()]


@pytest.mark.slow
def test_each_command_of_the_study_prints_what_the_page_shows(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    for command, shown in sessions():
        assert run(shlex.split(command)[1:]) == 0, command
        printed = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
        assert [line for line in shown if line not in printed] == [], command
        assert sorted(shown, key=printed.index) == shown, command
    program, shown = re.search(r"```python\n(.*?)```\n\n```\n(.*?)```", PAGE, re.DOTALL).groups()
    exec(compile(program, "study.md", "exec"), {})
    assert capsys.readouterr().out.strip() == shown.strip()
