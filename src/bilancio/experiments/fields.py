"""Numbers as sweeps take them: exact decimals, in whatever form they are given.

A list is a list, an array, text ("0.3,0.5", "0.1:0.5:0.1") or one number; a range is [low, high]
or "low:high"; what a program made out of JSON text is read as what the text says.
"""

import functools
import itertools
import math
import operator
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from types import UnionType
from typing import Annotated, Any, Union, cast, get_args, get_origin

from annotated_types import BaseMetadata, GroupedMetadata
from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer

from bilancio.encoding import from_json
from bilancio.errors import InvalidInput, Problem, invalid
from bilancio.model.parameters import refuse_boolean

MAX_STEPS = 10_000
MAX_ITERATED = 100_000
_DASHED = re.compile(r"(\d[\d.]*) *(?:-|–|to|\.\.) *(\d[\d.]*)")  # a range as prose has it
INDISTINCT = Decimal("1e-9")


def plain(number: Decimal | int) -> str:
    """Write a decimal as people do: 0.3, 10000, never 1E+4 or 0.30."""
    return format(Decimal(number).normalize(), "f") if number else "0"


def as_decimal(number: float) -> Decimal:
    """Return a default of a run's parameter as sweeps hold it: 1.0 as 1."""
    return Decimal(plain(Decimal(str(number))))


@dataclass(frozen=True, slots=True)
class Range:
    """The numbers from *low* to *high*, which designs draw from."""

    low: Decimal
    high: Decimal

    def __str__(self) -> str:
        return range_words((self.low, self.high))


def exact(annotation: Any, marks: Iterable[Any] = ()) -> Any:
    """Return the type of a run's parameter as sweeps hold it: decimals in place of doubles.

    Parameters
    ----------
    annotation, marks
        A field's type, and what else is said of it; bounds are kept.
    """
    origin, inner = get_origin(annotation), get_args(annotation)
    bounds = [mark for mark in marks if isinstance(mark, BaseMetadata | GroupedMetadata)]
    if origin is Annotated:
        return exact(inner[0], inner[1:])
    if origin in {Union, UnionType}:
        return functools.reduce(operator.or_, map(exact, inner))
    if origin is tuple:
        return _tuple_of(exact(inner[0]))
    if annotation is float:
        return Annotated[Decimal, *bounds, NUMBER, DOUBLE, PLAIN]
    return Annotated[int, *bounds, NUMBER] if annotation is int else annotation


def listed(value: object) -> object:
    """Read a list of numbers, its ranges written out; other things are left to the model.

    Raises
    ------
    InvalidInput
        A range has no steps, or too many.
    """
    given = listed_words(value)
    if not isinstance(given, list):
        return given
    found: list[object] = []
    for each in given:
        if isinstance(each, str) and (ends := _DASHED.fullmatch(each.strip())):
            low, high = ends.groups()
            raise invalid("", each, "numbers, or low:high:step", f"{low}:{high}:step")
        found += _steps(each) if isinstance(each, str) and ":" in each else [each]
    return found


def listed_words(value: object) -> object:
    """Read a list of values as they are written; other things are left to the model.

    Raises
    ------
    InvalidInput
        It is an iterator that gives too many.
    """
    value = json_text(value)
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",")]
        if value[-1] == "":
            value.pop()
    elif isinstance(value, set | frozenset):
        value = sorted(value, key=lambda each: (str(type(each)), each))
    if isinstance(value, int | float | Decimal | Fraction) or getattr(value, "shape", None) == ():
        return [value]
    if not _is_listable(value):
        return value
    given = cast("Iterable[object]", value)
    if hasattr(value, "__len__"):
        return list(given)
    given = list(itertools.islice(given, MAX_ITERATED + 1))
    if len(given) > MAX_ITERATED:
        raise invalid("", value, f"a list; an iterator gives at most {MAX_ITERATED:,} values")
    return given


def _is_listable(value: object) -> bool:
    return isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping)


def _steps(text: str) -> list[Decimal]:
    """Write out a range with a step; its end is in it where the steps meet it."""
    allowed = "low:high:step, such as 0.1:0.5:0.1"
    try:
        low, high, step = (Decimal(part.strip()) for part in text.split(":"))
    except (ValueError, InvalidOperation):
        raise invalid("", text, allowed) from None
    if not all(number.is_finite() for number in (low, high, step)):
        raise invalid("", text, allowed)
    try:
        n_steps = (high - low) / step if step else Decimal(-1)
    except ArithmeticError:  # more than a decimal can count
        n_steps = Decimal(MAX_STEPS)
    if n_steps < 0:
        raise invalid("", text, f"{allowed}, with a step that leads from low to high")
    if n_steps >= MAX_STEPS:
        raise invalid("", text, f"a range of at most {MAX_STEPS:,} values")
    return [low + number * step for number in range(int(n_steps) + 1)]


