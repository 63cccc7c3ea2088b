"""How often the intervals contain what they are of, by simulation.

Run it by ``uv run python benchmarks/intervals.py``; ``--repetitions N`` takes more than 500, and
``--model`` adds the grids and hypercubes of the real engine (a few minutes). An interval at 95 %
should contain the truth in 95 % of repetitions; the last column is the standard error of what was
counted. The synthetic outcomes resemble those of the model: a curved surface over three
parameters, seeds that shift and tilt it as a whole, noise that is skewed and differs by cell.
"""

import argparse
import itertools
import math
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from scipy.stats import qmc

from bilancio.analysis.effects import effects
from bilancio.analysis.intervals import (
    Intervals,
    mean_intervals,
    ratio_intervals,
    two_way_differences,
    two_way_interval,
)
from bilancio.analysis.planning import more_seeds
from bilancio.analysis.sobol import sobol_indices
from bilancio.analysis.verdicts import adjusted
from bilancio.bench.engine import table_of
from bilancio.model import simulate_many, warm_up
from bilancio.model.parameters import Arm

REPETITIONS = 500
HYPERCUBES = ((20, 10), (50, 20), (200, 10))  # cells, seeds
SEEDS = (5, 10, 20, 40)
LEVELS = (np.arange(5) + 0.5) / 5
RANGES = {"kappa": (0.25, 4.0), "concentration": (0.2, 5.0), "mu": (0.0, 1.0)}
LOGARITHMIC = ("kappa", "concentration")
N_AGENTS = 50  # of the engine

Points = np.ndarray  # (n, 3), in the unit cube


class Row(NamedTuple):
    """A share of repetitions."""

    what: str
    share: float
    n: int
    wanted: str = ""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--repetitions", type=int, default=REPETITIONS)
    parser.add_argument("--model", action="store_true", help="the real engine, too")
    asked = parser.parse_args()
    parts = [grids, ratios, hypercubes, comparisons, stopping, families, shares, sobol]
    started = time.perf_counter()
    print(f"{'':66}{'share':>7}{'wanted':>8}{'± se':>7}")
    for part in [*parts, engine] if asked.model else parts:
        for row in part(asked.repetitions):
            error = math.sqrt(max(row.share * (1 - row.share), 1 / row.n) / row.n)
            print(f"{row.what:66}{row.share:7.3f}{row.wanted:>8}{error:7.3f}", flush=True)
    print(f"{asked.repetitions:,} repetitions, {time.perf_counter() - started:.0f} s")


def surface(at: Points) -> np.ndarray:
    """Return the expected effect at points of the unit cube."""
    x, y, z = at.T
    return 0.01 + 0.35 * np.exp(-3 * x) * (0.2 + z) - 0.05 * x * y


def outcomes(at: Points, n_seeds: int, rng: np.random.Generator) -> np.ndarray:
    """Return effects, (n_points, n_seeds): common random numbers move all points together.

    Standard deviations between cells, between seeds and of the rest are about 0.08, 0.01 and 0.03,
    and the rest has a skewness of 0.7; the engine has 0.07, 0.01, 0.03 and 0.3 at n = 100.
    """
    x, _, z = at.T
    shift = 0.008 * rng.standard_normal(n_seeds)
    tilt = 0.02 * rng.standard_normal(n_seeds)
    noise = (rng.standard_gamma(8, (len(at), n_seeds)) - 8) / math.sqrt(8)
    spread = 0.02 + 0.025 * (1 - x)
    return surface(at)[:, None] + shift + np.outer(z - 0.5, tilt) + spread[:, None] * noise


def crossed(levels: np.ndarray, n_axes: int = 3) -> Points:
    return np.array(list(itertools.product(levels, repeat=n_axes)))


CUBE_MEAN = float(surface(crossed((np.arange(50) + 0.5) / 50)).mean())


def contains(intervals: Intervals, truth: float | np.ndarray) -> np.ndarray:
    """Return which rows' intervals contain the truth."""
    return (intervals.low <= truth) & (truth <= intervals.high)


def share_of(intervals: Intervals, truth: float | np.ndarray) -> float:
    """Return the share of rows whose interval contains the truth."""
    return float(contains(intervals, truth).mean())


