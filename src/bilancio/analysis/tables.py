"""Results grouped by parameters."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bilancio.errors import InvalidInput, Problem
from bilancio.experiments.base import Observations
from bilancio.experiments.statistics import seed_interval
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
        A name is no parameter, or no measure, of this experiment.
    """
    _check("group_by", by, (*seen.parameters, "seed"))
    _check("measures", measures, seen.measures)
    shown = tuple(measures) or seen.measures
    group, keys = _groups([seen.columns[name] for name in by], len(seen.columns["seed"]))
    order = np.argsort(group, kind="stable")
    bounds = np.searchsorted(group[order], np.arange(len(keys) + 1))
    means = {name: _means(seen.columns[name], group, len(keys)) for name in shown}
    rows = []
    for number, key in enumerate(keys):
        members = order[bounds[number] : bounds[number + 1]]
        interval = seed_interval(seen.columns[seen.primary][members], seen.columns["seed"][members])
        rows.append(
            (
                *key,
                len(members),
                *(_or_none(means[name][number]) for name in shown),
                interval.low,
                interval.high,
            )
        )
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
    joint = np.ravel_multi_index(codes, [len(each) for each in values])
    present, group = np.unique(joint, return_inverse=True)
    positions = np.unravel_index(present, [len(each) for each in values])
    columns = [each[at].tolist() for each, at in zip(values, positions, strict=True)]
    return group, list(zip(*columns, strict=True))


def _means(values: NDArray[Any], group: NDArray[np.int64], n: int) -> NDArray[np.float64]:
    known = ~np.isnan(values)
    counts = np.bincount(group[known], minlength=n)
    sums = np.bincount(group[known], weights=values[known], minlength=n)
    means: NDArray[np.float64] = np.full(n, np.nan)
    np.divide(sums, counts, out=means, where=counts > 0)
    return means


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
