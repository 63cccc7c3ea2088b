"""Heat maps: a measure over two parameters, in colours and in numbers."""

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bilancio.report.pictures import HeatMap, Scale
from bilancio.report.sheet import (
    PAD,
    SMALL,
    TICK,
    TICK_LINE,
    WIDTH,
    Axes,
    Below,
    Rectangle,
    Sheet,
    below,
    beside,
    lines_of,
    measured,
    upright_room,
)
from bilancio.report.style import STEPS, Colours
from bilancio.report.ticks import room_for, written

LEAST_ROW, MOST_ROW, BODY = 26.0, 72.0, 380.0
LEAST, MOST = 150.0, 640.0
MOST_TICKS = 210.0  # pixels of the names of rows
MOST_NUMBERS = 120  # whose edges fit a PNG of 40 KB
SIZES = (13.5, 12.0, 11.0)  # of numbers in cells, as far as they fit
OVERLAP = 0.7  # pixels
BLANK, MISSING = "blank", "paper"
KEY_WIDTH, KEY_HEIGHT, KEY_ROOM = 260.0, 12.0, 34.0


class Look(NamedTuple):
    """What a cell looks like: colour, and whether it is hatched."""

    role: str
    hatched: bool


class Run(NamedTuple):
    """Cells of a row that look the same: the first, how many, and how."""

    first: int
    n: int
    look: Look


def drawn(picture: HeatMap, colours: Colours) -> Sheet:
    """Draw a heat map: rows upwards, hatched where the sign is not known."""
    n_rows, n_columns = picture.values.shape
    height = min(max(n_rows * LEAST_ROW, min(BODY, n_rows * MOST_ROW), LEAST), MOST)
    names = beside(picture.y.texts, MOST_TICKS, height / n_rows)
    left = PAD / 2 + upright_room(picture.y.label, height) + lines_of(names, TICK) + 10
    width = WIDTH - PAD / 2 - left
    text = _Numbers(picture, width / n_columns, height / n_rows)
    key = 0 if text.size else KEY_ROOM
    columns = _column_names(picture.x, width / n_columns)
    foot = height + 52 + columns.more
    sheet = Sheet(colours, picture.caption, foot + key)
    axes = sheet.axes(left, sheet.top, width, height)
    axes.set(xlim=(0, n_columns), ylim=(0, n_rows))
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0)
    looks = _looks(picture)
    for row in range(n_rows):
        for run in _runs(looks[row], joined=not text.size):
            _cells(axes, colours, row, run, (width / n_columns, height / n_rows))
    text.write(axes, colours, looks)
    _ticks(axes, (width, height), columns, names)
    sheet.x_label((left, width, sheet.top + foot - 8), picture.x.label)
    sheet.y_label(sheet.top, height, picture.y.label)
    if key:
        _key(sheet, picture, left, sheet.top + foot + 8)
    return sheet


def _step(value: float, largest: float) -> str:
    side = "plus" if value >= 0 else "minus"
    share = abs(value) / largest if largest else 0.0
    return f"{side}{min(round(share * (STEPS - 1)), STEPS - 1)}"


def _looks(picture: HeatMap) -> list[list[Look]]:
    """Return what each cell looks like: of signed measures 0 is pale, of others the lowest."""
    values, finite = picture.values, picture.values[np.isfinite(picture.values)]
    low = 0.0 if picture.signed or not len(finite) else float(finite.min())
    largest = float(np.abs(finite - low).max(initial=0.0))
    found = []
    for row, unsure in zip(values.tolist(), picture.uncertain.tolist(), strict=True):
        found.append(
            [
                Look(MISSING, hatched=False)
                if not np.isfinite(value)
                else Look(BLANK, hatched=hatched)
                if hatched or (picture.signed and value == 0)
                else Look(_step(value - low, largest), hatched=False)
                for value, hatched in zip(row, unsure, strict=True)
            ]
        )
    return found


def _runs(looks: list[Look], *, joined: bool) -> Iterator[Run]:
    """Yield the cells of a row; neighbours that look the same together where *joined*."""
    first = 0
    for place in range(1, len(looks) + 1):
        if place == len(looks) or not joined or looks[place] != looks[first]:
            yield Run(first, place - first, looks[first])
            first = place


def _cells(axes: Axes, colours: Colours, row: int, run: Run, size: tuple[float, float]) -> None:
    """Draw cells, a little larger than they are: what is beside them is drawn over that.

    Edges that only touched would let the paper shine through where an SVG is scaled.

    Parameters
    ----------
    size
        Pixels of one cell.
    """
    axes.add_patch(
        Rectangle(
            (run.first, row),
            run.n + OVERLAP / size[0],
            1 + OVERLAP / size[1],
            facecolor=colours[run.look.role],
            edgecolor=colours["hatch"] if run.look.hatched else "none",
            hatch="////" if run.look.hatched else None,
            linewidth=0,
            snap=True,
        )
    )


