"""Tables as Parquet files; the only home of pyarrow."""

from collections.abc import Mapping
from types import TracebackType
from typing import IO, Any, Self

import numpy as np

from bilancio.errors import LibraryMissing
from bilancio.frames.columns import NONE, Column

try:
    import pyarrow as pa
    from pyarrow import parquet
except ImportError as error:
    raise LibraryMissing("pyarrow", str(error)) from None


class ParquetTable:
    """A Parquet file that is written a group of rows at a time.

    Columns are those of the first group. Words are dictionaries, missing values null; units and
    meanings are metadata of the fields.

    Parameters
    ----------
    file
        Open for writing bytes.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._writer: parquet.ParquetWriter | None = None
        self._schema: pa.Schema = pa.schema([])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._writer is not None:
            self._writer.close()

    def add(self, columns: Mapping[str, Column]) -> None:
        """Write columns of one length as a group of rows."""
        if self._writer is None:
            self._schema = pa.schema([_field(name, each) for name, each in columns.items()])
            self._writer = parquet.ParquetWriter(self._file, self._schema)
        n = len(next(iter(columns.values())).values)
        arrays = [
            _array(columns[field.name]).cast(field.type)
            if field.name in columns
            else pa.nulls(n, field.type)
            for field in self._schema
        ]
        self._writer.write_table(
            pa.Table.from_arrays(arrays, schema=self._schema), row_group_size=n
        )


def _field(name: str, column: Column) -> "pa.Field[Any]":
    told = {"unit": column.unit, "meaning": column.meaning}
    metadata = {key: text for key, text in told.items() if text}
    return pa.field(name, _array(column).type, metadata=metadata or None)


def _array(column: Column) -> Any:
    values = column.values
    if column.words is not None:
        codes: Any = pa.array(values.astype(np.int32), mask=values == NONE)
        return pa.DictionaryArray.from_arrays(codes, pa.array(column.words, pa.string()))
    if values.dtype.kind == "O":
        return pa.array(values, pa.string())
    missing = np.isnan(values) if values.dtype.kind == "f" else column.missing
    return pa.array(values, mask=missing)
