"""One run's own account of itself: what happened, at which quotes, and who had what when.

References
----------
MODEL.md, sections 3 to 7.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # numpy and numba load when a run is simulated, not when this is imported
    import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trace:
    """What a traced run wrote down.

    Attributes
    ----------
    events : EVENTS (n_events,)
        Settlements, defaults, write-offs, rollovers and sales, in the order in which they happened.
    quotes : QUOTES (3 · days,)
        In active runs, how each bucket opened each day; else empty.
    balances : int64 (days + 1, n_agents), micro-units
        Everybody's cash at the start and after each day, that on which a run ended at once too.
    """

    events: "np.ndarray"
    quotes: "np.ndarray"
    balances: "np.ndarray"


def trace(table: "np.ndarray", weights: "np.ndarray") -> Trace:
    """Simulate a run again, twice: to count what happens, and to write it down.

    Parameters
    ----------
    table : PARAMETERS (1,)
    weights : float64 (n_weights,)
    """
    # Heavy: loaded when a run is traced, not when this module is imported. The engine is loaded.
    import numpy as np

    from bilancio.model.kernels.recording import Recorder
    from bilancio.model.kernels.run import new_books, trace_rows
    from bilancio.model.parameters import Arm, End, Kind
    from bilancio.model.tables import EVENTS, METRICS, QUOTES, code

    (row,) = table
    days = max(30, int(row["maturity_days"]) + 5)
    n_agents = int(row["n_agents"]) + (6 if row["kind"] == code(Kind.BALANCED) else 0)
    metrics = np.zeros(1, METRICS)
    room = 0
    for _ in range(2):
        recorder = Recorder(
            events=np.zeros(room, EVENTS),
            n_events=np.zeros(1, np.int64),
            quotes=np.zeros(3 * days, QUOTES),
            balances=np.zeros((days + 1, n_agents), np.int64),
        )
        trace_rows(table, weights, metrics, *new_books(table), recorder)
        room = int(recorder.n_events[0])
    ended_at_once = metrics["end"][0] in {code(End.DEFAULT), code(End.ALL_DEFAULTED)}
    days = int(metrics["days_simulated"][0]) + int(ended_at_once)
    active = row["arm"] == code(Arm.ACTIVE)
    return Trace(
        events=recorder.events,
        quotes=recorder.quotes[: 3 * days if active else 0],
        balances=recorder.balances[: days + 1],
    )
