"""The command that adds an extra is the one by which bilancio was installed."""

import json
import sys

import pytest

from bilancio.errors import LibraryMissing

EDITABLE = json.dumps({"url": "file:///home/ann/bilancio", "dir_info": {"editable": True}})
WHEEL = json.dumps({"url": "file:///tmp/b.whl", "archive_info": {}})
PIP = "pip install 'bilancio[web]', or in a clone with uv sync --extra web."


@pytest.fixture
def environment(tmp_path, monkeypatch):
    """An environment into which installers write their notes; pip is in it, and on the PATH."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("python", "pip"):
        (programs / name).touch(mode=0o755)
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(programs / "python"))
    monkeypatch.setenv("PATH", str(programs))
    installed(tmp_path, monkeypatch, EDITABLE)
    return tmp_path


def installed(environment, monkeypatch, note):
    """Install bilancio there with the note of an installer on where it came from."""
    packages = environment / "lib"
    (packages / "bilancio-0.2.0.dist-info").mkdir(parents=True)
    (packages / "bilancio-0.2.0.dist-info" / "METADATA").write_text("Name: bilancio\n")
    (packages / "bilancio-0.2.0.dist-info" / "direct_url.json").write_text(note)
    monkeypatch.syspath_prepend(packages)


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


@pytest.mark.parametrize("note", ["[tool", 'tool = "x"', "[tool]\nrequirements = []\n"])
def test_elsewhere_and_where_the_note_says_nothing_it_is_pip(environment, note):
    assert advice() == PIP
    (environment / "uv-receipt.toml").write_text(note)
    assert advice() == "pip install 'bilancio[web]'."


def test_pip_that_belongs_to_another_environment_is_not_called(environment, monkeypatch):
    monkeypatch.setenv("PATH", "/usr/bin")
    python = environment / "bin" / "python"
    assert advice() == f"{python} -m {PIP}"


@pytest.mark.parametrize(
    ("note", "lock", "command"),
    [
        (EDITABLE, True, "uv sync --extra web"),
        ("", True, "uv add 'bilancio[web]'"),
        (WHEEL, True, "uv add 'bilancio[web] @ file:///tmp/b.whl'"),
        ("", False, "uv pip install --python {python} 'bilancio[web]'"),
    ],
)
def test_an_environment_that_uv_made_has_no_pip(tmp_path, monkeypatch, note, lock, command):
    environment = tmp_path / "study" / ".venv"
    environment.mkdir(parents=True)
    (environment / "pyvenv.cfg").write_text("home = /usr/bin\nuv = 0.9.1\n")
    if lock:
        (environment.parent / "uv.lock").touch()
    python = environment / "bin" / "python"
    monkeypatch.setattr(sys, "prefix", str(environment))
    monkeypatch.setattr(sys, "executable", str(python))
    installed(environment, monkeypatch, note)
    assert advice() == f"{command.format(python=python)}."
