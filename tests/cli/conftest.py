"""Two ways in: the command in this process, and as a process of its own."""

import csv
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bilancio.cli.main import run

# A background shell lets its children ignore Ctrl-C, and they theirs: what is ignored is inherited.
signal.signal(signal.SIGINT, signal.default_int_handler)

PROGRAM = Path(sys.executable).with_name("bilancio")
NAME = "calm-blue-river-7"


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document on stdout; NaN and infinity are none."""
        return json.loads(self.out, parse_constant=pytest.fail)


@pytest.fixture(autouse=True)
def _narrow(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("BILANCIO_DEBUG", raising=False)


@pytest.fixture
def bilancio(capsys):
    """Run a command in this process."""

    def call(*words: str) -> Said:
        capsys.readouterr()
        code = run([str(word) for word in words])
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return call


def started(*words: str, **environment: str) -> "subprocess.Popen[str]":
    """Start a command as a process in a group of its own, which heeds Ctrl-C."""
    return subprocess.Popen(
        [PROGRAM, *map(str, words)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=os.environ | environment,
    )


def finished(process: "subprocess.Popen[str]") -> Said:
    out, err = process.communicate(timeout=120)
    return Said(process.returncode, out, err)


def program(*words: str, **environment: str) -> Said:
    """Run a command as a process of its own, to its end."""
    return finished(started(*words, **environment))


def rows(path: Path) -> list[dict[str, str]]:
    """Read a table as any other program would."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def stored(bilancio):
    """Count the jobs in the store."""
    return lambda: bilancio("jobs", "list", "--json").json["total"]


@pytest.fixture
def not_started(bilancio, monkeypatch):
    """Return a function that stores the job of a sweep as one above the limit is; nothing runs."""

    def call(*words: str) -> Any:
        monkeypatch.setenv("BILANCIO_CONFIRM_SECONDS", "1e-9")
        said = bilancio("sweep", *words)
        assert "with --yes" in said.err, said.err
        monkeypatch.delenv("BILANCIO_CONFIRM_SECONDS")
        [newest] = bilancio("jobs", "list", "--limit", "1", "--json").json["jobs"]
        return bilancio("jobs", "show", newest["job_id"], "--json").json["job"]

    return call


@pytest.fixture(scope="session")
def carried_out(tmp_path_factory):
    """A folder with a completed comparison of 16 runs, which nobody changes."""
    folder = tmp_path_factory.mktemp("carried-out")
    with pytest.MonkeyPatch.context() as patch:
        at(folder, patch)
        said = program(
            "sweep", "balanced", "--n-agents", "20", "--kappas", "0.3,0.5", "--mus", "0,1",
            "--seeds", "42,43", "--job-id", NAME, "--description", "Calm [water]",
            "--tag", "calm",
        )  # fmt: skip
    assert said.code == 0, said.err
    return folder


@pytest.fixture(scope="module")
def small_job(carried_out, tmp_path_factory):
    """A folder with that job, shared by the tests of one module."""
    return copied(carried_out, tmp_path_factory.mktemp("shared") / "copy")


def copied(folder, copy):
    """Copy a store and its output folder; return the copy, whose jobs lie below it."""
    shutil.copytree(folder, copy)
    with closing(sqlite3.connect(copy / "bilancio.db")) as store, store:
        store.execute("UPDATE jobs SET out_dir = ?", (str(copy / "out"),))
    return copy


def at(folder, patch):
    patch.setenv("BILANCIO_DATABASE_URL", f"sqlite:///{folder / 'bilancio.db'}")
    patch.setenv("BILANCIO_OUT_DIR", str(folder / "out"))


@pytest.fixture
def job(small_job, monkeypatch):
    """The name of the shared job; a test that asks for it is pointed to its store."""
    at(small_job, monkeypatch)
    return NAME


@pytest.fixture
def own(carried_out, tmp_path, monkeypatch):
    """A store and folder of one's own with that job; returns its name."""
    at(copied(carried_out, tmp_path / "own"), monkeypatch)
    return NAME