def json_text(value: object) -> object:
    """Return what JSON text of a list or an object says; anything else as it is."""
    if not isinstance(value, str) or value.lstrip()[:1] not in {"[", "{"}:
        return value
    try:
        return cast("object", from_json(value, parse_float=Decimal))
    except ValueError as error:
        raise invalid("", value, f"JSON text that can be read: {error}") from None


def number_of(value: object) -> object:
    """Return a number of another library, or a fraction, as Python's; refuse booleans."""
    value = refuse_boolean(value)
    if isinstance(value, Fraction):
        return _decimal(value)
    if getattr(value, "shape", None) == () and hasattr(value, "item"):
        item = value.item()
        # The shortest text of a numpy.float32 is what was meant, 0.3; as a double it is not.
        return Decimal(str(value)) if isinstance(item, float) and math.isfinite(item) else item
    return value


def _decimal(value: Fraction) -> Decimal:
    """Return a fraction as a decimal: exactly where that is possible, else as a double."""
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0 and rest.bit_length() < MAX_STEPS:
            rest //= prime
    if rest == 1 and value.denominator.bit_length() < 64:  # noqa: PLR2004 - 28 digits hold it
        return Decimal(value.numerator) / Decimal(value.denominator)
    return Decimal(str(float(value)))


def each_once(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Refuse a value that is listed twice, or twice the same double."""
    seen: dict[Any, Any] = {}
    for value in values:
        key = float(value) if isinstance(value, Decimal) else value
        if key in seen:
            got = f"{value} twice" if seen[key] == value else f"{seen[key]} and {value}, one double"
            raise InvalidInput([Problem("", got, "each value once")])
        seen[key] = value
    return values


def nearly_equal(values: Iterable[Any]) -> list[tuple[Decimal, Decimal]]:
    """Return the neighbours among some decimals that differ by less than 1e-9."""
    return [
        (low, high) for low, high in itertools.pairwise(sorted(values)) if high - low < INDISTINCT
    ]


def _finite_double(number: Decimal) -> Decimal:
    double = float(number)
    if not math.isfinite(double) or (number and not double):
        raise invalid("", number, "a number that a double can hold")
    return number


def _two_ends(value: object) -> object:
    """Read a range: [low, high] or "low:high"."""
    value = json_text(value)
    ends: Any = value[0] if isinstance(value, list | tuple) and len(value) == 1 else value
    if getattr(ends, "shape", ()):
        ends = list(ends)
    if isinstance(ends, str):
        ends = [part.strip() for part in ends.split(":")]
    if not isinstance(ends, list | tuple) or len(ends) != 2:  # noqa: PLR2004 - said in the sentence
        raise invalid("", value, "two numbers, low:high")
    return ends


def _low_first(ends: tuple[Decimal, ...]) -> tuple[Decimal, ...]:
    low, high = ends
    if not low < high:
        raise InvalidInput([Problem("", range_words(ends), "low:high with low below high")])
    return ends


def range_words(ends: Iterable[Decimal | int]) -> str:
    """Write a range as it is given: 0.2:5."""
    return ":".join(map(plain, ends))


NUMBER = BeforeValidator(number_of)
LIST = BeforeValidator(listed)
WORDS = BeforeValidator(listed_words)
DOUBLE = AfterValidator(_finite_double)
PLAIN = PlainSerializer(plain, return_type=str)
ONCE = AfterValidator(each_once)
NOT_EMPTY = Field(min_length=1)
_RANGE = (Field(min_length=2, max_length=2), BeforeValidator(_two_ends), AfterValidator(_low_first))


def _tuple_of(one: Any) -> Any:
    return Annotated[tuple[one, ...], LIST]


def list_of(one: Any, read: BeforeValidator = LIST) -> Any:
    """Return the type of a list of values, each once, given the type of one and how it is read."""
    return Annotated[tuple[one, ...], NOT_EMPTY, read, ONCE]


def range_of_two(one: Any) -> Any:
    """Return the type of a range, low:high, given the type of its ends."""
    return Annotated[tuple[one, ...], *_RANGE]
