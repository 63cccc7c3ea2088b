"""Experiments as somebody else would plug them in: ``BILANCIO_PLUGINS=tests.plugins:GATED``.

Each computes ``value = 2 × index`` and goes wrong, or waits, as its configuration says.
"""

import time
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field

from bilancio.analysis.observations import Observations
from bilancio.experiments.sweep_config import SweepConfig
from tests.plugins.faults import FAULTS, HARMLESS


class Counting(SweepConfig):
    """Runs 0 … n − 1."""

    n: int = Field(default=100, ge=1, le=10**7, description="Number of runs.")

    @property
    def total_runs(self) -> int:
        return self.n


class CountingExperiment:
    """Twice the index."""

    config_model: type[SweepConfig]
    version = "counting-1"
    releases_gil = True

    def prepare(self) -> None:
        """Nothing to load."""

    def compute(self, config: Any, indices: Any) -> Any:
        return np.array([(2.0 * each,) for each in indices], [("value", float)])

    def parameters(self, config: Any, indices: Any) -> Any:
        return {
            "cell": indices,
            "seed": np.zeros_like(indices),
            "arm": np.full(len(indices), "passive"),
        }

    def observations(self, config: Any, indices: Any, metrics: Any) -> Observations:
        return Observations(
            columns={"seed": np.zeros_like(indices), "value": metrics["value"]},
            parameters=(),
            measures=("value",),
            primary="value",
        )

    def summarise(self, config: Any, indices: Any, metrics: Any) -> dict[str, Any]:
        return {"sum": float(metrics["value"].sum())}

    def headline(self, summary: dict[str, Any]) -> str:
        return f"The sum is {summary['sum']:g}."


class GatedSweep(Counting):
    """Runs from `gate` on wait until the file is there."""

    sweep_type: Literal["gated"] = Field(default="gated")
    gate: int = Field(default=10**7)
    file: str = Field(default="")


class Gated(CountingExperiment):
    config_model = GatedSweep

    def compute(self, config: Any, indices: Any) -> Any:
        if indices[-1] >= config.gate:
            while not Path(config.file).exists():
                time.sleep(0.005)
        return super().compute(config, indices)


class BusyGated(Gated):
    """The same in processes, busy while it waits."""

    releases_gil = False

    class Sweep(GatedSweep):
        sweep_type: Literal["busy"] = Field(default="busy")  # type: ignore[assignment]

    config_model = Sweep

    def compute(self, config: Any, indices: Any) -> Any:
        if indices[-1] >= config.gate:
            while not Path(config.file).exists():
                sum(range(10_000))
        return CountingExperiment.compute(self, config, indices)


class FaultySweep(Counting):
    """Run number → what goes wrong: a name of tests.plugins.faults, raise or hang."""

    sweep_type: Literal["faulty"] = Field(default="faulty")
    faults: dict[int, str] = Field(default_factory=dict)
    mended: str = Field(default="", description="Nothing goes wrong once this file is there.")


class Faulty(CountingExperiment):
    config_model = FaultySweep
    releases_gil = False

    def compute(self, config: Any, indices: Any) -> Any:
        faults = {} if config.mended and Path(config.mended).exists() else config.faults
        table = super().compute(config, indices)
        for each in indices.tolist():
            match faults.get(each):
                case None:
                    pass
                case "raise":
                    message = f"run {each} has no solution"
                    raise ArithmeticError(message)
                case "hang":
                    while True:
                        pass
                case fault:
                    table = (FAULTS | HARMLESS)[fault](table)
        return table


class ThreadedFaulty(Faulty):
    """The same in threads, where a crash takes the worker down."""

    releases_gil = True

    class Sweep(FaultySweep):
        sweep_type: Literal["reckless"] = Field(default="reckless")  # type: ignore[assignment]

    config_model = Sweep


class TrivialSweep(Counting):
    """Three parameters, three metrics."""

    sweep_type: Literal["trivial"] = Field(default="trivial")
    n: int = Field(default=100, ge=1, description="Number of runs.")


class Trivial(CountingExperiment):
    config_model = TrivialSweep

    def compute(self, config: Any, indices: Any) -> Any:
        table = np.empty(len(indices), [("value", float), ("half", float), ("count", np.int64)])
        table["value"], table["half"], table["count"] = 2.0 * indices, indices / 2, indices
        return table


GATED, BUSY, FAULTY, RECKLESS, TRIVIAL = (
    Gated(),
    BusyGated(),
    Faulty(),
    ThreadedFaulty(),
    Trivial(),
)
ALL = ",".join(
    f"tests.plugins:{name}" for name in ("GATED", "BUSY", "FAULTY", "RECKLESS", "TRIVIAL")
)
