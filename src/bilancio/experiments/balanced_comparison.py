"""Dealers that trade against dealers that hold, from the same start (MODEL.md, sections 2–8)."""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bilancio.analysis.intervals import seed_interval
from bilancio.analysis.observations import Observations
from bilancio.experiments.configs import BalancedSweep
from bilancio.experiments.design import Indices
from bilancio.experiments.ring import (
    RingExperiment,
    ends,
    found_by_search,
    interval_words,
    mean,
    measured,
    observed_columns,
    with_frontier,
)
from bilancio.experiments.sweep_config import SweepConfig
from bilancio.model.metrics import BALANCED_METRICS, Metric


class BalancedComparison(RingExperiment):
    """A passive and an active run for each cell and seed."""

    config_model: type[SweepConfig] = BalancedSweep
    metrics: ClassVar[tuple[Metric, ...]] = BALANCED_METRICS

    def observations(
        self, config: Any, indices: Indices, metrics: NDArray[np.void]
    ) -> Observations:
        """Return one observation a pair; runs whose partner is missing are left out.

        Measures: the default rate of each arm; trading_effect = delta_passive − delta_active;
        trading_relief_ratio = trading_effect / delta_passive, 0 where delta_passive is 0.
        """
        passive, active = pairs(indices)
        columns = observed_columns(self._columns(config, indices[passive]), metrics[passive])
        parameters = tuple(name for name in columns if name != "seed")
        delta_passive = metrics["delta_total"][passive]
        delta_active = metrics["delta_total"][active]
        effect = delta_passive - delta_active
        relief = np.divide(
            effect, delta_passive, out=np.zeros_like(effect), where=delta_passive != 0
        )
        columns |= {
            "delta_passive": delta_passive,
            "delta_active": delta_active,
            "trading_effect": effect,
            "trading_relief_ratio": relief,
        }
        if "n_defaults" in (metrics.dtype.names or ()):
            columns["n_defaults_passive"] = metrics["n_defaults"][passive].astype(float)
            columns["n_defaults_active"] = metrics["n_defaults"][active].astype(float)
        for name in measured((each for each in self.metrics if each.dealers), metrics):
            columns[name] = metrics[name][active].astype(float)
        return Observations(
            columns=columns,
            parameters=parameters,
            measures=tuple(name for name in columns if name not in {*parameters, "seed"}),
            primary="trading_effect",
        )

    def summarise(self, config: Any, indices: Indices, metrics: NDArray[np.void]) -> dict[str, Any]:
        """Return the averages over pairs and the interval of the effect over seeds.

        The probes of a frontier are left out of both: where a search looks says nothing of the
        average.
        """
        sampled = np.searchsorted(indices, config.fixed_runs)
        seen = self.observations(config, indices[:sampled], metrics[:sampled])
        effect = seen.columns["trading_effect"]
        known = effect[~np.isnan(effect)]
        interval = seed_interval(effect, seen.columns["seed"])
        averages = {f"avg_{name}": mean(seen.columns[name]) for name in seen.measures}
        return {
            "n_pairs": len(effect),
            **averages,
            "trading_effect_ci95": interval.as_list(),
            "trading_effect_ci95_missing": interval.reason or None,
            "n_seeds": interval.n_seeds,
            "improved": int((known > 0).sum()),
            "unchanged": int((known == 0).sum()),
            "worsened": int((known < 0).sum()),
            "ends": ends(metrics),
            **found_by_search(config, indices, metrics),
        }

    def headline(self, summary: dict[str, Any]) -> str:
        """Say what trading did to the default rate, and the frontier."""
        averages = self._averages(summary)
        if averages is None and "frontier" not in summary:
            return "No pair of runs is complete yet."
        return with_frontier(averages, summary)

    def _averages(self, summary: dict[str, Any]) -> str | None:
        effect = summary["avg_trading_effect"]
        if effect is None:
            return None
        verb = "lowered" if effect > 0 else "raised" if effect < 0 else "did not change"
        by = f" by {abs(effect):.4f}" if effect else ""
        spread = interval_words(summary["trading_effect_ci95"], summary["n_seeds"])
        return (
            f"Trading {verb} the average default rate{by}, "
            f"from {summary['avg_delta_passive']:.4f} (passive) "
            f"to {summary['avg_delta_active']:.4f} (active); {spread}. "
            f"Of {summary['n_pairs']} pairs {summary['improved']} improved, "
            f"{summary['unchanged']} did not change, {summary['worsened']} worsened."
        )


def pairs(indices: Indices) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the positions of the passive and the active run of each complete pair.

    Parameters
    ----------
    indices : int64 (n,)
        Runs, increasing. Even ones are passive, the next odd one is its active partner.
    """
    first = np.flatnonzero((indices[:-1] % 2 == 0) & (np.diff(indices) == 1))
    return first, first + 1


EXPERIMENT = BalancedComparison()


def __getattr__(name: str) -> Any:
    """Return the runner that is promised under this module, too; it lives above, among jobs."""
    if name != "BalancedComparisonRunner":
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    from bilancio.jobs.runners import (
        BalancedComparisonRunner,
    )  # an experiment is computed without jobs

    return BalancedComparisonRunner
