"""Cells that share the values of some parameters."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Keys = list[tuple[Any, ...]]


def grouped_cells(
    by: Sequence[NDArray[Any]], chosen: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], Keys]:
    """Return the group of each cell and the groups' keys, in order.

    Parameters
    ----------
    by : arrays (n_cells,)
        Columns whose values name a group; none makes one group of all.
    chosen : bool (n_cells,)
        Cells that take part.

    Returns
    -------
    group : int64 (n_cells,)
        Counted from 0; -1 for a cell that does not take part.
    keys
        The values of *by*, exact, for each group.
    """
    group = np.full(len(chosen), -1, np.int64)
    n_chosen = int(chosen.sum())
    if not by or not n_chosen:
        group[chosen] = 0
        return group, [()] if not by and n_chosen else []
    values, codes = zip(*(np.unique(key[chosen], return_inverse=True) for key in by), strict=True)
    numbers = np.zeros(n_chosen, np.int64)
    for each, code in zip(values, codes, strict=True):  # one by one: their product may be huge
        _, numbers = np.unique(numbers * len(each) + code, return_inverse=True)
    _, first = np.unique(numbers, return_index=True)
    columns = [each[code[first]].tolist() for each, code in zip(values, codes, strict=True)]
    group[chosen] = numbers
    return group, list(zip(*columns, strict=True))
