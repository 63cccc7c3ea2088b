"""Conditions on columns: `kappa < 0.5 and mu = 0`, or a mapping of names to conditions.

    condition   := conjunction {"or" conjunction}
    conjunction := unit {"and" unit}
    unit        := "not" unit | "(" condition ")" | comparison
    comparison  := name operator value | value operator name [operator value]
                 | name ["not"] "in" "(" value {"," value} ")"
    operator    := "=" | "==" | "!=" | "<" | "<=" | ">" | ">="

Values are numbers, words with or without quotes, true and false. Words for operators are read, too
(`phrases`): `kappa is at most 0.5`, `kappa between 0.3 and 1, mu is not 0`. In a mapping the name
is left out: `{"kappa": "< 0.5", "mu": 0, "concentration": [1, 2]}`; all its conditions must hold.
"""

import itertools
import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from numbers import Number, Rational
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from bilancio.analysis.phrases import MAX_LENGTH, Level, Token, tokens, written
from bilancio.errors import InvalidInput, Problem, invalid, shown
from bilancio.validation import near, nearest

Mask = NDArray[np.bool_]
Columns = Mapping[str, NDArray[Any]]
Condition = str | Mapping[str, Any]

FIELD = "where"
MAX_DEPTH = 50
MAX_VALUES = 1_000  # of an entry of a mapping
SHOWN_WORDS = 20

_SPELLED = {"==": "=", "<>": "!=", "≠": "!=", "≤": "<=", "≥": ">="}
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "!=": "!="}
_COMPARED: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le,
    ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_BOOLEANS = {"true": True, "false": False, "yes": True, "no": False}


def where(condition: Condition, columns: Columns) -> Mask:
    """Return where a condition holds.

    Parameters
    ----------
    condition
        Text or a mapping, as the module describes; an empty one holds everywhere.
    columns : arrays (n,)
        Numbers, text or booleans by name; at least one. A number of a condition is the double
        nearest to its decimal. Where a number is NaN no comparison holds.

    Returns
    -------
    bool (n,)

    Raises
    ------
    InvalidInput
        The text cannot be read, or names a column or a word that does not exist.
    """
    if isinstance(condition, str):
        return _read(written(condition), columns) if condition.strip() else _everywhere(columns)
    if not isinstance(condition, Mapping):
        raise invalid(FIELD, condition, f"text such as {_example(columns)}, or a mapping")
    found = _everywhere(columns)
    for name, asked in condition.items():
        found &= _of_entry(str(name), asked, columns)
    return found


def renamed(
    condition: Condition, read: Callable[[str], str], level: Level | None = None
) -> Condition:
    """Return a condition with other names of columns.

    Parameters
    ----------
    read
        Returns the name of the column that is meant by what stands in the place of one: a word,
        or several with spaces between them.
    level
        Tells what a word such as `low` says of a column: `low kappa` and `kappa = low` become
        what it returns, after the name.
    """
    if isinstance(condition, Mapping):
        return _renamed_entries(condition, read, level)
    if len(condition) > MAX_LENGTH:
        return condition
    text = written(condition)
    pieces, parts, end, place = tokens(text), list[str](), 0, 0
    while place < len(pieces):
        after = place
        while pieces[after].names:
            after += 1
        if after == place:
            place += 1
            continue
        start, stop = pieces[place].start, _stop(pieces[after - 1])
        if _names_a_column(pieces, place, after):
            name = read(text[start:stop])
            said = level and _level_after(pieces, after, name, level)
            parts += [text[end:start], f"{name} {said}" if said else name]
            end, after = (_stop(pieces[after + 1]), after + 2) if said else (stop, after)
        elif level and after - place > 1 and _ends(pieces[after]):
            name = read(text[pieces[place + 1].start : stop])
            if said := level(pieces[place].text, name):
                parts += [text[end:start], f"{name} {said}"]
                end = stop
        place = after
    return "".join([*parts, text[end:]])


