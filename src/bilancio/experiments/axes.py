"""The parameters of one run that may vary over the cells of a sweep, and their values as given.

All of it follows from the model of one run: its numbers, whole numbers, booleans and words. A list
of values is read for each of them; a range, low:high, for numbers.
"""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from bilancio.errors import InvalidInput, Problem, shown
from bilancio.experiments.fields import (
    WORDS,
    Range,
    as_decimal,
    exact,
    json_text,
    list_of,
    range_of_two,
)
from bilancio.experiments.vocabulary import unknown
from bilancio.model.parameters import Kind, axes_of
from bilancio.validation import allowed_by, explained, word_of

if TYPE_CHECKING:  # sweeps are read and counted without loading numpy
    from numpy.typing import NDArray

Value = Decimal | int | bool | str
"""One value of an axis: exact, and as it stands in what is stored."""

STEPPED = 2  # colons of low:high:step
CHOSEN_BY_SWEEPS = ("arm", "seed")
"""Parameters of one run that the arms of a sweep and its seeds say."""


@dataclass(frozen=True)
class Parameter:
    """A parameter of one run that may vary.

    Attributes
    ----------
    name
        As one run takes it.
    one
        Type of one value, with its bounds.
    dtype
        Type of its column as numpy writes it: `f8`, `i8`, `?`, or `U` for words.
    logarithmic
        Whether samples of a range are spread over its logarithm.
    default
        The value that one run takes where none is given; None where it has none of its own.
    required
        Whether one run has to be given a value.
    """

    name: str
    one: Any
    dtype: str
    logarithmic: bool
    default: Value | None
    required: bool

    @property
    def has_ranges(self) -> bool:
        """Whether low:high means something."""
        return self.dtype in {"f8", "i8"} and "enum" not in self._schema

    @property
    def step(self) -> int | None:
        """The step between the whole numbers allowed; None where fractions are, too."""
        if self.dtype != "i8":
            return None
        return max(int(self._schema.get("multipleOf", 1)), 1)

    def column(self, values: Sequence[Any]) -> "NDArray[Any]":
        """Return values as a column of tables: doubles, int64, booleans or words."""
        import numpy as np  # sweeps are read and counted without it

        if self.dtype == "f8":
            return np.array([float(value) for value in values], np.float64)
        return np.array(values, self.dtype)

    def value(self, given: object, *, within: str) -> Value:
        """Read one value.

        Raises
        ------
        InvalidInput
            It is none of those allowed; *within* names its place.
        """
        return _stored(_checked(self._value_type, given, within))

    def values(self, given: object, *, within: str) -> tuple[Value, ...] | Range:
        """Read what a parameter takes over cells: values, or the range that they are drawn from.

        Raises
        ------
        InvalidInput
            Says what is wrong, after the name of the place, *within*.
        """
        text = _unwrapped(given)
        if isinstance(text, Range):
            text = [text.low, text.high]
            return Range(*_checked(self._range_type, text, within))
        if isinstance(text, str) and text.count(":") == 1 and "," not in text:
            if self.has_ranges:
                return Range(*_checked(self._range_type, text, within))
            if not self._is_open_text:
                allowed = f"a list of {self.allowed}, for only numbers have ranges"
                raise InvalidInput([Problem(within, shown(text), allowed)])
        return tuple(map(_stored, _checked(self._list_type, given, within)))

    def is_several(self, given: object) -> bool:
        """Return whether what is given for one value lists values, or writes a range with steps."""
        given = json_text(given)
        if isinstance(given, str):
            stepped = self.has_ranges and given.count(":") == STEPPED
            return not self._is_open_text and ("," in given or stepped)
        if isinstance(given, list | tuple | set | frozenset):
            return not any(isinstance(each, list | tuple) for each in given)
        return len(getattr(given, "shape", ())) == 1

    @property
    def allowed(self) -> str:
        """What a value may be, in words."""
        return allowed_by(self._schema, self._schema)

    @property
    def _is_open_text(self) -> bool:
        return self.dtype == "U" and not {"enum", "const"} & self._schema.keys()

    @functools.cached_property
    def _schema(self) -> dict[str, Any]:
        return self._value_type.json_schema()

    @functools.cached_property
    def _value_type(self) -> TypeAdapter[Any]:
        return TypeAdapter(self.one)

    @functools.cached_property
    def _list_type(self) -> TypeAdapter[Any]:
        if self.has_ranges:
            return TypeAdapter(list_of(self.one))
        return TypeAdapter(list_of(self.one, WORDS))

    @functools.cached_property
    def _range_type(self) -> TypeAdapter[Any]:
        return TypeAdapter(range_of_two(self.one))


