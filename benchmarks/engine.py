"""How many times faster the engine is than a slow reading of MODEL.md in the same process.

Run it by ``uv run python benchmarks/engine.py``; add ``--oracle`` in a checkout for that ratio.
Without it the table is that of ``bilancio bench``, with trades and microseconds per agent.
"""

import itertools
import sys
import time

from bilancio.bench.engine import CONCENTRATIONS, KAPPAS, KINDS, MUS, Timing, timings


def oracle_us(timing: Timing) -> float:
    """Return what the oracle takes for a run, over the corners of the same spread."""
    from tests import oracle  # only in a checkout, and only when asked for

    kind, arms = KINDS[timing.what]
    cells = list(itertools.product(KAPPAS[::2], CONCENTRATIONS[::2], MUS[::2]))
    start = time.thread_time()
    for (kappa, concentration, mu), arm in itertools.product(cells, arms):
        oracle.simulate(
            kind=kind, arm=str(arm), n_agents=timing.n_agents,
            maturity_days=timing.maturity_days, kappa=kappa, concentration=concentration, mu=mu,
            q_total=100 * timing.n_agents, seed=0,
        )  # fmt: skip
    return (time.thread_time() - start) / len(cells) * 1e6


def main() -> None:
    """Print the table."""
    print(f"{'':8}{'n':>7}{'D':>5}{'µs':>11}{'µs/agent':>10}{'trades':>9}{'oracle ÷ engine':>17}")
    for timing in timings():
        ratio = ""
        if "--oracle" in sys.argv and timing.n_agents <= 100 and timing.maturity_days == 10:
            ratio = f"{oracle_us(timing) / timing.us:,.0f}"
        print(
            f"{timing.what:8}{timing.n_agents:7}{timing.maturity_days:5}{timing.us:11,.1f}"
            f"{timing.us / timing.n_agents:10.2f}{timing.trades:9,.0f}{ratio:>17}"
        )


if __name__ == "__main__":
    main()
