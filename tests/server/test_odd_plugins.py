"""A plug-in that cannot describe what it found costs its description, never the answer."""

from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pytest
from mcp import Client
from pydantic import Field

from bilancio.experiments import registry
from bilancio_mcp.server import build_server
from bilancio_mcp.sizes import size
from tests.plugins import Counting, CountingExperiment
from tests.server.talk import completed, data

Fault = Literal["", "headline", "exit", "observations", "nothing", "long", "wide", "arrays"]


class OddSweep(Counting):
    sweep_type: Literal["odd"] = Field(default="odd")
    fault: Fault = ""


def names(metrics):
    return tuple(str(name) for name in metrics.dtype.names)


class Odd(CountingExperiment):
    config_model = OddSweep

    def compute(self, config: Any, indices: Any) -> Any:
        if config.fault != "wide":
            return super().compute(config, indices)
        wide = ["value", *(f"metric_{'δ' * 60}_{each}" for each in range(500))]
        return np.ones(len(indices), [(name, float) for name in wide])

    def observations(self, config: Any, indices: Any, metrics: Any) -> Any:
        if config.fault == "observations":
            raise KeyError(config.fault)
        seen = super().observations(config, indices, metrics)
        if config.fault != "wide":
            return seen
        columns = {"seed": seen.columns["seed"], **{name: metrics[name] for name in names(metrics)}}
        return replace(seen, columns=columns, measures=names(metrics))

    def summarise(self, config: Any, indices: Any, metrics: Any) -> Any:
        found = super().summarise(config, indices, metrics)
        match config.fault:
            case "arrays":
                return found | {"quantiles": np.array([0.5, np.inf]), "odd": "\x1b[31m"}
            case "wide":
                return found | {f"sum of {'δ' * 60}{each}": 0.1 for each in range(10_000)}
            case _:
                return found

    def headline(self, summary: Any) -> Any:
        match self.said:
            case "headline":
                return 1 / 0
            case "exit":
                raise SystemExit(3)
            case "nothing":
                return None
            case "long":
                return "It is a \x1b[31mlong\ud800 story. " * 100_000
            case _:
                return super().headline(summary)

    said = ""


ODD = Odd()


@pytest.fixture(autouse=True)
def plugged_in(monkeypatch):
    monkeypatch.setenv("BILANCIO_PLUGINS", f"{__name__}:ODD")
    registry._plugins.cache_clear()
    yield
    registry._plugins.cache_clear()


async def answered(fault, monkeypatch):
    monkeypatch.setattr(Odd, "said", fault)
    async with Client(build_server()) as client:
        job_id = await completed(client, {"sweep_type": "odd", "n": 4, "fault": fault})
        answer = data(await client.call_tool("job_results", {"job_id": job_id}))
    assert size(answer) < 20_000
    assert answer["status"] == "completed"
    return answer


SAID = {
    "headline": "The experiment could not put its summary into words: ZeroDivisionError",
    "exit": "The experiment could not put its summary into words: SystemExit: 3.",
    "observations": "The experiment could not make its table: KeyError",
    "nothing": "Completed, 4 of 4 runs.",
    "long": r"It is a \x1b[31mlong\ud800 story.",
}


@pytest.mark.parametrize("fault", SAID)
async def test_results_say_what_the_experiment_could_not_do_and_give_the_rest(fault, monkeypatch):
    answer = await answered(fault, monkeypatch)
    assert SAID[fault] in answer["summary"]
    assert answer["findings"]["sum"] == 12
    assert ("table" not in answer) == (fault == "observations")
    assert "runs.csv" in answer["files"]


async def test_hundreds_of_metrics_with_long_names_are_stored_and_the_first_ones_shown(monkeypatch):
    answer = await answered("wide", monkeypatch)
    assert answer["table"]["columns"][:5] == ["n", "n_seeds", "value", "value_low", "value_high"]
    assert len(answer["table"]["columns"]) < 40
    assert "measures takes others: " in answer["next"]
    assert "more" in answer["findings"]["…"]


async def test_arrays_in_a_summary_are_lists(monkeypatch):
    answer = await answered("arrays", monkeypatch)
    assert answer["findings"]["quantiles"] == [0.5, None]
