"""Measures by a parameter: lines with bands, single points with their intervals, steps."""

import math
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bilancio.report.pictures import Estimates, Joined, Lines, Scale
from bilancio.report.sheet import (
    DPI,
    PAD,
    TICK,
    WIDTH,
    Axes,
    Below,
    ScaledTranslation,
    Sheet,
    below,
    lines_of,
    measured,
    told_apart,
    upright_room,
)
from bilancio.report.style import DASHES, MARKERS, SERIES, Colours
from bilancio.report.ticks import (
    MINUS,
    apart,
    logarithmic_ticks,
    room_for,
    round_ticks,
    tick_texts,
)

HEIGHT = 346.0
MOST_NAME = 230.0  # pixels of a name at a line's end
NAME_LINE = TICK + 5
UNKNOWN = ": not known"
SAMPLE = 30.0  # pixels of the piece of a line beside its name
MOST_VALUES = 13  # that are all written
BESIDE = 11.0  # pixels between the points of two series
BAND, FEW_BANDS = 0.17, 3
MARKED = 60  # values of which each has a marker
MARGIN = 0.05  # of the span, beyond the outermost values

Values = NDArray[np.float64]


class Span(NamedTuple):
    """What an upright axis shows."""

    low: float
    high: float
    ticks: Values


def drawn(picture: Lines, colours: Colours) -> Sheet:
    """Draw series by a parameter, each named where it ends."""
    if len(picture.x.texts) == 1 and picture.joined is Joined.LINE:
        picture = replace(picture, joined=Joined.POINTS)  # no line leads anywhere
    span = _span(picture)
    texts = tick_texts(span.ticks)
    lines = _names(picture)
    height = max(HEIGHT, len(lines) * NAME_LINE)
    left = PAD / 2 + upright_room(picture.label, height) + lines_of(texts, TICK) + 10
    names = max((measured(each, TICK, bold=True) for each in lines if each), default=0.0)
    sample = SAMPLE + 6 if names and len(lines) > 1 else 0.0
    right = PAD / 2 + (names + sample + 16 if names else 8)
    width = WIDTH - left - right
    columns = _words(picture.x, width)
    foot = height + 54 + columns.more
    sheet = Sheet(colours, picture.caption, foot)
    axes = sheet.axes(left, sheet.top, width, height)
    axes.grid(visible=True, axis="y", color=colours["grid"], linewidth=1)
    places = _places(picture.x)
    beside = _scale(axes, picture, places, width, columns)
    axes.set_ylim(span.low, span.high)
    axes.set_yticks(span.ticks, texts)
    if picture.zero and span.low <= 0 <= span.high:
        axes.axhline(0, color=colours["muted"], linewidth=1.4, zorder=1.5)
    for number, series in enumerate(picture.series):
        style = style_of(look_of(series, number), colours)
        if picture.joined is Joined.POINTS:
            hollow = series.uncertain if picture.zero else np.zeros(len(places), np.bool_)
            style["beside"] = (number - (len(lines) - 1) / 2) * beside
            style["faces"] = ((~hollow, style["color"]), (hollow, colours["paper"]))
            _points(axes, places, series, style)
        else:
            _line(axes, picture, places, series, {**style, "zorder": 3 + number * 0.01})
    _name(sheet, picture, span, lines, (left + width + 10, sample, height))
    sheet.x_label((left, width, sheet.top + foot - 8), picture.x.label)
    sheet.y_label(sheet.top, height, picture.label)
    return sheet


def _names(picture: Lines) -> list[str]:
    """Return the names of series as there is room for them."""
    known = [bool(np.isfinite(each.value).any()) for each in picture.series]
    names = [each.name for each in picture.series]
    room = MOST_NAME if all(known) else MOST_NAME - measured(UNKNOWN, TICK, bold=True)
    shown = told_apart(names, TICK, room, bold=True)
    return [
        each if found or not each else f"{each}{UNKNOWN}"
        for each, found in zip(shown, known, strict=True)
    ]


