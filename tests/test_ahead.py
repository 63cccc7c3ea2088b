"""An interpreter that loads ahead does what one that is started later does."""

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from bilancio import ahead, interpreter

# Writes down what it is told, and by its name that it is loaded.
TOLD = """
import json, os, sys
from pathlib import Path

Path(os.environ["HERE"], f"{os.getpid()}.loaded").touch()


def main():
    print(json.dumps({"argv": sys.argv, "word": os.environ.get("WORD"), "path": sys.path}))
    print("and an error", file=sys.stderr)
    sys.exit(3)
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    (tmp_path / "told.py").write_text(TOLD)
    monkeypatch.setenv("HERE", str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    ahead.forget()


def started(folder, *words, module="told", **changes):
    """Return the process that was started, and what it wrote."""
    with (folder / "log").open("ab") as log:
        env = interpreter.environment(**changes)
        process = ahead.start(module, *words, log=log.fileno(), env=env)
    process.wait(60)
    return process, (folder / "log").read_text().splitlines()


def has_loaded(folder):
    while not (found := [*folder.glob("*.loaded")]):
        os.sched_yield()
    return [int(each.stem) for each in found]


@pytest.mark.parametrize("prepared", [True, False])
def test_a_process_gets_arguments_environment_import_path_and_log(here, prepared, monkeypatch):
    if prepared:
        ahead.prepare("told")
        [loaded] = has_loaded(here)
    monkeypatch.syspath_prepend("/a/later/place")
    process, lines = started(here, "one", "two words", WORD="später")
    said = json.loads(next(line for line in lines if line.startswith("{")))
    assert (said["argv"], said["word"]) == (["told", "one", "two words"], "später")
    assert said["path"][0] == "/a/later/place"
    assert "and an error" in lines
    assert process.returncode == 3
    if prepared:
        assert process.pid == loaded


def test_each_interpreter_is_used_once(here):
    ahead.prepare("told")
    assert len({started(here)[0].pid for _ in range(2)}) == 2


def test_one_that_was_killed_is_replaced(here):
    ahead.prepare("told")
    [loaded] = has_loaded(here)
    psutil.Process(loaded).kill()
    process, lines = started(here, "one")
    assert process.pid != loaded
    assert any('"argv": ["told", "one"]' in line for line in lines)


def test_where_no_interpreter_starts_nothing_is_left_open(here, monkeypatch):
    monkeypatch.setattr(sys, "executable", str(here / "gone"))
    before = psutil.Process().num_fds()
    ahead.prepare("told")
    assert psutil.Process().num_fds() == before
    with pytest.raises(FileNotFoundError):
        started(here)


def test_what_cannot_be_loaded_says_so_in_the_log(here):
    ahead.prepare("missing")
    process, lines = started(here, module="missing")
    assert process.returncode == 1
    assert lines[-1] == "ModuleNotFoundError: No module named 'missing'"


def test_one_that_is_never_told_ends_with_its_parent(here):
    code = (
        "import os, sys; from bilancio import ahead\n"
        "ahead.prepare('told'); sys.stdin.read(); os._exit(0)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(here)},
        cwd=Path(__file__).parents[1],
    )
    [loaded] = has_loaded(here)
    waiting = psutil.Process(loaded)
    parent.communicate()
    waiting.wait(60)
    assert not waiting.is_running()
