"""The command that adds an extra is the one by which bilancio was installed."""

import json
import sys

import pytest

from bilancio.errors import LibraryMissing

PIP = "pip install 'bilancio[web]', or in a clone with uv sync --extra web."


@pytest.fixture
def environment(tmp_path, monkeypatch):
    """An environment into which installers write their notes."""
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    return tmp_path


def advice():
    return str(LibraryMissing("jinja2", extra="web")).partition("Install it with ")[2]


@pytest.mark.parametrize(
    ("asked", "command"),
    [
        ('{ name = "bilancio" }', "'bilancio[web]'"),
        ('{ name = "bilancio", extras = ["postgres", "dask"] }', "'bilancio[dask,postgres,web]'"),
        (
            '{ name = "bilancio", extras = ["web"], directory = "/home/ann/my bilancio" }',
            "'/home/ann/my bilancio[web]'",
        ),
        ('{ name = "bilancio", path = "/tmp/[1]/b.whl" }', "'/tmp/[1]/b.whl[web]'"),
        (
            '{ name = "bilancio", git = "https://lab.example/bilancio?rev=main" }',
            "'bilancio[web] @ git+https://lab.example/bilancio?rev=main'",
        ),
    ],
)
def test_a_tool_of_uv_is_installed_once_more_with_all_its_extras(environment, asked, command):
    note = f'[tool]\nrequirements = [{{ name = "numpy" }}, {asked}]\n'
    (environment / "uv-receipt.toml").write_text(note)
    assert advice() == f"uv tool install {command}."


def test_so_is_an_application_of_pipx(environment):
    note = {"main_package": {"package": "bilancio", "package_or_url": "bilancio[plots]"}}
    (environment / "pipx_metadata.json").write_text(json.dumps(note))
    assert advice() == "pipx install --force 'bilancio[plots,web]'."


def test_an_environment_for_one_command_is_asked_for_with_the_extra(environment, monkeypatch):
    monkeypatch.setattr(sys, "prefix", str(environment / "archive-v0" / "Z1AjUa"))
    assert advice() == "uvx --from 'bilancio[web]' bilancio."


@pytest.mark.parametrize("note", ["", "[tool", 'tool = "x"', "[tool]\nrequirements = []\n"])
def test_elsewhere_and_where_the_note_says_nothing_it_is_pip(environment, note):
    assert advice() == PIP
    (environment / "uv-receipt.toml").write_text(note)
    assert advice() == PIP
