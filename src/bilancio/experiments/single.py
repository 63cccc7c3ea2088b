"""One ring, one run."""

from typing import Any

import numpy as np

from bilancio.experiments.configs import SingleRun
from bilancio.experiments.design import Columns, Indices
from bilancio.experiments.ring import RingExperiment
from bilancio.experiments.sweep_config import SweepConfig
from bilancio.model.parameters import RingParameters, axes_of

_VARIED = tuple(axes_of(RingParameters))


class SingleExperiment(RingExperiment):
    """A sweep of one cell, one seed, one arm."""

    config_model: type[SweepConfig] = SingleRun

    def _columns(self, config: Any, indices: Indices) -> Columns:
        columns: Columns = {"cell": np.zeros_like(indices)}
        for name in _VARIED:
            columns[name] = np.full(len(indices), float(getattr(config, name)))
        return {
            **columns,
            "seed": np.full(len(indices), config.seed),
            "arm": np.zeros_like(indices),
        }


EXPERIMENT = SingleExperiment()
