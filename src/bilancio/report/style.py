"""One palette for light and dark: colours by what they are for.

An SVG holds names, as CSS variables, and follows the reader's mode; a PNG is of one mode. Texts
have a contrast of at least 4.5 to what they stand on (WCAG 2, AA), in both.
"""

from collections.abc import Collection, Mapping
from itertools import chain

STEPS = 9  # of a colour scale, on each side of 0
SERIES = 6  # lines that have a colour of their own
MARKERS = ("o", "s", "D", "^", "v", "P")
DASHES: tuple[tuple[float, ...], ...] = ((), (5, 2), (1.5, 1.5), (8, 2, 1.5, 2), (3, 3), (10, 3))

PREFIX = "--bilancio-"
LINEAR, GAMMA, OFFSET, SLOPE = 0.04045, 2.4, 0.055, 12.92  # of sRGB
CHANNELS = (0.2126, 0.7152, 0.0722)

Colours = Mapping[str, str]


def _mixed(low: str, high: str, share: float) -> str:
    ends = (_rgb(low), _rgb(high))
    mixed = (round(a + (b - a) * share) for a, b in zip(*ends, strict=True))
    return "#" + "".join(f"{channel:02x}" for channel in mixed)


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def luminance(colour: str) -> float:
    """Return the relative luminance of #rrggbb, from 0 to 1 (WCAG 2)."""
    shares = (channel / 255 for channel in _rgb(colour))
    linear = (
        each / SLOPE if each <= LINEAR else ((each + OFFSET) / (1 + OFFSET)) ** GAMMA
        for each in shares
    )
    return sum(weight * each for weight, each in zip(CHANNELS, linear, strict=True))


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, from 1 to 21 (WCAG 2)."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _legible(on: str) -> str:
    return max(("#000000", "#ffffff"), key=lambda colour: contrast(colour, on))


def _scale(name: str, pale: str, strong: str) -> dict[str, str]:
    """Return the steps of one side of a colour scale, and the texts that stand on them."""
    steps = [_mixed(pale, strong, step / (STEPS - 1)) for step in range(STEPS)]
    return dict(
        chain.from_iterable(
            ((f"{name}{step}", colour), (f"on-{name}{step}", _legible(colour)))
            for step, colour in enumerate(steps)
        )
    )


LIGHT: Colours = {
    "paper": "#ffffff",
    "ink": "#1a1f24",
    "muted": "#57606a",
    "grid": "#e1e4e8",
    "axis": "#6e7781",
    "blank": "#f6f8fa",
    "hatch": "#8c959f",
    "line0": "#0f5fa6",
    "line1": "#b8510d",
    "line2": "#1a7f37",
    "line3": "#8250df",
    "line4": "#b5179e",
    "line5": "#0b7285",
    **_scale("plus", "#e1eaf2", "#0b5a9e"),
    **_scale("minus", "#f7e8dc", "#a34400"),
}
DARK: Colours = {
    "paper": "#14181d",
    "ink": "#e9edf1",
    "muted": "#a3acb6",
    "grid": "#2c333b",
    "axis": "#8b949e",
    "blank": "#1d232a",
    "hatch": "#68727d",
    "line0": "#5fb0ff",
    "line1": "#ff9e4a",
    "line2": "#56d364",
    "line3": "#c297ff",
    "line4": "#ff8ad8",
    "line5": "#56d4dd",
    **_scale("plus", "#1f3040", "#79c0ff"),
    **_scale("minus", "#3b2a1e", "#ffa657"),
}
#: What a page needs that has no pictures.
COLOURS_OF_PAGES = ("paper", "ink", "muted", "grid", "axis", "blank", "line0", "line1", "line2")
#: What texts stand on, by the texts' names.
GROUNDS = {
    **dict.fromkeys(("ink", "muted", *(f"line{each}" for each in range(SERIES))), "paper"),
    **{name: name.removeprefix("on-") for name in LIGHT if name.startswith("on-")},
}
#: Colours that stand for the names in a drawing that becomes an SVG.
NAMES: Colours = {name: f"#0102{place:02x}" for place, name in enumerate(LIGHT)}


def css(selector: str, names: Collection[str] = tuple(LIGHT)) -> str:
    """Return the variables of both modes; `data-theme` on the page overrides the reader's mode.

    Parameters
    ----------
    names
        Which colours; all by default.
    """
    light, dark = (
        "".join(f"{PREFIX}{name}:{mode[name]};" for name in names) for mode in (LIGHT, DARK)
    )
    return (
        f"{selector}{{{light}}}"
        f"@media (prefers-color-scheme: dark){{{selector}{{{dark}}}}}"
        f'[data-theme="light"] {selector}{{{light}}}'
        f'[data-theme="dark"] {selector}{{{dark}}}'
    )
