"""Plain rings: payment and default without dealers (MODEL.md, sections 1–5)."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bilancio.analysis.measures import Measure
from bilancio.experiments import precision
from bilancio.experiments.configs import RingSettings, RingSweep
from bilancio.experiments.design import Columns, Indices, as_stored, check_planned, run_columns
from bilancio.experiments.grid_sweep import GridSweep
from bilancio.experiments.standard import Averages, StandardExperiment, so_far
from bilancio.experiments.sweep_config import SweepConfig
from bilancio.model.metrics import RING_METRICS, Metric
from bilancio.model.parameters import Arm
from bilancio.model.tables import PARAMETER_ROW, varied_table
from bilancio.model.version import ENGINE_VERSION


class RingExperiment(StandardExperiment):
    """One run for each cell and seed."""

    config_model: type[SweepConfig] = RingSweep
    version = ENGINE_VERSION
    primary = "delta_total"
    default_rate: ClassVar[str] = "delta_total"
    releases_gil = True
    metrics: tuple[Metric, ...] = RING_METRICS

    def prepare(self) -> None:
        """Compile the kernels, or load them compiled."""
        from bilancio.model import warm_up  # numpy loads with the engine

        warm_up()

    def preparation_s(self) -> float:
        """Return about how many seconds the kernels take to compile; 0 once that is done."""
        from bilancio.model import seconds_to_compile  # as above

        return seconds_to_compile()

    def compute(self, config: RingSettings, indices: Indices) -> NDArray[np.void]:
        """Simulate the runs of *indices*: one row of metrics each, in their order."""
        from bilancio.model import simulate_many  # as above

        columns = self._columns(config, indices)
        check_planned(config, columns)
        table, weights = _tables(config, columns, len(indices))
        return as_stored(config, self.metrics, simulate_many(table, weights), columns)

    def parameters(self, config: Any, indices: Indices) -> Columns:
        """Return cell, parameters, seed and the arm's name of these runs."""
        return self._named(self._columns(config, indices))

    def _named(self, columns: Columns) -> Columns:
        """Return columns with the arms' names in place of their positions."""
        names = np.array([arm.value for arm in Arm])
        return {**columns, "arm": names[columns["arm"]]}

    def measures(self, names: Collection[str]) -> tuple[Measure, ...]:
        """Return the metrics recorded that sweeps show averages of."""
        return tuple(
            Measure(name=name, numerator={each.name: weight}, unit=unit, meaning=each.meaning)
            for each in self.metrics
            if each.measure and each.name in names
            for name, weight, unit in [each.measured]
        )

    def summary(self, averages: Averages) -> dict[str, Any]:
        """Return averages over whole seeds, and the interval of the default rate.

        The probes of a frontier are left out of both: where a search looks says nothing of the
        average. A sweep of nothing else has neither.
        """
        if not averages.n_cells:
            return {"ends": dict(averages.ends)}
        means = {f"avg_{name}": value for name, value in averages.estimates.items()}
        return {
            "avg_delta": means.pop("avg_delta_total"),
            "delta_ci95": averages.intervals["delta_total"],
            "delta_ci95_missing": averages.missing or None,
            **averages.counts,
            "avg_phi": means.pop("avg_phi_total", None),
            **means,
            "ci95": dict(averages.intervals),
            "ends": dict(averages.ends),
        }

    def headline(self, summary: dict[str, Any]) -> str:
        """Say the average default rate, and the frontier."""
        averages = (self._averages(summary), precision.words(summary), self.searched(summary))
        return " ".join(filter(None, averages)) or "No run has shown a default rate yet."

    def _averages(self, summary: dict[str, Any]) -> str:
        if summary.get("avg_delta") is None:
            return so_far(summary)
        spread = interval_words(summary["delta_ci95"], summary)
        said = f"The average default rate is {summary['avg_delta']:.4f} ({spread})."
        return " ".join(filter(None, (so_far(summary), said)))

    def _columns(self, config: Any, indices: Indices) -> Columns:
        return run_columns(config, indices)


def _tables(
    config: RingSettings, columns: Columns, n_runs: int
) -> tuple[NDArray[np.void], NDArray[np.float64]]:
    """Return the parameters of runs as rows, and the weights of their liquidity.

    Runs that differ in how the cash is allotted have different parameters; all others have the
    same ones.
    """
    modes = columns.get("liquidity_mode")
    if modes is None or (modes == modes[0]).all():
        return _table(config, columns, n_runs)
    table, weights = np.empty(n_runs, PARAMETER_ROW), np.empty(0)
    for mode in np.unique(modes):
        rows = modes == mode
        here = {name: column[rows] for name, column in columns.items()}
        table[rows], found = _table(config, here, int(rows.sum()))
        weights = found if len(found) else weights
    return table, weights


def _table(
    config: RingSettings, columns: Columns, n_runs: int
) -> tuple[NDArray[np.void], NDArray[np.float64]]:
    """Return the parameters of runs that do not differ in how the cash is allotted."""
    axes: Iterable[str] = config.axes if isinstance(config, GridSweep) else ()
    cell = {name: columns[name][0].item() for name in axes}
    known = {name: value for name, value in cell.items() if value == value}  # noqa: PLR0124
    first = config.parameter_model().model_validate(config.run_of(known))
    return varied_table(first, columns, n_runs)


def interval_words(interval: list[float] | None, summary: Mapping[str, Any]) -> str:
    """Say an interval and the number of seeds, or why there is none."""
    n_seeds = summary["n_seeds"]
    if interval is not None:
        return f"95 % interval {interval[0]:.4f} to {interval[1]:.4f}, {n_seeds:,} seeds"
    if n_seeds == 1:
        return "one seed, so no interval"
    missing = next((summary[name] for name in summary if name.endswith("_ci95_missing")), None)
    return f"no interval: {missing}" if missing else "no interval"


EXPERIMENT = RingExperiment()


def __getattr__(name: str) -> Any:
    """Return the runner that is promised under this module, too; it lives above, among jobs."""
    if name != "RingSweepRunner":
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    from bilancio.jobs.runners import RingSweepRunner  # an experiment is computed without jobs

    return RingSweepRunner