def look_of(series: Estimates, number: int) -> tuple[int, int]:
    """Return the numbers of colour and dash of the series at a place."""
    if series.look is not None:
        return series.look
    return number % SERIES, (number + number // SERIES) % len(DASHES)


def style_of(look: tuple[int, int], colours: Colours) -> dict[str, Any]:
    """Return colour, marker and dash of a series."""
    colour, turn = look
    dash = DASHES[turn % len(DASHES)]
    return {
        "color": colours[f"line{colour % SERIES}"],
        "marker": MARKERS[turn % len(MARKERS)],
        "linestyle": (0, dash) if dash else "-",
    }


def _places(scale: Scale) -> Values:
    if scale.places is None:
        return np.arange(len(scale.texts), dtype=np.float64)
    return scale.places


def _words(scale: Scale, width: float) -> Below:
    """Return the names below a scale of words; numbers stay in one line."""
    if scale.places is None:
        return below(scale.texts, width / max(len(scale.texts), 1))
    return Below(list(scale.texts), upright=False, more=0.0)


def _scale(axes: Axes, picture: Lines, places: Values, width: float, columns: Below) -> float:
    """Set the limits, and write the values as far as there is room.

    Returns
    -------
    float
        Pixels from the points of one series to those of the next.
    """
    scale, n_series = picture.x, len(picture.series)
    shown = np.log10(places) if scale.logarithmic else places
    if scale.logarithmic:
        axes.set_xscale("log")
        axes.minorticks_off()
    low, high = float(shown.min()), float(shown.max())
    words = scale.places is None
    beside, margin = 0.0, 0.5
    if not words and high > low:
        margin = (high - low) * MARGIN
    if picture.joined is Joined.POINTS and n_series > 1:
        beside = min(BESIDE, 0.8 * _narrowest(shown) * width / n_series)
        room = min((n_series * beside / 2 + 8) / width, 0.3)  # of the width, at each end
        margin = max(margin, (high - low) * room / (1 - 2 * room))
    ends = np.array([low - margin, high + margin])
    axes.set_xlim(*(10**ends if scale.logarithmic else ends))
    pixels = (shown - ends[0]) / (ends[1] - ends[0]) * width
    texts = columns.texts
    widths = [TICK if columns.upright else lines_of([each], TICK) for each in texts]
    kept = room_for(pixels.tolist(), widths, 3 if columns.upright else 10)
    axes.tick_params(axis="x", rotation=90 if columns.upright else 0)
    if words or len(kept) == len(texts) <= MOST_VALUES:
        axes.set_xticks([places[each] for each in kept], [texts[each] for each in kept])
    else:
        axes.set_xticks(*_round(low, high, logarithmic=scale.logarithmic))
    if len(kept) < len(texts) <= MARKED and words:
        axes.set_xticks(places, minor=True)
    return beside


def _narrowest(shown: Values) -> float:
    """Return the smallest distance of neighbours as a share of the whole width."""
    span = float(shown.max() - shown.min())
    return float(np.diff(np.sort(shown)).min()) / span / 1.2 if span else 1.0


def _round(low: float, high: float, *, logarithmic: bool) -> tuple[Values, list[str]]:
    """Return round numbers along an axis; the ends are logarithms on a logarithmic one."""
    if logarithmic:
        ticks = logarithmic_ticks(10**low, 10**high, 9)
        if len(ticks) > 2:  # noqa: PLR2004 - of which one sees that it is logarithmic
            return ticks, [f"{each:g}".replace("-", MINUS) for each in ticks.tolist()]
        low, high = 10**low, 10**high
    ticks = round_ticks(low, high, 6 if logarithmic else 9)
    return ticks, tick_texts(ticks)


def _span(picture: Lines) -> Span:
    """Return what the upright axis shows: all values and intervals, 0 where it matters."""
    every = np.concatenate(
        [part for each in picture.series for part in (each.value, each.low, each.high)]
    )
    finite = every[np.isfinite(every)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
    near = low >= 0 and low < (high - low) * 1.5
    if picture.zero or near or picture.joined is Joined.STEPS:
        low, high = min(low, 0.0), max(high, 0.0)
    if math.isclose(low, high, rel_tol=1e-9, abs_tol=1e-300):
        room = abs(high) * 0.1 or 1.0
        low, high = (low - room, high + room) if low else (0.0, room)
    room = (high - low) * MARGIN
    low, high = low if low == 0 else low - room, high if high == 0 else high + room
    return Span(low, high, round_ticks(low, high, 7))


def _line(
    axes: Axes, picture: Lines, places: Values, series: Estimates, style: dict[str, Any]
) -> None:
    """Draw a line through values, and the band of their intervals."""
    steps = picture.joined is Joined.STEPS
    axes.fill_between(
        places,
        series.low,
        series.high,
        color=style["color"],
        alpha=BAND if len(picture.series) <= FEW_BANDS else BAND / 2,
        linewidth=0,
        step="post" if steps else None,
    )
    marker = style["marker"] if len(places) <= MARKED else ""
    axes.plot(
        places,
        series.value,
        **{**style, "marker": marker},
        linewidth=2.4,
        markersize=7.5,
        markeredgewidth=0,
        drawstyle="steps-post" if steps else "default",
        clip_on=False,
    )
    alone = _alone(series.value)
    axes.vlines(  # a band of one value has no width
        places[alone], series.low[alone], series.high[alone], color=style["color"], linewidth=2.2
    )
    if not marker and alone.any():
        axes.plot(places[alone], series.value[alone], "o", color=style["color"], markersize=4)


def _alone(values: Values) -> NDArray[np.bool_]:
    """Return which values have no neighbour that a line could lead to."""
    known = np.isfinite(values)
    before = np.concatenate([[False], known[:-1]])
    after = np.concatenate([known[1:], [False]])
    return np.asarray(known & ~before & ~after, np.bool_)


def _points(axes: Axes, places: Values, series: Estimates, style: dict[str, Any]) -> None:
    """Draw points with intervals, those of several series beside each other.

    Parameters
    ----------
    style
        With `beside`, pixels to the right, and `faces`: which points have which colour inside.
    """
    many = len(places) > MARKED
    ends = np.isfinite(series.low) & np.isfinite(series.high)
    figure = axes.get_figure(root=True)
    assert figure is not None, "the axes are on a sheet"
    pixels = ScaledTranslation(style["beside"] / DPI, 0, figure.dpi_scale_trans)
    moved = axes.transData + pixels
    axes.vlines(
        places[ends],
        series.low[ends],
        series.high[ends],
        color=style["color"],
        linewidth=1.0 if many else 2.2,
        transform=moved,
    )
    for chosen, face in style["faces"]:
        axes.plot(
            places[chosen],
            series.value[chosen],
            linestyle="",
            marker=style["marker"],
            color=style["color"],
            markerfacecolor=face,
            markersize=4.5 if many else 8.5,
            markeredgewidth=1.2 if many else 2.0,
            zorder=3,
            clip_on=False,
            transform=moved,
        )


def _name(
    sheet: Sheet,
    picture: Lines,
    span: Span,
    names: list[str],
    at: tuple[float, float, float],
) -> None:
    """Write the names of series where they end, a piece of the line beside each of several.

    Parameters
    ----------
    at
        Left end of the names, width of the pieces, and height of the axis.
    """
    x, sample, height = at
    ends = []
    for series in picture.series:
        known = series.value[np.isfinite(series.value)]
        last = float(known[-1]) if len(known) else span.low
        ends.append(sheet.top + height * (span.high - last) / (span.high - span.low))
    places = apart(ends, NAME_LINE, sheet.top - 6, sheet.top + height + 6)
    for number, (name, y) in enumerate(zip(names, places, strict=True)):
        if name:
            look = look_of(picture.series[number], number)
            if sample:
                piece(sheet, (x, y), look, dashed=picture.joined is not Joined.POINTS)
            role = f"line{look[0] % SERIES}"
            sheet.text(x + sample, y + TICK * 0.36, name, role, size=TICK, weight="bold")


def piece(sheet: Sheet, at: tuple[float, float], look: tuple[int, int], *, dashed: bool) -> None:
    """Draw a piece of a series' line with its marker, beside its name.

    Parameters
    ----------
    at
        Left end and middle, in pixels.
    """
    box = sheet.axes(at[0], at[1] - 8, SAMPLE, 16)
    box.set_axis_off()
    box.set(xlim=(0, 1), ylim=(0, 1))
    style = style_of(look, sheet.colours)
    line = style["linestyle"] if dashed else "-"
    box.plot([0, 1], [0.5, 0.5], color=style["color"], linestyle=line, linewidth=2.4)
    box.plot([0.5], [0.5], color=style["color"], marker=style["marker"], markersize=7)
