"""Plain rings: payment and default without dealers (MODEL.md, sections 1–5)."""

from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bilancio.analysis.intervals import seed_interval
from bilancio.analysis.observations import Observations
from bilancio.experiments import frontier
from bilancio.experiments.configs import RingSettings, RingSweep
from bilancio.experiments.design import Columns, Indices, run_columns, stored_columns
from bilancio.experiments.grid_sweep import GridSweep
from bilancio.experiments.protocol import Step, TableOfSearches
from bilancio.experiments.sweep_config import SweepConfig
from bilancio.model.metrics import RING_METRICS, End, Metric
from bilancio.model.parameters import Arm
from bilancio.model.tables import parameter_table
from bilancio.model.version import ENGINE_VERSION


class RingExperiment:
    """One run for each cell and seed."""

    config_model: type[SweepConfig] = RingSweep
    version = ENGINE_VERSION
    releases_gil = True
    metrics: ClassVar[tuple[Metric, ...]] = RING_METRICS

    def prepare(self) -> None:
        """Compile the kernels, or load them compiled."""
        from bilancio.model import warm_up  # numba takes half a second to load

        warm_up()

    def preparation_s(self) -> float:
        """Return about how many seconds the kernels take to compile; 0 once that is done."""
        from bilancio.model import seconds_to_compile  # as above

        return seconds_to_compile()

    def compute(self, config: RingSettings, indices: Indices) -> NDArray[np.void]:
        """Simulate the runs of *indices*: one row of metrics each, in their order."""
        from bilancio.model import simulate_many  # as above

        first = config.parameter_model().model_validate(
            config.run_settings() | self._first_cell(config)
        )
        base, weights = parameter_table([first])
        table = np.repeat(base, len(indices))
        columns = self._columns(config, indices)
        for name, column in columns.items():
            if name in (table.dtype.names or ()):
                table[name] = column
        if np.isnan(table["kappa"]).any():
            message = "a probe of a frontier was to be computed before its κ was planned"
            raise ValueError(message)
        found = simulate_many(table, weights)
        kept = np.empty(len(indices), stored_columns(config, self.metrics))
        for name in kept.dtype.names or ():
            kept[name] = columns[name] if name == "kappa" else found[name]
        return kept

    def parameters(self, config: Any, indices: Indices) -> Columns:
        """Return cell, parameters, seed and the arm's name of these runs."""
        columns = self._columns(config, indices)
        names = np.array([arm.value for arm in Arm])
        return {**columns, "arm": names[columns["arm"]]}

    def observations(
        self, config: Any, indices: Indices, metrics: NDArray[np.void]
    ) -> Observations:
        """Return one observation a run."""
        columns = observed_columns(self._columns(config, indices), metrics)
        measures = measured(self.metrics, metrics)
        return Observations(
            columns={**columns, **{name: metrics[name].astype(float) for name in measures}},
            parameters=tuple(name for name in columns if name != "seed"),
            measures=measures,
            primary="delta_total",
        )

    def summarise(self, config: Any, indices: Indices, metrics: NDArray[np.void]) -> dict[str, Any]:
        """Return averages over the runs, and the interval of the default rate over seeds.

        The probes of a frontier are left out of both: where a search looks says nothing of the
        average.
        """
        sampled = np.searchsorted(indices, config.fixed_runs)
        seen = self.observations(config, indices[:sampled], metrics[:sampled])
        interval = seed_interval(seen.columns["delta_total"], seen.columns["seed"])
        averages = {f"avg_{name}": mean(seen.columns[name]) for name in seen.measures}
        return {
            "avg_delta": averages.pop("avg_delta_total"),
            "delta_ci95": interval.as_list(),
            "delta_ci95_missing": interval.reason or None,
            "n_seeds": interval.n_seeds,
            "avg_phi": averages.pop("avg_phi_total", None),
            **averages,
            "ends": ends(metrics),
            **found_by_search(config, indices, metrics),
        }

    def headline(self, summary: dict[str, Any]) -> str:
        """Say the average default rate, and the frontier."""
        return with_frontier(self._averages(summary), summary)

    def next_step(
        self, config: GridSweep, indices: Indices, metrics: NDArray[np.void]
    ) -> Step | None:
        """Return the probes of the frontier that can be computed now."""
        return frontier.next_step(config, indices, metrics)

    def search_table(
        self, config: GridSweep, indices: Indices, metrics: NDArray[np.void]
    ) -> TableOfSearches:
        """Return κ* of each cell of the frontier."""
        return frontier.table(config, indices, metrics)

    def _averages(self, summary: dict[str, Any]) -> str | None:
        if summary["avg_delta"] is None:
            return None
        spread = interval_words(summary["delta_ci95"], summary["n_seeds"])
        return f"The average default rate is {summary['avg_delta']:.4f} ({spread})."

    def _first_cell(self, config: Any) -> dict[str, Any]:
        return {name: values[0] for name, values in config.axes.items()}

    def _columns(self, config: Any, indices: Indices) -> Columns:
        return run_columns(config, indices)


def observed_columns(columns: Columns, metrics: NDArray[np.void]) -> Columns:
    """Return the parameters and seeds of observations, with the κ's that a search chose.

    The cell is among them where cells are not those of a grid, which its parameters name.
    """
    hidden = {"arm"} if "design" in columns else {"arm", "cell"}
    kept = {name: column for name, column in columns.items() if name not in hidden}
    if "kappa" in (metrics.dtype.names or ()):
        kept["kappa"] = metrics["kappa"]
    return kept


def found_by_search(
    config: SweepConfig, indices: Indices, metrics: NDArray[np.void]
) -> dict[str, Any]:
    """Return the entry of a summary for the frontier; nothing where none is searched."""
    if not isinstance(config, GridSweep) or not config.frontier:
        return {}
    return {"frontier": frontier.summary(config, indices, metrics)}


def with_frontier(averages: str | None, summary: dict[str, Any]) -> str:
    """Return a headline: what the averages say, and what the frontier says."""
    found = summary.get("frontier")
    if found is None:
        return averages or "No run has shown a default rate yet."
    return " ".join(filter(None, (averages, frontier.headline(found))))


def measured(declared: Iterable[Metric], metrics: NDArray[np.void]) -> tuple[str, ...]:
    """Return the names of the metrics recorded that averages are shown of."""
    recorded = metrics.dtype.names or ()
    return tuple(each.name for each in declared if each.measure and each.name in recorded)


def mean(values: NDArray[Any]) -> float | None:
    """Return the mean of what is known; None where nothing is."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else None


def ends(metrics: NDArray[np.void]) -> dict[str, int]:
    """Count why the runs ended."""
    if "end" not in (metrics.dtype.names or ()):
        return {}
    counts = np.bincount(metrics["end"], minlength=len(End))
    return {end.value: int(count) for end, count in zip(End, counts, strict=True) if count}


def interval_words(interval: list[float] | None, n_seeds: int) -> str:
    """Say an interval, or that one seed shows none."""
    if interval is None:
        return "one seed, so no interval" if n_seeds == 1 else "no interval"
    return f"95 % interval {interval[0]:.4f} to {interval[1]:.4f}, {n_seeds} seeds"


EXPERIMENT = RingExperiment()


def __getattr__(name: str) -> Any:
    """Return the runner that is promised under this module, too; it lives above, among jobs."""
    if name != "RingSweepRunner":
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    from bilancio.jobs.runners import RingSweepRunner  # an experiment is computed without jobs

    return RingSweepRunner
