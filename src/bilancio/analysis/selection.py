"""The order of rows, bins of sampled parameters, and tables of rows against columns."""

import itertools
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bilancio.analysis.measures import Values
from bilancio.errors import InvalidInput, Problem, invalid, shown
from bilancio.validation import near, nearest

Numbers = NDArray[np.int64]

MAX_BINS = 1_000
DIGITS = 6  # of a bin's edges, as of the samples of a hypercube
_EXACT = 16
_WORKING = Context(prec=30)


def order(order_by: str | Sequence[str], columns: Mapping[str, NDArray[Any]]) -> Numbers:
    """Return the places of rows in the order of some columns.

    Parameters
    ----------
    order_by
        Names, in a list or separated by commas; one with a minus before it is descending.
    columns : arrays (n_rows,)
        Numbers, text or booleans by name. NaN and None stand last either way.

    Returns
    -------
    int64 (n_rows,)
        Equal rows keep their order.

    Raises
    ------
    InvalidInput
        A name is not a column's, or none is given.
    """
    given = order_by.split(",") if isinstance(order_by, str) else order_by
    names = [str(name).strip() for name in given]
    if not any(names):
        raise invalid("order_by", order_by, f"names of columns: {', '.join(columns)}")
    keys = []
    for name in names:
        column = name.removeprefix("-")
        if column not in columns:
            known = near(column, list(columns))
            raise InvalidInput([Problem("order_by", shown(name), known, nearest(column, columns))])
        keys.append(_rank(np.asarray(columns[column]), descending=name.startswith("-")))
    return np.lexsort(keys[::-1]).astype(np.int64)


def _rank(column: NDArray[Any], *, descending: bool) -> Numbers:
    missing = np.array([x is None or x != x for x in column.tolist()], np.bool_)  # noqa: PLR0124 - NaN
    rank = np.full(len(column), len(column), np.int64)
    _, places = np.unique(column[~missing], return_inverse=True)
    rank[~missing] = -places if descending else places
    return rank


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bins:
    """A range in parts.

    Attributes
    ----------
    edges
        From the low end of the first bin to the high end of the last.
    labels
        `low:high` of each bin.
    bin : int64 (n,)
        The bin of each value, from 0; -1 where it is outside the range or NaN.
    """

    edges: tuple[Decimal, ...]
    labels: tuple[str, ...]
    bin: Numbers


def bins(
    values: Values, low: Decimal, high: Decimal, n_bins: int, *, logarithmic: bool = False
) -> Bins:
    """Put the values of a parameter that was sampled from a range into bins of equal width.

    Parameters
    ----------
    values : float64 (n,)
        What was sampled.
    low, high
        Ends of the range; low < high.
    n_bins
        Number of bins.
    logarithmic
        Whether samples are spread evenly over the logarithm; bins have equal width there, too,
        and low is above 0.

    Notes
    -----
    Bins of equal width hold about the same number of samples, because samples are spread evenly,
    and depend on the range alone, so that two jobs over the same range have the same bins. Edges
    are decimals of six digits, of more only where bins would be empty otherwise. A bin contains
    its low end, and the last one its high end, too.

    Raises
    ------
    InvalidInput
        The number of bins is not from 1 to 1,000.
    """
    if isinstance(n_bins, bool) or not isinstance(n_bins, int) or not 1 <= n_bins <= MAX_BINS:
        raise invalid("bins", n_bins, f"whole numbers from 1 to {MAX_BINS:,}")
    edges = _edges(low, high, n_bins, logarithmic=logarithmic)
    ends = np.array([float(edge) for edge in edges])
    found = np.searchsorted(ends, values, side="right") - 1
    found[values == ends[-1]] = n_bins - 1
    found[~((values >= ends[0]) & (values <= ends[-1]))] = -1
    labels = tuple(f"{_plain(left)}:{_plain(right)}" for left, right in itertools.pairwise(edges))
    return Bins(edges=edges, labels=labels, bin=found.astype(np.int64))


def _edges(low: Decimal, high: Decimal, n_bins: int, *, logarithmic: bool) -> tuple[Decimal, ...]:
    shares = [Decimal(place) / n_bins for place in range(1, n_bins)]
    if logarithmic:
        width = _WORKING.ln(_WORKING.divide(high, low))
        inner = [_WORKING.multiply(low, _WORKING.exp(width * share)) for share in shares]
    else:
        inner = [low + share * (high - low) for share in shares]
    for digits in range(DIGITS, _EXACT):
        rounded = Context(prec=digits)
        edges = (low, *map(rounded.plus, inner), high)
        if all(left < right for left, right in itertools.pairwise(edges)):
            return edges
    return (low, *inner, high)


def _plain(number: Decimal) -> str:
    return format(number.normalize(), "f") if number else "0"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pivot:
    """A table of one measure.

    Attributes
    ----------
    rows, columns
        Keys, in the order in which they first occurred.
    cells : float64 (n_rows, n_columns)
        NaN where there is no such group.
    """

    rows: tuple[Hashable, ...]
    columns: tuple[Hashable, ...]
    cells: Values


def pivot(row_keys: Sequence[Hashable], column_keys: Sequence[Hashable], values: Values) -> Pivot:
    """Arrange the values of groups as a table of rows against columns.

    Parameters
    ----------
    row_keys, column_keys
        Two keys for each group, which no two groups have in common.
    values : float64 (n_groups,)
        The measure, or a bound of its interval.
    """
    rows = {key: place for place, key in enumerate(dict.fromkeys(row_keys))}
    columns = {key: place for place, key in enumerate(dict.fromkeys(column_keys))}
    cells = np.full((len(rows), len(columns)), np.nan)
    cells[[rows[key] for key in row_keys], [columns[key] for key in column_keys]] = values
    return Pivot(rows=tuple(rows), columns=tuple(columns), cells=cells)
