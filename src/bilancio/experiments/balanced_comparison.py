"""Dealers that trade against dealers that hold, from the same start (MODEL.md, sections 2–8)."""

from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from bilancio.analysis.measures import Measure
from bilancio.experiments.configs import BalancedSweep
from bilancio.experiments.ring import RingExperiment, interval_words
from bilancio.experiments.standard import Averages, size_with_bounds, so_far, undecided
from bilancio.experiments.sweep_config import SweepConfig
from bilancio.model.metrics import BALANCED_METRICS, Metric
from bilancio.text import plural

PROFITS = ("dealer_pnl", "vbt_pnl")
IN_BOTH_ARMS = ("n_defaults", "recovered_micro")


class BalancedComparison(RingExperiment):
    """A passive and an active run for each cell and seed."""

    config_model: type[SweepConfig] = BalancedSweep
    metrics: tuple[Metric, ...] = BALANCED_METRICS

    primary = "trading_effect"
    verdict_words: ClassVar[tuple[str, str] | None] = ("helps", "hurts")
    watched: ClassVar[Mapping[str, str]] = {"n_trades": "trades"}

    def measures(self, names: Collection[str]) -> tuple[Measure, ...]:
        """Return what is said of pairs of runs, given the metrics recorded.

        trading_effect = delta_passive − delta_active; trading_relief_ratio is the ratio of the
        means of trading_effect and delta_passive. What only dealers have is that of the
        active arm; profits are those of both arms, and active − passive.
        """
        by_name = {metric.name: metric for metric in self.metrics}
        delta = {"delta_total@passive": 1.0, "delta_total@active": -1.0}
        passive = {"delta_total@passive": 1.0}
        found = [
            *_measures_by_arm(by_name["delta_total"], "delta"),
            Measure(
                name="trading_effect",
                numerator=delta,
                unit="1",
                meaning="delta_passive − delta_active.",
            ),
            Measure(
                name="trading_relief_ratio",
                numerator=delta,
                denominator=passive,
                unit="1",
                meaning="Mean trading_effect / mean delta_passive.",
            ),
        ]
        for name in IN_BOTH_ARMS:
            if name in names:
                found += _measures_by_arm(by_name[name])
        for metric in self.metrics:
            if not (metric.measure and metric.dealers and metric.name in names):
                continue
            if metric.name in PROFITS:
                found += _measures_by_arm(metric)
                found.append(
                    Measure(
                        name=metric.name,
                        numerator={f"{metric.name}@active": 1.0, f"{metric.name}@passive": -1.0},
                        unit=metric.unit,
                        meaning=f"{metric.name}_active − {metric.name}_passive.",
                    )
                )
            else:
                found.append(
                    Measure(
                        name=metric.name,
                        numerator={f"{metric.name}@active": 1.0},
                        unit=metric.unit,
                        meaning=metric.meaning,
                    )
                )
        return tuple(found)

    def summary(self, averages: Averages) -> dict[str, Any]:
        """Return averages over the pairs of whole seeds, and the interval of the effect.

        The probes of a frontier are left out of both: where a search looks says nothing of the
        average. A sweep of nothing else has neither.
        """
        if not averages.n_cells:
            return {"ends": dict(averages.ends)}
        improved, unchanged, worsened = averages.signs
        return {
            "n_pairs": averages.n,
            **{f"avg_{name}": value for name, value in averages.estimates.items()},
            "trading_effect_ci95": averages.intervals["trading_effect"],
            "trading_effect_ci95_missing": averages.missing or None,
            **averages.counts,
            "improved": improved,
            "unchanged": unchanged,
            "worsened": worsened,
            "ci95": dict(averages.intervals),
            "ends": dict(averages.ends),
        }

    def _averages(self, summary: dict[str, Any]) -> str:
        effect = summary.get("avg_trading_effect")
        if effect is None:
            return so_far(summary)
        passive, active = (f"{summary[f'avg_delta_{arm}']:.4f}" for arm in ("passive", "active"))
        verb = "lowered" if effect > 0 else "raised"
        came = f"{verb} the average default rate by {abs(effect):.4f}, "
        came += f"from {passive} (passive) to {active} (active)"
        if not effect:
            came = f"did not change the average default rate, {passive} in both arms"
        _, interval = size_with_bounds(effect, summary["trading_effect_ci95"])
        spread = interval_words(interval, summary) + undecided(interval)
        said = (
            f"Trading {came}; {spread}. "
            f"Of {plural(summary['n_pairs'], 'pair')} {summary['improved']:,} improved, "
            f"{summary['unchanged']:,} did not change, {summary['worsened']:,} worsened."
        )
        return " ".join(filter(None, (so_far(summary), said)))


def _measures_by_arm(metric: Metric, name: str = "") -> list[Measure]:
    measured, weight, unit = metric.measured
    return [
        Measure(
            name=f"{name or measured}_{arm}",
            numerator={f"{metric.name}@{arm}": weight},
            unit=unit,
            meaning=f"{metric.meaning.rstrip('.')}, {arm} arm.",
        )
        for arm in ("passive", "active")
    ]


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
