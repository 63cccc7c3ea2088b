"""Tables as pandas holds them; the only home of pandas."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bilancio.errors import LibraryMissing
from bilancio.frames.columns import Column

try:
    import pandas as pd
    from pandas import DataFrame
except ImportError as error:
    raise LibraryMissing("pandas", str(error), extra="pandas") from None

__all__ = ["DataFrame", "frame", "frame_of_rows"]


def frame(
    columns: Mapping[str, Column], index: NDArray[np.int64], attributes: Mapping[str, Any]
) -> DataFrame:
    """Return columns as a frame, without a copy: words are categories, missing numbers NaN or NA.

    Parameters
    ----------
    index : int64 (n,)
        Numbers of the rows.
    attributes
        Go to the frame's `attrs`, with the units and meanings of its columns.
    """
    found = DataFrame(
        {name: _array(column) for name, column in columns.items()},
        index=pd.Index(index, name="index"),
        copy=False,
    )
    found.attrs.update(attributes)
    found.attrs["units"] = {name: each.unit for name, each in columns.items() if each.unit}
    found.attrs["meanings"] = {name: each.meaning for name, each in columns.items() if each.meaning}
    return found


def frame_of_rows(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> DataFrame:
    """Return rows of results as a frame: words are categories, missing numbers NaN or NA."""
    columns = zip(*rows, strict=True) if rows else [()] * len(names)
    return DataFrame({name: _of(values) for name, values in zip(names, columns, strict=True)})


def _array(column: Column) -> Any:
    values = column.values  # noqa: PD011 - an array of numpy's
    if column.words is not None:
        return pd.Categorical.from_codes(values, pd.Index(column.words, dtype="str"))
    if values.dtype.kind == "O":
        return pd.array(values, dtype="str")
    if values.dtype.kind == "f" or not (column.nullable or column.missing is not None):
        return values
    missing = np.zeros(len(values), bool) if column.missing is None else column.missing
    if values.dtype.kind == "b":
        return pd.arrays.BooleanArray(values, missing)
    return pd.arrays.IntegerArray(values, missing)


def _of(values: Sequence[Any]) -> Any:
    known = [value for value in values if value is not None]
    whole = len(known) == len(values)
    if known and all(isinstance(value, str) for value in known):
        return pd.Categorical(values, categories=list(dict.fromkeys(known)))
    if known and all(isinstance(value, bool) for value in known):
        return pd.array(values, dtype="boolean") if not whole else np.array(values, bool)
    if known and all(isinstance(value, int) for value in known):
        return pd.array(values, dtype="Int64") if not whole else np.array(values, np.int64)
    if all(isinstance(value, int | float) for value in known):
        return np.array([np.nan if value is None else value for value in values], np.float64)
    return pd.Categorical([None if value is None else str(value) for value in values])
