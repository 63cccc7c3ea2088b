"""Searches: for each cell the value along an axis at which a measure meets a limit.

A frontier is the search for the smallest κ at which few enough debts are defaulted on; a threshold
is any other, of a ring or of a simulation of one's own. A search knows only what is recorded: it
tries both ends of its bracket, then halves the bracket, on the logarithm of κ and c, keeping an end
where the mean over the seeds meets the limit and one where it does not. What comes next follows
from the recorded outcomes of what came before, so that an interrupted search resumes as if nothing
had happened.

The range of what is found says how far it would differ under other seeds (`analysis.crossings`):
from the values under each seed at the probes that are stored.

δ need not fall everywhere as κ grows. What a search finds is a crossing: κ* with δ ≤ limit, and
within the tolerance below it a κ with δ > limit. There may be other crossings in the bracket.
"""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bilancio.analysis.crossings import CrossingRange, Curve, crossing_ranges
from bilancio.analysis.measures import Measure
from bilancio.experiments.design import (
    Indices,
    n_probes,
    probe_cube,
    probe_places,
    search_cells,
    searched_positions,
)
from bilancio.experiments.fields import plain
from bilancio.experiments.protocol import Step, TableOfSearches
from bilancio.experiments.search_sweep import DIGITS, ENDS, SearchSweep
from bilancio.experiments.threshold import Target
from bilancio.text import plural

FOUND, BELOW, ABOVE, OPEN = "found", "below bracket", "above bracket", "not finished"
UPWARDS, DOWNWARDS = "at and above", "at and below"
LISTED_SEARCHES = 50
FEW_SEEDS = 10  # below which ranges contain what many seeds give much too seldom
MISSING, SIDES = "range_missing", "met"
ENDS_SAID = ("min", "max")
_ROUNDED = Context(prec=DIGITS)

Measured = Sequence[Measure]


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """How far the search of one cell is.

    Attributes
    ----------
    status
        `found`; `below bracket` or `above bracket`: both ends of the bracket meet the limit, or
        neither does, and what is searched for lies on that side, if anywhere; or `not finished`.
        What an end that misses the limit gave stands behind a colon.
    star
        The value found, or the end of the bracket next to it where both ends meet the limit; None
        where there is none, or not yet.
    mean
        Mean of the measure at the value found, or at the end next to it where that misses the
        limit.
    met
        Whether the limit is met at the value found and above it, or below it.
    probes
        How many values were tried.
    wanted
        Probes to do next: number → value.
    """

    status: str = OPEN
    star: Decimal | None = None
    mean: float | None = None
    met: str = UPWARDS
    probes: int
    wanted: dict[int, Decimal]


def search(config: SearchSweep, means: Sequence[float | None]) -> Search:
    """Return how far a search is, given the mean of the measure at each of its probes.

    Parameters
    ----------
    means
        By number of the probe: low end, high end, bisections. None where runs are missing, NaN
        where the mean is not defined.
    """
    target = _target(config)
    done = sum(mean is not None for mean in means)
    ends = (target.low, target.high)
    at_low, at_high = means[:ENDS]
    if at_low is None or at_high is None:
        wanted = {number: end for number, end in enumerate(ends) if means[number] is None}
        return Search(probes=done, wanted=wanted)
    if (outside := _outside(target, at_low, at_high, done)) is not None:
        return outside
    upwards = target.met(at_high)
    missed, star, at_star = (*ends, at_high) if upwards else (*ends[::-1], at_low)
    met = UPWARDS if upwards else DOWNWARDS
    for number in range(ENDS, config.max_probes):
        if target.step is not None and abs(star - missed) <= target.step:
            break
        middle = _middle(target, missed, star)
        at_middle = means[number]
        if at_middle is None:
            return Search(met=met, probes=done, wanted={number: middle})
        if target.met(at_middle):
            star, at_star = middle, at_middle
        else:
            missed = middle
    return Search(status=FOUND, star=star, mean=at_star, met=met, probes=done, wanted={})


def _target(config: SearchSweep) -> Target:
    assert config.search_target is not None, "only sweeps that search are asked"
    return config.search_target


