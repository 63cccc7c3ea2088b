"""Completion in a shell, installed in one line."""

import os
import shutil
import subprocess

import pytest

from tests.cli.conftest import PROGRAM

#: Installs completion in a new home, starts from its .bashrc, and completes each line given.
SHELL = r"""
bilancio --install-completion > /dev/null
source ~/.bashrc
for line in "$@"; do
    read -ra COMP_WORDS <<< "$line"
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    COMPREPLY=()
    _bilancio_completion bilancio
    echo "${COMPREPLY[*]}"
done
"""


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_a_shell_completes_commands_names_of_jobs_and_presets(job):
    lines = ["bilancio jo", "bilancio jobs results cal", "bilancio sweep ring --preset st"]
    done = subprocess.run(
        ["bash", "--norc", "-c", SHELL, "bash", *lines, "bilancio jbos li"],
        env=os.environ | {"PATH": f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == ["jobs", job, "stressed", ""]
    assert done.stderr == ""  # nor is anything said of a line that leads nowhere
