"""Experiments that decorated functions are: what is measured of them, and how it is said."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from bilancio.analysis.measures import Measure
from bilancio.errors import InvalidInput, Problem, shown
from bilancio.experiments import precision
from bilancio.experiments.calls import Calls, Rows
from bilancio.experiments.declared import Declaration, as_column, difference_name
from bilancio.experiments.decorated_sweep import DecoratedSweep, sweep_model
from bilancio.experiments.design import (
    Columns,
    Indices,
    as_stored,
    check_planned,
    run_columns,
    searched_axis,
)
from bilancio.experiments.standard import (
    Averages,
    StandardExperiment,
    size_with_bounds,
    so_far,
    undecided,
)
from bilancio.experiments.sweep_config import SweepConfig
from bilancio.model.metrics import Metric
from bilancio.text import number, plural
from bilancio.validation import nearest


class DecoratedExperiment(StandardExperiment):
    """A decorated function without arms, computed in processes.

    Parameters
    ----------
    declaration
        Of the function.
    """

    def __init__(self, declaration: Declaration) -> None:
        self.config_model: type[SweepConfig] = sweep_model(declaration)
        self.version = declaration.version
        self.metrics = declaration.metrics
        self._declaration = declaration
        self._calls = Calls(declaration)
        self._defaults = {
            name: field.default
            for name, field in declaration.own_parameters.items()
            if not field.is_required()
        }

    def prepare(self) -> None:
        """Load nothing: the function's module is loaded."""

    def compute(self, config: DecoratedSweep, indices: Indices) -> Rows:
        """Call the function for the runs of *indices*; return one row of metrics each."""
        columns = run_columns(config, indices)
        check_planned(config, columns)
        arms = [config.arms[arm] for arm in columns["arm"]] if self._declaration.arms else None
        own = self._declaration.own_parameters
        varied = {name: columns[name] for name in own if name in columns}
        settings = self._defaults | config.run_settings()
        fixed = {name: value for name, value in settings.items() if name not in varied}
        rows = self._calls.rows(fixed, varied, columns["seed"], arms)
        if not searched_axis(config):
            return rows
        names = rows.dtype.names or ()
        _check_recorded(config, names)
        metrics = [Metric(name, rows.dtype[name].str) for name in names]
        return as_stored(config, metrics, rows, columns)

    def parameters(self, config: Any, indices: Indices) -> Columns:
        """Return cell, parameters, seed and the arm's name of these runs."""
        columns = run_columns(config, indices)
        return {**columns, "arm": np.array(config.arms)[columns["arm"]]}

    # -- what is measured --------------------------------------------------------------------

    def measures(self, names: Collection[str]) -> tuple[Measure, ...]:
        """Return the metrics, the primary one first."""
        return tuple(
            Measure(
                name=each.name, numerator={each.name: 1.0}, unit=each.unit, meaning=each.meaning
            )
            for each in self._measured(names)
        )

    def primary_measure(self, names: Collection[str]) -> str:
        """Return the primary metric: the one declared, else the first one."""
        return self._primary_metric(names)

    def _measured(self, names: Collection[str]) -> list[Metric]:
        """Return the metrics recorded that averages are shown of, the primary one first.

        What a search chose is recorded beside them.
        """
        declared = {metric.name: metric for metric in self.metrics}
        own = self._declaration.own_parameters
        found = [declared.get(name) or Metric(name) for name in names if name not in own]
        primary = self._primary_metric(names)
        numbers = [metric for metric in found if metric.codes is None]
        return sorted(numbers, key=lambda metric: metric.name != primary)

    def _primary_metric(self, names: Collection[str]) -> str:
        return self._declaration.primary or next(iter(names), "")

    # -- what the runs say -------------------------------------------------------------------

    def summary(self, averages: Averages) -> dict[str, Any]:
        """Return the averages over whole seeds, and the interval of the primary measure.

        The probes of a search are left out of both. A sweep of nothing else has neither.
        """
        if not averages.n_cells:
            return {}
        primary = self._primary_of(averages)
        return {
            "primary": primary,
            **{f"avg_{name}": value for name, value in averages.estimates.items()},
            f"{primary}_ci95": averages.intervals.get(primary),
            f"{primary}_ci95_missing": averages.missing or None,
            **self._missing(averages),
            **averages.counts,
            **averages.partial,
            **self._signs(averages),
            "ci95": dict(averages.intervals),
        }

    def headline(self, summary: dict[str, Any]) -> str:
        """Say the average of the primary metric, and what searches have found."""
        said = self._said(summary) if summary.get("n_seeds") else ""
        words = (so_far(summary), said, precision.words(summary), self.searched(summary))
        return " ".join(filter(None, words))

    def _primary_of(self, averages: Averages) -> str:
        return next(iter(averages.estimates))

    def _signs(self, averages: Averages) -> dict[str, int]:  # noqa: ARG002 - arms are compared
        return {}

    def _missing(self, averages: Averages) -> dict[str, str]:  # noqa: ARG002 - arms are compared
        """Return why other measures of the headline have no interval."""
        return {}

    def _said(self, summary: Mapping[str, Any]) -> str:
        primary = summary["primary"]
        known = self._mean(summary, primary)
        if known is None:
            return f"The average {primary} is {_unknown(summary, primary)}."
        mean = self._with_unit(known, primary)
        return f"The average {primary} is {mean} ({_spread(summary, primary)})."

    def _mean(self, summary: Mapping[str, Any], measure: str) -> float | None:
        found: float | None = summary.get(f"avg_{measure}")
        return found

    def _with_unit(self, value: float | None, metric: str) -> str:
        """Write a number of a metric, with its unit where it has one."""
        unit = {each.name: each.unit for each in self.metrics}.get(metric, "")
        return f"{number(value)} {'' if unit == '1' else unit}".rstrip()