class _Numbers:
    """The numbers in the cells: as large as there is room for; none where there is too little."""

    def __init__(self, picture: HeatMap, width: float, height: float) -> None:
        self._picture = picture
        self.size = 0.0
        values = picture.values
        for digits in (3, 2):
            form = written(values, sign=picture.signed, digits=digits)
            self._texts = [
                [_bracketed(form(value), unsure=unsure) for value, unsure in zip(*row, strict=True)]
                for row in zip(values.tolist(), picture.uncertain.tolist(), strict=True)
            ]
            if values.size > MOST_NUMBERS:
                return
            flat = [each for row in self._texts for each in row]
            for size in SIZES:
                widest = max(measured(each, size, bold=True) for each in flat)
                if widest + 8 <= width and size + 8 <= height:
                    self.size = size
                    return

    def write(self, axes: Axes, colours: Colours, looks: list[list[Look]]) -> None:
        """Write them; those that are uncertain in brackets, on a ground without hatching."""
        if not self.size:
            return
        for row, (texts, cells) in enumerate(zip(self._texts, looks, strict=True)):
            for column, (text, look) in enumerate(zip(texts, cells, strict=True)):
                known = look.role not in {BLANK, MISSING}
                ground = {"boxstyle": "square,pad=0.12", "linewidth": 0, "fc": colours[BLANK]}
                axes.text(
                    column + 0.5,
                    row + 0.5,
                    text if look.role != MISSING else "–",
                    color=colours[f"on-{look.role}" if known else "ink"],
                    size=self.size,
                    weight="bold" if known else "normal",
                    ha="center",
                    va="center_baseline",
                    bbox=ground if look.hatched else None,
                )


def _bracketed(text: str, *, unsure: bool) -> str:
    return f"({text})" if unsure else text


def _ticks(axes: Axes, box: tuple[float, float], columns: Below, names: list[str]) -> None:
    width, height = box
    texts = columns.texts
    column = width / len(texts)
    middles = [(place + 0.5) * column for place in range(len(texts))]
    widths = [TICK if columns.upright else lines_of([each], TICK) for each in texts]
    shown = room_for(middles, widths, 3 if columns.upright else 8)
    axes.set_xticks([place + 0.5 for place in shown], [texts[place] for place in shown])
    axes.tick_params(axis="x", rotation=90 if columns.upright else 0)
    row = height / len(names)
    middles = [(place + 0.5) * row for place in range(len(names))]
    heights = [TICK_LINE * (each.count("\n") + 1) for each in names]
    shown = room_for(middles, heights, 1)
    axes.set_yticks([place + 0.5 for place in shown], [names[place] for place in shown])


def _column_names(scale: Scale, width: float) -> Below:
    """Return the names of columns; of numbers too many for their room some are left out."""
    if scale.places is not None:
        return Below(list(scale.texts), upright=False, more=0.0)
    return below(scale.texts, width)


def _key(sheet: Sheet, picture: HeatMap, left: float, top: float) -> None:
    """Draw what the colours stand for."""
    finite: NDArray[np.float64] = picture.values[np.isfinite(picture.values)]
    if not len(finite):
        return
    x = left
    if not picture.uncertain[np.isfinite(picture.values)].all():
        x = _colour_key(sheet, picture, finite, (left, top)) + 24
    if picture.uncertain.any():
        hatched = sheet.axes(x, top, 22, KEY_HEIGHT)
        hatched.set_axis_off()
        hatched.add_patch(
            Rectangle(
                (0, 0),
                1,
                1,
                facecolor=sheet.colours[BLANK],
                edgecolor=sheet.colours["hatch"],
                hatch="////",
                linewidth=0,
            )
        )
        said = "not known to differ from 0"
        sheet.text(x + 30, top + KEY_HEIGHT - 1, said, "muted", size=SMALL)


def _colour_key(
    sheet: Sheet, picture: HeatMap, finite: NDArray[np.float64], at: tuple[float, float]
) -> float:
    """Draw the colours between the ends of their scale; return where that ends."""
    left, top = at
    low, high = float(finite.min()), float(finite.max())
    form = written(finite, sign=picture.signed)
    largest = max(abs(low), abs(high)) if picture.signed else high - low
    start = min(low, 0.0) if picture.signed else low
    end = max(high, 0.0) if picture.signed else high
    first = form(start)
    box = left + measured(first, SMALL) + 8
    sheet.text(left, top + KEY_HEIGHT - 1, first, "muted", size=SMALL)
    sheet.text(box + KEY_WIDTH + 8, top + KEY_HEIGHT - 1, form(end), "muted", size=SMALL)
    axes = sheet.axes(box, top, KEY_WIDTH, KEY_HEIGHT)
    axes.set_axis_off()
    axes.set(xlim=(0, 1), ylim=(0, 1))
    edges = np.linspace(0, 1, 2 * STEPS + 1)
    for a, b in itertools.pairwise(edges.tolist()):
        value = start + (a + b) / 2 * (end - start) - (0.0 if picture.signed else low)
        role = _step(value, largest)
        axes.add_patch(Rectangle((a, 0), b - a, 1, facecolor=sheet.colours[role], linewidth=0))
    return box + KEY_WIDTH + 8 + measured(form(end), SMALL)
