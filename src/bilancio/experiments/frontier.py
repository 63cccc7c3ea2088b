"""The frontier: for each cell the smallest κ at which few enough debts are defaulted on.

A search knows only what is recorded: it tries both ends of its bracket, then halves the bracket
on the scale of log κ, keeping an end where the mean default rate δ over the seeds is small enough
and one where it is not. What comes next follows from the recorded outcomes of what came before,
so that an interrupted search resumes as if nothing had happened.

The range of κ* says how far it would differ under other seeds (`analysis.crossings`): from the
values under each seed at the probes that are stored.

δ need not fall everywhere as κ grows. What a search finds is a crossing: κ* with δ ≤ limit, and
within the tolerance below it a κ with δ > limit. There may be other crossings in the bracket.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bilancio.analysis.crossings import CrossingRange, Curve, crossing_ranges
from bilancio.experiments.design import (
    Indices,
    n_probes,
    probe_columns,
    probe_cube,
    probe_places,
    search_cells,
    searched_positions,
)
from bilancio.experiments.fields import plain
from bilancio.experiments.frontier_sweep import ENDS, KAPPA_DIGITS, FrontierSweep
from bilancio.experiments.protocol import Step, TableOfSearches
from bilancio.text import plural

FOUND, BELOW, ABOVE, OPEN = "found", "below bracket", "above bracket", "not finished"
LISTED_SEARCHES = 50
FEW_SEEDS = 10  # below which ranges contain the κ* of many seeds much too seldom
STAR, MISSING = "kappa_star", "range_missing"
LEAST, MOST = "kappa_star_min_range", "kappa_star_max_range"
_KAPPA = Context(prec=KAPPA_DIGITS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """How far the search of one cell is.

    Attributes
    ----------
    status
        `found`; `below bracket`: the low end's δ is small enough already; `above bracket: δ = … at
        κ = …`: the high end's is not; or `not finished`.
    kappa_star
        The κ found; None where there is none, or not yet.
    delta
        Mean default rate at κ*, or at the high end where that is too much already.
    probes
        How many κ's were tried.
    wanted
        Probes to do next: number → κ.
    """

    status: str = OPEN
    kappa_star: Decimal | None = None
    delta: float | None = None
    probes: int
    wanted: dict[int, Decimal]


def search(config: FrontierSweep, deltas: Sequence[float | None]) -> Search:
    """Return how far a search is, given the mean default rate of each of its probes.

    Parameters
    ----------
    deltas
        By number of the probe: low end, high end, bisections. None where runs are missing, NaN
        where no debt had a face.
    """
    below, star = config.kappa_range or (Decimal(0), Decimal(0))
    limit = float(config.frontier_delta or 0)
    done = sum(delta is not None for delta in deltas)
    ends = {number: end for number, end in enumerate((below, star)) if deltas[number] is None}
    at_low, at_star = deltas[0], deltas[1]
    if ends or at_low is None or at_star is None:
        return Search(probes=done, wanted=ends)
    if at_low <= limit:
        return Search(status=BELOW, kappa_star=below, delta=at_low, probes=done, wanted={})
    if not at_star <= limit:
        rate = "undefined" if math.isnan(at_star) else f"{at_star:.4g}"
        status = f"{ABOVE}: δ = {rate} at κ = {plain(star)}"
        delta = None if math.isnan(at_star) else at_star
        return Search(status=status, delta=delta, probes=done, wanted={})
    for number in range(ENDS, config.max_probes):
        middle = _KAPPA.plus((below * star).sqrt())
        at_middle = deltas[number]
        if at_middle is None:
            return Search(probes=done, wanted={number: middle})
        if at_middle <= limit:
            star, at_star = middle, at_middle
        else:
            below = middle
    return Search(status=FOUND, kappa_star=star, delta=at_star, probes=done, wanted={})


def searches(config: FrontierSweep, indices: Indices, metrics: NDArray[np.void]) -> list[Search]:
    """Return how far each search of a sweep is, from the runs recorded."""
    table = _mean_deltas(config, indices, metrics)
    return [search(config, column) for column in table]


def next_step(config: FrontierSweep, indices: Indices, metrics: NDArray[np.void]) -> Step | None:
    """Return the runs that come next, for all searches at once; None where all have ended.

    Parameters
    ----------
    indices : int64 (n,)
        Runs recorded, increasing; those of other designs may be among them.
    metrics : structured (n,)
        Their rows.
    """
    wanted = {
        number * config.n_searches + place: kappa
        for place, each in enumerate(searches(config, indices, metrics))
        for number, kappa in each.wanted.items()
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
        95 % range of κ*. None where there is none, or where this end lies beyond the bracket.
    range_missing
        Why there is no range, or which end is beyond the bracket; else empty.
    """

    search: Search
    low: float | None = None
    high: float | None = None
    range_missing: str = ""


def table(config: FrontierSweep, indices: Indices, metrics: NDArray[np.void]) -> TableOfSearches:
    """Return a row for each search: its cell, the arm where there are two, and what it found."""
    cells = search_cells(config)
    arms = np.array(config.arms)[cells.pop("arm")]
    if len(config.arms) > 1:
        cells["arm"] = arms
    columns = (*cells, STAR, f"{STAR}_low", f"{STAR}_high", "delta", "probes", "status", MISSING)
    parameters = zip(*(column.tolist() for column in cells.values()), strict=True)
    rows = tuple(
        (
            *values,
            None if found.search.kappa_star is None else float(found.search.kappa_star),
            found.low,
            found.high,
            found.search.delta,
            found.search.probes,
            found.search.status,
            found.range_missing,
        )
        for values, found in zip(parameters, findings(config, indices, metrics), strict=True)
    )
    return TableOfSearches(columns=columns, rows=rows, n_keys=len(cells))


def findings(config: FrontierSweep, indices: Indices, metrics: NDArray[np.void]) -> list[Finding]:
    """Return what each search of a sweep has found, with ranges."""
    ended = searches(config, indices, metrics)
    found = [place for place, each in enumerate(ended) if each.status == FOUND]
    all_findings = [Finding(each) for each in ended]
    if found:
        by_seed = _Deltas(config, indices, metrics)
        curves = [by_seed.curve(place, ended[place].probes) for place in found]
        for place, known in zip(found, crossing_ranges(curves), strict=True):
            all_findings[place] = _finding(ended[place], known)
    return all_findings


def _finding(ended: Search, known: CrossingRange) -> Finding:
    if known.missing:
        return Finding(ended, range_missing=known.missing)
    star = float(ended.kappa_star or 0)
    beyond = [
        f"may lie {side} the bracket"
        for side, end in (("below", -known.low), ("above", known.high))
        if end == math.inf
    ]
    low = None if known.low == -math.inf else min(_rounded(math.exp(known.low)), star)
    high = None if known.high == math.inf else max(_rounded(math.exp(known.high)), star)
    return Finding(ended, low, high, " and ".join(beyond))


def _rounded(kappa: float) -> float:
    return float(_KAPPA.create_decimal_from_float(kappa))


def summary(config: FrontierSweep, indices: Indices, metrics: NDArray[np.void]) -> dict[str, Any]:
    """Return what the searches found, as JSON holds it; the cells one by one if they are few."""
    found = table(config, indices, metrics)
    rows = [dict(zip(found.columns, row, strict=True)) for row in found.rows]
    arms = config.searched_arms
    by_arm = {arm: [row for row in rows if row.get("arm", arm) == arm] for arm in arms}
    low, high = config.kappa_range or (Decimal(0), Decimal(0))
    return {
        "delta": float(config.frontier_delta or 0),
        "kappa_range": [float(low), float(high)],
        "n_seeds": config.n_seeds,
        "arms": {arm: _counts(each) for arm, each in by_arm.items()},
        "cells": rows if len(rows) <= LISTED_SEARCHES else [],
    }


def headline(found: dict[str, Any]) -> str:
    """Say what the summary of the searches says."""
    low, high = found["kappa_range"]
    arms = found["arms"]
    words = [
        (f"{arm}: " if len(arms) > 1 else "") + _counted_words(counts, low, high)
        for arm, counts in arms.items()
    ]
    ranged = any(counts.get(name) for counts in arms.values() for name in (LEAST, MOST))
    note = f" {_range_words(found['n_seeds'])}" if ranged else ""
    return (
        f"Smallest κ from {low:g} to {high:g} with a default rate of at most "
        f"{found['delta']:g}: {'; '.join(words)}.{note}"
    )


def _range_words(n_seeds: int) -> str:
    """Say what the ranges are, and where they say less than they seem to."""
    few = "; so few often miss rare defaults, and the ranges are too narrow"
    return f"(Ranges: 95 %, {n_seeds} seeds{few if n_seeds < FEW_SEEDS else ''}.)"


class _Deltas:
    """The default rates of the arms searched, by seed and probe.

    Attributes
    ----------
    values : float64 (n_seeds, n_probes)
        NaN where a run is not recorded, or its rate is not defined.
    """

    def __init__(self, config: FrontierSweep, indices: Indices, metrics: NDArray[np.void]) -> None:
        own = indices >= config.fixed_runs
        indices, metrics = indices[own], metrics[own]
        self._config = config
        probed = probe_columns(config, indices, metrics)
        searched = searched_positions(config)
        probe = np.arange(n_probes(config))
        cube = probe_cube(config, indices, metrics["delta_total"], np.nan)
        self.values = cube[:, probe, searched[probe % len(searched)]]
        self._kappas = probed["kappa"]

    def curve(self, place: int, n_done: int) -> Curve:
        """Return the default rates of one search along log κ."""
        mine = place + np.arange(n_done) * self._config.n_searches
        mine = mine[np.argsort(self._kappas[mine])]
        values = self.values[:, mine]
        known = ~np.isnan(values)
        excess = np.where(known, values - float(self._config.frontier_delta or 0), 0)
        return Curve(points=np.log(self._kappas[mine]), excess=excess, weight=known.astype(float))


def _mean_deltas(
    config: FrontierSweep, indices: Indices, metrics: NDArray[np.void]
) -> list[list[float | None]]:
    """Return δ by search and probe: the mean over the seeds, None until all runs are recorded.

    That goes for the runs of an arm that is not searched too, where there are any: a search that
    moved on without them would never ask for them again.
    """
    n_cells = config.n_searches * config.max_probes
    own = indices >= config.fixed_runs
    places = probe_places(config, indices[own])
    n_recorded = np.bincount(places.cell, minlength=n_cells)
    searched = searched_positions(config)
    mine = places.arm == searched[places.cell % len(searched)]
    cell = places.cell[mine]
    deltas = metrics["delta_total"][own][mine] if len(indices) else np.empty(0)
    known = ~np.isnan(deltas)
    n_known = np.bincount(cell[known], minlength=n_cells)
    # bincount adds in the order of the runs: the same sums on every machine.
    sums = np.bincount(cell[known], weights=deltas[known], minlength=n_cells)
    means = np.full(n_cells, np.nan)
    np.divide(sums, n_known, out=means, where=n_known > 0)
    complete = n_recorded == config.n_seeds * config.arms_of_a_probe
    whole = zip(means.tolist(), complete, strict=True)
    by_cell = [mean if all_seeds else None for mean, all_seeds in whole]
    return [by_cell[place :: config.n_searches] for place in range(config.n_searches)]


def _counts(rows: list[dict[str, Any]]) -> dict[str, Any]:
    known = [row for row in rows if row[STAR] is not None]
    least = min(known, key=lambda row: row[STAR], default={})
    most = max(known, key=lambda row: row[STAR], default={})
    kinds = itertools.groupby(sorted(row["status"].partition(":")[0] for row in rows))
    counts = {kind: len(list(same)) for kind, same in kinds}
    return {
        "n_cells": len(rows),
        "found": counts.get(FOUND, 0),
        "below_bracket": counts.get(BELOW, 0),
        "above_bracket": counts.get(ABOVE, 0),
        "not_finished": counts.get(OPEN, 0),
        "kappa_star_min": least.get(STAR),
        LEAST: _range_of(least),
        "kappa_star_max": most.get(STAR),
        MOST: _range_of(most),
        MISSING: next((row[MISSING] for row in known if row[MISSING]), ""),
    }


def _counted_words(counts: dict[str, Any], low: float, high: float) -> str:
    # Summaries that version 0.1 stored use its names.
    below = counts.get("below_bracket", counts.get("already_at_low", 0))
    above = counts.get("above_bracket", counts.get("none_in_bracket", 0))
    cells = plural(counts["n_cells"], "cell")
    words = []
    if counts["found"] + below:
        least = _star_words(counts["kappa_star_min"], counts.get(LEAST), low, high)
        most = _star_words(counts["kappa_star_max"], counts.get(MOST), low, high)
        spread = least if least == most else f"{least} to {most}"
        missing = counts.get(MISSING, "")
        unknown = f", {missing}" if missing.endswith("no range") else ""
        words.append(f"κ* {spread} in {counts['found'] + below} of {cells}{unknown}")
    if below:
        words.append(f"below the bracket, so κ = {low:g} is given, in {below}")
    if above:
        words.append(f"above the bracket, so δ is too high at κ = {high:g}, in {above} of {cells}")
    if counts["not_finished"]:
        words.append(f"not finished in {counts['not_finished']} of {cells}")
    return ", ".join(words)


def _range_of(row: Mapping[str, Any]) -> list[float | None] | None:
    """Return the range of a search, None for an end beyond the bracket."""
    ends = [row.get(f"{STAR}_low"), row.get(f"{STAR}_high")]
    return None if ends == [None, None] else ends


def _star_words(star: float, ends: list[float | None] | None, low: float, high: float) -> str:
    """Say κ* and its range with as many digits as the range deserves."""
    if ends is None:
        return f"{star:g}"
    at_low, at_high = ends
    width = (high if at_high is None else at_high) - (low if at_low is None else at_low)
    digits = max(-math.floor(math.log10(width / 3)), 0) if width > 0 else KAPPA_DIGITS
    first = f"below {low:g}" if at_low is None else f"{at_low:.{digits}f}"
    last = f"above {high:g}" if at_high is None else f"{at_high:.{digits}f}"
    return f"{star:.{digits}f} ({first} to {last})"