def excludes(intervals: Intervals, sign: float | np.ndarray = 0) -> np.ndarray:
    """Return which rows' intervals exclude 0; with signs of the truth, on the wrong side of it."""
    return ((intervals.low > 0) & (sign <= 0)) | ((intervals.high < 0) & (sign >= 0))


def grids(repetitions: int) -> Iterator[Row]:
    at = crossed(LEVELS)
    for n_seeds in SEEDS:
        rng = np.random.default_rng(n_seeds)
        means = [outcomes(at, n_seeds, rng).mean(axis=0) for _ in range(repetitions)]
        share = share_of(mean_intervals(np.array(means)), surface(at).mean())
        yield Row(
            f"mean of a grid of {len(at)} cells, t, {n_seeds} seeds", share, repetitions, "0.95"
        )


def ratios(repetitions: int) -> Iterator[Row]:
    """Relief: the effect as a share of the passive arm's default rate, per seed over all cells."""
    for n_seeds in SEEDS:
        rng = np.random.default_rng(100 + n_seeds)
        passive = rng.gamma(36, 0.01, (repetitions, n_seeds))
        effect = 0.25 * passive + 0.01 * (rng.standard_gamma(8, passive.shape) - 8)
        found = ratio_intervals(effect, passive)
        yield Row(
            f"ratio of means, jackknife, {n_seeds} seeds",
            share_of(found, 0.25),
            repetitions,
            "0.95",
        )


def hypercubes(repetitions: int) -> Iterator[Row]:
    for n_cells, n_seeds in HYPERCUBES:
        rng = np.random.default_rng(n_cells)
        inside = {"two-way": 0.0, "independent points, two-way": 0.0, "seeds alone": 0.0}
        for _ in range(repetitions):
            values = outcomes(qmc.LatinHypercube(3, rng=rng).random(n_cells), n_seeds, rng)
            inside["two-way"] += share_of(two_way_interval(values), CUBE_MEAN)
            of_seeds = mean_intervals(values.mean(axis=0, keepdims=True))
            inside["seeds alone"] += share_of(of_seeds, CUBE_MEAN)
            values = outcomes(rng.random((n_cells, 3)), n_seeds, rng)
            inside["independent points, two-way"] += share_of(two_way_interval(values), CUBE_MEAN)
        for how, count in inside.items():
            what = f"hypercube, {n_cells} × {n_seeds}, {how}"
            yield Row(
                what, count / repetitions, repetitions, "" if how == "seeds alone" else "≥ 0.93"
            )


def comparisons(repetitions: int) -> Iterator[Row]:
    """Two jobs over one hypercube and its seeds, one with 0.7 times the effect, and own noise."""
    for n_cells, n_seeds in HYPERCUBES:
        rng = np.random.default_rng(n_cells)
        inside = {"two-way": 0.0, "seeds alone": 0.0}
        everything = np.ones((1, n_seeds), bool), np.zeros(n_cells, np.int64)
        for _ in range(repetitions):
            at = qmc.LatinHypercube(3, rng=rng).random(n_cells)
            first = outcomes(at, n_seeds, rng).T
            second = 0.7 * first + 0.02 * rng.standard_normal(first.shape)
            found = two_way_differences((first, None), (second, None), *everything)
            inside["two-way"] += share_of(found, 0.3 * CUBE_MEAN)
            of_seeds = mean_intervals((first - second).mean(axis=1)[None, :])
            inside["seeds alone"] += share_of(of_seeds, 0.3 * CUBE_MEAN)
        for how, count in inside.items():
            what = f"jobs over the same hypercube, {n_cells} × {n_seeds}, {how}"
            yield Row(
                what, count / repetitions, repetitions, "" if how == "seeds alone" else "≥ 0.93"
            )


