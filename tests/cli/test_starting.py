"""Commands start fast: what they do not need is not loaded."""

import os
import subprocess
import sys

import pytest

from tests.cli.conftest import finished, started

HEAVY = {"numba", "matplotlib", "scipy", "numpy", "dask", "modal", "llvmlite", "yaml"}
SCRIPT = """
import sys
from bilancio.cli.main import run
code = run(sys.argv[1:])
sys.stderr.write(" ".join(sorted(name for name in sys.modules if "." not in name)))
sys.exit(code)
"""


def loaded_by(*words):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *words], capture_output=True, text=True, check=True
    )
    return set(done.stderr.split())


@pytest.mark.parametrize(
    "words",
    [("list",), ("list", "--json"), ("show", "calm-blue-river-7"), ("events", "calm-blue-river-7")],
    ids=" ".join,
)
def test_looking_at_jobs_loads_nothing_heavy(job, words):
    assert not loaded_by("jobs", *words) & HEAVY


@pytest.mark.parametrize("words", [("--version",), ("sweep", "balanced", "--help")], ids=" ".join)
def test_help_loads_nothing_heavy(words):
    assert not loaded_by(*words) & HEAVY


def test_a_closed_pipe_ends_a_command_quietly(job):
    process = started("jobs", "events", job, "--json")
    process.stdout.close()
    process.stdout = open(os.devnull)  # noqa: SIM115, PTH123 - communicate reads and closes it
    assert finished(process).err == ""


def test_an_unexpected_error_is_a_sentence_that_names_the_way_to_the_traceback(
    bilancio, monkeypatch
):
    monkeypatch.setattr("bilancio.cli.listing.with_manager", lambda _: 1 / 0)
    said = bilancio("jobs", "list")
    assert said.code == 1
    assert said.err.count("\n") == 1
    assert "ZeroDivisionError" in said.err
    assert "BILANCIO_DEBUG=1" in said.err
    monkeypatch.setenv("BILANCIO_DEBUG", "1")
    assert "Traceback" in bilancio("jobs", "list").err