def _renamed_entries(
    condition: Mapping[str, Any], read: Callable[[str], str], level: Level | None
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for word, asked in condition.items():
        name = read(str(word))
        said = level(asked, name) if level and isinstance(asked, str) else ""
        found[str(word) if name in found else name] = said or asked
    return found


def _stop(token: Token) -> int:
    return token.start + len(token.text)


def _level_after(pieces: Sequence[Token], operator: int, name: str, level: Level) -> str:
    """Return what `= low` says of a column; nothing where it is another comparison."""
    if pieces[operator].text not in {"=", "=="} or not pieces[operator + 1].names:
        return ""
    return level(pieces[operator + 1].text, name)


def _ends(token: Token) -> bool:
    """Return whether a condition may end before this."""
    return token.kind == "end" or token.text.lower() in {"and", "or", ")"}


def _names_a_column(pieces: Sequence[Token], first: int, after: int) -> bool:
    """Return whether words stand where a column is named: before a comparison, or after `0.1 <`."""
    following = pieces[after]
    if following.kind == "operator" or following.text.lower() in {"in", "not"}:
        return True
    turned = [each.kind for each in pieces[max(first - 2, 0) : first]]
    return turned == ["number", "operator"]


def _everywhere(columns: Columns) -> Mask:
    return np.ones(len(next(iter(columns.values()))), np.bool_)


def _example(columns: Columns) -> str:
    """Return a condition on the first columns of numbers."""
    numbers = [name for name, column in columns.items() if np.asarray(column).dtype.kind in "iuf"]
    forms = ("{} < 0.5", "{} in (0, 0.5)")
    parts = [form.format(name) for form, name in zip(forms, numbers, strict=False)]
    return " and ".join(parts) or f"{next(iter(columns))} = …"


def _of_entry(name: str, asked: object, columns: Columns) -> Mask:
    """Return where an entry of a mapping holds: a condition without its name, values or one."""
    if isinstance(asked, str):
        text = written(asked, named=True)
        if re.match(r"\s*([<>=!≤≥≠]|(not\s+)?in\b)", text, re.IGNORECASE):
            return _read(text, columns, name)
    several = isinstance(asked, Iterable) and not isinstance(asked, str | bytes | Mapping)
    every: Iterable[Any] = asked if several else [asked]  # type: ignore[assignment]  # as asked
    values = list(itertools.islice(every, MAX_VALUES + 1))
    if not values:
        raise invalid(f"{FIELD}.{name}", asked, "at least one value")
    if len(values) > MAX_VALUES:
        most = f"{MAX_VALUES:,} values"
        raise InvalidInput([Problem(f"{FIELD}.{name}", f"more than {most}", f"at most {most}")])
    return _among(name, [_given(name, value) for value in values], columns)


def _given(name: str, value: object) -> str:
    """Return a value of a mapping as it would be written in text."""
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, Rational):  # which may have more digits than are written
        return _written(Fraction(value))
    if isinstance(value, str | Number | Decimal) and not isinstance(value, complex):
        return str(value)
    raise invalid(f"{FIELD}.{name}", value, "a number, a word, true or false, or a list of these")


def _written(value: Fraction) -> str:
    """Write a whole number with all its digits, and a fraction as the double nearest to it."""
    try:
        nearest_double = float(value)
    except OverflowError:
        return "inf" if value > 0 else "-inf"
    return str(value.numerator) if value.denominator == 1 else repr(nearest_double)


def _read(text: str, columns: Columns, name: str = "") -> Mask:
    """Return where a text holds; with a *name*, that is what comparisons without one are of."""
    if len(text) > MAX_LENGTH:
        raise invalid(FIELD, text, f"at most {MAX_LENGTH:,} characters")
    reader = _Reader(text, columns, name)
    found = reader.condition()
    if reader.token.kind != "end":
        reader.refuse("and, or, or nothing more")
    return found