class DecoratedComparison(DecoratedExperiment):
    """A decorated function with arms: each is compared with the first, under the same seeds."""

    verdict_words: ClassVar[tuple[str, str] | None] = ("higher", "lower")

    def measures(self, names: Collection[str]) -> tuple[Measure, ...]:
        """Return each metric of each arm, and the differences; the primary metric first."""
        return tuple(
            measure
            for metric in self._measured(names)
            for measure in (*self._by_arm(metric), *self._differences(metric))
        )

    def primary_measure(self, names: Collection[str]) -> str:
        """Return the difference of the primary metric between the first two arms."""
        return difference_name(self._primary_metric(names), *self._second)

    @property
    def _second(self) -> tuple[str, tuple[str, ...]]:
        return self._declaration.arms[1], self._declaration.arms

    def _by_arm(self, metric: Metric) -> list[Measure]:
        return [
            Measure(
                name=f"{metric.name}_{as_column(arm)}",
                numerator={f"{metric.name}@{arm}": 1.0},
                unit=metric.unit,
                meaning=f"{metric.meaning.rstrip('.') or metric.name}, {arm}.",
            )
            for arm in self._declaration.arms
        ]

    def _differences(self, metric: Metric) -> list[Measure]:
        first, *others = self._declaration.arms
        return [
            Measure(
                name=difference_name(metric.name, arm, self._declaration.arms),
                numerator={f"{metric.name}@{arm}": 1.0, f"{metric.name}@{first}": -1.0},
                unit=metric.unit,
                meaning=f"{metric.name}: {arm} − {first}.",
            )
            for arm in others
        ]

    def _primary_of(self, averages: Averages) -> str:
        return list(averages.estimates)[len(self._declaration.arms)]

    def _signs(self, averages: Averages) -> dict[str, int]:
        return dict(zip(("higher", "equal", "lower"), averages.signs, strict=True))

    def _said(self, summary: Mapping[str, Any]) -> str:
        primary = summary["primary"]
        metric = primary.partition("_difference")[0]
        first, *others = self._declaration.arms
        base = self._mean(summary, f"{metric}_{as_column(first)}")
        parts = [self._compared(summary, metric, arm) for arm in others]
        start = "not known" if base is None else self._with_unit(base, metric)
        return f"The average {metric} is {start} in {first}, {'; '.join(parts)}."

    def _missing(self, averages: Averages) -> dict[str, str]:
        primary = self._primary_of(averages)
        metric = primary.partition("_difference")[0]
        others = [
            difference_name(metric, arm, self._declaration.arms)
            for arm in self._declaration.arms[2:]
        ]
        return {
            f"{name}_ci95_missing": averages.reasons[name]
            for name in others
            if name in averages.reasons
        }

    def _compared(self, summary: Mapping[str, Any], metric: str, arm: str) -> str:
        """Say an arm's mean, and its difference to the first one."""
        name = difference_name(metric, arm, self._declaration.arms)
        mean, difference = (
            self._mean(summary, each) for each in (f"{metric}_{as_column(arm)}", name)
        )
        if mean is None:
            return f"not known in {arm}: {summary.get(f'{name}_ci95_missing', '')}".rstrip(": ")
        if difference is None:
            return f"{number(mean)} in {arm}: a difference that is {_unknown(summary, name)}"
        word = "higher" if difference > 0 else "lower"
        size, interval = size_with_bounds(difference, summary["ci95"].get(name))
        by = f"{number(size)} {word}" if difference else "the same"
        spread = _spread(summary, name, interval) + undecided(interval)
        return f"{number(mean)} in {arm}: {by} ({spread})"


def experiment_of(declaration: Declaration) -> DecoratedExperiment:
    """Return the experiment that a decorated function is."""
    kind = DecoratedComparison if declaration.arms else DecoratedExperiment
    return kind(declaration)


def _check_recorded(config: DecoratedSweep, names: Collection[str]) -> None:
    """Refuse runs that do not return what is searched for.

    Raises
    ------
    InvalidInput
    """
    if all(metric.name in names for metric in config.recorded_metrics):
        return
    arms, measure = config.declaration.arms, str((config.threshold or {}).get("measure"))
    known = [*names, *(difference_name(name, arm, arms) for name in names for arm in arms[1:])]
    allowed = f"{', '.join(known)}, which runs return"
    meant = nearest(measure, known)
    raise InvalidInput([Problem("threshold.measure", shown(measure), allowed, meant)])


def _spread(
    summary: Mapping[str, Any], measure: str, interval: Sequence[float] | None = None
) -> str:
    """Say a measure's interval, as it is stored or as given, or why there is none."""
    known = summary.get("n_seeds_with_value", {}).get(measure, summary["n_seeds"])
    seeds = plural(summary["n_seeds"], "seed")
    if known < summary["n_seeds"]:
        seeds = f"{known:,} of {seeds}"
    interval = interval or summary["ci95"].get(measure)
    if interval is not None:
        low, high = map(number, interval)
        return f"95 % interval {low} to {high}, {seeds}"
    reason = summary.get(f"{measure}_ci95_missing")
    return f"no interval: {reason}" if reason else f"no interval, {seeds}"


def _unknown(summary: Mapping[str, Any], measure: str) -> str:
    """Say that a measure is not known, and why."""
    reason = summary.get(f"{measure}_ci95_missing")
    return f"not known: {reason}" if reason else "not known"
