"""A process that bilancio starts runs the same code, whatever lies in the working folder."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import bilancio
from bilancio import interpreter

TRAP = "raise SystemExit('this is not the module that was meant')"
TRAPS = (
    "random",
    "json",
    "signal",
    "socket",
    "pickle",
    "tempfile",
    "numpy",
    "bilancio",
    "encodings",
)

CARRY_OUT = """
from bilancio.jobs import JobManager
import sys

with JobManager() as manager:
    job = manager.create_job("try", {"sweep_type": sys.argv[1], "n": 40}, job_id="my-job")
    manager.start_sweep(job.job_id)
    job = manager.wait(job.job_id)
    print(job.status, job.completed_runs, job.error)
"""


@pytest.fixture
def trapped(isolated):
    """A working folder full of files that must not be imported."""
    folder = isolated / "here"
    folder.mkdir()
    for name in TRAPS:
        (folder / f"{name}.py").write_text(TRAP)
    shutil.copytree(Path(bilancio.__file__).parent, folder / "src" / "bilancio")
    (folder / "src" / "bilancio" / "machine.py").write_text(TRAP)
    return folder


def carried_out(kind, folder, *, flags=("-P",), **environment):
    done = subprocess.run(
        [sys.executable, *flags, "-c", CARRY_OUT, kind],
        cwd=folder,
        env=os.environ | {"BILANCIO_WORKERS": "1"} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or done.stderr


def plugged_in(folder):
    shutil.copy(Path(__file__).parent / "plugins" / "faults.py", folder / "faults.py")
    source = (Path(__file__).parent / "plugins" / "__init__.py").read_text()
    (folder / "my_plugins.py").write_text(source.replace("tests.plugins.faults", "faults"))
    return {"BILANCIO_PLUGINS": "my_plugins:TRIVIAL,my_plugins:FAULTY"}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["trivial", "faulty"])
def test_workers_and_their_processes_import_nothing_of_the_working_folder(kind, trapped, isolated):
    """The plug-in lies where the user's PYTHONPATH says."""
    (isolated / "mine").mkdir()
    plugins = plugged_in(isolated / "mine")
    said = carried_out(kind, trapped, PYTHONPATH=str(isolated / "mine"), **plugins)
    assert said == "completed 40 None"


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["trivial", "faulty"])
def test_a_plug_in_in_the_working_folder_of_a_notebook_is_found_by_workers(kind, isolated):
    """There sys.path begins with an empty entry."""
    said = carried_out(kind, isolated, flags=(), **plugged_in(isolated))
    assert said == "completed 40 None"


def test_another_clone_on_the_path_does_not_replace_the_package(trapped, monkeypatch):
    monkeypatch.syspath_prepend(str(trapped / "src"))
    monkeypatch.chdir(trapped)
    code = "def main():\n  import bilancio, sys; print(bilancio.__file__, sys.argv, sep='\\n')\n"
    (trapped / "tell.py").write_text(code)
    monkeypatch.setattr(sys, "path", [*sys.path, str(trapped)])
    done = subprocess.run(
        interpreter.command("tell", "one", "two"),
        env=interpreter.environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    file, arguments = done.stdout.splitlines()
    assert file == bilancio.__file__
    assert arguments == "['tell', 'one', 'two']"


def test_the_import_path_is_absolute_and_ends_with_the_working_folder(monkeypatch, isolated):
    monkeypatch.chdir(isolated)
    monkeypatch.setattr(sys, "path", ["", "/there", "sub", Path("/odd"), "\udcff"])
    here = str(isolated)
    assert interpreter.import_path() == ["/there", f"{here}/sub", f"{here}/\udcff", here]
    told = json.loads(interpreter.environment()[interpreter.IMPORT_PATH])
    assert told == interpreter.import_path()


def test_without_a_working_folder_its_entries_are_left_out(monkeypatch, isolated):
    gone = isolated / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    monkeypatch.setattr(sys, "path", ["", "/there", "sub"])
    assert interpreter.import_path() == ["/there"]
