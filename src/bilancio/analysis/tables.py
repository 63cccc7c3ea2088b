"""Results grouped by parameters."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bilancio.analysis.intervals import seed_intervals
from bilancio.analysis.observations import Observations
from bilancio.errors import InvalidInput, Problem
from bilancio.validation import nearest


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupedTable:
    """One row for each combination of the grouping parameters' values, in their order."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


def grouped(seen: Observations, by: Sequence[str], measures: Sequence[str] = ()) -> GroupedTable:
    """Return the means of the measures for each group, and the primary one's interval.

    Parameters
    ----------
    seen
        Observations of an experiment.
    by
        Parameters to group by, `seed` among them; none gives one row of all.
    measures
        Which measures to show; none shows all.

    Raises
    ------
    InvalidInput
        A name is not a parameter, or not a measure, of this experiment.
    """
    _check("group_by", by, (*seen.parameters, "seed"))
    _check("measures", measures, seen.measures)
    shown = tuple(measures) or seen.measures
    group, keys = _groups([seen.columns[name] for name in by], len(seen.columns["seed"]))
    low, high, _ = seed_intervals(
        seen.columns[seen.primary], seen.columns["seed"], group, len(keys)
    )
    columns_of_rows = [
        np.bincount(group, minlength=len(keys)).tolist(),
        *(_with_none(_means(seen.columns[name], group, len(keys))) for name in shown),
        _with_none(low),
        _with_none(high),
    ]
    rows = [(*key, *row) for key, row in zip(keys, zip(*columns_of_rows, strict=True), strict=True)]
    columns = (*by, "n", *shown, f"{seen.primary}_ci95_low", f"{seen.primary}_ci95_high")
    return GroupedTable(columns=columns, rows=tuple(rows))


def _check(field: str, names: Sequence[str], known: Sequence[str]) -> None:
    problems = [
        Problem(field, repr(name), ", ".join(known), nearest(name, known))
        for name in names
        if name not in known
    ]
    problems += [
        Problem(field, f"{name} twice", "each name once")
        for name in dict.fromkeys(names)
        if list(names).count(name) > 1
    ]
    if problems:
        raise InvalidInput(problems)


def _groups(keys: list[NDArray[Any]], n: int) -> tuple[NDArray[np.int64], list[tuple[Any, ...]]]:
    """Return the number of each row's group, and the groups' keys in order."""
    if not keys or not n:
        return np.zeros(n, np.int64), [()] if not keys and n else []
    values, codes = zip(*(np.unique(key, return_inverse=True) for key in keys), strict=True)
    group = np.zeros(n, np.int64)
    for each, code in zip(values, codes, strict=True):  # one by one: their product may be huge
        _, group = np.unique(group * len(each) + code, return_inverse=True)
    _, first = np.unique(group, return_index=True)
    columns = [each[code[first]].tolist() for each, code in zip(values, codes, strict=True)]
    return group, list(zip(*columns, strict=True))


def _means(values: NDArray[Any], group: NDArray[np.int64], n: int) -> NDArray[np.float64]:
    known = ~np.isnan(values)
    counts = np.bincount(group[known], minlength=n)
    sums = np.bincount(group[known], weights=values[known], minlength=n)
    means: NDArray[np.float64] = np.full(n, np.nan)
    np.divide(sums, counts, out=means, where=counts > 0)
    return means


def _with_none(values: NDArray[np.float64]) -> list[float | None]:
    """Return the numbers, None where there is none or it is infinite."""
    return [value if math.isfinite(value) else None for value in values.tolist()]
