"""Processes that load the engine."""

import os
import subprocess
import sys
from pathlib import Path

#: What a process runs first to have a working folder that no longer exists.
REMOVED = """
import os, tempfile
with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
"""


def start(code, *words, **environment):
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code, *words],
        env=os.environ | environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip


def answer(process):
    out, err = process.communicate(timeout=280)
    assert process.returncode == 0, err
    return out.split()