def stopping(repetitions: int) -> Iterator[Row]:
    """Means of seeds that are normal, or skewed (exponential), with standard deviation 1."""
    draws: dict[str, Callable[[np.random.Generator, tuple[int, int]], np.ndarray]] = {
        "normal": lambda rng, shape: rng.standard_normal(shape),
        "skewed": lambda rng, shape: rng.standard_exponential(shape) - 1,
    }
    cases = itertools.product(draws, (1, 10), (0.4, 0.3, 0.2, 0.1))
    for kind, n_rows, wanted in cases:
        rng = np.random.default_rng(int(1000 * wanted) + n_rows)
        inside, used, rounds = 0.0, 0, 0
        few = max(repetitions // n_rows, 1)
        for _ in range(few):
            values = np.empty((n_rows, 0))
            found = mean_intervals(values)
            while added := more_seeds(found, wanted, values.shape[1], 10_000):
                values = np.hstack([values, draws[kind](rng, (n_rows, added))])
                found = mean_intervals(values)
                rounds += 1
            inside += share_of(found, 0)
            used += values.shape[1]
        needed = math.ceil((1.96 / wanted) ** 2)
        rows = "1 row" if n_rows == 1 else f"{n_rows} rows"
        what = (
            f"precision ± {wanted} sd, {kind}, {rows}: {used / few:.0f} seeds"
            f" (ideal {needed}), {rounds / few:.1f} rounds"
        )
        yield Row(what, inside / few, few * n_rows, "0.95")


def families(repetitions: int) -> Iterator[Row]:
    """The share of repetitions in which Holm's verdicts call any row without effect certain."""
    for n_rows, n_true, n_seeds in ((10, 0, 10), (100, 0, 10), (100, 50, 10), (100, 50, 40)):
        for kind in ("normal", "skewed"):
            rng = np.random.default_rng(n_rows + n_true)
            wrong = 0
            for _ in range(repetitions):
                values = rng.standard_normal((n_rows, n_seeds))
                if kind == "skewed":  # a difference of two arms, of which one varies more
                    values = rng.standard_exponential(values.shape) - 1
                    values -= 0.5 * (rng.standard_exponential(values.shape) - 1)
                values[:n_true] += 2
                wrong += bool(excludes(adjusted(mean_intervals(values)))[n_true:].any())
            what = f"Holm, any wrong verdict, {n_rows} rows, {n_true} true, {n_seeds} seeds, {kind}"
            yield Row(what, wrong / repetitions, repetitions, "≤ 0.05")


def shares(repetitions: int) -> Iterator[Row]:
    """Shares of the variance between the cells of a grid of 5 × 5 × 5."""
    at = crossed(LEVELS)
    truth = effects(np.repeat(surface(at)[:, None], 3, axis=1), (5, 5, 5)).shares.estimate
    few = max(repetitions // 5, 1)
    for n_seeds in (5, 10, 20):
        rng = np.random.default_rng(n_seeds)
        found = [effects(outcomes(at, n_seeds, rng), (5, 5, 5)).shares for _ in range(few)]
        for place, name in ((0, "x (largest)"), (2, "z"), (4, "x × z"), (1, "y (small)")):
            inside = np.mean(
                [each.low[place] <= truth[place] <= each.high[place] for each in found]
            )
            what = f"share of {name}, {truth[place]:.2f}, jackknife, {n_seeds} seeds"
            yield Row(what, float(inside), few, "0.95")


def ishigami(x: np.ndarray) -> np.ndarray:
    return np.sin(x[0]) + 7 * np.sin(x[1]) ** 2 + 0.1 * x[2] ** 4 * np.sin(x[0])


def sobol(repetitions: int) -> Iterator[Row]:
    """Ishigami's function, whose indices are known, exact and with noise of ten seeds."""
    truths = np.array([[0.3139, 0.4424, 0.0], [0.5576, 0.4424, 0.2437]])
    few = max(repetitions // 5, 1)
    for n_points, n_seeds in itertools.product((128, 512), (0, 10)):
        inside = np.zeros(2)
        rng = np.random.default_rng(n_points)
        for _ in range(few):
            points = (2 * qmc.Sobol(6, rng=rng).random(n_points).T - 1) * math.pi
            a, b = points[:3], points[3:]
            swapped = [np.where(np.arange(3)[:, None] == k, b, a) for k in range(3)]
            values = np.stack([ishigami(each) for each in (a, b, *swapped)])
            if n_seeds:
                tilt = rng.standard_normal(n_seeds) * a[0].std()
                values = (
                    values[..., None] + tilt + 3 * rng.standard_normal((*values.shape, n_seeds))
                )
            found = sobol_indices(values[0], values[1], values[2:])
            inside += [share_of(found.first, truths[0]), share_of(found.total, truths[1])]
        noise = f"noise of {n_seeds} seeds" if n_seeds else "exact"
        for order, share in zip(("first", "total"), inside / few, strict=True):
            what = f"Sobol indices of {order} order, {n_points} points, {noise}"
            yield Row(what, float(share), few * 3, "0.95")


def engine(repetitions: int) -> Iterator[Row]:
    """The trading effect of the real engine, n = 50, over ranges of κ, c and μ."""
    warm_up()
    rng = np.random.default_rng(1)
    at = crossed(np.linspace(0, 1, 3))
    long = max(repetitions // 2, 1) * 40
    passive, active = engine_arms(at, rng, long)
    effect = passive - active
    of_cells = effect.mean(axis=1)
    for n_seeds in (5, 10, 20, 40):
        blocks = effect[:, : long // n_seeds * n_seeds].reshape(len(at), -1, n_seeds)
        found = mean_intervals(blocks.mean(axis=0))
        n = len(found.low)
        what = f"engine, mean of a grid of {len(at)} cells, t, {n_seeds} seeds"
        yield Row(what, share_of(found, effect.mean()), n, "0.95")
        of_ratio = ratio_intervals(
            blocks.mean(axis=0),
            passive[:, : long // n_seeds * n_seeds].mean(axis=0).reshape(-1, n_seeds),
        )
        what = f"engine, relief over {len(at)} cells, jackknife, {n_seeds} seeds"
        yield Row(what, share_of(of_ratio, effect.mean() / passive.mean()), n, "0.95")
        each = [mean_intervals(blocks[:, place]) for place in range(n)]
        known = np.concatenate([found.lack == 0 for found in each])
        inside = np.concatenate([contains(found, of_cells) for found in each])[known]
        what = f"engine, mean of a single cell, t, {n_seeds} seeds"
        yield Row(what, float(inside.mean()), len(inside), "0.95")
        wrong = [(excludes(adjusted(found), np.sign(of_cells))).any() for found in each]
        what = f"engine, Holm, any verdict of the wrong sign, {len(at)} rows, {n_seeds} seeds"
        yield Row(what, float(np.mean(wrong)), n, "≤ 0.05")
    truth = np.mean([engine_effects(rng.random((20_000, 3)), rng, 1).mean() for _ in range(20)])
    few = max(repetitions // 2, 1)
    for n_cells, n_seeds in HYPERCUBES:
        inside = 0.0
        for _ in range(few):
            points = qmc.LatinHypercube(3, rng=rng).random(n_cells)
            inside += share_of(two_way_interval(engine_effects(points, rng, n_seeds)), truth)
        yield Row(f"engine, hypercube, {n_cells} × {n_seeds}, two-way", inside / few, few, "≥ 0.93")


def engine_effects(at: Points, rng: np.random.Generator, n_seeds: int) -> np.ndarray:
    passive, active = engine_arms(at, rng, n_seeds)
    return passive - active


def engine_arms(
    at: Points, rng: np.random.Generator, n_seeds: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the default rates of both arms, (n_points, n_seeds), with common seeds."""
    arms = (Arm.PASSIVE, Arm.ACTIVE)
    first = table_of("balanced", arms, N_AGENTS, 10, seeds=1)[:2]
    table = np.tile(first, len(at) * n_seeds)
    for name, column in zip(RANGES, at.T, strict=True):
        low, high = RANGES[name]
        values = (
            low * (high / low) ** column if name in LOGARITHMIC else low + column * (high - low)
        )
        table[name] = np.tile(np.repeat(values, 2), n_seeds)
    seeds = rng.integers(0, 2**31, n_seeds)
    table["seed"] = np.repeat(seeds, 2 * len(at))
    delta = simulate_many(table)["delta_total"].reshape(n_seeds, len(at), 2)
    return delta[:, :, 0].T, delta[:, :, 1].T


if __name__ == "__main__":
    main()
