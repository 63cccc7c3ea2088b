"""Pictures with a row for each group: distributions, shares, jobs beside each other."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bilancio.report.lines import SAMPLE, look_of, piece, style_of
from bilancio.report.pictures import Bars, Distribution, Estimates, Spread, Versus
from bilancio.report.sheet import (
    LABEL,
    PAD,
    TICK,
    WIDTH,
    Axes,
    Rectangle,
    Sheet,
    beside,
    cut,
    lines_of,
    measured,
    told_apart,
    upright_room,
    wrapped,
)
from bilancio.report.style import SERIES, Colours
from bilancio.report.ticks import number, room_for, round_ticks, tick_texts

MOST_TICKS = 230.0  # pixels of the names of rows
MOST_HEADING = 300.0  # … of a line above the notes
ROW, ONE_ROW, BAR = 47.0, 300.0, 36.0
GAP = 44.0  # between two axes
OVERHANG = GAP / 2 - 4  # of a number beyond the end of its axis
BELOW = 0.16  # of a row, for the line of quantiles
LEGEND_LINE = 21.0
MOST_JOB = 420.0  # pixels of a job's name

Values = NDArray[np.float64]


def _x_ticks(axes: Axes, low: float, high: float, width: float) -> None:
    """Set the limits and round ticks whose numbers do not run into each other."""
    axes.set_xlim(low, high)
    for most in (8, 6, 5, 4, 3, 2):
        ticks = round_ticks(low, high, most)
        places = (ticks - low) / (high - low) * width
        over = np.array([measured(each, TICK) / 2 - OVERHANG for each in tick_texts(ticks)])
        ticks = ticks[(places >= over) & (places <= width - over)]
        texts = tick_texts(ticks)
        places = ((ticks - low) / (high - low) * width).tolist()
        if len(room_for(places, [measured(each, TICK) for each in texts], 12)) == len(texts):
            break
    axes.set_xticks(ticks, texts)
    axes.grid(visible=True, axis="x", color=axes.spines["left"].get_edgecolor(), alpha=0.2)


def _limits(parts: Sequence[Values], *, zero: bool) -> tuple[float, float]:
    every = np.concatenate(list(parts))
    finite = every[np.isfinite(every)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if low == high:
        room = abs(high) * 0.1 or 1.0
        return low - room, high + room
    room = (high - low) * 0.04
    return low if low == 0 and zero else low - room, high if high == 0 and zero else high + room


# -- distributions ---------------------------------------------------------------------------


def distribution(picture: Distribution, colours: Colours) -> Sheet:
    """Draw the single values of each group: bars, zeros apart, quantiles on a line below."""
    n = len(picture.spreads)
    named = bool(picture.rows.label)
    height = ONE_ROW if n == 1 else min(max(n * ROW, 200), 620)
    names = beside(picture.rows.texts, MOST_TICKS, height / n)
    heading = wrapped(picture.heading, TICK, MOST_HEADING, 3, bold=True)
    head = 4.0 + LEGEND_LINE * len(heading)
    left = PAD / 2 + upright_room(picture.rows.label, height) + lines_of(names, TICK) + 12
    notes = max(measured(each.note, TICK) for each in picture.spreads)
    notes = max(notes, *(measured(each, TICK, bold=True) for each in heading))
    width = WIDTH - left - notes - 26
    sheet = Sheet(colours, picture.caption, head + height + 54)
    top = sheet.top + head
    axes = sheet.axes(left, top, width, height)
    axes.set_ylim(0, n)
    low, high = float(picture.edges[0]), float(picture.edges[-1])
    room = (high - low) * 0.02
    _x_ticks(axes, low - room, high + room, width)
    axes.set_yticks([place + 0.4 for place in range(n) if names[place]], list(filter(None, names)))
    if picture.signed and low <= 0 <= high:
        axes.axvline(0, color=colours["muted"], linewidth=1.6, zorder=1.5)
    x = left + width + 14
    for line, text in enumerate(reversed(heading)):
        sheet.text(x, top - 6 - LEGEND_LINE * line, text, "ink", weight="bold", size=TICK)
    for place, spread in enumerate(picture.spreads):
        _spread(axes, colours, picture, place, spread)
        middle = top + height * (1 - (place + 0.4) / n)
        sheet.text(x, middle + TICK * 0.36, spread.note, "muted", size=TICK)
    sheet.x_label((left, width, top + height + 46), picture.label)
    if named:
        sheet.y_label(top, height, picture.rows.label)
    return sheet


def _spread(
    axes: Axes, colours: Colours, picture: Distribution, place: int, spread: Spread
) -> None:
    base, room = place + BELOW + 0.04, 0.92 - BELOW - 0.04
    most = max(float(spread.counts.max(initial=0)), spread.zeros, 1)
    edges = picture.edges
    gap = (edges[-1] - edges[0]) * 0.0012
    for low, high, count in zip(edges[:-1], edges[1:], spread.counts.tolist(), strict=True):
        if count:
            below = picture.signed and high <= 0
            role = "line1" if below else "line0"
            tall = max(count / most * room, 0.012)
            box = Rectangle((low + gap, base), high - low - 2 * gap, tall)
            box.set(facecolor=colours[role], linewidth=0, alpha=0.8, zorder=2)
            axes.add_patch(box)
    if spread.zeros:
        wide = (edges[-1] - edges[0]) * 0.011
        tall = max(spread.zeros / most * room, 0.012)
        box = Rectangle((-wide / 2, base), wide, tall)
        box.set(facecolor=colours["axis"], linewidth=0, zorder=2.5)
        axes.add_patch(box)
    five, quarter, median, three, most_ = spread.quantiles
    y = place + BELOW / 2 + 0.02
    line: dict[str, Any] = {"color": colours["ink"], "solid_capstyle": "butt", "zorder": 3}
    axes.plot([five, most_], [y, y], linewidth=1.8, **line)
    axes.plot([quarter, three], [y, y], linewidth=6, **line)
    axes.plot(
        [median],
        [y],
        "o",
        markersize=8,
        markerfacecolor=colours["paper"],
        markeredgecolor=colours["ink"],
        markeredgewidth=1.6,
        zorder=4,
        clip_on=False,
    )


# -- shares ----------------------------------------------------------------------------------


def bars(picture: Bars, colours: Colours) -> Sheet:
    """Draw a bar for each share, its interval on it, the number beside it."""
    n = len(picture.names)
    names = beside(picture.names, MOST_TICKS, BAR)
    found = picture.shares
    notes = [_share(*each) for each in zip(found.value, found.low, found.high, strict=True)]
    left = PAD + lines_of(names, TICK) + 12
    width = WIDTH - left - max(measured(each, TICK) for each in notes) - 26
    height = max(n * BAR, 90)
    sheet = Sheet(colours, picture.caption, height + 54)
    axes = sheet.axes(left, sheet.top, width, height)
    axes.set_ylim(n - 0.5, -0.5)
    _x_ticks(axes, *_limits([found.value, found.low, found.high], zero=True), width)
    axes.set_yticks(range(n), names)
    axes.tick_params(axis="y", length=0)
    axes.barh(range(n), np.nan_to_num(found.value), height=0.62, color=colours["line0"], alpha=0.8)
    ends = np.isfinite(found.low) & np.isfinite(found.high)
    places = np.flatnonzero(ends)
    axes.hlines(places, found.low[ends], found.high[ends], color=colours["ink"], linewidth=2.2)
    for place, note in enumerate(notes):
        y = sheet.top + height * (place + 0.5) / n + TICK * 0.36
        sheet.text(left + width + 12, y, note, "muted", size=TICK)
    sheet.x_label((left, width, sheet.top + height + 46), picture.label)
    return sheet


def _share(value: float, low: float, high: float) -> str:
    if not np.isfinite(value):
        return "not known"
    said = f"{number(100 * value, 0)} %"
    if not np.isfinite(low):
        return said
    return f"{said} ({number(100 * low, 0)} to {number(100 * high, 0)})"


# -- jobs ------------------------------------------------------------------------------------


def versus(picture: Versus, colours: Colours) -> Sheet:
    """Draw jobs beside each other, and their differences to the first one on axes of their own."""
    n, n_jobs = len(picture.rows.texts), len(picture.jobs)
    named = bool(picture.rows.label)
    height = min(max(n * max(34, n_jobs * 15), 150), 640)
    names = beside(picture.rows.texts, MOST_TICKS, height / n)
    left = PAD / 2 + upright_room(picture.rows.label, height) + lines_of(names, TICK) + 12
    room = WIDTH - left - PAD - GAP
    one, two = room * 0.56, room * 0.44
    legend = told_apart([each.name for each in picture.jobs], TICK, MOST_JOB, bold=True)
    head = (_legend_places(legend, left)[-1][1] + 1) * LEGEND_LINE + 8
    sheet = Sheet(colours, picture.caption, head + height + 54)
    top = sheet.top + head
    _legend(sheet, picture.jobs, legend, left)
    for series, box, label, first in (
        (picture.jobs, (left, one), picture.label, 0),
        (picture.differences, (left + one + GAP, two), picture.difference_label, 1),
    ):
        axes = sheet.axes(box[0], top, box[1], height)
        axes.set_ylim(-0.5, n - 0.5)
        parts = [part for each in series for part in (each.value, each.low, each.high)]
        _x_ticks(axes, *_limits(parts, zero=bool(first)), box[1])
        if first:
            axes.axvline(0, color=colours["muted"], linewidth=1.4, zorder=1.5)
        axes.set_yticks(range(n), [""] * n if first else names)
        axes.tick_params(axis="y", length=0)
        for row in range(1, n, 2):  # so that one sees what belongs together
            axes.axhspan(row - 0.5, row + 0.5, color=colours["blank"], linewidth=0, zorder=0)
        for number_, each in enumerate(series):
            style = style_of(look_of(each, number_ + first), colours)
            _row_points(axes, each, style, (number_, len(series)), height / n)
        shown = cut(label, LABEL, box[1] + (10 if first else 0))
        sheet.x_label((*box, top + height + 46), shown)
    if named:
        sheet.y_label(top, height, picture.rows.label)
    return sheet


def _row_points(
    axes: Axes, series: Estimates, style: dict[str, Any], of: tuple[int, int], row: float
) -> None:
    """Draw one job's value in each row, below that of the one before it.

    Parameters
    ----------
    of
        Which one it is, and of how many.
    row
        Pixels from one row to the next.
    """
    place, n = of
    step = 0.8 / max(n, 2)
    y = np.arange(len(series.value)) - (place - (n - 1) / 2) * step
    ends = np.isfinite(series.low) & np.isfinite(series.high)
    wide, size = min(2.4, step * row * 0.4), min(8.0, step * row * 1.1)
    axes.hlines(y[ends], series.low[ends], series.high[ends], color=style["color"], linewidth=wide)
    axes.plot(
        series.value, y, linestyle="", marker=style["marker"], color=style["color"],
        markersize=size, markeredgewidth=0, clip_on=False, zorder=3,
    )  # fmt: skip


def _legend_places(names: Sequence[str], left: float) -> list[tuple[float, int]]:
    """Return where each name stands: its left end, and its line."""
    x, line, found = left, 0, []
    for each in names:
        width = SAMPLE + measured(each, TICK, bold=True) + 24
        if x > left and x + width > WIDTH - PAD:
            x, line = left, line + 1
        found.append((x, line))
        x += width
    return found


def _legend(sheet: Sheet, jobs: Sequence[Estimates], names: Sequence[str], left: float) -> None:
    places = zip(jobs, names, _legend_places(names, left), strict=True)
    for number_, (job, name, (x, line)) in enumerate(places):
        y = sheet.top + line * LEGEND_LINE + 10
        piece(sheet, (x, y), look_of(job, number_), dashed=False)
        role = f"line{look_of(job, number_)[0] % SERIES}"
        sheet.text(x + SAMPLE + 6, y + TICK * 0.36, name, role, weight="bold", size=TICK)