def _outside(target: Target, at_low: float, at_high: float, done: int) -> Search | None:
    """Return the end of a search whose bracket has no crossing; None where there is one."""
    met_low, met_high = target.met(at_low), target.met(at_high)
    if met_low != met_high and (target.two_sided or met_high):
        return None
    better_upwards = not (at_high > at_low if target.at_most else at_high < at_low)
    upwards = better_upwards or not target.two_sided
    met = UPWARDS if upwards else DOWNWARDS
    if met_low:
        status, star, mean = (
            (BELOW, target.low, at_low) if upwards else (ABOVE, target.high, at_high)
        )
        return Search(status=status, star=star, mean=mean, met=met, probes=done, wanted={})
    kind, end, mean = (ABOVE, target.high, at_high) if upwards else (BELOW, target.low, at_low)
    undefined = math.isnan(mean)
    value = "undefined" if undefined else f"{mean:.4g}"
    status = f"{kind}: {target.measure_symbol} = {value} at {target.axis_symbol} = {plain(end)}"
    return Search(status=status, mean=None if undefined else mean, met=met, probes=done, wanted={})


def _middle(target: Target, one: Decimal, other: Decimal) -> Decimal:
    if target.step is not None:
        low, n_steps = min(one, other), int(abs(other - one)) // target.step
        return low + target.step * (n_steps // 2)
    return _ROUNDED.plus((one * other).sqrt() if target.logarithmic else (one + other) / 2)


def searches(
    config: SearchSweep, indices: Indices, metrics: NDArray[np.void], measures: Measured = ()
) -> list[Search]:
    """Return how far each search of a sweep is, from the runs recorded.

    Parameters
    ----------
    measures
        Those of the experiment that need the runs of all arms.
    """
    tried = _Tried(config, indices, metrics, measures)
    return [search(config, column) for column in tried.means()]


def next_step(
    config: SearchSweep, indices: Indices, metrics: NDArray[np.void], measures: Measured = ()
) -> Step | None:
    """Return the runs that come next, for all searches at once; None where all have ended.

    Parameters
    ----------
    indices : int64 (n,)
        Runs recorded, increasing; those of other designs may be among them.
    metrics : structured (n,)
        Their rows.
    """
    wanted = {
        number * config.n_searches + place: value
        for place, each in enumerate(searches(config, indices, metrics, measures))
        for number, value in each.wanted.items()
    }
    if not wanted:
        return None
    together = config.n_seeds * config.arms_of_a_probe
    cells = np.array(sorted(wanted), np.int64)
    runs = config.fixed_runs + (cells[:, None] * together + np.arange(together)).ravel()
    return Step(config=config.probing(wanted), indices=np.setdiff1d(runs, indices))


class Finding(NamedTuple):
    """What a search has found.

    Attributes
    ----------
    search
        How far it is.
    low, high
        95 % range of the value found. None where there is none, or where this end lies beyond the
        bracket.
    range_missing
        Why there is no range, or which end is beyond the bracket; else empty.
    """

    search: Search
    low: float | None = None
    high: float | None = None
    range_missing: str = ""


def table(
    config: SearchSweep, indices: Indices, metrics: NDArray[np.void], measures: Measured = ()
) -> TableOfSearches:
    """Return a row for each search: its cell, the arm where there is a choice, what it found."""
    target = _target(config)
    cells = search_cells(config)
    arms = np.array(config.arms)[cells.pop("arm")]
    if len(config.arms) > 1 and target.metric is not None:
        cells["arm"] = arms
    star = target.star
    side = ("met",) if target.two_sided else ()
    found = (star, f"{star}_low", f"{star}_high", *side, target.measure, "probes", "status")
    columns = [column.tolist() for column in cells.values()]
    parameters = [tuple(column[at] for column in columns) for at in range(config.n_searches)]
    rows = tuple(
        (
            *values,
            None if each.search.star is None else float(each.search.star),
            each.low,
            each.high,
            *([each.search.met] if side else []),
            each.search.mean,
            each.search.probes,
            each.search.status,
            each.range_missing,
        )
        for values, each in zip(
            parameters, findings(config, indices, metrics, measures), strict=True
        )
    )
    return TableOfSearches(columns=(*cells, *found, MISSING), rows=rows, n_keys=len(cells))


def findings(
    config: SearchSweep, indices: Indices, metrics: NDArray[np.void], measures: Measured = ()
) -> list[Finding]:
    """Return what each search of a sweep has found, with ranges."""
    tried = _Tried(config, indices, metrics, measures)
    ended = [search(config, column) for column in tried.means()]
    found = [place for place, each in enumerate(ended) if each.status == FOUND]
    all_findings = [Finding(each) for each in ended]
    curves = [tried.curve(place, ended[place]) for place in found]
    for place, known in zip(found, crossing_ranges(curves), strict=True):
        all_findings[place] = _finding(_target(config), ended[place], known)
    return all_findings


def _finding(target: Target, ended: Search, known: CrossingRange) -> Finding:
    if known.missing:
        return Finding(ended, range_missing=known.missing)
    star = float(ended.star or 0)
    low, high = known.low, known.high
    if ended.met == DOWNWARDS:
        low, high = -high, -low
    beyond = [
        f"may lie {side} the bracket"
        for side, end in (("below", -low), ("above", high))
        if end == math.inf
    ]
    return Finding(
        ended,
        None if low == -math.inf else min(_value(target, low, math.floor), star),
        None if high == math.inf else max(_value(target, high, math.ceil), star),
        " and ".join(beyond),
    )


def _value(target: Target, place: float, whole: Callable[[float], int]) -> float:
    """Return the value at a place of the scale that is halved, as the axis has it."""
    value = math.exp(place) if target.logarithmic else place
    if target.step is not None:
        return float(whole(value))
    return float(_ROUNDED.create_decimal_from_float(value))


def summary(
    config: SearchSweep, indices: Indices, metrics: NDArray[np.void], measures: Measured = ()
) -> dict[str, Any]:
    """Return what the searches found, as JSON holds it; the cells one by one if they are few."""
    target = _target(config)
    found = table(config, indices, metrics, measures)
    rows = [dict(zip(found.columns, row, strict=True)) for row in found.rows]
    arms = config.searched_arms if target.metric is not None else ("all arms",)
    by_arm = {arm: [row for row in rows if row.get("arm", arm) == arm] for arm in arms}
    ends = [float(target.low), float(target.high)]
    limit = {"at_most" if target.at_most else "at_least": target.limit}
    asked = (
        {"axis": target.axis, "measure": target.measure, **limit, "range": ends}
        if target.two_sided
        else {"delta": target.limit, "kappa_range": ends}
    )
    return {
        **asked,
        "n_seeds": config.n_seeds,
        "arms": {arm: _counts(each, target.star) for arm, each in by_arm.items()},
        "cells": rows if len(rows) <= LISTED_SEARCHES else [],
    }


def headline(found: dict[str, Any], symbols: Mapping[str, str]) -> str:
    """Say what the summary of the searches says.

    Parameters
    ----------
    symbols
        Of parameters, by name; others are written by their names.
    """
    axis = found.get("axis", "kappa")
    symbol = symbols.get(axis, axis)
    low, high = found.get("range") or found["kappa_range"]
    arms = found["arms"]
    words = [
        (f"{arm}: " if len(arms) > 1 else "") + _counted_words(counts, axis, symbol, low, high)
        for arm, counts in arms.items()
    ]
    ranged = any(
        counts.get(f"{axis}_star_{end}_range") for counts in arms.values() for end in ENDS_SAID
    )
    note = f" {_range_words(found)}" if ranged else ""
    return f"{_sought(found, symbol, low, high)}: {'; '.join(words)}.{note}"


def _sought(found: Mapping[str, Any], symbol: str, low: float, high: float) -> str:
    """Say what was searched for."""
    if "axis" not in found:
        return (
            f"Smallest κ from {low:g} to {high:g} with a default rate of at most {found['delta']:g}"
        )
    at_most = found.get("at_most")
    limit = f"at least {found['at_least']:g}" if at_most is None else f"at most {at_most:g}"
    return f"{symbol} from {low:g} to {high:g} where the mean {found['measure']} is {limit}"


def _range_words(found: Mapping[str, Any]) -> str:
    """Say what the ranges are, and where they say less than they seem to."""
    n_seeds, rare = found["n_seeds"], "outcomes" if "axis" in found else "defaults"
    few = f"; so few often miss rare {rare}, and the ranges are too narrow"
    return f"(Ranges: 95 %, {n_seeds} seeds{few if n_seeds < FEW_SEEDS else ''}.)"


class _Tried:
    """The measure that is searched for, by seed and probe.

    Attributes
    ----------
    top, bottom : float64 (n_seeds, n_probes)
        The mean at a probe is Σ top / Σ bottom; both are 0 where there is no value.
    """

    def __init__(
        self,
        config: SearchSweep,
        indices: Indices,
        metrics: NDArray[np.void],
        measures: Measured,
    ) -> None:
        own = indices >= config.fixed_runs
        indices, metrics = indices[own], metrics[own]
        self._config, self._target = config, _target(config)
        cells = probe_places(config, indices).cell
        self._n_recorded = np.bincount(cells, minlength=n_probes(config))
        self._values = np.full(n_probes(config), np.nan)
        if len(indices):
            self._values[cells] = metrics[self._target.axis]
        if self._target.metric is not None:
            searched = searched_positions(config)
            probe = np.arange(n_probes(config))
            by_arm = self._column(indices, metrics, self._target.metric)
            top, bottom = by_arm[:, probe, searched[probe % len(searched)]], None
        else:
            (measure,) = (each for each in measures if each.name == self._target.measure)
            top, bottom = measure.per_seed(self._columns(indices, metrics, measure))
        known = ~np.isnan(top)
        if bottom is not None:
            known &= ~np.isnan(bottom)
        self.top = np.where(known, top, 0)
        self.bottom = known.astype(float) if bottom is None else np.where(known, bottom, 0)

    def _columns(
        self, indices: Indices, metrics: NDArray[np.void], measure: Measure
    ) -> dict[str, NDArray[np.float64]]:
        found = {}
        for column in measure.columns:
            name, _, arm = column.partition("@")
            by_arm = self._column(indices, metrics, name)
            found[column] = by_arm[:, :, self._config.arms.index(arm)]
        return found

    def _column(
        self, indices: Indices, metrics: NDArray[np.void], name: str
    ) -> NDArray[np.float64]:
        """Return a metric by seed, probe and arm, NaN where there is no value."""
        if not len(indices):
            return probe_cube(self._config, indices, np.nan, np.nan)
        column = metrics[name].astype(np.float64)
        missing = {each.name: each.missing for each in self._config.recorded_metrics}.get(name)
        if missing is not None:
            column[column == missing] = np.nan
        return probe_cube(self._config, indices, column, np.nan)

    def means(self) -> list[list[float | None]]:
        """Return the mean by search and probe, None until all runs of the probe are recorded.

        That goes for the runs of an arm that is not searched too, where there are any: a search
        that moved on without them would never ask for them again.
        """
        n_seeds, n = self.top.shape
        # bincount adds seed by seed: the same sums on every machine.
        cells = np.repeat(np.arange(n), n_seeds)
        top, bottom = (
            np.bincount(cells, weights=side.T.ravel(), minlength=n)
            for side in (self.top, self.bottom)
        )
        means = np.full(n, np.nan)
        np.divide(top, bottom, out=means, where=bottom != 0)
        complete = self._n_recorded == n_seeds * self._config.arms_of_a_probe
        whole = zip(means.tolist(), complete, strict=True)
        by_cell = [mean if all_seeds else None for mean, all_seeds in whole]
        together = self._config.n_searches
        return [by_cell[place::together] for place in range(together)]

    def curve(self, place: int, ended: Search) -> Curve:
        """Return how far the measure of one search is from meeting the limit, along the axis."""
        mine = place + np.arange(ended.probes) * self._config.n_searches
        points = self._values[mine]
        if self._target.logarithmic:
            points = np.log(points)
        if ended.met == DOWNWARDS:
            points = -points
        order = np.argsort(points)
        mine = mine[order]
        sign = 1 if self._target.at_most else -1
        weight = self.bottom[:, mine]
        excess = sign * (self.top[:, mine] - self._target.limit * weight)
        return Curve(points=points[order], excess=excess, weight=weight)


def _counts(rows: list[dict[str, Any]], star: str) -> dict[str, Any]:
    known = [row for row in rows if row[star] is not None]
    least = min(known, key=lambda row: row[star], default={})
    most = max(known, key=lambda row: row[star], default={})
    kinds = itertools.groupby(sorted(row["status"].partition(":")[0] for row in rows))
    counts = {kind: len(list(same)) for kind, same in kinds}
    missed = [row["status"].partition(":")[0] for row in rows if row[star] is None]
    return {
        "n_cells": len(rows),
        "found": counts.get(FOUND, 0),
        "below_bracket": counts.get(BELOW, 0),
        "above_bracket": counts.get(ABOVE, 0),
        "not_met_below": missed.count(BELOW),
        "not_met_above": missed.count(ABOVE),
        "not_finished": counts.get(OPEN, 0),
        f"{star}_min": least.get(star),
        f"{star}_min_range": _range_of(least, star),
        f"{star}_max": most.get(star),
        f"{star}_max_range": _range_of(most, star),
        MISSING: next((row[MISSING] for row in known if row[MISSING]), ""),
        **({SIDES: sorted({row["met"] for row in known})} if rows and "met" in rows[0] else {}),
    }


def _counted_words(counts: dict[str, Any], axis: str, symbol: str, low: float, high: float) -> str:
    # Summaries that version 0.1 stored use its names.
    below = counts.get("below_bracket", counts.get("already_at_low", 0))
    above = counts.get("above_bracket", counts.get("none_in_bracket", 0))
    not_above, not_below = counts.get("not_met_above", above), counts.get("not_met_below", 0)
    met_below, met_above = below - not_below, above - not_above
    cells, star = plural(counts["n_cells"], "cell"), f"{axis}_star"
    n_known = counts["found"] + met_below + met_above
    words = []
    if n_known:
        least, most = (
            _star_words(counts[f"{star}_{end}"], counts.get(f"{star}_{end}_range"), low, high)
            for end in ENDS_SAID
        )
        spread = least if least == most else f"{least} to {most}"
        missing = counts.get(MISSING, "")
        unknown = f", {missing}" if missing.endswith("no range") else ""
        sides = counts.get(SIDES, [])
        side = f", {sides[0]} it," if len(sides) == 1 else ""
        words.append(f"{symbol}* {spread}{side} in {n_known} of {cells}{unknown}")
    if met_below:
        words.append(f"below the bracket, so {symbol} = {low:g} is given, in {met_below}")
    if met_above:
        words.append(f"above the bracket, so {symbol} = {high:g} is given, in {met_above}")
    too_high = "so δ is too high" if SIDES not in counts else "so the limit is missed"
    if not_above:
        words.append(
            f"above the bracket, {too_high} at {symbol} = {high:g}, in {not_above} of {cells}"
        )
    if not_below:
        words.append(
            f"below the bracket, {too_high} at {symbol} = {low:g}, in {not_below} of {cells}"
        )
    if counts["not_finished"]:
        words.append(f"not finished in {counts['not_finished']} of {cells}")
    return ", ".join(words)


def _range_of(row: Mapping[str, Any], star: str) -> list[float | None] | None:
    """Return the range of a search, None for an end beyond the bracket."""
    ends = [row.get(f"{star}_low"), row.get(f"{star}_high")]
    return None if ends == [None, None] else ends


def _star_words(star: float, ends: list[float | None] | None, low: float, high: float) -> str:
    """Say what was found and its range with as many digits as the range deserves."""
    if ends is None:
        return f"{star:g}"
    at_low, at_high = ends
    width = (high if at_high is None else at_high) - (low if at_low is None else at_low)
    digits = max(-math.floor(math.log10(width / 3)), 0) if width > 0 else DIGITS
    first = f"below {low:g}" if at_low is None else f"{at_low:.{digits}f}"
    last = f"above {high:g}" if at_high is None else f"{at_high:.{digits}f}"
    return f"{star:.{digits}f} ({first} to {last})"
