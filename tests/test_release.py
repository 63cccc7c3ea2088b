"""What is released says its version and its Pythons everywhere; its workflows are pinned."""

import json
import re
import tomllib
from datetime import date
from pathlib import Path

import pytest
import yaml

from bilancio.model.papers import PAPERS

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+(\.\d+)+")


def workflow(path):
    return yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader)  # where `on` is a word


def citation():
    return yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))


def test_the_changelog_begins_with_what_is_unreleased_then_this_version():
    headings = re.findall(r"^## (.*)", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    assert headings[0] == "Unreleased"
    version, day = headings[1].split(" - ")
    assert version == PROJECT["version"]
    assert date.fromisoformat(day) == date.fromisoformat(citation()["date-released"])


def test_the_citation_is_of_this_version_and_has_what_the_format_asks_for():
    told = citation()
    assert told["cff-version"] == "1.2.0"
    assert {"title", "message", "authors"} <= told.keys()
    assert (told["title"], told["version"], told["license"]) == (
        PROJECT["name"], PROJECT["version"], PROJECT["license"],
    )  # fmt: skip
    assert told["authors"] == PROJECT["authors"]
    assert told["references"] == [*map(dict, PAPERS)]


def test_the_plugin_has_this_version():
    plugin = json.loads((ROOT / ".claude-plugin" / "plugin.json").read_text())
    assert plugin["version"] == PROJECT["version"]


def test_each_python_that_is_promised_is_tried_every_night():
    promised = [
        found[1]
        for each in PROJECT["classifiers"]
        if (found := re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", each))
    ]
    nightly = workflow(ROOT / ".github" / "workflows" / "nightly.yml")
    assert nightly["jobs"]["pythons"]["strategy"]["matrix"]["python"] == promised
    assert PROJECT["requires-python"] == f">={promised[0]}"


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_by_their_commit_and_say_its_version(path):
    used = re.findall(r"uses: *(.*)", path.read_text(encoding="utf-8"))
    assert used
    assert [each for each in used if not PINNED.fullmatch(each)] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_may_only_read_but_for_the_token_that_publishes(path):
    told = workflow(path)
    assert told["permissions"] == {"contents": "read"}
    raised = {
        name: job["permissions"] for name, job in told["jobs"].items() if "permissions" in job
    }
    assert raised == ({"publish": {"id-token": "write"}} if path.name == "release.yml" else {})
    assert all("timeout-minutes" in job for job in told["jobs"].values())


def test_an_action_has_one_version_in_all_workflows():
    used = {use for path in WORKFLOWS for use in re.findall(r"uses: *(\S+)", path.read_text())}
    assert len(used) == len({use.partition("@")[0] for use in used})
