"""How often the range of κ* contains the κ* of many seeds, by simulation with the real engine.

Run it by ``uv run python benchmarks/frontier.py`` (about two minutes); ``--repetitions N`` takes
more than 400. Small rings and comparisons are computed once, under many seeds, at every κ that a
search can try. Each repetition draws some of the seeds, searches, and asks whether the range
contains the κ at which the mean over all seeds crosses the limit. A range at 95 % should do so in
95 % of repetitions; the last columns say how often it lies wholly below and wholly above.
"""

import argparse
import math
import time
from typing import NamedTuple

import numpy as np

from bilancio.analysis.crossings import Curve, crossing_ranges, crossings
from bilancio.experiments import frontier, registry
from bilancio.experiments.configs import BalancedSweep, RingSweep

REPETITIONS = 400
SEEDS = (5, 10, 20, 40)
POOL = 1500
LEVELS = 8  # bisections of the bracket
LOW, HIGH = 1, 16
N_AGENTS, DAYS = 20, 5
CASES = (
    (RingSweep, "0.05"),
    (RingSweep, "0.2"),
    (BalancedSweep, "0.05"),
)


class Pool(NamedTuple):
    """Default rates of the last arm.

    Attributes
    ----------
    scale : float64 (n_points,)
        log κ, increasing.
    deltas : float64 (n_seeds, n_points)
    """

    scale: np.ndarray
    deltas: np.ndarray


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--repetitions", type=int, default=REPETITIONS)
    asked = parser.parse_args()
    began = time.perf_counter()
    print(f"{'sweep':10}{'limit':>6}{'κ*':>8}{'seeds':>7}{'coverage':>10}{'below':>8}{'above':>8}")
    pools = {model: pool(model) for model, _ in dict(CASES).items()}
    for model, limit in CASES:
        known = pools[model]
        (truth,) = crossings(known.deltas.mean(axis=0)[None] - float(limit), known.scale)
        for n_seeds in SEEDS:
            search = model(
                frontier=True,
                frontier_delta=limit,
                kappa_range=[LOW, HIGH],
                frontier_tolerance="0.011",
                n_replicates=n_seeds,
            )
            shares = covered(search, known, truth, asked.repetitions)
            print(
                f"{model.__name__.removesuffix('Sweep').lower():10}{limit:>6}"
                f"{math.exp(truth):8.3f}{n_seeds:7}{shares[0]:10.3f}{shares[1]:8.3f}{shares[2]:8.3f}"
            )
    print(f"{asked.repetitions} repetitions each, {time.perf_counter() - began:.0f} s")


def pool(model: type[RingSweep] | type[BalancedSweep]) -> Pool:
    """Compute the default rates of many seeds at all κ's that a search can try."""
    scale = np.linspace(math.log(LOW), math.log(HIGH), 2**LEVELS + 1)
    kappas = [f"{kappa:.6g}" for kappa in np.exp(scale)]
    config = model(n_agents=N_AGENTS, maturity_days=DAYS, kappas=kappas, n_replicates=POOL)
    last = len(config.arms) - 1
    experiment = registry.experiment(config.sweep_type)
    indices = np.arange(config.total_runs)[last :: len(config.arms)]
    parts = [
        experiment.compute(config, part)["delta_total"] for part in np.array_split(indices, 50)
    ]
    return Pool(scale, np.concatenate(parts).reshape(POOL, -1))


def covered(
    config: RingSweep, known: Pool, truth: float, repetitions: int
) -> tuple[float, float, float]:
    """Return how often the range contains the truth, lies below it, and lies above it."""
    n_seeds, limit = config.n_seeds, float(config.frontier_delta or 0)
    rng = np.random.default_rng(1)
    counts = np.zeros(3)
    for _ in range(repetitions):
        deltas = known.deltas[rng.choice(POOL, n_seeds, replace=False)]
        places = tried(config, known.scale, deltas.mean(axis=0))
        values = deltas[:, places] - limit
        curve = Curve(points=known.scale[places], excess=values, weight=np.ones(values.shape))
        (found,) = crossing_ranges([curve])
        counts += [found.low <= truth <= found.high, found.high < truth, found.low > truth]
    return tuple((counts / repetitions).tolist())


def tried(config: RingSweep, scale: np.ndarray, means: np.ndarray) -> np.ndarray:
    """Return where a search looks, increasing, given the mean at each place."""
    deltas: list[float | None] = [None] * config.max_probes
    places = set()
    while wanted := frontier.search(config, deltas).wanted:
        for number, kappa in wanted.items():
            place = int(np.abs(scale - math.log(kappa)).argmin())
            deltas[number] = float(means[place])
            places.add(place)
    return np.array(sorted(places))


if __name__ == "__main__":
    main()
