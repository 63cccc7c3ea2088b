"""Measures by a parameter: lines with bands, single points with their intervals, steps."""

import math
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
    ScaledTranslation,
    Sheet,
    cut,
    lines_of,
    measured,
    upright_room,
)
from bilancio.report.style import DASHES, MARKERS, SERIES, Colours
from bilancio.report.ticks import apart, room_for, round_ticks, tick_texts

HEIGHT = 346.0
MOST_NAME = 230.0  # pixels of a name at a line's end
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
    span = _span(picture)
    texts = tick_texts(span.ticks)
    lines = cut_names(picture)
    left = PAD / 2 + upright_room(picture.label, HEIGHT) + lines_of(texts, TICK) + 10
    names = max((measured(each, TICK, bold=True) for each in lines if each), default=0.0)
    right = PAD / 2 + (names + 16 if names else 8)
    width = WIDTH - left - right
    sheet = Sheet(colours, picture.caption, HEIGHT + 54)
    axes = sheet.axes(left, sheet.top, width, HEIGHT)
    axes.grid(visible=True, axis="y", color=colours["grid"], linewidth=1)
    places = _places(picture.x)
    _scale(axes, picture.x, places, width)
    axes.set_ylim(span.low, span.high)
    axes.set_yticks(span.ticks, texts)
    if picture.zero and span.low <= 0 <= span.high:
        axes.axhline(0, color=colours["muted"], linewidth=1.4, zorder=1.5)
    for number in range(len(picture.series)):
        _draw(axes, colours, picture, places, number)
    _name(sheet, picture, span, lines, left + width + 10)
    sheet.x_label((left, width, sheet.top + HEIGHT + 46), picture.x.label)
    sheet.y_label(sheet.top, HEIGHT, picture.label)
    return sheet


def cut_names(picture: Lines) -> list[str]:
    """Return the names of series as there is room for them."""
    return [cut(each.name, TICK, MOST_NAME, bold=True) for each in picture.series]


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


def _scale(axes: Axes, scale: Scale, places: Values, width: float) -> None:
    """Set the limits, and write the values as far as there is room."""
    shown = np.log10(places) if scale.logarithmic else places
    if scale.logarithmic:
        axes.set_xscale("log")
        axes.minorticks_off()
    low, high = float(shown.min()), float(shown.max())
    words = scale.places is None
    margin = 0.5 if words else (high - low) * MARGIN or 0.5
    ends = np.array([low - margin, high + margin])
    axes.set_xlim(*(10**ends if scale.logarithmic else ends))
    pixels = (shown - ends[0]) / (ends[1] - ends[0]) * width
    most = width / max(len(places), 1) - 10
    texts = [cut(each, TICK, max(most, 60)) if words else each for each in scale.texts]
    kept = room_for(pixels.tolist(), [measured(each, TICK) for each in texts], 10)
    if words or len(kept) == len(texts) <= MOST_VALUES:
        axes.set_xticks([places[each] for each in kept], [texts[each] for each in kept])
    elif scale.logarithmic:
        kept = _even(scale, places, texts)
        axes.set_xticks([places[each] for each in kept], [texts[each] for each in kept])
    else:
        ticks = round_ticks(low, high, 9)
        axes.set_xticks(ticks, tick_texts(ticks))
    if len(kept) < len(texts) <= MARKED and words:
        axes.set_xticks(places, minor=True)


def _even(scale: Scale, places: Values, texts: list[str]) -> list[int]:
    """Return the values next to evenly spread places, of values too many to be written."""
    at = np.log10(places) if scale.logarithmic else places
    widest = max(measured(each, TICK) for each in texts) + 24
    most = max(int(700 / widest), 2)
    wanted = np.linspace(at.min(), at.max(), min(most, 9))
    found = sorted({int(np.abs(at - each).argmin()) for each in wanted})
    kept: list[int] = []
    span = float(at.max() - at.min()) or 1.0
    for each in found:
        if not kept or (at[each] - at[kept[-1]]) / span * 700 >= widest:
            kept.append(each)
    return kept


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


def _draw(axes: Axes, colours: Colours, picture: Lines, places: Values, number: int) -> None:
    series = picture.series[number]
    style = style_of(look_of(series, number), colours)
    n_series = len(picture.series)
    if picture.joined is Joined.POINTS:
        hollow = series.uncertain if picture.zero else np.zeros(len(places), np.bool_)
        beside = (number - (n_series - 1) / 2) * BESIDE
        faces = ((~hollow, style["color"]), (hollow, colours["paper"]))
        _points(axes, places, series, {**style, "beside": beside, "faces": faces})
        return
    steps = picture.joined is Joined.STEPS
    axes.fill_between(
        places,
        series.low,
        series.high,
        color=style["color"],
        alpha=BAND if n_series <= FEW_BANDS else BAND / 2,
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
        zorder=3 + number * 0.01,
    )
    alone = _alone(series.value)
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


def _name(sheet: Sheet, picture: Lines, span: Span, names: list[str], x: float) -> None:
    """Write the names of series where they end."""
    ends = []
    for series in picture.series:
        known = series.value[np.isfinite(series.value)]
        last = float(known[-1]) if len(known) else span.low
        ends.append(sheet.top + HEIGHT * (span.high - last) / (span.high - span.low))
    places = apart(ends, TICK + 5, sheet.top - 6, sheet.top + HEIGHT + 6)
    for number, (name, y) in enumerate(zip(names, places, strict=True)):
        if name:
            role = f"line{look_of(picture.series[number], number)[0] % SERIES}"
            sheet.text(x, y + TICK * 0.36, name, role, size=TICK, weight="bold")
