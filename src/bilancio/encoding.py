"""JSON as every door of bilancio speaks it: strict, UTF-8, every number finite or null.

Python's own encoder writes NaN and Infinity, which no other parser reads, and lone surrogates,
which no UTF-8 file holds. What is written by bilancio goes through `to_json`; what is read from
elsewhere goes through `from_json`, which bounds the size and the depth that it accepts.
"""

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

MAX_BYTES = 16 << 20
MAX_DEPTH = 64
MAX_DIGITS = 4300  # of an integer; Python itself reads no more
_STRING_OR_BRACKET = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[\]{}]', re.DOTALL)


def finite(value: Any) -> Any:
    """Return *value* as JSON holds it, with None for NaN and infinity, however deep they stand.

    Mappings become dicts with text for keys, other collections lists; numbers and arrays of other
    libraries (numpy's) become Python's.
    """
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, Mapping):
        return {str(name): finite(each) for name, each in value.items()}
    if isinstance(value, Sequence | AbstractSet) and not isinstance(value, bytes | bytearray):
        return [finite(each) for each in value]
    plain = getattr(value, "tolist", None)  # of numpy, which this module does without
    return finite(plain()) if callable(plain) else value


def to_json(value: Any, *, indent: int | None = None) -> str:
    """Return *value* as JSON text that any strict parser and any UTF-8 file takes.

    Text that Unicode does not know (lone surrogates) is refused at the doors; should any have
    got in, question marks stand for it.
    """
    text = json.dumps(finite(value), indent=indent, ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "replace").decode()


def from_json(
    text: str | bytes,
    *,
    max_bytes: int = MAX_BYTES,
    max_depth: int = MAX_DEPTH,
    parse_float: Callable[[str], Any] | None = None,
) -> Any:
    """Return what JSON text says, its numbers with a point as *parse_float* makes them.

    Raises
    ------
    ValueError
        It is longer than *max_bytes*, nested deeper than *max_depth*, no UTF-8, no JSON, or holds
        NaN, Infinity or a number beyond a double; the message says which.
    """
    if len(text) > max_bytes:
        message = f"it is larger than {max_bytes >> 20} MiB"
        raise ValueError(message)
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8")
        except UnicodeDecodeError:
            message = "it is not UTF-8 text"
            raise ValueError(message) from None
    _refuse_depth(text, max_depth)
    try:
        value = json.loads(
            text,
            parse_int=_integer,
            parse_float=parse_float or _double,
            parse_constant=_refuse_constant,
        )
    except json.JSONDecodeError as error:
        message = f"it is not JSON ({error.msg}, line {error.lineno})"
        raise ValueError(message) from None
    if "\\ud" in text.lower() and not _is_unicode(value):
        message = "it holds text that is not Unicode (a lone surrogate)"
        raise ValueError(message)
    return value


def _is_unicode(value: Any) -> bool:
    """Return whether all text in *value* can be written as UTF-8."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _refuse_depth(text: str, max_depth: int) -> None:
    """Refuse deep nesting before the parser, which is recursive, meets it."""
    if text.count("[") + text.count("{") <= max_depth:
        return
    depth = 0
    for found in _STRING_OR_BRACKET.finditer(text):
        sign = found[0]
        if sign in {"[", "{"}:
            depth += 1
            if depth > max_depth:
                message = f"it is nested deeper than {max_depth} levels"
                raise ValueError(message)
        elif sign in {"]", "}"}:
            depth -= 1


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        message = f"it holds a number of {len(digits):,} digits"
        raise ValueError(message)
    return int(digits)


def _double(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        message = f"it holds {digits[:20]}, which is larger than a number can be"
        raise ValueError(message)
    return number


def _refuse_constant(name: str) -> float:
    message = f"it holds {name}, which is not JSON"
    raise ValueError(message)
