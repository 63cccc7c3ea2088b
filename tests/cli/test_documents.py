"""`bilancio jobs report` and `bilancio jobs package`."""

import os
from pathlib import Path

import pytest

NAME = "calm-blue-river-7"


def test_report_prints_where_it_is(bilancio, tmp_path, monkeypatch, own):
    said = bilancio("jobs", "report", "calm", "blue", "river", "7")
    path = Path(said.out.strip())
    assert (said.code, path.name) == (0, "report.html")
    assert path.read_text("utf-8").startswith(f"<!doctype html>\n<!-- bilancio {NAME} -->")


def test_report_as_markdown_and_as_json(bilancio, own):
    said = bilancio("jobs", "report", NAME, "--format", "md", "--json").json
    assert said["format"] == "md"
    assert Path(said["path"]).read_text("utf-8").startswith(f"<!-- bilancio {NAME} -->")


@pytest.fixture
def desktop(tmp_path, monkeypatch):
    """Return a function that puts a program on the PATH that opens files, or cannot."""

    def with_opener(exit_code):
        opener, opened = tmp_path / "bin" / "xdg-open", tmp_path / "opened"
        opener.parent.mkdir()
        opener.write_text(f'#!/bin/sh\necho "$1" >> "{opened}"\nexit {exit_code}\n')
        opener.chmod(0o755)
        monkeypatch.setenv("PATH", f"{opener.parent}{os.pathsep}{os.environ['PATH']}")
        return opened

    return with_opener


def test_report_opens_what_it_wrote_where_that_is_asked_for(bilancio, own, desktop):
    opened = desktop(exit_code=0)
    said = bilancio("jobs", "report", NAME, "--open")
    assert opened.read_text() == said.out
    assert said.err == ""


def test_report_says_where_nothing_opens_it(bilancio, own, desktop):
    desktop(exit_code=3)
    said = bilancio("jobs", "report", NAME, "--open")
    path = said.out.strip()
    told = f"Nothing here opens {path}. Open it yourself, in a browser."
    assert " ".join(said.err.split()) == told
    assert Path(path).exists()


def test_a_wrong_format_is_refused(bilancio, own):
    said = bilancio("jobs", "report", NAME, "--format", "pdf")
    assert said.code == 1
    assert said.err == "format: got 'pdf'; allowed: html or md.\n"


def test_package_prints_where_it_is(bilancio, own, tmp_path):
    said = bilancio("jobs", "package", NAME, "--out", tmp_path / "paper", "--zip")
    assert said.code == 0
    path = tmp_path / "paper" / f"{NAME}-replication.zip"
    assert said.out.startswith(f"{path} (")
    again = bilancio("jobs", "package", NAME, "--out", tmp_path / "paper", "--zip")
    assert again.code == 1
    assert "it is there already" in again.err


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
