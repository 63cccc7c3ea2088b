"""The frontier: for each cell the smallest κ at which few enough debts are defaulted on.

A search knows only what is recorded: it tries both ends of its bracket, then halves the bracket
on the scale of log κ, keeping an end where the mean default rate δ over the seeds is small enough
and one where it is not. What comes next follows from the recorded outcomes of what came before,
so that an interrupted search resumes as if nothing had happened.

δ need not fall everywhere as κ grows. What a search finds is a crossing: κ* with δ ≤ limit, and
within the tolerance below it a κ with δ > limit. There may be other crossings in the bracket.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bilancio.experiments.design import (
    Indices,
    probe_places,
    search_cells,
    searched_positions,
)
from bilancio.experiments.fields import plain
from bilancio.experiments.grid_sweep import ENDS, KAPPA_DIGITS, GridSweep
from bilancio.experiments.protocol import Step, TableOfSearches
from bilancio.text import plural

FOUND, BELOW, ABOVE, OPEN = "found", "below bracket", "above bracket", "not finished"
LISTED_SEARCHES = 50
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


def search(config: GridSweep, deltas: Sequence[float | None]) -> Search:
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


def searches(config: GridSweep, indices: Indices, metrics: NDArray[np.void]) -> list[Search]:
    """Return how far each search of a sweep is, from the runs recorded."""
    table = _mean_deltas(config, indices, metrics)
    return [search(config, column) for column in table]


def next_step(config: GridSweep, indices: Indices, metrics: NDArray[np.void]) -> Step | None:
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


def table(config: GridSweep, indices: Indices, metrics: NDArray[np.void]) -> TableOfSearches:
    """Return a row for each search: its cell, the arm where there are two, and what it found."""
    cells = search_cells(config)
    arms = np.array(config.arms)[cells.pop("arm")]
    if len(config.arms) > 1:
        cells["arm"] = arms
    found = searches(config, indices, metrics)
    columns = (*cells, "kappa_star", "delta", "probes", "status")
    parameters = zip(*(column.tolist() for column in cells.values()), strict=True)
    rows = tuple(
        (
            *values,
            None if each.kappa_star is None else float(each.kappa_star),
            each.delta,
            each.probes,
            each.status,
        )
        for values, each in zip(parameters, found, strict=True)
    )
    return TableOfSearches(columns=columns, rows=rows, n_keys=len(cells))


def summary(config: GridSweep, indices: Indices, metrics: NDArray[np.void]) -> dict[str, Any]:
    """Return what the searches found, as JSON holds it; the cells one by one if they are few."""
    found = table(config, indices, metrics)
    rows = [dict(zip(found.columns, row, strict=True)) for row in found.rows]
    arms = config.searched_arms
    by_arm = {arm: [row for row in rows if row.get("arm", arm) == arm] for arm in arms}
    low, high = config.kappa_range or (Decimal(0), Decimal(0))
    return {
        "delta": float(config.frontier_delta or 0),
        "kappa_range": [float(low), float(high)],
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
    return (
        f"Smallest κ from {low:g} to {high:g} with a default rate of at most "
        f"{found['delta']:g}: {'; '.join(words)}."
    )


def _mean_deltas(
    config: GridSweep, indices: Indices, metrics: NDArray[np.void]
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
    stars = [row["kappa_star"] for row in rows if row["kappa_star"] is not None]
    kinds = itertools.groupby(sorted(row["status"].partition(":")[0] for row in rows))
    counts = {kind: len(list(same)) for kind, same in kinds}
    return {
        "n_cells": len(rows),
        "found": counts.get(FOUND, 0),
        "below_bracket": counts.get(BELOW, 0),
        "above_bracket": counts.get(ABOVE, 0),
        "not_finished": counts.get(OPEN, 0),
        "kappa_star_min": min(stars, default=None),
        "kappa_star_max": max(stars, default=None),
    }


def _counted_words(counts: dict[str, Any], low: float, high: float) -> str:
    # Summaries that version 0.1 stored use its names.
    below = counts.get("below_bracket", counts.get("already_at_low", 0))
    above = counts.get("above_bracket", counts.get("none_in_bracket", 0))
    cells = plural(counts["n_cells"], "cell")
    words = []
    if counts["found"] + below:
        least, most = counts["kappa_star_min"], counts["kappa_star_max"]
        spread = f"{least:g}" if least == most else f"{least:g} to {most:g}"
        words.append(f"κ* {spread} in {counts['found'] + below} of {cells}")
    if below:
        words.append(f"below the bracket, so κ = {low:g} is given, in {below}")
    if above:
        words.append(f"above the bracket, so δ is too high at κ = {high:g}, in {above} of {cells}")
    if counts["not_finished"]:
        words.append(f"not finished in {counts['not_finished']} of {cells}")
    return ", ".join(words)
