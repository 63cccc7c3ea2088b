"""Whole runs: the calendar, the stop rule, the metrics, and the entry for many runs.

References
----------
MODEL.md, sections 3 and 8.
"""

import numba
import numpy as np
import numpy.typing as npt

from bilancio.model.kernels.books import (
    DEALER,
    DEFAULTED_FACE,
    INJECTION,
    MICRO,
    N_BUCKETS,
    N_DEFAULTS,
    N_DESKS,
    N_INTERIOR,
    N_PASSTHROUGH,
    RECOVERED,
    SETTLED_INITIAL_FACE,
    TRADED_FACE,
    VBT,
    WRITTEN_OFF_FACE,
    Books,
    Doubles,
    Ints,
    desk,
    new_books,
)
from bilancio.model.kernels.compiled import entry, njit
from bilancio.model.kernels.dealer import update_anchors
from bilancio.model.kernels.scenario import (
    add_desks,
    draw_amounts,
    endow_traders,
    place_debts,
    set_due_days,
    write_ring_debts,
)
from bilancio.model.kernels.settlement import (
    ALL_DEFAULTED,
    FIRST_DEFAULT,
    roll_over_day,
    settle_day,
)
from bilancio.model.kernels.trading import trade_day
from bilancio.model.parameters import Arm, DefaultHandling, End, Kind, OutsideDepth
from bilancio.model.tables import METRICS, PARAMETERS, code

BALANCED = code(Kind.BALANCED)
ACTIVE = code(Arm.ACTIVE)
FAIL_FAST = code(DefaultHandling.FAIL_FAST)
UNLIMITED = code(OutsideDepth.UNLIMITED)
END_STABLE = code(End.STABLE)
END_MAX_DAYS = code(End.MAX_DAYS)
END_DEFAULT = code(End.DEFAULT)
END_ALL_DEFAULTED = code(End.ALL_DEFAULTED)

Rows = npt.NDArray[np.void]

_ROWS = numba.typeof(np.zeros(0, PARAMETERS))
_METRICS = numba.typeof(np.zeros(0, METRICS))


@njit
def _open_books(books: Books, row: np.void, weights: Doubles, drawn: bool) -> tuple[int, int]:
    """Write the first day's balance sheets; *drawn* tells that the amounts are there.

    Returns
    -------
    n_terms : int
    face : int
        Whole face of the ring debts and of the claims of desks.
    """
    n = np.int64(row["n_agents"])
    maturity_days = np.int64(row["maturity_days"])
    balanced = row["kind"] == BALANCED
    active = balanced and row["arm"] == ACTIVE
    scenario, debts = books.scenario, books.debts
    if not drawn:
        draw_amounts(
            scenario,
            n,
            row["q_total"],
            row["concentration"],
            row["monotonicity"],
            row["seed"],
        )
    set_due_days(scenario.due_day, n, maturity_days, row["mu"])
    n_terms = place_debts(debts, scenario.due_day, n, maturity_days)
    face = write_ring_debts(debts, scenario.amount, n, np.int64(row["face_value"]) * active)
    start = row["liquidity_start"]
    endow_traders(
        books.cash[: n + N_DESKS],
        n,
        row["kappa"] * row["q_total"],
        row["liquidity_mode"],
        row["liquidity_agent"],
        weights[start:],
    )
    books.desks.held[:, :] = 0
    if balanced:
        ratio = row["outside_mid_ratio"]
        add_desks(books, n, row["vbt_share"], row["dealer_share"], ratio)
        face += books.desks.held.sum()
        books.desks.mid[:] = ratio
        books.desks.spread[0] = row["spread_short"]
        books.desks.spread[1] = row["spread_mid"]
        books.desks.spread[2] = row["spread_long"]
    books.defaulted[:n] = 0
    books.tally[:] = 0
    return n_terms, face


@njit
def _desk_wealth(books: Books, n: int, holder: int) -> float:
    """Return cash and claims of all VBTs or all dealers, claims at the outside mid, in money."""
    wealth = 0.0
    for bucket in range(N_BUCKETS):
        cash = books.cash[desk(n, holder, bucket)] / MICRO
        wealth += cash + books.desks.mid[bucket] * books.desks.held[holder, bucket]
    return wealth


@njit
def _simulate_days(books: Books, row: np.void, n_terms: int) -> tuple[int, int, int]:
    """Live through a run from its first day to its end.

    Returns
    -------
    end : int
        Code of an ``End``.
    days_simulated : int
    last_impact : int
        Last day on which a debt was settled in full, −1 if there was none.

    Notes
    -----
    No initial debt is live after the longest term has passed; without rollover
    no debt is. The stop rule needs no other count.
    """
    n = np.int64(row["n_agents"])
    balanced = row["kind"] == BALANCED
    active = balanced and row["arm"] == ACTIVE
    n_claims = 3 if balanced else 1
    rollover, early_stop = row["rollover"], row["early_stop"]
    quiet_days = np.int64(row["quiet_days"])
    fail_fast = row["default_handling"] == FAIL_FAST
    horizon = np.int64(row["horizon"])
    face_value = np.int64(row["face_value"])
    unlimited = row["outside_depth"] == UNLIMITED
    order_seed = 1_000_003 * (row["seed"] + 1)
    seeded = False
    last_impact = np.int64(-1)
    quiet = 0
    for day in range(max(30, np.int64(row["maturity_days"]) + 5)):
        if active:
            seeded = trade_day(
                books, n, n_terms, day, horizon, face_value, unlimited, order_seed, seeded
            )
        books.desks.paid[:] = 0
        books.desks.fell[:] = 0
        how, impact = settle_day(books, n, n_terms, n_claims, day, active, fail_fast)
        if impact:
            last_impact = day
        if how == FIRST_DEFAULT:
            return END_DEFAULT, day, last_impact
        if how == ALL_DEFAULTED:
            return END_ALL_DEFAULTED, day, last_impact
        if rollover and impact:
            roll_over_day(books, n, n_terms, n_claims, day, active)
        if active and row["anchor_update"]:
            update_anchors(books, row["phi_m"], row["phi_o"])
        quiet = 0 if impact else quiet + 1
        over = day >= books.debts.term[0] or (rollover and early_stop)
        if over and quiet >= quiet_days:
            return END_STABLE, day + 1, last_impact
    return END_MAX_DAYS, max(30, np.int64(row["maturity_days"]) + 5), last_impact


