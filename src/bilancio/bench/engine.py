"""How long the engine takes for a run: batched, on one core, in seconds of that core."""

import itertools
import time
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from bilancio.bench.finding import Finding
from bilancio.model import parameters_of, simulate_many, warm_up
from bilancio.model.parameters import Arm
from bilancio.model.tables import code, parameter_table

KAPPAS = (0.25, 0.5, 1.0, 2.0, 4.0)
CONCENTRATIONS = (0.2, 0.5, 1.0, 2.0, 5.0)
MUS = (0.0, 0.25, 0.5, 0.75, 1.0)
SIZES = ((10, 10), (100, 10), (100, 30), (100, 100), (1_000, 10), (10_000, 10))  # n, D
KINDS = {
    "ring": ("ring", (Arm.PASSIVE,)),
    "passive": ("balanced", (Arm.PASSIVE,)),
    "active": ("balanced", (Arm.ACTIVE,)),
    "pair": ("balanced", (Arm.PASSIVE, Arm.ACTIVE)),
}
TARGETS_US = {"ring": 8.0, "passive": 30.0, "pair": 95.0}  # at n = 100, D = 10
LARGE = 100  # from more agents on, one seed a cell is enough to time
SEEDS = 4


class Timing(NamedTuple):
    """Microseconds of one core for a run of this kind and size; a pair counts as one run."""

    what: str
    n_agents: int
    maturity_days: int
    us: float
    trades: float


def timings(seconds_each: float = 0.1) -> Iterator[Timing]:
    """Yield a timing for each kind and size: the best of what fits into *seconds_each*."""
    warm_up()
    for (what, (kind, arms)), (n_agents, days) in itertools.product(KINDS.items(), SIZES):
        seeds = SEEDS if n_agents <= LARGE else 1
        table = table_of(kind, arms, n_agents, days, seeds=seeds)
        runs = len(table) / len(arms)
        best, spent = float("inf"), 0.0
        while spent < seconds_each:
            start = time.thread_time()  # other programs lengthen any other clock's times
            found = simulate_many(table)
            took = time.thread_time() - start
            best, spent = min(best, took), spent + took
        yield Timing(what, n_agents, days, best / runs * 1e6, float(found["n_trades"].sum() / runs))


def findings() -> Iterator[Finding]:
    """Yield the timings as findings, with their targets at n = 100, D = 10."""
    for timing in timings():
        usual = (timing.n_agents, timing.maturity_days) == (100, 10)
        yield Finding(
            what=f"{timing.what}, n = {timing.n_agents:,}, D = {timing.maturity_days}",
            value=timing.us,
            unit="µs",
            at_most=TARGETS_US.get(timing.what) if usual else None,
        )


def table_of(
    kind: str, arms: tuple[Arm, ...], n_agents: int, maturity_days: int, seeds: int
) -> np.ndarray:
    """Return runs over a spread of kappa, c and mu; those of a pair stand side by side.

    Every pair has a seed of its own, for runs that draw the same debts would draw them once.
    """
    fields = {"n_agents": n_agents, "maturity_days": maturity_days, "q_total": 100 * n_agents}
    run, _ = parameter_table([parameters_of({"kind": kind} | fields)])
    cells = list(itertools.product(KAPPAS, CONCENTRATIONS, MUS, range(seeds), arms))
    table = np.repeat(run, len(cells))
    for i, (kappa, concentration, mu, _, arm) in enumerate(cells):
        row = table[i]
        row["kappa"], row["concentration"], row["mu"] = kappa, concentration, mu
        row["seed"], row["arm"] = i // len(arms), code(arm)
    return table
