"""Whole runs: the calendar, the stop rule, the metrics, and the entry for many runs.

References
----------
MODEL.md, sections 3 and 8.
"""

import numpy as np

from bilancio.model.kernels.books import (
    DEALER,
    DEFAULTED_FACE,
    FELL,
    INJECTION,
    LENGTH,
    LONG,
    MICRO,
    MID,
    MIDDLE,
    N_BUCKETS,
    N_DEFAULTS,
    N_DESKS,
    N_INTERIOR,
    N_PASSTHROUGH,
    N_TALLIES,
    ORDER_FLOW,
    PAID,
    RECOVERED,
    SCENARIO,
    SETTLED_INITIAL_FACE,
    SHORT,
    SPREAD,
    TRADED_FACE,
    VBT,
    WRITTEN_OFF_FACE,
    ZERO,
    Doubles,
    Flags,
    Ints,
    Recorder,
    Rows,
    Stream,
    Words,
)
from bilancio.model.kernels.compiled import part, whole
from bilancio.model.kernels.conventions import desk_of
from bilancio.model.kernels.dealer import update_anchors
from bilancio.model.kernels.rebucketing import rebucket
from bilancio.model.kernels.recording import record_balances, record_quotes
from bilancio.model.kernels.scenario import (
    add_desks,
    draw_amounts,
    endow_traders,
    place_debts,
    write_ring_debts,
)
from bilancio.model.kernels.settlement import (
    ALL_DEFAULTED,
    FIRST_DEFAULT,
    IMPACT,
    find_due_terms,
    roll_over_day,
    settle_day,
)
from bilancio.model.kernels.streams import forget_seeds, start
from bilancio.model.kernels.trading import (
    find_sellers,
    open_inventories,
    open_trading,
    sell_tickets,
)
from bilancio.model.metrics import End
from bilancio.model.parameters import Arm, DefaultHandling, Kind, OutsideDepth
from bilancio.model.tables import code

BALANCED = code(Kind.BALANCED)
ACTIVE = code(Arm.ACTIVE)
FAIL_FAST = code(DefaultHandling.FAIL_FAST)
UNLIMITED = code(OutsideDepth.UNLIMITED)
END_STABLE = code(End.STABLE)
END_MAX_DAYS = code(End.MAX_DAYS)
END_DEFAULT = code(End.DEFAULT)
END_ALL_DEFAULTED = code(End.ALL_DEFAULTED)


@part
def _debts(row: np.void) -> float:
    """Return Q, the total of the ring's debts in money; one of its two columns is 0.

    The arguments are described in `books`.
    """
    return float(row["q_total"] + row["q_per_agent"] * row["n_agents"])


@part
def _open_books(
    row: np.void,
    weights: Doubles,
    cash: Ints,
    debt: Ints,
    trader: Ints,
    term: Ints,
    desk: Ints,
    price: Doubles,
    sized: Doubles,
) -> tuple[int, int]:
    """Write the first day's balance sheets.

    Other arguments are described in `books`.

    Returns
    -------
    n_terms : int
    face : int
        Face of all debts.
    """
    n = whole(row["n_agents"])
    n_terms = place_debts(debt, trader, term, n, whole(row["maturity_days"]), row["mu"])
    balanced = row["kind"] == BALANCED
    face = write_ring_debts(debt, sized, n, max(whole(row["face_value"]), 1))
    start = row["liquidity_start"]
    liquidity, agent = row["kappa"] * _debts(row), whole(row["liquidity_agent"])
    endow_traders(cash, n, liquidity, whole(row["liquidity_mode"]), agent, weights, start)
    for bucket in range(N_BUCKETS):
        desk[VBT, bucket] = 0
        desk[DEALER, bucket] = 0
    if balanced:
        ratio = row["outside_mid_ratio"]
        for bucket in range(N_BUCKETS):
            price[MID, bucket] = ratio
        price[SPREAD, SHORT] = row["spread_short"]
        price[SPREAD, MIDDLE] = row["spread_mid"]
        price[SPREAD, LONG] = row["spread_long"]
        face += add_desks(
            cash, debt, trader, desk, price, sized, n, row["vbt_share"], row["dealer_share"], ratio
        )
    return n_terms, face


