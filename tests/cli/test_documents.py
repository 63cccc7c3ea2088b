"""`bilancio jobs report` and `bilancio jobs package`."""

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


def test_report_opens_what_it_wrote_where_that_is_asked_for(bilancio, own, monkeypatch):
    opened = []
    monkeypatch.setattr("typer.launch", opened.append)
    said = bilancio("jobs", "report", NAME, "--open")
    assert opened == [said.out.strip()]


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
