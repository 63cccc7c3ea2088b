"""What the columns of a sweep's tables are: type, unit, meaning.

All of it is declared elsewhere: parameters by the model of one run, metrics and measures by the
experiment.
"""

import types
from collections.abc import Collection, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from enum import Enum
from typing import Any, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from bilancio.analysis.measures import Measure
from bilancio.errors import ExperimentFailed
from bilancio.experiments.protocol import Experiment, declared_metrics
from bilancio.experiments.reporting import asked
from bilancio.experiments.standard import StandardExperiment
from bilancio.experiments.sweep_config import SweepConfig
from bilancio.model.metrics import Metric
from bilancio.model.parameters import scale_of

TEXT, INTEGER, NUMBER, BOOLEAN = "text", "integer", "number", "boolean"
_KINDS = {"f": NUMBER, "i": INTEGER, "u": INTEGER, "b": BOOLEAN, "?": BOOLEAN}


@dataclass(frozen=True, slots=True)
class Facts:
    """What a column is.

    Attributes
    ----------
    name
        As the heading says it.
    type
        `text`, `integer`, `number` or `boolean`; empty where it is not known.
    unit
        `1` for a ratio; empty where there is none, or it is not known.
    meaning
        A sentence; empty where nothing is declared.
    values
        The words that stand in it, where they are few and known.
    """

    name: str
    type: str = ""
    _: KW_ONLY
    unit: str = ""
    meaning: str = ""
    values: tuple[str, ...] = ()


PLACES = (
    Facts("job_id", TEXT, meaning="Name of the job."),
    Facts("run_id", TEXT, meaning="Id of the run."),
    Facts("index", INTEGER, meaning="Number of the run within its job, from 0."),
    Facts("cell", INTEGER, meaning="Number of the combination of parameters, from 0."),
    Facts("design", TEXT, meaning="Design that the cell is of."),
    Facts("seed", INTEGER, meaning="Seed of all draws."),
    Facts("arm", TEXT, meaning="Variant that was run, under the same seeds as the others."),
    Facts("status", TEXT, meaning="What has become of it."),
    Facts("error", TEXT, meaning="Why the run failed."),
)


SEARCHED = (
    Facts("arm", TEXT, meaning="Arm that is searched."),
    Facts(
        "met",
        TEXT,
        meaning="Whether the limit is met at and above, or at and below, what was found.",
    ),
    Facts("delta", NUMBER, unit="1", meaning="Mean default rate at the value found."),
    Facts("probes", INTEGER, unit="cells", meaning="How many values were tried."),
    Facts("status", TEXT, meaning="How far the search is, or where the value lies."),
    Facts(
        "range_missing", TEXT, meaning="Why there is no range, or which end is beyond the bracket."
    ),
)
ENDS_OF_A_SEARCH = {
    "_star": "Value of {} at which the limit is met, next to one at which it is not.",
    "_star_low": "Lower end of the 95 % range of {}_star.",
    "_star_high": "Upper end of the 95 % range of {}_star.",
}


class Dictionary:
    """The columns of a sweep's tables, by name.

    Parameters
    ----------
    recorded
        Names of the metrics that its runs have; those declared where it is empty.
    """

    def __init__(
        self, experiment: Experiment, config: SweepConfig, recorded: Collection[str] = ()
    ) -> None:
        self._arms = config.arms
        declared = declared_metrics(experiment)
        self.metrics = {each.name: metric_facts(each) for each in declared}
        self._known = {each.name: each for each in PLACES}
        self._known |= parameter_facts(config)
        self._known |= self.metrics
        self._measures = {
            each.name: Facts(each.name, NUMBER, unit=each.unit, meaning=each.meaning)
            for each in measures_of(experiment, config, recorded or list(self.metrics))
        }

    def of(self, name: str) -> Facts:
        """Return what a column is that holds a parameter, or a metric of single runs."""
        return self._known.get(name) or Facts(name)

    def by_arm(self, name: str) -> Facts:
        """Return what a column is that may hold a metric of one arm: `metric_arm`."""
        if name in self._known:
            return self._known[name]
        for arm in self._arms:
            metric = self.metrics.get(name.removesuffix(f"_{arm}"))
            if metric is not None and name.endswith(f"_{arm}"):
                meaning = f"{metric.meaning.rstrip('.')}, {arm} arm." if metric.meaning else ""
                return replace(metric, name=name, meaning=meaning)
        return Facts(name)

    def measure(self, name: str) -> Facts:
        """Return what a column is that may hold a measure."""
        return self._measures.get(name) or self.of(name)

    def searched(self, name: str) -> Facts:
        """Return what a column is that may hold what a search has found."""
        if name in self._measures:
            return self._measures[name]
        for end, meaning in ENDS_OF_A_SEARCH.items():
            axis = name.removesuffix(end)
            if axis != name:
                return Facts(name, NUMBER, unit=self.of(axis).unit, meaning=meaning.format(axis))
        if name in self.metrics:
            return self.metrics[name]
        return next((each for each in SEARCHED if each.name == name), None) or self.of(name)


def measures_of(
    experiment: Experiment, config: SweepConfig, names: Collection[str]
) -> tuple[Measure, ...]:
    """Return the measures that an experiment makes of these metrics; none where it does not say."""
    if not isinstance(experiment, StandardExperiment):
        return ()
    try:
        with asked(config, "measures"):
            return experiment.measures(names)
    except ExperimentFailed:
        return ()


def metric_facts(metric: Metric) -> Facts:
    """Return what the column of a metric is."""
    kind = TEXT if metric.codes else _KINDS.get(metric.dtype.lstrip("<>=|")[:1], "")
    words = tuple(code.value for code in metric.codes or ())
    meaning = metric.meaning
    if metric.measured_as:
        meaning = f"{meaning.rstrip('.')} ({metric.measured_as} in other units)."
    return Facts(metric.name, kind, unit=metric.unit, meaning=meaning, values=words)


def parameter_facts(config: SweepConfig) -> dict[str, Facts]:
    """Return what the parameters of one run are, by name."""
    model = getattr(config, "parameter_model", None)
    fields: Mapping[str, FieldInfo] = model().model_fields if model else type(config).model_fields
    return {
        name: Facts(
            name,
            _kind(field.annotation),
            unit=scale.unit if (scale := scale_of(field)) else "",
            meaning=field.description or "",
            values=_words(field),
        )
        for name, field in fields.items()
        if name not in {each.name for each in PLACES}
    }


def _words(field: FieldInfo) -> tuple[str, ...]:
    kinds = [each for each in _plain_types(field.annotation) if issubclass(each, Enum)]
    return tuple(str(member.value) for kind in kinds for member in kind)


def _kind(annotation: Any) -> str:
    kinds = [each for each in _plain_types(annotation) if each is not types.NoneType]
    if len(kinds) != 1:
        return ""
    known: Sequence[tuple[type, str]] = (
        (bool, BOOLEAN), (int, INTEGER), (float, NUMBER), (str, TEXT),
    )  # fmt: skip
    return next((word for kind, word in known if issubclass(kinds[0], kind)), NUMBER)


def _plain_types(annotation: Any) -> list[type]:
    """Return the classes that an annotation names, the parts of a union among them."""
    if get_origin(annotation) in {Union, types.UnionType}:
        return [each for part in get_args(annotation) for each in _plain_types(part)]
    return [annotation] if isinstance(annotation, type) else []
