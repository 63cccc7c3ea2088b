"""Fields of sweeps that derive from the parameters of one run, which declare them once."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic.fields import FieldInfo

from bilancio.experiments.fields import NOT_EMPTY, exact, list_of, plain, range_of_two
from bilancio.experiments.sweep_config import SweepConfig
from bilancio.model.parameters import Axis, axes_of

S = TypeVar("S", bound="Varying")
C = TypeVar("C", bound=SweepConfig)
P = TypeVar("P", bound="Point")
M = TypeVar("M", bound=BaseModel)

CHOSEN_BY_TYPE = ("kind", "arm")  # which the type of a sweep says
BRACKETS = {"kappa": "; the bracket of frontier"}


class Point(BaseModel):
    """One cell by the values of its parameters."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Varying(SweepConfig):
    """A sweep over cells.

    Attributes
    ----------
    listed
        The field that lists the values of each parameter that varies, slowest first.
    point_model
        A cell given by itself.
    """

    listed: ClassVar[dict[str, str]] = {}
    point_model: ClassVar[type[Point]] = Point


def fixed_from(
    parameters: type[BaseModel], *, beside: Iterable[str] = ()
) -> Callable[[type[C]], type[C]]:
    """Give a sweep those parameters of one run that it does not vary, each with one value.

    Parameters
    ----------
    parameters
        Model of one run.
    beside
        Parameters that it varies, or chooses, in a way of its own.
    """

    def with_fields(model: type[C]) -> type[C]:
        left_out = {*CHOSEN_BY_TYPE, *beside}
        fields = {
            name: _as_sweeps_hold_it(field)
            for name, field in parameters.model_fields.items()
            if name not in left_out and not _is_held(model, name, field)
        }
        return _extended(model, fields)

    return with_fields


def point_of(parameters: type[BaseModel]) -> Callable[[type[P]], type[P]]:
    """Give a point each parameter marked as an axis; None stands for the value a sweep lists."""

    def with_fields(model: type[P]) -> type[P]:
        fields: dict[str, Any] = {}
        for name, axis in axes_of(parameters).items():
            field = parameters.model_fields[name]
            about = f"{axis.symbol}; default the one of {axis.plural}."
            one = exact(field.annotation, field.metadata)
            fields[name] = (one | None, Field(default=None, description=about))
        return _extended(model, fields)

    return with_fields


def varied_from(parameters: type[BaseModel], point: type[Point]) -> Callable[[type[S]], type[S]]:
    """Give a sweep a list and a range of each parameter marked as an axis, and points of them."""

    def with_fields(model: type[S]) -> type[S]:
        axes = axes_of(parameters)
        new = {name: axis for name, axis in axes.items() if name not in model.listed}
        points = Annotated[tuple[point, ...], NOT_EMPTY] | None  # type: ignore[valid-type]
        fields: dict[str, Any] = {}
        for name, axis in new.items():
            fields |= _axis_fields(name, axis, parameters.model_fields[name])
        about = f"Single cells: {', '.join(axes)} of each."
        extended = _extended(
            model, {**fields, "points": (points, Field(default=None, description=about))}
        )
        extended.listed = {name: axis.plural for name, axis in new.items()} | model.listed
        extended.point_model = point
        return extended

    return with_fields


def _axis_fields(name: str, axis: Axis, field: FieldInfo) -> dict[str, Any]:
    one = exact(field.annotation, field.metadata)
    about = f"Low:high of {axis.symbol}, for lhs" + BRACKETS.get(name, "") + "."
    default = (as_decimal(field.default),)
    return {
        axis.plural: (list_of(one), Field(default=default, description=field.description)),
        range_of(name): (range_of_two(one) | None, Field(default=None, description=about)),
    }


def _as_sweeps_hold_it(field: FieldInfo) -> tuple[Any, Any]:
    default = as_decimal(field.default) if isinstance(field.default, float) else field.default
    held = Field(default=default, description=field.description)
    return exact(field.annotation, field.metadata), held


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


def as_decimal(number: float) -> Decimal:
    """Return a default of a run's parameter as sweeps hold it: 1.0 as 1."""
    return Decimal(plain(Decimal(str(number))))
