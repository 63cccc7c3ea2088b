"""A ring in which some runs fail: ``BILANCIO_PLUGINS=tests.plugins.rings:FRAGILE``."""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from bilancio.experiments.configs import RingSweep
from bilancio.experiments.ring import RingExperiment


class FragileSweep(RingSweep):
    """Plain rings; the runs of some seeds fail, until a file is there."""

    sweep_type: Literal["fragile"] = Field(default="fragile")  # type: ignore[assignment]
    failing: tuple[int, ...] = Field(default=(), description="Seeds whose runs fail.")
    mended: str = Field(default="", description="Nothing fails once this file is there.")


class FragileRing(RingExperiment):
    config_model = FragileSweep

    def compute(self, config: Any, indices: Any) -> Any:
        seeds = self.parameters(config, indices)["seed"]
        if not (config.mended and Path(config.mended).exists()):
            for seed in set(seeds.tolist()) & set(config.failing):
                message = f"seed {seed} has no solution"
                raise ArithmeticError(message)
        return super().compute(config, indices)


FRAGILE = FragileRing()
