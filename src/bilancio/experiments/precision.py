"""When a sweep that asks for a precision has seeds enough.

After a first lot the intervals of the primary measure are looked at, overall or in each group;
where one is too wide, a further lot of whole seeds follows (`analysis.planning.more_seeds`). What
a look says depends on the seeds that come before it alone, so that an interrupted sweep goes on as
if nothing had happened.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bilancio.analysis.intervals import Intervals, Lack, measure_intervals
from bilancio.analysis.measures import Measure, Values
from bilancio.analysis.planning import more_seeds, reached
from bilancio.experiments.grid_sweep import GridSweep
from bilancio.experiments.reduction import Bools, Cells, Groups, Recorded
from bilancio.text import plural


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far a sweep is from its precision.

    Attributes
    ----------
    seeds_asked
        Seeds that are to be run until the next look, or were until the last one.
    settled
        Whether no more follow: the precision is reached, or the most seeds are run.
    reached
        Whether it is settled, and each interval is narrow enough.
    half_width
        Of the widest interval, over the whole seeds recorded; None where one is missing.
    n_seeds
        Whole seeds, of the group that has fewest.
    """

    seeds_asked: int
    settled: bool
    reached: bool
    half_width: float | None
    n_seeds: int


class Stopping:
    """Says after which seeds a sweep stops, given the columns of its primary measure.

    Parameters
    ----------
    measure
        The primary measure.
    averaged : bool (n_cells,)
        The cells that averages are over.
    """

    def __init__(
        self, config: GridSweep, measure: Measure, recorded: Recorded, cells: Cells, averaged: Bools
    ) -> None:
        by = [cells.columns[name] for name in config.precision_by or ()]
        self._config = config
        self._measure = measure
        self._groups = Groups(cells, by, averaged, [measure], kept=[measure.name])
        missing = ~recorded.done
        missing[recorded.failed] = False
        self._open: Bools = np.any(config.layout.cube(missing), axis=(1, 2))
        begun = recorded.done.copy()
        begun[recorded.failed] = True
        seeds = np.flatnonzero(config.layout.cube(begun).any(axis=(1, 2)))
        self._begun = int(seeds.max(initial=-1)) + 1

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics whose columns are wanted."""
        return self._groups.metrics

    def take(self, metric: str, cube: Values, arms: Sequence[str]) -> None:
        """Take a metric by seed, cell and arm: float64 (n_seeds, n_cells, n_arms)."""
        self._groups.take(metric, cube, arms)

    def seeds_after(self, n_seeds: int) -> int:
        """Return how many seeds are to be run, once the first *n_seeds* have been.

        That is *n_seeds* where the sweep stops. Where more have been run all the same, runs that
        had failed before the look have results now, and it looks again after those.
        """
        most = self._config.n_seeds
        more = more_seeds(self._found(n_seeds), self._wanted, n_seeds, most)
        return n_seeds + more if more else max(n_seeds, self._begun)

    def standing(self) -> Standing:
        """Return how far the sweep is, repeating its looks."""
        n_seeds, settled = self._config.first_seeds, False
        while not settled and not self._open[:n_seeds].any():
            asked = self.seeds_after(n_seeds)
            n_seeds, settled = asked, asked == n_seeds
        found = self._found(self._config.n_seeds)
        half = np.where(found.lack == Lack.EQUAL, 0.0, (found.high - found.low) / 2)
        whole = self._groups.n_seeds
        return Standing(
            seeds_asked=n_seeds,
            settled=settled,
            reached=settled and bool(len(half)) and bool(reached(found, self._wanted).all()),
            half_width=float(half.max()) if len(half) and np.isfinite(half).all() else None,
            n_seeds=int(whole.min()) if len(whole) else 0,
        )

    @property
    def _wanted(self) -> float:
        return float(self._config.precision or 0)

    def _found(self, n_seeds: int) -> Intervals:
        """Return the interval of each group over the whole seeds among the first *n_seeds*."""
        top, bottom = self._groups.sides[self._measure.name]
        return measure_intervals(top[:, :n_seeds], None if bottom is None else bottom[:, :n_seeds])


def summary(config: GridSweep, standing: Standing) -> dict[str, Any]:
    """Return what a summary says of the precision, as JSON holds it."""
    found = {
        "wanted": float(config.precision or 0),
        "reached": standing.reached,
        "half_width": standing.half_width,
        "n_seeds": standing.n_seeds,
    }
    if not standing.settled:
        found["settled"] = False
    elif not standing.reached and standing.seeds_asked < config.n_seeds:
        found["reachable"] = False
    return found | ({"by": list(config.precision_by)} if config.precision_by else {})


def words(summary: Mapping[str, Any]) -> str:
    """Say whether the precision asked for is reached; nothing where none was."""
    found = summary.get("precision")
    if found is None:
        return ""
    wanted, half = f"{found['wanted']:g}", found["half_width"]
    seeds = plural(found["n_seeds"], "seed")
    each = f" in each group by {', '.join(found['by'])}" if "by" in found else ""
    wide = "an interval is missing" if half is None else f"the half width is {half:.4g}"
    if half is not None and "by" in found:
        wide = f"the widest half width is {half:.4g}"
    if found["reached"]:
        return f"Precision {wanted} reached{each} with {seeds}: {wide}."
    if "settled" in found:
        return f"Precision {wanted} not reached yet{each}: {wide} with {seeds}."
    if "reachable" in found:
        why = f"{wide}, and more seeds would not give one"
        return f"Precision {wanted} not reached{each} with {seeds}: {why}."
    return f"Precision {wanted} not reached{each} with {seeds}, the most allowed: {wide}."
