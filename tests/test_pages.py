"""The pages with sessions: their commands run, and print what a page shows."""

import io
import json
import re
import shlex
from pathlib import Path

import pytest
from docs_src.pictures import PICTURES, draw
from mcp import Client
from PIL import Image, ImageChops, ImageStat

from bilancio.cli.main import run
from bilancio_mcp.server import build_server

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
        words = [word.lower().replace(" ", "-") for word in shlex.split(command)]
        jobs = {word for word in words if NAME.fullmatch(word)}
        same = [story for story in found if story[0] & jobs]
        found = [story for story in found if story not in same]
        before = [each for story in same for each in story[1]]
        found.append((jobs.union(*(story[0] for story in same)), [*before, (command, shown)]))
    return [story for _, story in found]


NAMES = ("study.md", "statistics.md", "start.md", "words.md")
PAGES = {name: (DOCS / name).read_text(encoding="utf-8") for name in NAMES}
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
        order = iter(printed)
        assert all(line in order for line in shown), command
    if story is STORIES[0]:
        check_programs(PAGES["study.md"], capsys)


def check_programs(page, capsys):
    """Run the Python that a page shows after its commands; it prints what stands below it."""
    for program, shown in re.findall(r"```python\n(.*?)```\n\n```\n(.*?)```", page, re.DOTALL):
        exec(compile(program, "page", "exec"), {})
        assert capsys.readouterr().out.strip() == shown.strip()


@pytest.mark.slow
async def test_the_tools_answer_as_the_page_on_claude_code_shows():
    page = (DOCS / "claude.md").read_text(encoding="utf-8")
    calls = re.findall(r"`(\w+)`\n\n```json\n(.*?)```\n\n```text\n(.*?)```", page, re.DOTALL)
    told, name = NAME.search(calls[0][2])[0], None
    async with Client(build_server()) as client:
        for tool, arguments, shown in calls:
            asked = json.loads(arguments)
            if name:
                words = len(re.split(r"[ -]", asked["job_id"]))
                asked["job_id"] = "-".join(name.split("-")[:words])
            result = await client.call_tool(tool, asked)
            said = result.structured_content or {}
            name = name or said["job_id"]
            heard = said.get("summary") or result.content[-1].text
            for line in shown.strip().splitlines():
                assert line.replace(told, name) in heard, (tool, heard)
    assert [tool for tool, _, _ in calls][:2] == ["create_job", "start_sweep"]
    assert len(calls) == 7


@pytest.mark.slow
@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_as_it_is_drawn_today(name):
    kept = Image.open(DOCS / "images" / name).convert("RGB")
    drawn = Image.open(io.BytesIO(draw(name))).convert("RGB")
    assert kept.size == drawn.size
    # Libraries of another version draw edges otherwise.
    assert max(ImageStat.Stat(ImageChops.difference(kept, drawn)).mean) < 3
