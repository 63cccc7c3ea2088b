"""Experiments that decorated functions are."""

from typing import Any

import numpy as np

from bilancio.analysis.observations import Observations
from bilancio.experiments.calls import Calls, Rows
from bilancio.experiments.declared import Declaration
from bilancio.experiments.decorated_sweep import DecoratedSweep, sweep_model
from bilancio.experiments.design import Columns, Indices
from bilancio.experiments.sweep_config import SweepConfig
from bilancio.text import number


class DecoratedExperiment:
    """A decorated function, computed in processes.

    Parameters
    ----------
    declaration
        Of the function.
    """

    releases_gil = False

    def __init__(self, declaration: Declaration) -> None:
        self.config_model: type[SweepConfig] = sweep_model(declaration)
        self.version = declaration.version
        self.metrics = declaration.metrics
        self._declaration = declaration
        self._calls = Calls(declaration)

    def prepare(self) -> None:
        """Load nothing: the function's module is loaded."""

    def compute(self, config: DecoratedSweep, indices: Indices) -> Rows:
        """Call the function for the runs of *indices*; return one row of metrics each."""
        columns = self._columns(config, indices)
        arms = [config.arms[arm] for arm in columns["arm"]] if self._declaration.arms else None
        own = self._declaration.own_parameters
        varied = {name: columns[name] for name in own if name in columns}
        fixed = {name: value for name, value in config.own_values().items() if name not in varied}
        return self._calls.rows(fixed, varied, columns["seed"], arms)

    def parameters(self, config: Any, indices: Indices) -> Columns:
        """Return cell, parameters, seed and the arm's name of these runs."""
        columns = self._columns(config, indices)
        return {**columns, "arm": np.array(config.arms)[columns["arm"]]}

    def observations(self, config: Any, indices: Indices, metrics: Rows) -> Observations:
        """Return one observation a run."""
        columns = self.parameters(config, indices)
        names = metrics.dtype.names or ()
        return Observations(
            columns={**columns, **{name: metrics[name].astype(float) for name in names}},
            parameters=("arm",),
            measures=names,
            primary=self._declaration.primary or names[0],
        )

    def summarise(self, _config: Any, _indices: Indices, metrics: Rows) -> dict[str, Any]:
        """Return the average of each metric over all runs."""
        return {f"avg_{name}": float(metrics[name].mean()) for name in metrics.dtype.names or ()}

    def headline(self, summary: dict[str, Any]) -> str:
        """Say the averages."""
        said = [f"{name.removeprefix('avg_')} {number(value)}" for name, value in summary.items()]
        return f"Averages over all runs: {', '.join(said)}."

    def _columns(self, config: Any, indices: Indices) -> Columns:
        return {
            "cell": np.zeros_like(indices),
            "seed": config.base_seed + indices // len(config.arms),
            "arm": indices % len(config.arms),
        }
