"""The first minute: alone `bilancio` says what is here, `demo` makes something to look at."""

from pathlib import Path

import pytest

START = Path(__file__).parents[2] / "docs" / "presets.md"


def test_an_empty_store_is_answered_with_two_lines_on_how_to_begin(bilancio, tmp_path):
    said = bilancio()
    assert (said.code, said.err, said.out.count("\n")) == (0, "", 2)
    assert "bilancio demo" in said.out
    assert "bilancio sweep balanced --preset quick" in said.out
    assert not (tmp_path / "store").exists()


def test_it_says_what_is_here_what_ran_last_and_what_to_do_next(bilancio, job):
    said = bilancio()
    assert (said.code, said.err) == (0, "")
    assert "1 job in " in said.out
    assert "bilancio.db" in said.out
    assert f"Results: bilancio jobs results {job}" in said.out
    assert "completed" in said.out
    assert "bilancio presets" in said.out


def test_a_store_that_does_not_answer_is_a_sentence_and_a_way_on(bilancio, tmp_path, monkeypatch):
    (tmp_path / "notes.txt").write_text("not a store")
    monkeypatch.setenv("BILANCIO_DATABASE_URL", f"sqlite:///{tmp_path / 'notes.txt'}")
    said = bilancio()
    assert said.code == 1
    assert "notes.txt" in said.err
    assert "bilancio doctor" in said.out


@pytest.mark.slow
def test_demo_makes_a_finished_study_once_and_then_says_where_it_is(bilancio):
    first = bilancio("demo")
    assert first.code == 0, first.err
    again = bilancio("demo", "--json").json
    assert (again["created"], again["job"]["status"]) == (False, "completed")
    assert again["job"]["tags"] == ["demo"]
    assert again["headline"] in first.out
    assert again["report"] in first.out
    assert again["job"]["description"] in Path(again["report"]).read_text(encoding="utf-8")
    assert again["headline"] in START.read_text(encoding="utf-8")
    assert all(question in first.out for question in again["ask"])
    assert bilancio("jobs", "list", "--json").json["total"] == 1


MEANT = {
    "swep balanced --kappas 0.5": "sweep balanced --kappas 0.5",
    "job list": "jobs list",
    "results calm-blue-river": "jobs results calm-blue-river",
    "resluts calm-blue-river": "jobs results calm-blue-river",
    "balanced --preset quick": "sweep balanced --preset quick",
    "ls": "jobs list",
    "bright-ocean-swift-tiger": "jobs show bright-ocean-swift-tiger",
    "jobs lst": "jobs list",
    "jobs status calm-blue-river": "jobs show calm-blue-river",
    "jobs doctor": "doctor",
    "experiments lis": "experiments list",
}


@pytest.mark.parametrize("typed", MEANT)
def test_a_command_that_does_not_exist_is_answered_with_the_one_that_was_meant(bilancio, typed):
    said = bilancio(*typed.split())
    assert (said.code, said.out) == (1, "")
    assert said.err.endswith(f"Did you mean bilancio {MEANT[typed]}?\n")
