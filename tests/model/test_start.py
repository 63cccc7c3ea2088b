"""The first start: compiled once per machine and version, never twice at the same time."""

import pytest

from bilancio.model import compilation, compiled, warm_up
from tests.model.processes import REMOVED, answer, start

# Kernels that compile in a moment, in place of the engine's, which take longer than a test may;
# tests/faults/test_cold_engine.py compiles those. They wait until all processes are about to load,
# and note by whom they are compiled.
SMALL_ENGINE = """
import os
import time
from pathlib import Path

HERE = Path(__file__).parent
while len(list(HERE.glob("*.ready"))) < {processes}:
    time.sleep(0.005)
(HERE / f"{{os.getpid()}}.compiled").touch()


def simulate_all(
    parameters, weights, metrics, stream, started, keys, sized, cash, debt, trader, term, desk,
    price, dealer_bits, tally, recorder,
):
    for r in range(len(parameters)):
        metrics[r]["n_defaults"] = 7
"""
# An interpreter runs this first, the one that compiles as well.
REPLACE = """
import bilancio.model.kernels
bilancio.model.kernels.__path__.insert(0, {folder!r})
"""
START = """
import os, sys
from pathlib import Path

from bilancio.model import compiled, simulate, warm_up

[folder] = sys.argv[1:]
said = []
before = compiled()
(Path(folder) / f"{os.getpid()}.ready").touch()
warm_up(said.append)
assert warm_up(said.append) == 0.0
found = simulate(kind="ring", n_agents=3).n_defaults
print(before, len(said), compiled(), found, "numba" in sys.modules, *said)
"""


@pytest.fixture
def small_engine(tmp_path, monkeypatch):
    """Return a function that writes a small engine for some processes; they get its folder."""

    def write(processes):
        folder = tmp_path / "kernels"
        folder.mkdir()
        (folder / "run.py").write_text(SMALL_ENGINE.format(processes=processes))
        (folder / "sitecustomize.py").write_text(REPLACE.format(folder=str(folder)))
        monkeypatch.setenv("PYTHONPATH", str(folder))
        return folder

    return write


def times_compiled(engine):
    return len([*engine.glob("*.compiled")])


@pytest.mark.slow
def test_processes_that_start_together_compile_once_in_removed_folders_too(tmp_path, small_engine):
    engine, cache = small_engine(processes=3), str(tmp_path / "cache")
    starts = [start(REMOVED + START, str(engine), BILANCIO_CACHE_DIR=cache) for _ in range(3)]
    answers = sorted(answer(process)[:5] for process in starts)
    loaded, compiled_it = ["False", "0", "True", "7", "False"], ["False", "1", "True", "7", "False"]
    assert answers == [loaded, loaded, compiled_it]
    again = answer(start(START, str(engine), BILANCIO_CACHE_DIR=cache))
    assert again == ["True", "0", "True", "7", "False"]
    assert times_compiled(engine) == 1


@pytest.mark.slow
def test_an_engine_that_was_damaged_is_compiled_again(tmp_path, small_engine):
    engine, cache = small_engine(processes=1), tmp_path / "cache"
    answer(start(START, str(engine), BILANCIO_CACHE_DIR=str(cache)))
    [file] = cache.rglob("*.engine")
    for damage in (b"", file.read_bytes()[:-1], file.read_bytes()[:-1] + b"!"):
        file.write_bytes(damage)
        said = answer(start(START, str(engine), BILANCIO_CACHE_DIR=str(cache)))
        assert said[:5] == ["True", "1", "True", "7", "False"]
    assert times_compiled(engine) == 4


@pytest.mark.slow
def test_an_engine_is_compiled_as_numba_does_where_that_is_all_that_works(tmp_path, small_engine):
    engine = small_engine(processes=1)
    kernels = engine / "run.py"
    crash = "import os, sys\nif sys.argv[-1] == 'quickly': os.abort()\n"
    kernels.write_text(crash + kernels.read_text())
    process = start(START, str(engine), BILANCIO_CACHE_DIR=str(tmp_path / "cache"))
    said, err = process.communicate(timeout=280)
    assert said.split()[:5] == ["False", "1", "True", "7", "False"], err
    assert "the engine could not be compiled quickly: " in err
    assert times_compiled(engine) == 1


@pytest.mark.slow
def test_an_engine_that_cannot_be_compiled_says_why(tmp_path, small_engine):
    engine = small_engine(processes=0)
    (engine / "run.py").write_text("raise ImportError('numba needs another numpy')")
    process = start(START, str(engine), BILANCIO_CACHE_DIR=str(tmp_path / "cache"))
    _, err = process.communicate(timeout=280)
    assert err.splitlines()[-1] == (
        "RuntimeError: the engine could not be compiled: ImportError: numba needs another numpy"
    )


def test_importing_the_model_loads_neither_numpy_nor_numba_nor_llvm():
    heavy = "{'numpy', 'numba', 'llvmlite'}"
    code = f"import sys, bilancio.model; print(*({heavy} & set(sys.modules)), 'end')"
    assert answer(start(code)) == ["end"]


def test_the_cache_folder_follows_its_setting(monkeypatch, tmp_path):
    monkeypatch.setenv("BILANCIO_CACHE_DIR", str(tmp_path))
    monkeypatch.delenv("NUMBA_DISABLE_JIT", raising=False)
    assert compilation.cache_folder().is_relative_to(tmp_path)
    assert not compiled()


def test_the_engine_is_loaded_once_per_process():
    warm_up()
    assert warm_up() == 0.0


def test_runs_are_simulated_and_traced_without_numba():
    warm_up(traced=True)
    code = (
        "import sys; from bilancio.model import simulate\n"
        "plain, traced = (simulate(kind='ring', trace=trace) for trace in (False, True))\n"
        "print(plain.outcome == traced.outcome, (plain.cash == traced.cash).all(), "
        "'numba' in sys.modules)"
    )
    assert answer(start(code)) == ["True", "True", "False"]


@pytest.mark.slow
def test_a_cache_that_cannot_be_written_does_not_keep_the_engine_from_loading(
    tmp_path, small_engine
):
    (tmp_path / "file").write_text("no folder")
    engine = small_engine(processes=1)
    said = answer(start(START, str(engine), BILANCIO_CACHE_DIR=str(tmp_path / "file")))
    assert said[:5] == ["False", "2", "False", "7", "False"]
    assert " ".join(said[5:11]) == "The engine cannot be kept in"


@pytest.mark.slow
def test_kernels_find_the_same_without_compilation():
    chosen = ["-q", "-m", "nojit", "tests/model", "-p", "no:cacheprovider"]
    process = start(f"import pytest, sys; sys.exit(pytest.main({chosen}))", NUMBA_DISABLE_JIT="1")
    out, err = process.communicate(timeout=280)
    assert process.returncode == 0, out + err
