"""A ring of agents on one day: who pays whom, who fails to, what is sold to which desk.

It is written as SVG directly: thousands of lines of a kind are one path, which no other way to
draw would keep small. Meaning is in dashes and marks; colours only repeat it.
"""

import html
import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from bilancio.printable import escaped
from bilancio.report.style import PREFIX, css

SIZE, RADIUS = 720, 270
CENTRE = SIZE / 2
BOX, GAP = (148, 44), 10  # of a desk, in the middle
DESK_COLUMNS = 2
NAMED = 30  # most agents that all have their names beside them
MARKED = 250  # most agents whose marks stand in their places; those of more stand outside
DOTTED = 1_600  # most agents that are a dot each; those of more would touch
TITLED = 150  # most agents whose names a pointer finds
HEADED = 150  # most lines of a kind with an arrow each
PALE = 150  # lines from which on they let others shine through
LABEL, SMALL = 15, 12.5  # sizes of text
TURN = 2 * math.pi
BESIDE = 0.2  # sine of an angle from which on a name stands beside its agent, not above or below
BARS = (4, 22)  # where they begin and end outside the circle
STEPS = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000)  # between agents that are named

Point = tuple[float, float]


class Kind(NamedTuple):
    """How something between two agents is drawn: the name of its colour, and its dashes."""

    colour: str
    dashes: str


KINDS = {
    "settled": Kind("line0", ""),
    "defaulted": Kind("line1", "7 4"),
    "sold": Kind("line2", "1.5 3.5"),
}


FAILED = Kind("line1", "")
#: How far lines to desks bend aside, by which those of other kinds do not lie upon each other.
BESIDE_OTHERS = {"settled": 0.0, "defaulted": 24.0, "sold": -24.0}


class Flow(NamedTuple):
    """Something that goes from one to another: places among the agents, then the desks."""

    kind: str
    source: int
    target: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RingDay:
    """What a day's picture shows.

    Attributes
    ----------
    said
        The picture in words.
    n_agents
        How many there are on the circle; they are named H1, H2, …
    desks
        Names of those in the middle, in pairs; may be empty.
    notes
        What is said of a desk below its name.
    flows
        Drawn once, however often they are given.
    failing, failed
        Places of the agents that fail to pay today, and of those that did so before.
    """

    said: str
    n_agents: int
    desks: Sequence[str] = ()
    notes: Sequence[str] = ()
    flows: Iterable[Flow] = ()
    failing: Collection[int] = field(default=frozenset())
    failed: Collection[int] = field(default=frozenset())


def ring_svg(day: RingDay) -> str:
    """Return a day as SVG that follows its reader's mode, light or dark."""
    places = [*_circle(day.n_agents), *_desks(len(day.desks))]
    head = (
        f'<svg class="bilancio-picture ring" role="img" aria-label="{_text(day.said)}" '
        f'viewBox="0 0 {SIZE} {SIZE}" xmlns="http://www.w3.org/2000/svg">'
    )
    parts = [
        head,
        f"<style>{css('.bilancio-picture')}</style>",
        *_flows(day, places),
        *_boxes(day, places),
        *_agents(day, places),
        *_names(day.n_agents),
        "</svg>",
    ]
    return "".join(parts)


def samples(n_agents: int) -> dict[str, str]:
    """Return what stands for each kind and mark on a ring of so many agents: its name → SVG."""
    lines = {
        name: _sample(f'<path d="M2 8H38" {_stroke(kind, 2.2)}/>', 40)
        for name, kind in KINDS.items()
    }
    middle = [(8.0, 8.0)]
    sound = f'<path d="{_dots(middle)}" {_dot(9)}/>'
    failing, failed = _diamonds(middle, 7), _crosses(middle, 5)
    if n_agents > MARKED:
        failing = f'<path d="M8 0V16" {_stroke(FAILED, 2)}/>'
        failed = f'<path d="M8 5V11" {_stroke(FAILED, 1)}/>'
    marks = {"sound": sound, "failing": failing, "failed": failed}
    return lines | {name: _sample(drawn, 16) for name, drawn in marks.items()}


# -- where things are ----------------------------------------------------------------------------


def _outside(angle: float, away: float) -> Point:
    radius = RADIUS + away
    return CENTRE + radius * math.sin(angle), CENTRE - radius * math.cos(angle)


def _circle(n: int) -> list[Point]:
    return [_outside(TURN * i / n, 0) for i in range(n)]


