"""An experiment that works: it takes a while, in processes."""

from typing import Any, Literal

from pydantic import Field

from tests.plugins import Counting, CountingExperiment


class LaboriousSweep(Counting):
    """Each run is work of about a millisecond."""

    sweep_type: Literal["laborious"] = Field(default="laborious")


class Laborious(CountingExperiment):
    config_model = LaboriousSweep
    releases_gil = False

    def compute(self, config: Any, indices: Any) -> Any:
        for _ in indices:
            sum(range(40_000))
        return super().compute(config, indices)


LABORIOUS = Laborious()
