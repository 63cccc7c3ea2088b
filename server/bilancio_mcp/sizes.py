"""What keeps an answer short: long texts, lists and objects are cut, and say how much is left out.

An answer stays below about 20,000 characters whatever a job holds, because each part of it has a
budget of its own.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from bilancio.encoding import finite
from bilancio.printable import shortened
from bilancio.text import SHOWN_VALUES, plural, values

MAX_DEPTH, DEEPEST = 5, 20
#: Of a text, a list, an object: how many characters, values, names are kept, ever fewer.
_CUTS = ((500, SHOWN_VALUES, 60), (200, SHOWN_VALUES, 30), (80, SHOWN_VALUES, 15), (40, 0, 8))


def size(value: object) -> int:
    """Return how many characters *value* takes as JSON."""
    return len(json.dumps(value, ensure_ascii=False, default=str))


def fitted(value: Any, budget: int) -> Any:
    """Return *value*, its numbers finite, cut as little as it takes to be *budget* characters."""
    whole = finite(_shallow(value, DEEPEST))
    if size(whole) <= budget:
        return whole
    for text, items, names in _CUTS:
        cut = _cut(whole, text, items, names, MAX_DEPTH)
        if size(cut) <= budget:
            return cut
    return shortened(json.dumps(cut, default=str), budget // 2)


def fitted_rows(rows: Sequence[Sequence[Any]], budget: int) -> list[list[Any]]:
    """Return the first rows of a table, at least one, as many as *budget* characters hold."""
    kept: list[list[Any]] = []
    for row in rows:
        kept.append([fitted(value, budget // max(len(row), 1)) for value in row])
        budget -= size(kept[-1])
        if budget < 0 and len(kept) > 1:
            return kept[:-1]
    return kept


def six_digits(value: Any) -> Any:
    """Return *value* with its floating-point numbers at six significant digits."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, Mapping):
        return {name: six_digits(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [six_digits(each) for each in value]
    return value


def _shallow(value: Any, depth: int) -> Any:
    """Return *value* without what is nested deeper than *depth*, on which recursion would end."""
    if isinstance(value, Mapping):
        return {name: _shallow(each, depth - 1) for name, each in value.items()} if depth else "…"
    if isinstance(value, list | tuple):
        return [_shallow(each, depth - 1) for each in value] if depth else "…"
    return value


def _cut(value: Any, text: int, items: int, names: int, depth: int) -> Any:
    if isinstance(value, str):
        return shortened(value, text)
    if isinstance(value, Mapping | list) and not depth:
        return "…"
    if isinstance(value, Mapping):
        kept = {
            shortened(name, text): _cut(each, text, items, names, depth - 1)
            for name, each in list(value.items())[:names]
        }
        left = len(value) - names
        return kept | {"…": f"{left:,} more"} if left > 0 else kept
    if isinstance(value, list) and len(value) > items:
        ends = [_cut(each, text, items, names, depth - 1) for each in (*value[:3], value[-1])]
        first, last = ", ".join(map(values, ends[:3])), values(ends[-1])
        return shortened(f"{first} … {last} ({plural(len(value), 'value')})", text)
    if isinstance(value, list):
        return [_cut(each, text, items, names, depth - 1) for each in value]
    return value
