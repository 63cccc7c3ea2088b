"""The first start: compiled once per machine and version, never twice at the same time."""

import pytest

from bilancio.model import compilation, compiled, warm_up
from tests.model.processes import REMOVED, answer, start

# Kernels that compile in a moment, in place of the engine's, which take longer than a test may;
# tests/faults/test_cold_engine.py compiles those. They wait until all processes are about to load.
SMALL_ENGINE = """
import time
from pathlib import Path

import numba

from bilancio.model.kernels.compiled import cached, entry

while len(list(Path(__file__).parent.glob("*.ready"))) < {processes}:
    time.sleep(0.005)


def _twice(number):
    return 2 * number


simulate_rows = entry(numba.int64(numba.int64))(_twice)
trace_rows = cached(_twice)
"""
START = """
import os, sys
from pathlib import Path

import bilancio.model.kernels
from bilancio.model import compiled, warm_up

[folder] = sys.argv[1:]
bilancio.model.kernels.__path__.insert(0, folder)
said = []
before = compiled()
(Path(folder) / f"{os.getpid()}.ready").touch()
warm_up(said.append)
assert warm_up(said.append) == 0.0

from bilancio.model.kernels.run import simulate_rows

n_compiled = sum(simulate_rows.stats.cache_misses.values())
print(before, len(said), n_compiled, compiled(), simulate_rows(2), *said)
"""


@pytest.fixture
def small_engine(tmp_path):
    """Return a function that writes a small engine for some processes; they get its folder."""

    def write(processes):
        folder = tmp_path / "kernels"
        folder.mkdir()
        (folder / "run.py").write_text(SMALL_ENGINE.format(processes=processes))
        return str(folder)

    return write


@pytest.mark.slow
def test_processes_that_start_together_compile_once_in_removed_folders_too(tmp_path, small_engine):
    engine, cache = small_engine(processes=3), str(tmp_path / "cache")
    starts = [start(REMOVED + START, engine, BILANCIO_CACHE_DIR=cache) for _ in range(3)]
    answers = sorted(answer(process)[:5] for process in starts)
    loaded, compiled_it = ["False", "0", "0", "True", "4"], ["False", "1", "1", "True", "4"]
    assert answers == [loaded, loaded, compiled_it]
    again = answer(start(START, engine, BILANCIO_CACHE_DIR=cache))
    assert again == ["True", "0", "0", "True", "4"]


def test_the_engine_is_loaded_as_it_was_compiled():
    code = (
        "from bilancio.model import warm_up; warm_up(traced=True)\n"
        "from bilancio.model.kernels.run import simulate_rows, trace_rows\n"
        "print(*(sum(each.stats.cache_misses.values()) for each in (simulate_rows, trace_rows)))"
    )
    warm_up(traced=True)
    assert answer(start(code)) == ["0", "0"]


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
def test_a_cache_that_cannot_be_written_does_not_keep_the_engine_from_loading(
    tmp_path, small_engine
):
    (tmp_path / "file").write_text("no folder")
    engine = small_engine(processes=1)
    said = answer(start(START, engine, BILANCIO_CACHE_DIR=str(tmp_path / "file")))
    assert said[:5] == ["False", "2", "1", "False", "4"]
    assert " ".join(said[5:11]) == "The engine cannot be kept in"


@pytest.mark.slow
def test_kernels_find_the_same_without_compilation():
    chosen = ["-q", "-m", "nojit", "tests/model", "-p", "no:cacheprovider"]
    process = start(f"import pytest, sys; sys.exit(pytest.main({chosen}))", NUMBA_DISABLE_JIT="1")
    out, err = process.communicate(timeout=280)
    assert process.returncode == 0, out + err