@njit
def _simulate_row(
    books: Books, row: np.void, metrics: np.void, weights: Doubles, drawn: bool
) -> None:
    """Simulate one run and write what came out."""
    n = np.int64(row["n_agents"])
    n_agents = n + N_DESKS
    n_terms, initial_face = _open_books(books, row, weights, drawn)
    cash_start = books.cash[:n_agents].sum()
    dealer_start, vbt_start, dealer_pnl, vbt_pnl = 0.0, 0.0, 0.0, 0.0
    balanced = row["kind"] == BALANCED
    if balanced:
        dealer_start = _desk_wealth(books, n, DEALER)
        vbt_start = _desk_wealth(books, n, VBT)
    end, days_simulated, last_impact = _simulate_days(books, row, n_terms)
    tally = books.tally
    injection = tally[INJECTION]
    if balanced:
        dealer_pnl = _desk_wealth(books, n, DEALER) - dealer_start
        vbt_pnl = _desk_wealth(books, n, VBT) - vbt_start - injection / MICRO
    phi = tally[SETTLED_INITIAL_FACE] / initial_face if initial_face else np.nan
    metrics["phi_total"] = phi
    metrics["delta_total"] = 1.0 - phi
    metrics["dealer_pnl"] = dealer_pnl
    metrics["dealer_start"] = dealer_start
    metrics["dealer_return"] = dealer_pnl / dealer_start if dealer_start else np.nan
    metrics["vbt_pnl"] = vbt_pnl
    metrics["defaulted_face"] = tally[DEFAULTED_FACE]
    metrics["written_off_face"] = tally[WRITTEN_OFF_FACE]
    metrics["recovered_micro"] = tally[RECOVERED]
    metrics["cash_start_micro"] = cash_start
    metrics["cash_end_micro"] = books.cash[:n_agents].sum()
    metrics["injection_micro"] = injection
    metrics["n_defaults"] = tally[N_DEFAULTS]
    metrics["n_trades"] = tally[N_INTERIOR] + tally[N_PASSTHROUGH]
    metrics["n_interior"] = tally[N_INTERIOR]
    metrics["n_passthrough"] = tally[N_PASSTHROUGH]
    metrics["traded_face"] = tally[TRADED_FACE]
    metrics["days_simulated"] = days_simulated
    metrics["time_to_stability"] = last_impact
    metrics["end"] = end


@njit
def _same_draw(row: np.void, other: np.void) -> bool:
    """Tell whether two runs draw the same debt sizes."""
    return (
        row["seed"] == other["seed"]
        and row["n_agents"] == other["n_agents"]
        and row["concentration"] == other["concentration"]
        and row["monotonicity"] == other["monotonicity"]
        and row["q_total"] == other["q_total"]
    )


@entry(numba.void(_ROWS, numba.float64[::1], _METRICS, numba.int64[::1]))
def simulate_rows(parameters: Rows, weights: Doubles, metrics: Rows, closing_cash: Ints) -> None:
    """Simulate every row, one after the other, with the same arrays.

    Parameters
    ----------
    parameters : PARAMETERS (n_runs,)
        Valid rows. Where a row draws the same debts as the one before, as
        the second run of a pair does, they are not drawn again.
    weights : float64 (n_weights,)
        Liquidity weights, to which ``liquidity_start`` points.
    metrics : METRICS (n_runs,)
        Output.
    closing_cash : int64 (n + 6,) or (0,), micro-units
        Output: cash by agent at the end of the last run, if there is room for it.
    """
    n_agents, maturity_days, n_bits = 0, 0, 0
    for r in range(len(parameters)):
        row = parameters[r]
        n = np.int64(row["n_agents"])
        n_agents = max(n_agents, n)
        maturity_days = max(maturity_days, np.int64(row["maturity_days"]))
        if row["kind"] == BALANCED and row["arm"] == ACTIVE:
            # After the clamp the debts can exceed Q by ε each.
            tickets = (row["q_total"] + n) / row["face_value"]
            n_bits = max(n_bits, np.int64(tickets) + 1)
    books = new_books(n_agents, maturity_days, n_bits)
    for r in range(len(parameters)):
        drawn = r > 0 and _same_draw(parameters[r], parameters[r - 1])
        _simulate_row(books, parameters[r], metrics[r], weights, drawn)
    if len(closing_cash):
        closing_cash[:] = books.cash[: len(closing_cash)]