@part
def _desk_wealth(cash: Ints, desk: Ints, price: Doubles, n: int, holder: int) -> float:
    """Return cash and claims of all VBTs or all dealers, claims at the outside mid, in money.

    The arguments are described in `books`.
    """
    wealth = 0.0
    for bucket in range(N_BUCKETS):
        money = cash[desk_of(n, holder, bucket)] / MICRO
        wealth += money + price[MID, bucket] * desk[holder, bucket]
    return wealth


@part
def _simulate_days(
    parameters: Rows,
    r: int,
    stream: Stream,
    started: Words,
    keys: Ints,
    cash: Ints,
    debt: Ints,
    trader: Ints,
    term: Ints,
    desk: Ints,
    price: Doubles,
    sized: Doubles,
    dealer_bits: Flags,
    tally: Ints,
    n_terms: int,
    recorder: Recorder | None,
) -> tuple[int, int, int]:
    """Live through a run from its first day to its end.

    Other arguments are described in `books`.

    Returns
    -------
    end : int
        Code of an ``End``.
    days_simulated : int
    last_impact : int
        Last day on which a debt was settled in full, −1 if there was none.

    Notes
    -----
    No initial debt is live after the longest term has passed, and without rollover no debt: the
    stop rule needs no other count. The order flow is seeded when it is first drawn from; by then
    the scenario no longer needs the stream.
    """
    row = parameters[r]
    n = whole(row["n_agents"])
    balanced = row["kind"] == BALANCED
    active = balanced and row["arm"] == ACTIVE
    n_claims = 3 if balanced else 1
    rollover, early_stop = row["rollover"], row["early_stop"]
    fail_fast = row["default_handling"] == FAIL_FAST
    horizon, face_value = whole(row["horizon"]), whole(row["face_value"])
    unlimited = row["outside_depth"] == UNLIMITED
    max_days = max(30, whole(row["maturity_days"]) + 5)
    last_impact, quiet, seeded = -1, 0, False
    if active:
        open_trading(trader, tally, n)
    if recorder is not None:
        record_balances(recorder, cash, ZERO)
    for day in range(max_days):
        n_due = find_due_terms(term, n_terms, day)
        if active:
            rebucket(cash, debt, term, desk, price, n, n_terms, day, face_value, recorder)
            if recorder is not None:
                open_inventories(debt, term, desk, n_due)
                record_quotes(recorder, cash, desk, price, n, day, face_value)
            n_sellers = find_sellers(cash, debt, trader, term, n, day, horizon)
            if n_sellers:
                if not seeded:
                    start(stream, started, keys, parameters, r, ORDER_FLOW)
                    seeded = True
                sell_tickets(
                    stream, cash, debt, trader, term, desk, price, sized, dealer_bits, tally,
                    n, n_due, n_sellers, day, face_value, unlimited, recorder,
                )  # fmt: skip
        for bucket in range(N_BUCKETS):
            desk[PAID, bucket] = 0
            desk[FELL, bucket] = 0
        outcome = settle_day(
            cash, debt, trader, term, desk, dealer_bits, tally,
            n, n_due, n_claims, day, active, fail_fast, recorder,
        )  # fmt: skip
        impact = outcome & IMPACT
        if impact:
            last_impact = day
        if recorder is not None:
            record_balances(recorder, cash, day + 1)  # again after rollover
        if outcome & FIRST_DEFAULT:
            return END_DEFAULT, day, last_impact
        if outcome & ALL_DEFAULTED:
            return END_ALL_DEFAULTED, day, last_impact
        if rollover and impact:
            roll_over_day(cash, debt, trader, term, desk, n, n_due, n_claims, day, active, recorder)
            if recorder is not None:
                record_balances(recorder, cash, day + 1)
        if active and row["anchor_update"]:
            update_anchors(price, desk, row["phi_m"], row["phi_o"])
        quiet = 0 if impact else quiet + 1
        over = day >= term[LENGTH, 0] or (rollover and early_stop)
        if over and quiet >= row["quiet_days"]:
            return END_STABLE, day + 1, last_impact
    return END_MAX_DAYS, max_days, last_impact


