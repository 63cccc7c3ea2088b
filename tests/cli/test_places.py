"""Where commands are run: in a folder that is gone, by a user without a home, beside plug-ins."""

import os
import subprocess
import sys

import pytest

from tests.cli.conftest import Said, program

# Below a path with spaces the script is a shell's, which has a word of its own to say.
MODULE = [sys.executable, "-P", "-m", "bilancio.cli"]


def said_by(command, **options):
    """Run a command to its end."""
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, **options
    )
    return Said(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def nowhere(tmp_path):
    """Run a command in a working folder that is removed before it starts."""

    def call(*words):
        gone = tmp_path / "gone"
        gone.mkdir()
        leaving = 'cd "$0" && rmdir "$0" && exec "$@"'
        return said_by(["/bin/sh", "-c", leaving, gone, *MODULE, *words])

    return call


def test_questions_are_answered_where_the_working_folder_is_gone(nowhere, job):
    for words in (["jobs", "list"], ["jobs", "results", job], ["jobs", "show", job], ["doctor"]):
        said = nowhere(*words)
        assert (said.code, said.err) == (0, ""), words
    assert job in nowhere("jobs", "list").out


def test_a_sweep_with_an_absolute_folder_runs_where_the_working_folder_is_gone(nowhere, tmp_path):
    said = nowhere("sweep", "single", "--n-agents", "3", "--out-dir", tmp_path / "out")
    assert said.code == 0, said.err
    assert "Completed, 1 of 1 run." in said.out


@pytest.mark.parametrize(
    "words",
    [
        ("sweep", "single", "--out-dir", "here"), ("sweep", "ring", "--config", "sweep.yaml"),
        ("jobs", "import", "here"), ("jobs", "export", "JOB", "here"),
        ("jobs", "backup", "copy.db"), ("run", "ring", "--n-agents", "3", "--out-dir", "here"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_relative_path_is_refused_where_the_working_folder_is_gone(nowhere, job, words):
    said = nowhere(*(job if word == "JOB" else word for word in words))
    assert (said.code, said.out, said.err.count("\n")) == (1, "", 1)
    assert "the working folder no longer exists" in said.err


TALKATIVE = """
import os, sys
print("hello from a plug-in")
os.write(1, b"and from its library")
from bilancio.bench.system import TRIVIAL as EXPERIMENT
"""


@pytest.mark.parametrize(
    "words",
    [
        ["jobs", "list", "--json"], ["jobs", "show", "JOB", "--json"],
        ["jobs", "results", "JOB", "--json"], ["doctor", "--json"],
        ["sweep", "trivial", "--n", "3", "--json"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_what_plug_ins_print_does_not_reach_the_document(job, tmp_path, words):
    (tmp_path / "talkative.py").write_text(TALKATIVE)
    said = program(
        *(job if word == "JOB" else word for word in words),
        PYTHONPATH=str(tmp_path), BILANCIO_PLUGINS="talkative:EXPERIMENT",
        BILANCIO_OUT_DIR=str(tmp_path / "out"),
        BILANCIO_DATABASE_URL=os.environ["BILANCIO_DATABASE_URL"]
        if "sweep" not in words
        else str(tmp_path / "own.db"),
    )  # fmt: skip
    assert said.code == 0, said.err
    assert said.json


# The system knows no user of this number, as in a container that is run under one; that files may
# be read is left to the user who is in effect.
HOMELESS = "import os; os.setreuid(54321, 0); from bilancio.cli.__main__ import main; main()"


@pytest.fixture
def homeless(tmp_path):
    """Run a command as a user who has no home, with these variables alone."""

    def call(*words, **environment):
        return said_by(
            [sys.executable, "-P", "-c", HOMELESS, *words],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "NUMBA_DISABLE_JIT": "1", **environment},
        )

    return call


only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
NO_HOME = "HOME: got ''; allowed: the absolute path of your home folder"


@only_root
@pytest.mark.parametrize("words", [("jobs", "list"), ("sweep", "single", "--n-agents", "3")])
def test_without_a_home_the_error_names_what_to_set(homeless, tmp_path, words):
    said = homeless(*words)
    assert (said.code, said.out) == (1, "")
    assert said.err == f"{NO_HOME}, unless BILANCIO_DATABASE_URL is set.\n"
    assert list(tmp_path.iterdir()) == []
    assert "Set HOME to what is allowed." in homeless("doctor").out


@only_root
def test_without_a_home_a_sweep_needs_only_a_store(homeless, tmp_path):
    store = {"BILANCIO_DATABASE_URL": f"sqlite:///{tmp_path}/jobs.db"}
    swept = homeless("sweep", "single", "--n-agents", "3", **store)
    assert swept.code == 0, swept.err
    assert "Completed, 1 of 1 run." in swept.out
    examined = homeless("doctor", **store)
    assert f"The compiled engine cannot be kept: {NO_HOME}" in examined.out
    assert "Set BILANCIO_CACHE_DIR to a folder that can be written." in examined.out
    assert not (tmp_path / "~").exists()
