"""Every command explains itself."""

import pytest
import typer

from bilancio.cli.main import app


def walk(command, path=()):
    yield path
    if hasattr(command, "list_commands"):
        for name in command.list_commands(None):
            yield from walk(command.get_command(None, name), (*path, name))


COMMANDS = list(walk(typer.main.get_command(app)))


def test_the_walk_finds_the_commands():
    assert {("sweep", "balanced"), ("jobs", "list"), ("jobs", "resume")} <= set(COMMANDS)


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_an_example(bilancio, path):
    said = bilancio(*path, "--help")
    assert (said.code, said.err) == (0, "")
    assert f"Usage: {' '.join(('bilancio', *path))}" in said.out
    assert "Example:" in said.out
    assert f"$ bilancio {path[0] if path else ''}".strip() in said.out


@pytest.mark.parametrize("path", [path for path in COMMANDS if path], ids=" ".join)
def test_help_fits_eighty_columns(bilancio, path):
    said = bilancio(*path, "--help")
    assert max(map(len, said.out.splitlines())) <= 80


@pytest.mark.parametrize("noun", [("sweep",), ("jobs",)], ids=["sweep", "jobs"])
def test_a_noun_alone_shows_its_help(bilancio, noun):
    said = bilancio(*noun)
    assert said.code == 0
    assert "Commands" in said.out


def test_version_is_said(bilancio):
    assert bilancio("--version").out.startswith("bilancio 0.")


def test_every_parameter_of_a_sweep_is_an_option_with_default_and_bounds(bilancio):
    text = " ".join(bilancio("sweep", "balanced", "--help").out.replace("│", " ").split())
    assert "--no-anchor-update" in text
    assert "Share of the VBTs, β_V. Numbers from 0 to 1. (default 0.25)" in text
    assert "fail-fast or expel-agent. (default expel-agent)" in text


def test_a_plugged_in_sweep_type_has_its_command(tmp_path, monkeypatch):
    from tests.cli.conftest import program

    (tmp_path / "coins.py").write_text(
        "from typing import Literal\n"
        "from pydantic import Field\n"
        "from bilancio.experiments.sweep_config import SweepConfig\n"
        "class Coins(SweepConfig):\n"
        "    sweep_type: Literal['coins'] = Field(default='coins', description='Toss coins.')\n"
        "    sides: int = Field(ge=2, description='How many sides.')\n"
        "from bilancio.bench.system import TrivialExperiment\n"
        "class Experiment(TrivialExperiment):\n"
        "    config_model = Coins\n"
        "EXPERIMENT = Experiment()\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    said = program("sweep", "coins", "--help", BILANCIO_PLUGINS="coins:EXPERIMENT")
    assert "Toss coins." in said.out
    assert "How many sides. Whole numbers from 2." in said.out
    refused = program("sweep", "coins", "--sides", "1", BILANCIO_PLUGINS="coins:EXPERIMENT")
    assert refused.err == "sides: got '1'; allowed: whole numbers from 2.\n"