@functools.cache
def parameters_that_vary(model: type[BaseModel]) -> dict[str, Parameter]:
    """Return the parameters of *model* that may vary, by name, in the order of their declaration.

    These are all that one number, boolean or word is the value of, but those that the type of a
    sweep, its arms or its seeds say.
    """
    logarithmic = {name for name, axis in axes_of(model).items() if axis.logarithmic}
    found = {}
    for name, field in model.model_fields.items():
        one = _one_of(field.annotation, field.metadata)
        if one is None or name in CHOSEN_BY_SWEEPS or says_the_kind(field):
            continue
        found[name] = Parameter(
            name=name,
            one=one[0],
            dtype=one[1],
            logarithmic=name in logarithmic,
            default=None if field.is_required() else _default_of(field),
            required=field.is_required(),
        )
    return found


def says_the_kind(field: FieldInfo) -> bool:
    """Return whether a parameter of the model is its scenario, which the type of a sweep says."""
    return any(isinstance(each, Kind) for each in get_args(field.annotation))


def named_values(parameters: Mapping[str, Parameter], given: object, field: str) -> dict[str, Any]:
    """Return what is given by the names of parameters, every name known.

    Raises
    ------
    InvalidInput
        It has no names, or others; *field* is where it was given.
    """
    named = json_text(given)
    if not isinstance(named, Mapping):
        raise InvalidInput([Problem(field, shown(named), "values by parameter name")])
    strangers = [str(name) for name in named if name not in parameters]
    if strangers:
        raise InvalidInput([unknown(name, list(parameters), field) for name in strangers])
    return {name: named[name] for name in parameters if named.get(name) is not None}


def _checked(adapter: TypeAdapter[Any], given: object, within: str) -> Any:
    try:
        return adapter.validate_python(given)
    except ValidationError as error:
        raise explained(error, adapter.json_schema(), within=within) from None


def _unwrapped(given: object) -> object:
    """Return the one text in a list, or what JSON text says, for it may be a range."""
    given = json_text(given)
    alone = isinstance(given, list | tuple) and len(given) == 1 and isinstance(given[0], str)
    return given[0] if alone else given  # type: ignore[index]


def _one_of(annotation: Any, marks: Sequence[Any] = ()) -> tuple[Any, str] | None:
    """Return the type of one value and of its column; None where there is no single value."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _one_of(inner[0], (*inner[1:], *marks))
    if origin in {Union, UnionType}:
        others = [each for each in inner if each is not NoneType]
        return _one_of(others[0], marks) if len(others) == 1 else None
    if origin is Literal:
        return _choice(inner)
    if annotation is bool:
        return Annotated[bool, BeforeValidator(_python_value)], "?"
    if annotation is float:
        return exact(float, marks), "f8"
    if annotation is int:
        return exact(int, marks), "i8"
    if annotation is str:
        return (Annotated[str, *marks] if marks else str), "U"
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        words = BeforeValidator(functools.partial(word_of, annotation))
        return Annotated[annotation, words], "U"
    return None


def _choice(values: tuple[Any, ...]) -> tuple[Any, str] | None:
    """Return the types of one of a few values, all words or all whole numbers."""
    kinds = {type(value) for value in values}
    if kinds not in ({str}, {int}):
        return None
    by_text = {str(value): value for value in values}
    read = BeforeValidator(lambda value: by_text.get(str(value), value))
    return Annotated[Literal[values], read], "U" if kinds == {str} else "i8"


def _default_of(field: FieldInfo) -> Value | None:
    default = field.get_default(call_default_factory=True, validated_data={})
    if isinstance(default, float):
        default = as_decimal(default)
    return None if default is None else _stored(default)


def _python_value(value: Any) -> Any:
    """Return a boolean of another library as Python's."""
    return value.item() if getattr(value, "shape", None) == () else value


def _stored(value: Any) -> Value:
    """Return a value as a sweep holds it: words as text."""
    return value.value if isinstance(value, StrEnum) else value
