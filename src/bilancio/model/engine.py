"""The door to the engine: one run by its parameters' names, or many by rows.

References
----------
MODEL.md: what a run is (sections 1 to 7) and what it reports (section 8).
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bilancio.model.metrics import METRICS, End
from bilancio.model.parameters import BalancedParameters, Parameters, parameters_of
from bilancio.model.trace import Trace
from bilancio.model.trace import trace as account_of

if TYPE_CHECKING:  # numpy loads when a run is simulated, not when this is imported
    import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one run found; columns as in MODEL.md, section 8.

    Faces are in whole units, ``*_micro`` and ``cash`` in micro-units, profits in money. ``cash``
    is by agent at the end: traders H1 … Hn, in balanced runs then vbt_short, dealer_short,
    vbt_mid, dealer_mid, vbt_long, dealer_long.
    """

    phi_total: float | None
    delta_total: float | None
    n_defaults: int
    defaulted_face: int
    written_off_face: int
    recovered_micro: int
    days_simulated: int
    time_to_stability: int | None
    end: End
    n_trades: int
    n_interior: int
    n_passthrough: int
    traded_face: int
    dealer_pnl: float
    vbt_pnl: float
    dealer_start: float
    dealer_return: float | None
    cash_start_micro: int
    cash_end_micro: int
    injection_micro: int
    cash: "np.ndarray" = field(compare=False, repr=False)
    parameters: Parameters
    trace: Trace | None = field(default=None, compare=False, repr=False)

    @property
    def outcome(self) -> dict[str, Any]:
        """The metrics by name, without those that a plain ring has nothing of."""
        dealers = isinstance(self.parameters, BalancedParameters)
        names = [metric.name for metric in METRICS if dealers or not metric.dealers]
        return {name: getattr(self, name) for name in names}


def simulate(*, trace: bool = False, **fields: object) -> Run:
    """Simulate one run, given the fields of its parameters by name.

    ``kind`` says which ones there are: those of ``RingParameters`` or ``BalancedParameters``.
    Values are coerced leniently ("0.25", Decimal, "True"); None and "" mean that a field is not
    given. With *trace* the run also gives an account of itself, which takes a second run.

    Raises
    ------
    InvalidInput
        Names each wrong field, the value got and the values allowed.
    """
    run = parameters_of(fields)
    # Heavy: loaded when a run is simulated, not when this module is imported.
    import numpy as np

    from bilancio.model.parameters import Kind
    from bilancio.model.rows import simulate_rows
    from bilancio.model.tables import METRIC_ROW, parameter_table

    table, weights = parameter_table([run])
    metrics = np.zeros(1, METRIC_ROW)
    account = None
    if trace:
        account, books = account_of(table, weights, metrics)
    else:
        books = simulate_rows(table, weights, metrics)
    n_agents = run.n_agents + (6 if run.kind is Kind.BALANCED else 0)
    return _run(metrics[0], books.cash[:n_agents], run, account)


def simulate_many(
    parameters: "np.ndarray", liquidity_vector: "np.ndarray | None" = None
) -> "np.ndarray":
    """Simulate each row; the GIL is released meanwhile.

    A pair of runs that differ in their arm is cheaper in neighbouring rows, for it
    is drawn once.

    Parameters
    ----------
    parameters : PARAMETER_ROW (n_runs,)
        Rows as ``parameter_table`` makes them of validated parameters; not validated again.
    liquidity_vector : float64 (n_weights,)
        Weights for the rows with liquidity mode ``vector``, to which their ``liquidity_start``
        points; rows may share them.

    Returns
    -------
    METRIC_ROW (n_runs,)

    Raises
    ------
    ValueError
        If a row points outside of *liquidity_vector*, or *parameters* is of another type.
    """
    # Heavy: loaded when runs are simulated, not when this module is imported.
    import numpy as np

    from bilancio.model.parameters import LiquidityMode
    from bilancio.model.rows import simulate_rows
    from bilancio.model.tables import METRIC_ROW, PARAMETER_ROW, code

    if parameters.dtype != PARAMETER_ROW or parameters.ndim != 1:
        message = f"parameters: got {parameters.dtype}; allowed: one row of PARAMETER_ROW per run."
        raise ValueError(message)
    weights = np.zeros(0) if liquidity_vector is None else liquidity_vector
    weights = np.ascontiguousarray(weights, np.float64)
    by_vector = parameters[parameters["liquidity_mode"] == code(LiquidityMode.VECTOR)]
    ends = by_vector["liquidity_start"] + by_vector["n_agents"]
    if len(by_vector) and (ends.max() > len(weights) or by_vector["liquidity_start"].min() < 0):
        message = f"liquidity_vector: got {len(weights)} weights; allowed: {ends.max()} or more."
        raise ValueError(message)
    metrics = np.zeros(len(parameters), METRIC_ROW)
    simulate_rows(np.ascontiguousarray(parameters), weights, metrics)
    return metrics


def _run(row: "np.void", cash: "np.ndarray", run: Parameters, account: Trace | None) -> Run:
    values = {metric.name: metric.readable(row[metric.name].item()) for metric in METRICS}
    values["end"] = End(values["end"])
    cash.flags.writeable = False
    return Run(**values, cash=cash, parameters=run, trace=account)
