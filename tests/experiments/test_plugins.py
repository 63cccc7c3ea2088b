"""A plug-in that cannot be used costs itself only, and is named with the reason."""

import subprocess
import sys

import pytest

from bilancio.errors import InvalidInput
from bilancio.experiments import registry
from bilancio.jobs import JobConfig

GOOD = """
from typing import Literal
import numpy as np
from bilancio.experiments.sweep_config import SweepConfig

class Sweep(SweepConfig):
    sweep_type: Literal["queue"] = "queue"

class Queue:
    config_model, version, releases_gil = Sweep, "1", True
    def prepare(self): pass
    def compute(self, config, indices): return np.zeros(len(indices), [("wait", float)])
    def parameters(self, config, indices): return {"seed": indices}
    def observations(self, config, indices, metrics): raise ArithmeticError
    def summarise(self, config, indices, metrics): return {"wait": float("nan")}
    def headline(self, summary): return "done"

QUEUE = Queue()
"""
BROKEN = {
    "missing": (None, "the module 'my_queue' is not installed"),
    "needs another": (
        "import not_there",
        "it needs the module 'not_there', which is",
    ),
    "raises": ("1 / 0", "importing it raised ZeroDivisionError: 'division by zero'"),
    "leaves": ("raise SystemExit(3)", "importing it raised SystemExit: '3'"),
    "no syntax": ("def", "importing it raised SyntaxError"),
    "no object": ("x = 1", "the module 'my_queue' has no 'QUEUE'"),
    "something else": ("QUEUE = 3", "it is not an experiment: a int without prepare, compute"),
    "a class": (f"{GOOD}\nQUEUE = Queue", "it is not an experiment: a type but a class, not an"),
    "no model": (f"{GOOD}\nQueue.config_model = dict", "its config_model is not a subclass of Swe"),
    "no name": (
        GOOD.replace('Literal["queue"] = "queue"', "str"),
        "the default of its sweep_type is PydanticUndefined, not a word of lower-case letters",
    ),
    "strange name": (GOOD.replace('"queue"', '"../queue"'), "its sweep_type is '../queue', not a"),
    "name of ours": (
        GOOD.replace('"queue"', '"ring"'),
        "there is another experiment for sweeps of type 'ring'",
    ),
}


@pytest.fixture
def plug_in(tmp_path, monkeypatch):
    """Return a function that plugs the text of a module in, or none of that name."""

    def plug(text):
        if text is not None:
            (tmp_path / "my_queue.py").write_text(text)
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.setenv("BILANCIO_PLUGINS", "my_queue:QUEUE")
        registry._plugins.cache_clear()

    yield plug
    sys.modules.pop("my_queue", None)
    registry._plugins.cache_clear()


@pytest.mark.parametrize(("text", "reason"), BROKEN.values(), ids=BROKEN)
def test_a_broken_plug_in_is_named_with_the_reason_and_the_others_stay(plug_in, text, reason):
    plug_in(text)
    (fault,) = registry.plugin_faults()
    assert fault.address == "my_queue:QUEUE"
    assert reason in fault.reason
    assert registry.sweep_types() == ["single", "ring", "balanced"]
    assert JobConfig(sweep_type="ring").total_runs == 1


def test_an_unknown_sweep_type_names_the_plug_in_that_is_missing(plug_in):
    plug_in(None)
    with pytest.raises(InvalidInput) as error:
        JobConfig(sweep_type="line")  # which no other test declares
    assert str(error.value) == (
        "sweep_type: got 'line', and my_queue:QUEUE, which BILANCIO_PLUGINS names, cannot "
        "be used (the module 'my_queue' is not installed); allowed: single, ring, balanced."
    )


def test_a_misspelt_sweep_type_is_answered_with_the_one_that_was_meant(plug_in):
    plug_in(None)
    with pytest.raises(InvalidInput, match=r"got 'rnig'; allowed: .* Did you mean ring\?"):
        JobConfig(sweep_type="rnig")


def test_a_good_plug_in_is_one_of_the_sweep_types(plug_in):
    plug_in(GOOD)
    assert registry.plugin_faults() == ()
    assert JobConfig(sweep_type="queue").sweep_type == "queue"


def test_what_a_plug_in_prints_when_it_is_imported_does_not_reach_the_answer(tmp_path, plug_in):
    plug_in(f"print('hello from the plug-in')\n{GOOD}")
    code = "from bilancio.experiments import registry; print(registry.sweep_types())"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout == "['single', 'ring', 'balanced', 'queue']\n"
    assert "hello from the plug-in" in done.stderr
