"""Runs as rows: parameters in, metrics out.

Codes of few-valued columns are positions in their ``StrEnum``, so that
``list(End)[code]`` reads one back.

References
----------
Columns: MODEL.md, sections 0 (units), 2 (defaults) and 8 (metrics).
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import numpy as np

from bilancio.model.metrics import METRICS
from bilancio.model.parameters import BalancedParameters, Parameters, RingParameters


def _row(columns: Mapping[str, str]) -> np.dtype[np.void]:
    """Return the type of a packed row, the widest columns first."""
    types = {name: np.dtype(code) for name, code in columns.items()}
    return np.dtype(sorted(types.items(), key=lambda column: -column[1].itemsize))


def _type_of(annotation: Any, marks: Iterable[Any] = ()) -> str | None:
    """Return the type of a parameter's column; None for a list, which a row cannot hold."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type_of(inner[0], inner[1:])
    if origin in {Union, UnionType}:  # with None, for which the row holds 0
        return _type_of(inner[0], marks)
    if origin is Literal or (origin is None and issubclass(annotation, StrEnum)):
        return "i1"
    if annotation is int:
        least_upper = min((mark.le for mark in marks if getattr(mark, "le", None)), default=None)
        return "i8" if least_upper is None or least_upper >= 2**31 else "i4"
    return {bool: "?", float: "f8"}.get(annotation)


_FIELDS = {**RingParameters.model_fields, **BalancedParameters.model_fields}
_TYPES = {name: _type_of(field.annotation, field.metadata) for name, field in _FIELDS.items()}
_WORDS = {
    name: kind
    for name, field in _FIELDS.items()
    for kind in (field.annotation, *get_args(field.annotation))
    if isinstance(kind, type) and issubclass(kind, StrEnum)
}

PARAMETER_ROW = _row(
    {name: found for name, found in _TYPES.items() if found}
    | {"liquidity_start": "i8"}  # where the run's weights start in liquidity_vector
)
"""A run's parameters; `horizon` is `maturity_days` if not given, other columns are then 0."""

# Money that exceeds the columns cannot occur: faces are at most 10⁹ per debt, days at
# most 1,005, and a ticket is sold at most once, so that trades are fewer than 2³¹ too.
METRIC_ROW = _row({metric.name: metric.dtype for metric in METRICS})


class SimEvent(StrEnum):
    """What can happen to a debt or a ticket."""

    SETTLED = "settled"
    DEFAULTED = "defaulted"
    WRITTEN_OFF = "written-off"
    ROLLED_OVER = "rolled-over"
    SOLD = "sold"
    REBUCKETED = "rebucketed"  # passed on between the desks of two buckets
    INJECTED = "injected"  # cash from outside, just before the sale that it pays for


EVENTS = np.dtype(
    [
        ("price", np.float64),  # of a ticket that changes hands, per unit of face; else NaN
        ("face", np.int64),  # that the holder has of the debt
        ("cash_micro", np.int64),  # that payer gives to payee
        ("debtor", np.int32),  # agents counted as in Run.cash, -1 where there is none
        ("holder", np.int32),  # before the event
        ("payer", np.int32),
        ("payee", np.int32),
        ("day", np.int16),
        ("event", np.int8),  # position in SimEvent
        ("claim", np.int8),  # 0 ring debt, 1 debt to a VBT, 2 debt to a dealer
    ]
)
"""What happened: a row for each debt and holder of a part of it."""

QUOTES = np.dtype(
    [
        ("mid", np.float64),
        ("spread", np.float64),
        ("bid", np.float64),
        ("ask", np.float64),
        ("capacity", np.float64),
        ("inventory", np.float64),
        ("day", np.int16),
        ("bucket", np.int8),  # 0 short, 1 mid, 2 long
    ]
)

_DAYS_ALWAYS_QUIET = 2_000  # more than any run has


def code(value: StrEnum) -> int:
    """Return the position of *value* in its enum, which stands for it in the tables."""
    return list(type(value)).index(value)


def varied_table(
    first: Parameters, columns: Mapping[str, np.ndarray], n_runs: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return runs that differ from a validated one in some parameters, as `parameter_table` does.

    Parameters
    ----------
    first
        What all runs have in common.
    columns : arrays (n_runs,)
        Valid values of parameters: numbers, booleans, words as text. Others are passed over.
    """
    base, weights = parameter_table([first])
    table = np.repeat(base, n_runs)
    for name in PARAMETER_ROW.names or ():
        if name in columns:
            table[name] = _codes(name, columns[name])
    if "quiet_days" in columns:
        table["quiet_days"] = np.minimum(columns["quiet_days"], _DAYS_ALWAYS_QUIET)
    asked = columns.get("horizon", getattr(first, "horizon", None))
    table["horizon"] = table["maturity_days"]
    if asked is not None:
        table["horizon"] = np.minimum(asked, table["maturity_days"])  # as in parameter_table
    return table, weights


def _codes(name: str, column: np.ndarray) -> np.ndarray:
    """Return the codes of words; other values as they are."""
    if column.dtype.kind != "U":
        return column
    words = np.array([word.value for word in _WORDS[name]])
    order = np.argsort(words)
    found: np.ndarray = order[np.searchsorted(words, column, sorter=order)]
    return found


def parameter_table(runs: list[Parameters]) -> tuple[np.ndarray, np.ndarray]:
    """Return validated runs as rows, and their liquidity weights one after the other.

    Returns
    -------
    table : PARAMETER_ROW (n_runs,)
    liquidity_vector : float64 (n_weights,)
    """
    table = np.zeros(len(runs), PARAMETER_ROW)
    weights: list[float] = []
    for row, run in zip(table, runs, strict=True):
        for name in table.dtype.names or ():
            value = getattr(run, name, None)
            if value is not None and name not in {"horizon", "quiet_days"}:
                row[name] = code(value) if isinstance(value, StrEnum) else value
        row["quiet_days"] = min(run.quiet_days, _DAYS_ALWAYS_QUIET)
        row["horizon"] = run.maturity_days
        if isinstance(run, BalancedParameters) and run.horizon is not None:
            row["horizon"] = min(run.horizon, run.maturity_days)  # nothing falls due later
        row["liquidity_start"] = len(weights)
        weights.extend(run.liquidity_vector or ())
    return table, np.array(weights, np.float64)
