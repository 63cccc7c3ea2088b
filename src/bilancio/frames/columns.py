"""Columns of typed values with some missing, as frames of all kinds are made of."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

NONE = -1
"""The code of a missing word."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column.

    Attributes
    ----------
    values : array (n,)
        Numbers, NaN where one of floats is missing; of words their positions in *words*, -1 where
        there is none; of texts that differ by row an array of objects.
    missing : bool (n,) or None
        Of whole numbers and booleans, which are missing.
    words
        What the positions stand for; None where the values are what they are.
    nullable
        Whether whole numbers can be missing, even if none is here.
    unit, meaning
        As they are declared.
    """

    values: NDArray[Any]
    _: KW_ONLY
    missing: NDArray[np.bool_] | None = None
    words: tuple[str, ...] | None = None
    nullable: bool = False
    unit: str = ""
    meaning: str = ""


def words_column(values: NDArray[Any], known: tuple[str, ...] = (), *, meaning: str = "") -> Column:
    """Return a column of few words, given one for each row; those known come first."""
    found, codes = np.unique(values.astype(str), return_inverse=True)
    words = tuple(dict.fromkeys((*known, *found.tolist())))
    places = np.array([words.index(word) for word in found.tolist()], np.int64)
    return Column(narrow(places[codes.reshape(-1)], len(words)), words=words, meaning=meaning)


def narrow(codes: NDArray[Any], n_words: int) -> NDArray[Any]:
    """Return the positions of words in the smallest type that holds them, and -1."""
    return codes.astype(np.int8 if n_words < 1 << 7 else np.int32)


class Filling:
    """Columns of a known length, filled a block at a time: no more memory than they take.

    Parameters
    ----------
    n
        Number of rows.
    """

    def __init__(self, n: int) -> None:
        self._n = n
        self._columns: dict[str, Column] = {}
        self._present: dict[str, NDArray[np.bool_]] = {}

    def put(self, start: int, block: Mapping[str, Column]) -> None:
        """Write a block of rows; columns that it lacks are missing there."""
        for name, column in block.items():
            if name not in self._columns:
                self._add(name, column)
            self._write(name, column, slice(start, start + len(column.values)))

    def columns(self) -> dict[str, Column]:
        """Return the columns; rows that were never written are missing."""
        return {name: self._finished(name) for name in self._columns}

    def _add(self, name: str, column: Column) -> None:
        kind = column.values.dtype
        if column.words is not None:
            values = np.full(self._n, NONE, kind)
        elif kind.kind in "fO":
            values = np.full(self._n, np.nan if kind.kind == "f" else None, kind)
        else:
            values = np.zeros(self._n, kind)
            self._present[name] = np.zeros(self._n, bool)
        self._columns[name] = _with(column, values)

    def _write(self, name: str, column: Column, rows: slice) -> None:
        held, values = self._columns[name], column.values
        if held.words is not None and column.words is not None and held.words != column.words:
            words = tuple(dict.fromkeys((*held.words, *column.words)))
            places = np.array([*map(words.index, column.words), NONE], np.int64)
            held = _with(held, narrow(held.values, len(words)), words)
            values = narrow(places[values], len(words))
        common = np.promote_types(held.values.dtype, values.dtype)
        if common != held.values.dtype:
            widened = held.values.astype(common)
            if common.kind == "f" and name in self._present:
                widened[~self._present.pop(name)] = np.nan
            held = _with(held, widened)
        self._columns[name] = held
        held.values[rows] = values
        if name in self._present:
            self._present[name][rows] = True if column.missing is None else ~column.missing
        elif column.missing is not None:
            held.values[rows][column.missing] = np.nan

    def _finished(self, name: str) -> Column:
        column = self._columns[name]
        present = self._present.get(name)
        if present is None or present.all():
            return _with(column, column.values)
        return _with(column, column.values, missing=~present)


def _with(
    column: Column,
    values: NDArray[Any],
    words: tuple[str, ...] | None = None,
    missing: NDArray[np.bool_] | None = None,
) -> Column:
    return Column(
        values,
        missing=missing,
        words=words or column.words,
        nullable=column.nullable,
        unit=column.unit,
        meaning=column.meaning,
    )