class _Reader:
    """Reads a condition from left to right, and evaluates it on the way."""

    def __init__(self, text: str, columns: Columns, name: str) -> None:
        self._text, self._columns, self._name = text, columns, name
        self._tokens = tokens(text)
        self._place = 0
        self._depth = 0

    @property
    def token(self) -> Token:
        """The next one."""
        return self._tokens[self._place]

    def refuse(self, expected: str) -> NoReturn:
        """Raise the error of a token that cannot stand where it is."""
        before = self._text[: self.token.start].strip()
        after = f" after {shown(before, 60)}" if before else ""
        field = f"{FIELD}.{self._name}" if self._name else FIELD
        raise invalid(field, self._text, f"{expected}{after}, as in {_example(self._columns)}")

    def condition(self) -> Mask:
        """Read one or more conjunctions."""
        found = self._conjunction()
        while self._take("word", "or"):
            found = self._conjunction() | found
        return found

    def _conjunction(self) -> Mask:
        found = self._unit()
        while self._take("word", "and"):
            found = self._unit() & found
        return found

    def _unit(self) -> Mask:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise invalid(FIELD, self._text, f"nesting of at most {MAX_DEPTH} levels")
        if self._take("word", "not"):
            found = ~self._unit()
        elif self._take("sign", "("):
            found = self.condition()
            if not self._take("sign", ")"):
                self.refuse("and, or, or )")
        else:
            found = self._comparison()
        self._depth -= 1
        return found

    def _comparison(self) -> Mask:
        token = self.token
        if token.kind == "number":
            return self._turned_comparison()
        if token.kind == "word" and not (self._name and token.text.lower() in {"in", "not"}):
            name = self._next().text
            while name not in self._columns and self.token.names:
                name = f"{name} {self._next().text}"  # refused with all its words
            _column(name, self._columns)
        elif self._name and token.kind in {"operator", "word"}:
            name = self._name
        else:
            self.refuse("a name")
        negated = self._take("word", "not")
        if self._take("word", "in"):
            found = _among(name, self._values(), self._columns)
            return ~found if negated else found
        if negated or self.token.kind != "operator":
            self.refuse("=, !=, <, <=, >, >= or in")
        return self._compared(name, self._operator())

    def _turned_comparison(self) -> Mask:
        """Read `0.1 <= kappa < 0.5`."""
        value = self._next().text
        if self.token.kind != "operator":
            self.refuse("=, !=, <, <=, > or >=")
        sign = _MIRRORED[self._operator()]
        if self.token.kind != "word":
            self.refuse("a name")
        name = self._next().text
        found = _compared(self._columns, name, sign, value)
        if self.token.kind == "operator":
            found = self._compared(name, self._operator()) & found
        return found

    def _compared(self, name: str, sign: str) -> Mask:
        return _compared(self._columns, name, sign, self._value())

    def _values(self) -> list[str]:
        closing = {"(": ")", "[": "]"}.get(self.token.text, "")
        if not closing:
            self.refuse("values in parentheses")
        self._next()
        values = [self._value()]
        while self._take("sign", ","):
            values.append(self._value())
        if not self._take("sign", closing):
            self.refuse(f"a comma or {closing}")
        return values

    def _value(self) -> str:
        if self.token.kind not in {"number", "word", "quoted"}:
            self.refuse("a value")
        kind, text, _ = self._next()
        return text[1:-1] if kind == "quoted" else text

    def _operator(self) -> str:
        text = self._next().text
        return _SPELLED.get(text, text)

    def _next(self) -> Token:
        self._place += 1
        return self._tokens[self._place - 1]

    def _take(self, kind: str, text: str) -> bool:
        """Go past the next token if it is this one."""
        found = self.token.kind == kind and self.token.text.lower() == text
        self._place += found
        return found


def _among(name: str, values: Sequence[str], columns: Columns) -> Mask:
    first, *others = dict.fromkeys(values)
    found = _compared(columns, name, "=", first)
    for value in others:
        found |= _compared(columns, name, "=", value)
    return found


def _compared(columns: Columns, name: str, sign: str, value: str) -> Mask:
    """Return where a comparison of a column with a value holds."""
    column = _column(name, columns)
    wanted: Any
    match column.dtype.kind:
        case "b":
            wanted = _boolean(name, value)
        case "i" | "u" | "f":
            wanted = _number(name, value, whole=column.dtype.kind != "f")
        case _:
            wanted = _word(name, value, column)
    if sign not in {"=", "!="} and column.dtype.kind not in "iuf":
        raise invalid(f"{FIELD}.{name}", sign, "=, != or in: its values have no order")
    found = np.asarray(_COMPARED[sign](column, wanted), np.bool_)
    if sign == "!=" and column.dtype.kind == "f":
        found &= ~np.isnan(column)
    return found


def _column(name: str, columns: Columns) -> NDArray[Any]:
    """Return a column as numbers, booleans or text."""
    if name not in columns:
        known = near(name, list(columns))
        raise InvalidInput([Problem(FIELD, shown(name), known, nearest(name, columns))])
    column = np.asarray(columns[name])
    if column.dtype.kind != "O":
        return column
    every = column.tolist()
    if all(isinstance(value, bool) for value in every):
        return column.astype(np.bool_)
    if all(isinstance(value, Number) for value in every):
        return column.astype(np.float64)
    return column.astype(np.str_)


def _boolean(name: str, value: str) -> bool:
    if value.lower() in _BOOLEANS:
        return _BOOLEANS[value.lower()]
    if value in {"0", "1"}:
        return value == "1"
    raise invalid(f"{FIELD}.{name}", value, "true or false", nearest(value, ["true", "false"]))


def _number(name: str, value: str, *, whole: bool) -> int | float:
    """Return the double nearest to a decimal; a whole number as it is, for whole numbers."""
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if math.isnan(number):
        raise invalid(f"{FIELD}.{name}", value, "a number")
    if whole and number.is_integer():
        return int(Decimal(value))
    return number


def _word(name: str, value: str, column: NDArray[Any]) -> str:
    """Return the word of a column that is meant: its case does not matter, nor - or _."""
    words = [str(word) for word in np.unique(column).tolist()]
    if value in words:
        return value
    for word in words:
        if _plain(word) == _plain(value):
            return word
    first = ", ".join(words[:SHOWN_WORDS]) + (" …" if len(words) > SHOWN_WORDS else "")
    raise invalid(f"{FIELD}.{name}", value, first, nearest(value, words))


def _plain(word: str) -> str:
    return word.casefold().replace("_", "-")
