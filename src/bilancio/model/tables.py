"""Runs as rows: parameters in, metrics out.

Codes of few-valued columns are positions in their ``StrEnum``, so that
``list(End)[code]`` reads one back. Columns are ordered widest first, which
keeps each aligned in the packed row.

References
----------
Columns: MODEL.md, sections 0 (units), 2 (defaults) and 8 (metrics).
"""

from enum import StrEnum

import numpy as np

from bilancio.model.metrics import METRICS
from bilancio.model.parameters import BalancedParameters, Parameters

# Money that exceeds the columns cannot occur: faces are at most 10⁹ per debt, days at
# most 1,005, and a ticket is sold at most once, so that trades are fewer than 2³¹ too.
PARAMETER_ROW = np.dtype(
    [
        ("kappa", np.float64),
        ("concentration", np.float64),
        ("mu", np.float64),
        ("monotonicity", np.float64),
        ("q_total", np.float64),
        ("outside_mid_ratio", np.float64),
        ("vbt_share", np.float64),
        ("dealer_share", np.float64),
        ("spread_short", np.float64),
        ("spread_mid", np.float64),
        ("spread_long", np.float64),
        ("phi_m", np.float64),
        ("phi_o", np.float64),
        ("seed", np.int64),
        ("liquidity_start", np.int64),  # where the run's weights start in liquidity_vector
        ("n_agents", np.int32),
        ("maturity_days", np.int32),
        ("liquidity_agent", np.int32),  # from 1; 0 where it does not apply
        ("quiet_days", np.int32),
        ("face_value", np.int32),
        ("horizon", np.int32),  # maturity_days where none was given
        ("kind", np.int8),
        ("arm", np.int8),
        ("liquidity_mode", np.int8),
        ("default_handling", np.int8),
        ("outside_depth", np.int8),
        ("rollover", np.bool_),
        ("early_stop", np.bool_),
        ("anchor_update", np.bool_),
    ]
)

METRIC_ROW = np.dtype(
    sorted(
        [(metric.name, np.dtype(metric.dtype)) for metric in METRICS],
        key=lambda column: -column[1].itemsize,
    )
)


class SimEvent(StrEnum):
    """What can happen to a debt or a ticket."""

    SETTLED = "settled"
    DEFAULTED = "defaulted"
    WRITTEN_OFF = "written-off"
    ROLLED_OVER = "rolled-over"
    SOLD = "sold"


EVENTS = np.dtype(
    [
        ("price", np.float64),  # of a ticket sold, per unit of face; else NaN
        ("face", np.int64),
        ("cash_micro", np.int64),  # paid, lent, or got for the ticket
        ("agent", np.int32),  # debtor or seller, from 0
        ("desk", np.int32),  # that bought, or is owed, counted as in Run.cash; -1: a trader is
        ("day", np.int16),
        ("event", np.int8),  # position in SimEvent
        ("claim", np.int8),  # 0 ring debt, 1 debt to a VBT, 2 debt to a dealer
    ]
)

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
