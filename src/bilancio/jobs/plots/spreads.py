"""Pictures of what averages are made of: single values, and how the interval narrows."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bilancio.analysis import planning
from bilancio.analysis.intervals import Lack, measure_intervals
from bilancio.analysis.measures import ROUNDING, Measure, Values
from bilancio.analysis.selection import bins
from bilancio.errors import NothingToDraw
from bilancio.experiments.answers import ratio
from bilancio.experiments.reduction import Groups, column_of
from bilancio.jobs.plots import words
from bilancio.jobs.plots.asked import Asked
from bilancio.jobs.plots.grouped import Drawn, cells_of, n_bins, thinned
from bilancio.jobs.plots.studied import Bools, Studied
from bilancio.jobs.threads import in_thread
from bilancio.report.pictures import Distribution, Estimates, Lines, Scale, Spread
from bilancio.report.ticks import round_ticks, written
from bilancio.text import plural

MOST_ROWS = 12
MOST_BINS = 34
TRIMMED = (0.05, 99.95)  # percentiles between which bins lie, of many values
MANY = 10_000
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
MOST_COUNTS = 60  # numbers of seeds at which an interval is drawn
FIRST_SEEDS = 4  # of so many seeds the first interval is drawn, where there are twice as many


# -- single values ---------------------------------------------------------------------------


class SingleValues:
    """The values of a measure by cell and whole seed, in groups of cells.

    Parameters
    ----------
    by : array (n_cells,)
        Names the groups; None for one group.
    """

    def __init__(
        self, studied: Studied, measure: Measure, by: NDArray[Any] | None, chosen: Bools
    ) -> None:
        self._arms = studied.subject.arms
        self._measure = measure
        columns = [] if by is None else [by]
        self.groups = Groups(studied.subject.cells, columns, chosen, [measure])
        self._columns: dict[str, Values] = {}

    @property
    def wanted(self) -> tuple[str, ...]:
        """The metrics whose columns are wanted."""
        return self.groups.metrics

    def take(self, metric: str, cube: Values) -> None:
        """Take a metric by seed, cell and arm."""
        for arm, name in enumerate(self._arms):
            column = column_of(metric, name, self._arms)
            if column in self._measure.columns:
                self._columns[column] = cube[:, :, arm].copy()

    def of_each_group(self) -> list[Values]:
        """Return the values of each group: 1 each cell and whole seed, unknown ones left out."""
        values = ratio(*self._measure.per_seed(self._columns))
        found = []
        for number in range(len(self.groups.keys)):
            inside = values[:, self.groups.group == number][self.groups.whole[number]]
            found.append(inside[np.isfinite(inside)])
        return found


async def distribution(studied: Studied, asked: Asked) -> Drawn:
    """Draw the single values of a measure: of pairs of runs where arms are compared."""
    measure = studied.in_arms(asked.y)[0] if asked.y else studied.primary
    if not set(measure.columns) <= _known_columns(studied):
        raise NothingToDraw(studied.job.job_id, f"{measure.name} was not recorded.")
    chosen = cells_of(studied, asked)
    by = asked.by or asked.x
    if by:
        by = studied.parameter("by" if asked.by else "x", by, chosen)
    elif varied := studied.varied(chosen):
        by = varied[0]
    column, labels = _groups(studied, by, chosen)
    single = SingleValues(studied, measure, column, chosen)
    await studied.hand_over(single)
    values = await in_thread(single.of_each_group)
    keys = [key[0] if key else "" for key in single.groups.keys]
    if labels:
        keys = [labels[int(key)] for key in keys]
    if not values or not any(map(len, values)):
        raise NothingToDraw(studied.job.job_id, "no seed is whole yet.")
    if sum(map(len, values)) == 1:
        raise NothingToDraw(
            studied.job.job_id, "one value is no distribution; more seeds or cells make one."
        )
    return _distributed(studied, asked, measure, by, (keys, values))


def _known_columns(studied: Studied) -> set[str]:
    arms = studied.subject.arms
    return {column_of(name, arm, arms) for name in studied.names for arm in arms}


def _groups(
    studied: Studied, by: str, chosen: Bools
) -> tuple[NDArray[Any] | None, tuple[str, ...]]:
    """Return what names the groups of cells; of a sampled parameter bins, and their labels."""
    if not by:
        return None, ()
    column = studied.subject.cells.columns[by]
    if by not in studied.subject.ranges:
        return column, ()
    low, high, logarithmic = studied.subject.ranges[by]
    n = n_bins(studied, [by], chosen)
    found = bins(column.astype(float), low, high, n, logarithmic=logarithmic)
    return found.bin, found.labels


def _distributed(
    studied: Studied,
    asked: Asked,
    measure: Measure,
    by: str,
    groups: tuple[list[Any], list[Values]],
) -> Drawn:
    keys, values = groups
    kept, left = thinned(range(len(keys)), MOST_ROWS)
    every = np.concatenate(values)
    edges = bin_edges(np.concatenate([values[place] for place in kept]))
    signed = words.is_difference(measure)
    spreads = tuple(_spread(values[place], edges, signed=signed) for place in kept)
    name, short = words.measure_words(measure), words.symbol(studied.job, by) if by else ""
    one = "pair" if len(measure.columns) > 1 and len(studied.subject.arms) > 1 else "run"
    sizes = [len(values[place]) for place in kept]
    counted = (
        plural(min(sizes), one) if len(set(sizes)) == 1 else f"up to {plural(max(sizes), one)}"
    )
    zeros = any(each.zeros for each in spreads)
    outside = int(((every < edges[0]) | (every > edges[-1])).sum())
    caption = words.caption(
        studied,
        asked,
        f"{name} of single {one}s" + (f" by {short}" if by else ""),
        f"{counted} {'each' if len(kept) > 1 else ''}".strip(),
        f"bars count {one}s" + (", one on 0 those that are 0" if zeros else ""),
        "line below: 5–95 %, box 25–75 %, dot median",
        f"{outside:,} of {len(every):,} lie beyond the axis" if outside else "",
        f"{len(kept)} of {len(keys):,} values of {short} shown" if left else "",
    )
    rows = (
        words.scale(studied, by, [keys[place] for place in kept])
        if by
        else Scale(label="", texts=("",))
    )
    picture = Distribution(
        caption=caption,
        rows=rows,
        label=f"{words.measure_label(studied, measure)}, one {one}",
        edges=edges,
        spreads=spreads,
        heading=_heading(studied, measure) if signed else "median",
        signed=signed,
    )
    return Drawn(picture, _said(measure, name, one, every))


def _heading(studied: Studied, measure: Measure) -> str:
    above, below = ("above", "below")
    if studied.subject.verdict_words and measure.name == studied.subject.primary:
        above, below = studied.subject.verdict_words
    return f"{above} · same · {below}"


def _said(measure: Measure, name: str, one: str, every: Values) -> str:
    form = written(every, sign=words.is_difference(measure))
    five, middle, most = (form(float(each)) for each in np.quantile(every, (0.05, 0.5, 0.95)))
    of = f"Of {plural(len(every), one)} the {name} is {middle} in the median"
    said = f"{of}, 5–95 % {five} to {most}"
    if not words.is_difference(measure):
        return f"{said}."
    above, zero, below = (int(each.sum()) for each in (every > 0, every == 0, every < 0))
    return f"{said}; {above:,} above 0, {zero:,} at 0, {below:,} below."


def bin_edges(values: Values) -> Values:
    """Return bins of equal width, round numbers; 0 is an edge where values lie on both sides."""
    low, high = float(values.min()), float(values.max())
    if len(values) >= MANY:
        low, high = (float(each) for each in np.percentile(values, TRIMMED))
    if high - low <= ROUNDING * max(abs(low), abs(high)):
        room = abs(low) / 2 or 1.0
        return low + room * np.array([-1, -0.05, 0.05, 1], np.float64)
    most = max(min(MOST_BINS, int(2 * math.sqrt(len(values))) + 4), 6)
    ticks = round_ticks(low, high, most)
    step = float(ticks[1] - ticks[0]) if len(ticks) > 1 else high - low
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    edges = np.arange(first, max(last, first + 1) + 1, dtype=np.float64) * step
    edges[0], edges[-1] = min(edges[0], low), max(edges[-1], high)  # but for rounding
    return edges


def _spread(values: Values, edges: Values, *, signed: bool) -> Spread:
    zeros = int((values == 0).sum())
    counts, _ = np.histogram(values[values != 0], edges)
    if not len(values):
        return Spread(counts=counts.astype(float), zeros=0, quantiles=(math.nan,) * 5, note="–")
    marks = tuple(float(each) for each in np.quantile(values, QUANTILES))
    if signed:
        signs = (int((values > 0).sum()), zeros, int((values < 0).sum()))
        note = " · ".join(_percent(each, len(values)) for each in signs)
    else:
        note = written(values)(marks[2])
    return Spread(
        counts=counts.astype(float),
        zeros=zeros,
        quantiles=(marks[0], marks[1], marks[2], marks[3], marks[4]),
        note=note,
    )


def _percent(part: int, whole: int) -> str:
    """Write a share; only nothing is 0 %, and only all is 100 %."""
    rounded = round(100 * part / whole)
    if rounded == 0 and part:
        return "<1 %"
    return ">99 %" if rounded == 100 and part < whole else f"{rounded} %"  # noqa: PLR2004


# -- the interval by number of seeds -----------------------------------------------------------


class BySeed:
    """A measure over all cells, by whole seed."""

    def __init__(self, studied: Studied, measure: Measure, chosen: Bools) -> None:
        self._arms = studied.subject.arms
        self._measure = measure
        subject = studied.subject
        self.groups = Groups(subject.cells, [], chosen, [measure], kept=[measure.name])

    @property
    def wanted(self) -> tuple[str, ...]:
        """The metrics whose columns are wanted."""
        return self.groups.metrics

    def take(self, metric: str, cube: Values) -> None:
        """Take a metric by seed, cell and arm."""
        self.groups.take(metric, cube, self._arms)

    def sides(self) -> tuple[Values, Values | None]:
        """Return numerator and denominator (1, n_seeds) of the whole seeds, in their order."""
        top, bottom = self.groups.sides.get(self._measure.name, (np.empty((1, 0)), None))
        known = np.isfinite(top[0]) if len(top) else np.zeros(0, np.bool_)
        if not len(top):
            return np.empty((1, 0)), None
        return top[:, known], None if bottom is None else bottom[:, known]


async def precision(studied: Studied, asked: Asked) -> Drawn:
    """Draw the estimate and its interval over the first seeds, the first two, three and so on."""
    measure = studied.in_arms(asked.y)[0] if asked.y else studied.primary
    chosen = cells_of(studied, asked)
    if studied.subject.cells.sampled[chosen].any():
        why = "which more seeds alone do not make narrow"
        raise studied.refusal("precision", f"precision, of cells sampled from ranges, {why}")
    by_seed = BySeed(studied, measure, chosen)
    await studied.hand_over(by_seed)
    top, bottom = by_seed.sides()
    n_seeds = top.shape[1]
    if n_seeds < 2:  # noqa: PLR2004 - one shows no spread
        raise NothingToDraw(
            studied.job.job_id,
            f"{plural(n_seeds, 'whole seed')}, and an interval takes two or more.",
        )
    first = min(FIRST_SEEDS, max(n_seeds // 2, 2))
    counts = sorted(set(np.geomspace(first, n_seeds, MOST_COUNTS).round().astype(int).tolist()))
    found = [
        measure_intervals(top[:, :count], None if bottom is None else bottom[:, :count])
        for count in counts
    ]
    value, low, high = (
        np.array([float(getattr(each, name)[0]) for each in found])
        for name in ("estimate", "low", "high")
    )
    equal = np.array([each.lack[0] == Lack.EQUAL for each in found])
    low, high = (np.where(equal, value, each) for each in (low, high))
    return _narrowing(
        studied, asked, measure, counts, Estimates(name="", value=value, low=low, high=high),
        planned=_plan(found[-1]),
    )  # fmt: skip


def _plan(last: Any) -> tuple[float, int]:
    """Return the present half width, and how many seeds halve it; 0 where that is not known."""
    half = float(last.high[0] - last.low[0]) / 2
    if last.lack[0] != Lack.NONE:
        return half, 0
    return half, int(planning.seeds_needed(last, half / 2)[0])


def _narrowing(
    studied: Studied,
    asked: Asked,
    measure: Measure,
    counts: Sequence[int],
    found: Estimates,
    *,
    planned: tuple[float, int],
) -> Drawn:
    name = words.measure_words(measure)
    half, needed = planned
    if needed:
        now = f"± {half:.3g} with {plural(counts[-1], 'seed')}"
        half_of = f"± {half / 2:.2g} takes about {needed:,}"
    else:
        now = f"all {plural(counts[-1], 'seed')} agree" if half != half else "no interval"  # noqa: PLR0124 - NaN
        half_of = ""
    caption = words.caption(
        studied,
        asked,
        f"how sure the {name} is by number of seeds",
        f"band: {words.LEVEL_TEXT} interval over the first seeds" if words.has_width(found) else "",
        now,
        half_of,
        words.meaning(studied, measure),
    )
    places = np.array(counts, np.float64)
    logarithmic = counts[-1] >= 30 * counts[0]
    scale = Scale(
        label="whole seeds" + ("  (log scale)" if logarithmic else ""),
        texts=tuple(f"{each:,}" for each in counts),
        places=places,
        logarithmic=logarithmic,
    )
    picture = Lines(
        caption=caption,
        x=scale,
        label=words.measure_label(studied, measure),
        series=(found,),
        zero=words.is_difference(measure),
    )
    return Drawn(picture, f"{words.sentence_case(name)}: {now}{'; ' if half_of else ''}{half_of}.")
