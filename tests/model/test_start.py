"""The first start: compiled once per machine and version, never twice at the same time."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bilancio.model import compilation, compiled, warm_up

START = """
from bilancio.model import compiled, simulate, warm_up
said = []
before = compiled()
warm_up(said.append)
assert warm_up(said.append) == 0.0
print(before, len(said), compiled(), simulate(kind="ring", n_agents=5).days_simulated)
"""


def start(code, **environment):
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code],
        env=os.environ | environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip


def answer(process):
    out, err = process.communicate(timeout=280)
    assert process.returncode == 0, err
    return out.split()


REMOVED = """
import os, tempfile
with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
"""


@pytest.mark.slow
def test_processes_that_start_together_compile_once_in_removed_folders_too(tmp_path):
    starts = [start(REMOVED + START, BILANCIO_CACHE_DIR=str(tmp_path)) for _ in range(3)]
    answers = [answer(process) for process in starts]
    assert sorted(said for _, said, _, _ in answers) == ["0", "0", "1"]
    assert {(ready, days) for _, _, ready, days in answers} == {("True", "4")}
    again = answer(start(START, BILANCIO_CACHE_DIR=str(tmp_path)))
    assert again == ["True", "0", "True", "4"]


def test_importing_the_model_loads_neither_numpy_nor_numba():
    code = "import sys, bilancio.model; print(*({'numpy', 'numba'} & set(sys.modules)), 'end')"
    assert answer(start(code)) == ["end"]


def test_numba_keeps_its_own_cache_folder_for_everybody_else():
    code = (
        "from bilancio.model import warm_up; warm_up()\n"
        "import numba; print(numba.config.CACHE_DIR, 'end')"
    )
    assert answer(start(code)) == ["end"]


def test_the_cache_folder_follows_its_setting(monkeypatch, tmp_path):
    monkeypatch.setenv("BILANCIO_CACHE_DIR", str(tmp_path))
    monkeypatch.delenv("NUMBA_DISABLE_JIT", raising=False)
    assert compilation.cache_folder().is_relative_to(tmp_path)
    assert not compiled()


def test_the_engine_is_loaded_once_per_process():
    warm_up()
    assert warm_up() == 0.0


@pytest.mark.slow
def test_a_cache_that_cannot_be_written_does_not_keep_runs_from_starting(tmp_path):
    (tmp_path / "file").write_text("no folder")
    code = START.replace("print(", "print(said[0], ").replace("compiled(), ", "")
    said = answer(start(code, BILANCIO_CACHE_DIR=str(tmp_path / "file")))
    assert " ".join(said[:6]) == "The engine cannot be kept in"
    assert said[-2:] == ["2", "4"]


@pytest.mark.slow
def test_kernels_find_the_same_without_compilation():
    chosen = ["-q", "-m", "nojit", "tests/model", "-p", "no:cacheprovider"]
    process = start(f"import pytest, sys; sys.exit(pytest.main({chosen}))", NUMBA_DISABLE_JIT="1")
    out, err = process.communicate(timeout=280)
    assert process.returncode == 0, out + err
