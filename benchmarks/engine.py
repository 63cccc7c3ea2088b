"""How long the engine takes for a run: batched, on one core.

Run it by ``uv run python benchmarks/engine.py``; add ``--oracle`` in a checkout to see how many
times faster that is than a slow reading of MODEL.md in the same process.
"""

import itertools
import sys
import time
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

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
SECONDS_EACH = 0.3


class Timing(NamedTuple):
    """One row of the table; a pair counts as one run. ``ratio``: oracle / engine, if it ran."""

    what: str
    n_agents: int
    maturity_days: int
    us: float
    trades: float
    ratio: float | None


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


def rows(*, oracle: bool = False) -> Iterator[Timing]:
    """Yield the timings, best of as many repetitions as fit a third of a second each."""
    warm_up()
    for (what, (kind, arms)), (n_agents, days) in itertools.product(KINDS.items(), SIZES):
        table = table_of(kind, arms, n_agents, days, seeds=4 if n_agents <= 100 else 1)
        runs = len(table) / len(arms)
        best, spent = float("inf"), 0.0
        while spent < SECONDS_EACH:
            start = time.perf_counter()
            found = simulate_many(table)
            took = time.perf_counter() - start
            best, spent = min(best, took), spent + took
        us = best / runs * 1e6
        ratio = None
        if oracle and n_agents <= 100 and days == 10:
            ratio = oracle_us(kind, arms, n_agents, days) / us
        yield Timing(what, n_agents, days, us, float(found["n_trades"].sum() / runs), ratio)


def oracle_us(kind: str, arms: tuple[Arm, ...], n_agents: int, maturity_days: int) -> float:
    """Return what the oracle takes for a run, over the corners of the same spread."""
    from tests import oracle  # only in a checkout, and only when asked for

    cells = list(itertools.product(KAPPAS[::2], CONCENTRATIONS[::2], MUS[::2]))
    start = time.perf_counter()
    for (kappa, concentration, mu), arm in itertools.product(cells, arms):
        oracle.simulate(
            kind=kind, arm=str(arm), n_agents=n_agents, maturity_days=maturity_days, kappa=kappa,
            concentration=concentration, mu=mu, q_total=100 * n_agents, seed=0,
        )  # fmt: skip
    return (time.perf_counter() - start) / len(cells) * 1e6


def main() -> None:
    """Print the table."""
    print(f"{'':8}{'n':>7}{'D':>5}{'µs':>11}{'µs/agent':>10}{'trades':>9}{'oracle ÷ engine':>17}")
    for timing in rows(oracle="--oracle" in sys.argv):
        ratio = f"{timing.ratio:,.0f}" if timing.ratio else ""
        print(
            f"{timing.what:8}{timing.n_agents:7}{timing.maturity_days:5}{timing.us:11,.1f}"
            f"{timing.us / timing.n_agents:10.2f}{timing.trades:9,.0f}{ratio:>17}"
        )


if __name__ == "__main__":
    main()
