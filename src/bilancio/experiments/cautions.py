"""What to know before drawing conclusions from results."""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from bilancio.analysis.intervals import Lack
from bilancio.experiments.answers import Subject
from bilancio.experiments.reduction import Bools, Groups, metric_of
from bilancio.text import plural

FEW_SEEDS = 5  # with fewer, an interval leans on the normal distribution alone
MANY_INTERVALS = 20  # of which one misses by chance
SHOWN_MEASURES = 3


class Cautions:
    """Watches the columns for what makes conclusions doubtful.

    Parameters
    ----------
    chosen : bool (n_cells,)
        The cells that are asked about.
    part
        Whether they were chosen by a condition.
    """

    def __init__(self, subject: Subject, chosen: Bools, *, part: bool) -> None:
        self._subject = subject
        self._cells = chosen & subject.averaged
        self._n_cells = int(subject.averaged.sum()) if part else 0
        self._constant: dict[str, float] = {}
        self._idle: dict[str, tuple[int, int]] = {}

    def take(self, metric: str, cube: NDArray[np.float64]) -> None:
        """Take a metric by seed, cell and arm: float64 (n_seeds, n_cells, n_arms)."""
        if metric in self._subject.watched:
            last = cube[:, self._cells, -1]  # the arm in which things happen
            ran = ~np.isnan(last).all(axis=0)
            idle = ran & ~(last > 0).any(axis=0)
            self._idle[metric] = int(idle.sum()), int(ran.sum())
        primary = self._subject.measure(self._subject.primary)
        if primary is not None and metric in {metric_of(name) for name in primary.columns}:
            least = float(np.fmin.reduce(cube, axis=None, initial=np.nan))
            most = float(np.fmax.reduce(cube, axis=None, initial=np.nan))
            if least == most and np.count_nonzero(~np.isnan(cube)) > 1:
                self._constant[metric] = least

    def sentences(self, overall: Groups, rows: Groups | None, shown: Collection[str]) -> list[str]:
        """Return what to know.

        Parameters
        ----------
        overall
            The average over all cells.
        rows
            The rows of the table; None where it shows no intervals.
        shown
            The measures that it shows.
        """
        n_seeds = int(overall.n_seeds[0]) if overall.keys else 0
        found = []
        designs = np.unique(self._subject.cells.designs[self._cells]).tolist()
        if n_seeds and len(designs) > 1:
            found.append(
                f"The average over all cells mixes designs ({', '.join(designs)}): look at each "
                "by itself."
            )
        if self._n_cells:
            chosen = int(self._cells.sum())
            cells = plural(self._n_cells, "cell")
            found.append(
                f"Tables, and what is said of them, are over {chosen:,} of {cells}; averages and "
                "counts of the whole job are of all."
            )
        if n_seeds == 1:
            found.append("One seed shows no spread: there is no interval, and no conclusion.")
        elif 1 < n_seeds < FEW_SEEDS:
            found.append(f"{n_seeds} seeds are few: intervals are wide and only roughly right.")
        for metric, value in self._constant.items():
            found.append(f"{metric} is {value:g} in all runs.")
        for metric, (idle, all_cells) in self._idle.items():
            if idle:
                what = self._subject.watched[metric]
                found.append(f"No {what} in {idle:,} of {plural(all_cells, 'cell')}.")
        found += [] if rows is None else _partial(rows, shown)
        intervals = None if rows is None else rows.intervals.get(self._subject.primary)
        n_rows = 0 if intervals is None else int((intervals.lack == Lack.NONE).sum())
        if n_rows >= MANY_INTERVALS:
            by_chance = max(round(n_rows / MANY_INTERVALS), 1)
            adjusted = "; verdicts take that into account" if self._subject.verdict_words else ""
            found.append(
                f"Of {n_rows:,} intervals about {by_chance:,} will not contain the true value, by "
                f"chance alone{adjusted}."
            )
        return found


def one_armed(groups: Groups, subject: Subject) -> list[str]:
    """Say why some groups have no effect: what a search tried it tried in one arm."""
    if not groups.one_armed.any():
        return []
    some = f"In {plural(int(groups.one_armed.sum()), 'row')} there"
    there = "There" if groups.one_armed.all() else some
    return [f"{there} is no {subject.effect}: the search tries each arm at values of its own."]


def _partial(rows: Groups, shown: Collection[str]) -> list[str]:
    """Say which measures are of fewer seeds than their rows, for they lack values under some."""
    short: dict[str, tuple[int, int]] = {}
    for name in shown:
        found = rows.intervals[name]
        places = np.flatnonzero((found.n_seeds > 0) & (found.n_seeds < rows.n_seeds))
        if len(places):
            fewest = places[found.n_seeds[places].argmin()]
            short[name] = int(found.n_seeds[fewest]), int(rows.n_seeds[fewest])
    if not short:
        return []
    known, all_seeds = min(short.values())
    names = list(short)
    others = f" and {len(names) - SHOWN_MEASURES} more" if len(names) > SHOWN_MEASURES else ""
    where = " in the row with fewest" if len(rows.keys) > 1 else ""
    verb = "has" if len(names) == 1 else "have"
    said = (
        f"{', '.join(names[:SHOWN_MEASURES])}{others} {verb} no value under some of the seeds: "
        f"averages and intervals are of the others, {known:,} of {all_seeds:,}{where}."
    )
    return [said]
