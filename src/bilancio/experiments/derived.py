"""Fields of sweeps that derive from the parameters of one run, which declare them once."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, Field, create_model, model_validator
from pydantic.fields import FieldInfo

from bilancio.experiments.axes import Parameter, parameters_that_vary, says_the_kind
from bilancio.experiments.fields import as_decimal, exact, list_of, range_of_two
from bilancio.experiments.sweep_config import SweepConfig
from bilancio.model.parameters import RARE, Axis, axes_of

S = TypeVar("S", bound="ParameterSweep")
C = TypeVar("C", bound=SweepConfig)
M = TypeVar("M", bound=BaseModel)

BRACKETS = {"kappa": "; the bracket of frontier"}


class ParameterSweep(SweepConfig):
    """A sweep over runs that one model describes.

    A subclass returns that model from `parameter_model`. Each of its parameters may be a field of
    the sweep under the same name (`fixed_from`), None where runs take the default or differ in it.

    Attributes
    ----------
    listed
        The fields that list the values of parameters, and their ranges (`range_of`), by the names
        of the parameters, slowest first. Others vary by the field `vary` alone.
    related
        Parameters whose values depend on each other, by rules of the model.
    """

    listed: ClassVar[dict[str, str]] = {}
    related: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def parameter_model(cls) -> type[BaseModel]:
        """Return the model of one run's parameters."""
        raise NotImplementedError

    @classmethod
    def parameters_that_vary(cls) -> dict[str, Parameter]:
        """Return the parameters that may vary over cells, by name, as they are declared."""
        return parameters_that_vary(cls.parameter_model())

    @classmethod
    def fixed_fields(cls) -> tuple[str, ...]:
        """Return the fields that hold the one value of a parameter."""
        fields = cls.model_fields
        return tuple(name for name in cls.parameter_model().model_fields if name in fields)

    def run_settings(self) -> dict[str, Any]:
        """Return the parameters with one value under the names that one run takes."""
        found = {name: getattr(self, name) for name in sorted(self.fixed_fields())}
        return {name: value for name, value in found.items() if value is not None}

    def run_of(self, cell: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parameters of the runs of a cell, given the values that it has."""
        return self.run_settings() | dict(cell)

    @model_validator(mode="before")
    @classmethod
    def _none_is_not_given(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        fixed = cls.fixed_fields()
        return {
            name: value for name, value in data.items() if value is not None or name not in fixed
        }


def fixed_from(
    parameters: type[BaseModel], *, beside: Iterable[str] = ()
) -> Callable[[type[C]], type[C]]:
    """Give a sweep those parameters of one run that it does not list, each with one value.

    Parameters
    ----------
    parameters
        Model of one run.
    beside
        Parameters that it varies, or chooses, in a way of its own.
    """

    def with_fields(model: type[C]) -> type[C]:
        left_out = {"arm", *beside}
        fields = {
            name: _as_sweeps_hold_it(field, varies="vary" in model.model_fields)
            for name, field in parameters.model_fields.items()
            if name not in left_out and not (says_the_kind(field) or _is_held(model, name, field))
        }
        return _extended(model, fields)

    return with_fields


def varied_from(parameters: type[BaseModel]) -> Callable[[type[S]], type[S]]:
    """Give a sweep a list and a range of each parameter marked as an axis."""

    def with_fields(model: type[S]) -> type[S]:
        axes = axes_of(parameters)
        new = {name: axis for name, axis in axes.items() if name not in model.listed}
        fields: dict[str, Any] = {}
        for name, axis in new.items():
            fields |= _axis_fields(name, axis, parameters.model_fields[name])
        extended = _extended(model, fields)
        extended.listed = {name: axis.plural for name, axis in new.items()} | model.listed
        return extended

    return with_fields


def _axis_fields(name: str, axis: Axis, field: FieldInfo) -> dict[str, Any]:
    one = exact(field.annotation, field.metadata)
    scale = ", on a log scale" if axis.logarithmic else ""
    about = f"Low:high of {axis.symbol}{scale}{BRACKETS.get(name, '')}."
    default = (as_decimal(field.default),)
    return {
        axis.plural: (list_of(one), Field(default=default, description=field.description)),
        range_of(name): (
            range_of_two(one) | None,
            Field(default=None, description=about, json_schema_extra=RARE),
        ),
    }


def _as_sweeps_hold_it(field: FieldInfo, *, varies: bool) -> tuple[Any, Any]:
    """Return a field for one value of a parameter, which is none where cells may differ in it."""
    one = exact(field.annotation, field.metadata)
    if field.is_required() and not varies:
        return one, Field(description=field.description, json_schema_extra=field.json_schema_extra)
    default = None if field.is_required() else field.default
    default = as_decimal(default) if isinstance(default, float) else default
    return one | None, Field(
        default=default, description=field.description, json_schema_extra=field.json_schema_extra
    )


def _is_held(model: type[SweepConfig], name: str, field: FieldInfo) -> bool:
    """Return whether a sweep has this field already, with the same default."""
    known = model.model_fields.get(name)
    return known is not None and known.default == field.default


def _extended(model: type[M], fields: Mapping[str, Any]) -> type[M]:
    """Return *model* with more fields, under its own name, where pickle finds it."""
    made = create_model(
        model.__name__,
        __base__=model,
        __module__=model.__module__,
        __doc__=model.__doc__,
        **fields,
    )
    made.__qualname__ = model.__qualname__
    return made


def range_of(axis: str) -> str:
    """Return the name of the field that holds the range of a parameter."""
    return f"{axis}_range"
