"""The engine compiled from nothing, which takes twenty seconds.

tests/model/test_start.py shows the same with kernels that compile in a moment.
"""

import pytest

from tests.cli.conftest import program
from tests.model.processes import REMOVED, answer, start

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.nightly]

START = """
from bilancio.model import compiled, simulate, warm_up
said = []
warm_up(said.append)
assert warm_up(said.append) == 0.0
print(len(said), compiled(), simulate(kind="ring", n_agents=5).days_simulated, *said)
"""
RUN = ("run", "ring", "--n-agents", "5")


def test_processes_that_start_together_compile_once_and_tracing_is_compiled_later(tmp_path):
    cache = str(tmp_path / "cache")
    starts = [start(REMOVED + START, BILANCIO_CACHE_DIR=cache) for _ in range(3)]
    answers = sorted(answer(process)[:3] for process in starts)
    assert answers == [["0", "True", "4"], ["0", "True", "4"], ["1", "True", "4"]]
    traced = program(*RUN, BILANCIO_CACHE_DIR=cache)
    assert traced.err.splitlines() == [
        "Compiling the engine that keeps a log of a run, once, about 7 s."
    ]
    assert program(*RUN, BILANCIO_CACHE_DIR=cache).err == ""