@part
def _write_metrics(
    metrics: np.void, tally: Ints, initial_face: int, end: int, days_simulated: int, impact: int
) -> None:
    """Write a run's *metrics*, given its *end*, *days_simulated*, and last day of *impact*.

    *initial_face* is that of all ring debts. The other arguments are described in `books`.
    """
    settled = tally[SETTLED_INITIAL_FACE]
    metrics["phi_total"] = settled / initial_face if initial_face else np.nan
    metrics["delta_total"] = (initial_face - settled) / initial_face if initial_face else np.nan
    metrics["defaulted_face"] = tally[DEFAULTED_FACE]
    metrics["written_off_face"] = tally[WRITTEN_OFF_FACE]
    metrics["recovered_micro"] = tally[RECOVERED]
    metrics["injection_micro"] = tally[INJECTION]
    metrics["n_defaults"] = tally[N_DEFAULTS]
    metrics["n_trades"] = tally[N_INTERIOR] + tally[N_PASSTHROUGH]
    metrics["n_interior"] = tally[N_INTERIOR]
    metrics["n_passthrough"] = tally[N_PASSTHROUGH]
    metrics["traded_face"] = tally[TRADED_FACE]
    metrics["days_simulated"] = days_simulated
    metrics["time_to_stability"] = impact
    metrics["end"] = end


@part
def _same_draw(row: np.void, other: np.void) -> bool:
    """Return whether two runs draw the same debt sizes.

    The arguments are described in `books`.
    """
    return bool(
        row["seed"] == other["seed"]
        and row["n_agents"] == other["n_agents"]
        and row["concentration"] == other["concentration"]
        and row["monotonicity"] == other["monotonicity"]
        and _debts(row) == _debts(other)
    )


@part
def _sum(cash: Ints, n_agents: int) -> int:
    """Return the *cash* of the first *n_agents* agents."""
    total = 0
    for i in range(n_agents):
        total += cash[i]
    return total


def simulate_all(
    parameters: Rows,
    weights: Doubles,
    metrics: Rows,
    stream: Stream,
    started: Words,
    keys: Ints,
    sized: Doubles,
    cash: Ints,
    debt: Ints,
    trader: Ints,
    term: Ints,
    desk: Ints,
    price: Doubles,
    dealer_bits: Flags,
    tally: Ints,
    recorder: Recorder | None,
) -> None:
    """Simulate every row, one after the other, with the same arrays.

    Parameters
    ----------
    parameters : PARAMETER_ROW (n_runs,)
        Valid rows. Where a row draws the same debts as the one before, as the second run of a pair
        does, they are not drawn again.
    weights : float64 (n_weights,)
        Liquidity weights, to which ``liquidity_start`` points.
    metrics : METRIC_ROW (n_runs,)
        Output.
    stream, started, keys, sized, cash, debt, trader, term, desk, price, dealer_bits, tally
        ``Books`` for all rows; afterwards they are those of the last run.
    recorder
        None, or room for what happens in the only run.
    """
    forget_seeds(keys)
    for r in range(len(parameters)):
        row = parameters[r]
        n = whole(row["n_agents"])
        balanced = row["kind"] == BALANCED
        n_agents = n + N_DESKS if balanced else n
        if r == 0 or not _same_draw(row, parameters[r - 1]):
            start(stream, started, keys, parameters, r, SCENARIO)
            draw_amounts(stream, sized, n, _debts(row), row["concentration"], row["monotonicity"])
        n_terms, initial_face = _open_books(
            row, weights, cash, debt, trader, term, desk, price, sized
        )
        for i in range(N_TALLIES):
            tally[i] = 0
        cash_start = _sum(cash, n_agents)
        dealer_start, vbt_start, dealer_pnl, vbt_pnl = 0.0, 0.0, 0.0, 0.0
        if balanced:
            dealer_start = _desk_wealth(cash, desk, price, n, DEALER)
            vbt_start = _desk_wealth(cash, desk, price, n, VBT)
        end, days_simulated, impact = _simulate_days(
            parameters, r, stream, started, keys,
            cash, debt, trader, term, desk, price, sized, dealer_bits, tally, n_terms, recorder,
        )  # fmt: skip
        if balanced:
            dealer_pnl = _desk_wealth(cash, desk, price, n, DEALER) - dealer_start
            vbt_pnl = _desk_wealth(cash, desk, price, n, VBT) - vbt_start - tally[INJECTION] / MICRO
        found = metrics[r]
        found["dealer_pnl"] = dealer_pnl
        found["dealer_start"] = dealer_start
        found["dealer_return"] = dealer_pnl / dealer_start if dealer_start else np.nan
        found["vbt_pnl"] = vbt_pnl
        found["cash_start_micro"] = cash_start
        found["cash_end_micro"] = _sum(cash, n_agents)
        _write_metrics(found, tally, initial_face, end, days_simulated, impact)
