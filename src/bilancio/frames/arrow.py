"""Tables as Parquet files; the only home of pyarrow."""

from collections.abc import Iterator, Mapping
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


_READ_AT_ONCE = 2_000  # rows
_MAX_ROW_BYTES = 1 << 20  # as many as a line of a CSV file may have


class ParquetText:
    """A Parquet file read as the lines of a CSV file: foreign input, some rows at a time.

    Parameters
    ----------
    file
        Open for reading bytes.

    Attributes
    ----------
    columns
        Their names.

    Raises
    ------
    ValueError
        It is not a Parquet file, or declares more bytes than its rows can have.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = parquet.ParquetFile(file)
        self.columns = tuple(self._file.schema_arrow.names)
        told = self._file.metadata
        groups = [told.row_group(number) for number in range(told.num_row_groups)]
        if any(each.total_byte_size > (each.num_rows + 1) * _MAX_ROW_BYTES for each in groups):
            raise ValueError("it declares more bytes than its rows can have")

    def rows(self) -> Iterator[list[str]]:
        """Yield the rows, values as `csv` writes them.

        Raises
        ------
        TypeError
            A value is neither number, boolean nor text.
        ValueError
            The file is damaged.
        """
        for batch in self._file.iter_batches(batch_size=_READ_AT_ONCE):
            columns = [[_text(value) for value in column.to_pylist()] for column in batch.columns]
            yield from map(list, zip(*columns, strict=True))


def _text(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, bool | int | float | str):
        raise TypeError(f"a value of the type {type(value).__name__}")
    return repr(value) if isinstance(value, float) else str(value)


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