def _desks(n: int) -> list[Point]:
    """Return the middles of the desks' boxes, two in a row."""
    width, height = BOX[0] + GAP, BOX[1] + GAP
    rows = math.ceil(n / DESK_COLUMNS)
    return [
        (
            CENTRE + (i % DESK_COLUMNS - (DESK_COLUMNS - 1) / 2) * width,
            CENTRE + (i // DESK_COLUMNS - (rows - 1) / 2) * height,
        )
        for i in range(n)
    ]


def _bent(flow: Flow, start: Point, end: Point, *, on_circle: bool) -> Point:
    """Return the point that a line bends towards: inwards on the circle, else beside others."""
    middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
    length = math.dist(start, end)
    if not on_circle:
        aside = BESIDE_OTHERS[flow.kind] / max(length, 1)
        across = (start[1] - end[1], end[0] - start[0])
        return middle[0] + across[0] * aside, middle[1] + across[1] * aside
    inwards = (CENTRE - middle[0], CENTRE - middle[1])
    far = math.hypot(*inwards)
    if far < 1:
        return middle
    depth = min(0.8 * length + 14, 80, far)
    return middle[0] + inwards[0] / far * depth, middle[1] + inwards[1] / far * depth


# -- what is drawn -------------------------------------------------------------------------------


def _flows(day: RingDay, places: Sequence[Point]) -> Iterator[str]:
    seen, digits = dict.fromkeys(day.flows), _digits(day.n_agents)
    for name, kind in KINDS.items():
        flows = [each for each in seen if each.kind == name]
        if not flows:
            continue
        width = max(0.5, min(2.0, 2.4 - len(flows) / 80))
        lines, heads = [], []
        for flow in flows:
            start, end = places[flow.source], places[flow.target]
            on_circle = max(flow.source, flow.target) < day.n_agents
            bend = _bent(flow, start, end, on_circle=on_circle)
            ends = (_at(point, digits) for point in (start, bend, end))
            lines.append("M{}Q{} {}".format(*ends))
            if len(flows) <= HEADED:
                heads.append(_head(start, bend, end, 0.5 if on_circle else 0.35))
        pale = ";stroke-opacity:.6" if len(flows) > PALE else ""
        yield f'<path d="{"".join(lines)}" {_stroke(kind, width, pale)}/>'
        if heads:
            yield f'<path d="{"".join(heads)}" {_stroke(kind._replace(dashes=""), width)}/>'


def _head(start: Point, bend: Point, end: Point, at: float) -> str:
    """Return an arrow's head on a line, away from its end, where many lines meet.

    Parameters
    ----------
    at
        Where on the line, from 0 at its start to 1.
    """
    weights = ((1 - at) ** 2, 2 * at * (1 - at), at**2)
    x, y = (
        sum(weight * point[axis] for weight, point in zip(weights, (start, bend, end), strict=True))
        for axis in (0, 1)
    )
    angle = math.atan2(end[1] - start[1], end[0] - start[0])
    size = min(8.0, max(4.0, 0.3 * math.dist(start, end)))
    sides = [
        (x - size * math.cos(angle + turn), y - size * math.sin(angle + turn))
        for turn in (-0.5, 0.5)
    ]
    return f"M{_at(sides[0])}L{_at((x, y))} {_at(sides[1])}"


def _boxes(day: RingDay, places: Sequence[Point]) -> Iterator[str]:
    width, height = BOX
    for place, name in enumerate(day.desks):
        x, y = places[day.n_agents + place]
        note = day.notes[place] if place < len(day.notes) else ""
        yield (
            f'<rect x="{x - width / 2:g}" y="{y - height / 2:g}" width="{width}" height="{height}" '
            f'rx="6" style="fill:var({PREFIX}paper);stroke:var({PREFIX}axis)"/>'
        )
        yield _label((x, y - 3 if note else y + 5), name, strong=True)
        if note:
            yield _label((x, y + 15), note)


def _agents(day: RingDay, places: Sequence[Point]) -> Iterator[str]:
    n = day.n_agents
    size = max(1.0, min(7.0, 0.3 * TURN * RADIUS / n))
    failing, failed = sorted(day.failing), sorted({*day.failed} - {*day.failing})
    marked = {*failing, *failed} if n <= MARKED else set()
    if n > DOTTED:
        style = f"fill:none;stroke:var({PREFIX}ink);stroke-width:{2 * size:g}"
        yield f'<circle cx="{CENTRE:g}" cy="{CENTRE:g}" r="{RADIUS}" style="{style}"/>'
    else:
        sound = (places[i] for i in range(n) if i not in marked)
        yield f'<path d="{_dots(sound)}" {_dot(2 * size)}/>'
    if n > MARKED:
        yield f'<path d="{_bars(failed, n, BARS[0] + 6)}" {_stroke(FAILED, 1)}/>'
        yield f'<path d="{_bars(failing, n, BARS[1])}" {_stroke(FAILED, 2)}/>'
    else:
        yield _crosses((places[i] for i in failed), max(0.9 * size, 1.5))
        yield _diamonds((places[i] for i in failing), 1.4 * size)
    for i in range(n) if n <= TITLED else ():
        x, y = places[i]
        yield (
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{max(2 * size, 5):.1f}" '
            f'style="fill:transparent"><title>H{i + 1}{_fate(i, day)}</title></circle>'
        )


def _fate(i: int, day: RingDay) -> str:
    if i in day.failing:
        return ": fails to pay today"
    return ": has defaulted before" if i in day.failed else ""


def _diamonds(places: Iterable[Point], size: float) -> str:
    r = f"{size:.1f}"
    path = "".join(f"M{_at((x, y - size))}l{r} {r} -{r} {r} -{r} -{r}z" for x, y in places)
    return f'<path d="{path}" style="fill:var({PREFIX}line1);stroke:var({PREFIX}paper)"/>'


def _crosses(places: Iterable[Point], size: float) -> str:
    w = f"{2 * size:.1f}"
    path = "".join(f"M{_at((x - size, y - size))}l{w} {w}m0 -{w}l-{w} {w}" for x, y in places)
    return f'<path d="{path}" {_stroke(FAILED, max(1.2, min(2.5, size / 2)))}/>'


def _bars(agents: Iterable[int], n: int, length: float) -> str:
    """Return bars that point outwards from the circle, where marks upon it would be too small."""
    angles, digits = (TURN * i / n for i in agents), _digits(n)
    return "".join(
        f"M{_at(_outside(angle, BARS[0]), digits)}L{_at(_outside(angle, length), digits)}"
        for angle in angles
    )


def _names(n: int) -> Iterator[str]:
    """Name all agents of a small ring, some of others; those that are `fine` need a wide screen."""
    step = next(each for each in STEPS if n <= NAMED * each)
    coarse = step * max(1, round(n / step / 10))
    away = BARS[1] + 6 if n > MARKED else 16
    for number in range(step, n + 1, step):
        angle = TURN * (number - 1) / n
        x, y = _outside(angle, away)
        across = math.sin(angle)
        anchor = "middle" if abs(across) < BESIDE else "start" if across > 0 else "end"
        kind = "fine" if number % coarse else ""
        yield _label((x, y + 5), f"H{number}", anchor=anchor, name=kind)


def _digits(n: int) -> int:
    """Return the decimals of places: none where agents are closer than pixels."""
    return 0 if n > DOTTED else 1


# -- pieces --------------------------------------------------------------------------------------


def _at(point: Point, digits: int = 1) -> str:
    return f"{point[0]:.{digits}f} {point[1]:.{digits}f}"


def _dots(places: Iterable[Point]) -> str:
    return "".join(f"M{_at(each)}h0" for each in places)


def _dot(width: float) -> str:
    return (
        f'style="fill:none;stroke:var({PREFIX}ink);stroke-width:{width:.2f};stroke-linecap:round"'
    )


def _stroke(kind: Kind, width: float, more: str = "") -> str:
    dashes = f";stroke-dasharray:{kind.dashes}" if kind.dashes else ""
    colour = f"var({PREFIX}{kind.colour})"
    return f'style="fill:none;stroke:{colour};stroke-width:{width:.2f}{dashes}{more}"'


def _label(
    at: Point, text: str, *, anchor: str = "middle", strong: bool = False, name: str = ""
) -> str:
    kind = f' class="{name}"' if name else ""
    colour, size = ("ink", LABEL) if strong else ("muted", SMALL)
    return (
        f'<text{kind} x="{at[0]:.1f}" y="{at[1]:.1f}" text-anchor="{anchor}" '
        f'font-size="{size:g}" style="fill:var({PREFIX}{colour})">{_text(text)}</text>'
    )


def _sample(drawn: str, width: int) -> str:
    return (
        f'<svg class="bilancio-picture sample" aria-hidden="true" width="{width}" height="16" '
        f'viewBox="0 0 {width} 16" xmlns="http://www.w3.org/2000/svg">{drawn}</svg>'
    )


def _text(given: str) -> str:
    return html.escape(escaped(given, one_line=True))
