"""Calls of a decorated function: parameters in, metrics out, each of them checked."""

import numbers
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bilancio.errors import Problem, shown
from bilancio.experiments.declared import Declaration, wrong_metric_name
from bilancio.experiments.protocol import is_masked
from bilancio.experiments.signature import ARM_NAME, SEED_NAME

Rows = NDArray[np.void]
Values = NDArray[Any] | Sequence[Any]

NUMBERS = "numbers by name, such as {'wait': 1.5}"
NUMBER = "a number; NaN where there is none"


class Calls:
    """Calls a decorated function for runs.

    Parameters
    ----------
    declaration
        Of the function.
    """

    def __init__(self, declaration: Declaration) -> None:
        self._declaration = declaration
        self._function = declaration.function
        self._name = declaration.function.__name__
        self._declared = {metric.name: np.dtype(metric.dtype) for metric in declaration.metrics}
        self._whole = {name for name, dtype in self._declared.items() if dtype.kind in "iu"}
        self._readers = {
            name: _reader(field.annotation)
            for name, field in declaration.parameters.model_fields.items()
        }

    def rows(
        self, fixed: Mapping[str, Any], varied: Mapping[str, Values], seeds: NDArray[np.int64],
        arms: Sequence[str] | None,
    ) -> Rows:  # fmt: skip
        """Return the metrics of runs.

        Parameters
        ----------
        fixed
            Parameters that have one value in all runs.
        varied
            A value for each run of the others.
        seeds : int64 (n,)
        arms
            The arm of each run; None where there are none.

        Returns
        -------
        structured (n,)
            As declared; where nothing is, a column of doubles for each number returned.

        Raises
        ------
        TypeError
            A call returned something else than the same numbers by name as the others.
        """
        given = {name: self._readers[name](value) for name, value in fixed.items()}
        read = {
            name: [self._readers[name](each) for each in np.asarray(values).tolist()]
            for name, values in varied.items()
        }
        if self._declaration.batch:
            return self._in_batches(given, read, seeds, arms)
        read[SEED_NAME] = seeds.tolist()
        if arms is not None:
            read[ARM_NAME] = list(arms)
        return self._one_by_one(given, read)

    def _one_by_one(self, given: dict[str, Any], read: dict[str, list[Any]]) -> Rows:
        names, rows = tuple(self._declared), []
        call, varying = self._function, tuple(read)
        for values in zip(*read.values(), strict=True):
            found = call(**given, **dict(zip(varying, values, strict=True)))
            names = names or self._names(found)
            rows.append(self._row(found, names))
        return np.array(rows, self._columns(names))

    def _in_batches(
        self, given: dict[str, Any], read: dict[str, list[Any]], seeds: NDArray[np.int64],
        arms: Sequence[str] | None,
    ) -> Rows:  # fmt: skip
        """Call the function once for each arm."""
        columns = {name: np.array(values) for name, values in read.items()} | {SEED_NAME: seeds}
        rows: Rows | None = None
        for arm, here in _parts(arms, len(seeds)):
            chosen = {name: column[here] for name, column in columns.items()}
            found = self._function(**given, **chosen, **({} if arm is None else {ARM_NAME: arm}))
            if rows is None:
                names = tuple(self._declared) or self._names(found)
                rows = np.empty(len(seeds), self._columns(names))
            for name, column in self._arrays(found, rows.dtype.names or (), len(here)):
                rows[name][here] = column
        assert rows is not None, "a batch has a run"
        return rows

    def _names(self, found: object) -> tuple[str, ...]:
        """Return the names of the metrics of a run that was the first one."""
        self._mapping(found)
        assert isinstance(found, Mapping)
        taken = self._declaration.parameters.model_fields
        for name in found:
            if allowed := wrong_metric_name(name, found, self._declaration.arms, taken):
                raise self._wrong("metrics", shown(name), allowed)
        primary = self._declaration.primary
        if primary is not None and primary not in found:
            raise self._wrong("metrics", _listed(found), f"{primary} among them, the primary one")
        return tuple(found)

    def _mapping(self, found: object) -> None:
        if not isinstance(found, Mapping) or not found:
            raise TypeError(str(Problem(f"what {self._name} returned", shown(found), NUMBERS)))

    def _columns(self, names: tuple[str, ...]) -> np.dtype[np.void]:
        return np.dtype([(name, self._declared.get(name, np.dtype("f8"))) for name in names])

    def _row(self, found: Any, names: tuple[str, ...]) -> tuple[float, ...]:
        """Return the numbers that one run returned, in the order of *names*."""
        self._same_names(found, names)
        return tuple([self._number(name, found[name]) for name in names])

    def _same_names(self, found: Any, names: tuple[str, ...]) -> None:
        self._mapping(found)
        if len(found) != len(names) or any(name not in found for name in names):
            every = "as declared" if self._declared else "in every run"
            raise self._wrong("metrics", _listed(found), f"{', '.join(names)}, {every}")

    def _number(self, name: str, value: Any) -> float:
        if type(value) is not float:
            value = self._plain_number(name, value)
        if name in self._whole:
            if value != value or value != int(value):  # noqa: PLR0124 - NaN differs from itself
                raise self._wrong(name, shown(value), "whole numbers, as declared")
            return int(value)
        try:
            return float(value)
        except OverflowError:
            raise self._wrong(name, shown(value), "a number that a double can hold") from None

    def _plain_number(self, name: str, value: Any) -> Any:
        if getattr(value, "shape", None) == () and hasattr(value, "item"):
            value = value.item()
        if isinstance(value, numbers.Real | Decimal):
            return value
        raise self._wrong(name, shown(value), NUMBER)

    def _arrays(
        self, found: Any, names: tuple[str, ...], count: int
    ) -> Iterator[tuple[str, NDArray[Any]]]:
        """Yield the columns that a call for *count* runs returned."""
        self._same_names(found, names)
        for name in names:
            column = np.asarray(found[name])
            if is_masked(found[name]) or column.dtype.kind not in "biuf":
                got = f"an array of {column.dtype}" if column.shape else shown(found[name])
                raise self._wrong(name, got, f"an array of {count} numbers")
            if column.shape != (count,):
                got = f"an array of shape {column.shape}"
                raise self._wrong(name, got, f"shape ({count},): a number for each seed")
            if name in self._whole and not np.array_equal(column, np.trunc(column)):
                raise self._wrong(name, "numbers with fractions", "whole numbers, as declared")
            yield name, column

    def _wrong(self, what: str, got: str, allowed: str) -> TypeError:
        return TypeError(str(Problem(f"{what} of {self._name}", got, allowed)))


def _reader(annotation: Any) -> Callable[[Any], Any]:
    """Return what makes a parameter's value of a sweep one that the function takes."""
    if isinstance(annotation, type) and issubclass(annotation, Enum | int | float | str):
        return annotation
    return lambda value: value


def _parts(
    arms: Sequence[str] | None, count: int
) -> Iterator[tuple[str | None, NDArray[np.int64]]]:
    """Yield each arm with the places of its runs."""
    if arms is None:
        yield None, np.arange(count)
        return
    names = np.asarray(arms)
    for arm in dict.fromkeys(names.tolist()):
        yield arm, np.flatnonzero(names == arm)


def _listed(names: Mapping[str, Any]) -> str:
    return ", ".join(map(str, names))
