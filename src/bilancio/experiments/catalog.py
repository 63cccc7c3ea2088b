"""What experiments there are, said to people: where each comes from, and what it takes."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic_core import PydanticUndefined, to_jsonable_python

from bilancio.experiments import registry
from bilancio.experiments.plugins import Plugin
from bilancio.experiments.sweep_config import SweepConfig
from bilancio.validation import allowed_by

BUILT_IN = "built in"


class _Facts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ParameterFacts(_Facts):
    """A parameter of an experiment.

    Attributes
    ----------
    allowed
        Its type and bounds in words.
    default
        None where it has to be given.
    """

    name: str
    allowed: str
    default: Any
    required: bool
    description: str


class MetricFacts(_Facts):
    """A metric that is declared."""

    name: str
    unit: str
    meaning: str


class ExperimentFacts(_Facts):
    """An experiment.

    Attributes
    ----------
    source
        What names it: `built in`, a file, a setting, an installed package.
    address
        Where its code is, ``module:object``; empty for the built-in ones.
    primary
        None where it is not declared.
    metrics
        Empty where they are what runs return.
    """

    name: str
    about: str
    source: str
    address: str
    version: str
    arms: tuple[str, ...]
    primary: str | None
    parameters: tuple[ParameterFacts, ...]
    metrics: tuple[MetricFacts, ...]


class FaultFacts(_Facts):
    """Something that is named as an experiment and cannot be used."""

    address: str
    reason: str
    source: str


def sources() -> dict[str, str]:
    """Return what names each experiment, by sweep type."""
    brought = registry.plugins().experiments
    return {
        name: brought[name].source if name in brought else BUILT_IN
        for name in registry.sweep_types()
    }


def abouts() -> dict[str, str]:
    """Return a line about each experiment, by sweep type."""
    return {name: _about(registry.config_model(name)) for name in registry.sweep_types()}


def faults() -> tuple[FaultFacts, ...]:
    """Return what cannot be used, and why."""
    return tuple(FaultFacts(**fault._asdict()) for fault in registry.plugin_faults())


def facts_of(sweep_type: str) -> ExperimentFacts:
    """Return what is known of an experiment.

    Raises
    ------
    InvalidInput
        There is none of this name.
    """
    model = registry.config_model(sweep_type)
    plugin = registry.plugins().experiments.get(sweep_type)
    experiment = registry.experiment(sweep_type)
    declaration = plugin.declaration if plugin else None
    metrics = getattr(experiment, "metrics", ())
    return ExperimentFacts(
        name=sweep_type,
        about=_about(model),
        source=plugin.source if plugin else BUILT_IN,
        address=plugin.address if plugin else "",
        version=experiment.version,
        arms=declaration.arms if declaration else model.arms,
        primary=declaration.primary if declaration else None,
        parameters=tuple(_parameters(model, plugin)),
        metrics=tuple(
            MetricFacts(name=each.name, unit=each.unit, meaning=each.meaning) for each in metrics
        ),
    )


def _parameters(model: type[SweepConfig], plugin: Plugin | None) -> Iterator[ParameterFacts]:
    """Yield the parameters of a function, or of a sweep's configuration."""
    function = plugin.declaration if plugin else None
    schema = model.model_json_schema()
    left_out = SweepConfig.model_fields
    names = function.own_parameters if function else model.model_fields
    for name in names:
        if name in left_out or name not in schema["properties"]:
            continue
        field = model.model_fields[name]
        default = field.get_default(call_default_factory=True, validated_data={})
        given = None if default is PydanticUndefined else to_jsonable_python(default)
        yield ParameterFacts(
            name=name,
            allowed=allowed_by(schema["properties"][name], schema),
            default=given,
            required=field.is_required(),
            description=field.description or "",
        )


def _about(model: type[SweepConfig]) -> str:
    return model.model_fields["sweep_type"].description or ""
