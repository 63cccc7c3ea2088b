"""The sheet that a picture is drawn on: its size, its margins, the texts around it.

Everything is laid out by hand, in pixels: text is measured before there is a figure, so that no
label is cut and no axis squeezed.
"""

import functools
import io
import logging
import re
import threading
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bilancio.errors import LibraryMissing
from bilancio.printable import escaped
from bilancio.report.pictures import Caption
from bilancio.report.style import NAMES, PREFIX, Colours, css

try:
    import matplotlib as mpl
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties
    from matplotlib.patches import Rectangle
    from matplotlib.transforms import ScaledTranslation
    from PIL import Image
except ImportError as error:
    raise LibraryMissing("matplotlib", str(error), extra="plots") from None

__all__ = [
    "Axes",
    "Rectangle",
    "ScaledTranslation",
    "Sheet",
    "below",
    "beside",
    "cut",
    "drawing",
    "lines_of",
    "measured",
    "told_apart",
    "upright_room",
    "wrapped",
]

WIDTH = 930
PAD = 20
TITLE, SUBTITLE, LABEL, TICK, SMALL = 19.0, 14.0, 14.5, 14.0, 12.0  # sizes of text in pixels
TITLE_LINE, SUBTITLE_LINE = 25, 19
TICK_LINE = 17.0
MOST_UPRIGHT = 150.0  # pixels of a name below a column that is too narrow for it
FOOT = 28
DPI = 72  # a point is a pixel
MAX_BYTES = 40_000
COLOURS = (64, 48, 32, 24)
LEAST_PIXELS, LEAST_MIXTURES = 12, 2
SANS = ("DejaVu Sans", "sans-serif")
SETTINGS: dict[str, Any] = {
    "font.family": ["DejaVu Sans"],
    "font.size": TICK,
    "text.parse_math": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "bilancio",
    "hatch.linewidth": 0.8,
    "axes.unicode_minus": True,
    "path.simplify": True,
    "figure.dpi": DPI,
    "savefig.dpi": DPI,
}
_LOCK = threading.Lock()  # settings of matplotlib are those of the process
_BREAKS = re.compile(r"(?<=[\s_–-])")


@contextmanager
def drawing() -> Iterator[None]:
    """Draw under our settings, one picture at a time, whatever the user's own are."""
    with _LOCK, warnings.catch_warnings(), mpl.rc_context():
        warnings.simplefilter("ignore")  # letters that the font lacks are drawn as boxes
        logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
        mpl.rcdefaults()
        mpl.rcParams.update(SETTINGS)  # type: ignore[arg-type]  # the names are literals there
        yield


@functools.lru_cache(maxsize=4096)
def measured(text: str, size: float, *, bold: bool = False) -> float:
    """Return how wide a text is, in pixels."""
    font = FontProperties(family=["DejaVu Sans"], size=size, weight="bold" if bold else "normal")
    width, _, _ = _renderer().get_text_width_height_descent(text, font, ismath=False)
    return float(width)


@functools.cache
def _renderer() -> Any:
    untyped: Any = RendererAgg
    return untyped(8, 8, DPI)


def cut(text: str, size: float, width: float, *, bold: bool = False) -> str:
    """Return the beginning of a text that fits a width, with an ellipsis where it was longer."""
    text = escaped(text, one_line=True)
    if measured(text, size, bold=bold) <= width:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        fits = measured(f"{text[:middle]}…", size, bold=bold) <= width
        low, high = (middle, high) if fits else (low, middle - 1)
    return f"{text[:low]}…"


def told_apart(texts: Sequence[str], size: float, width: float, *, bold: bool = False) -> list[str]:
    """Return texts cut to a width; those that begin alike are cut in the middle instead."""
    shown = [cut(each, size, width, bold=bold) for each in texts]
    alike = {each for each, times in Counter(shown).items() if times > 1}
    return [
        _without_middle(text, size, width, bold=bold) if each in alike else each
        for text, each in zip(texts, shown, strict=True)
    ]


def _without_middle(text: str, size: float, width: float, *, bold: bool) -> str:
    text = escaped(text, one_line=True)
    for left_out in range(len(text)):
        kept = len(text) - left_out
        shown = f"{text[: (kept + 1) // 2]}…{text[len(text) - kept // 2 :]}" if left_out else text
        if measured(shown, size, bold=bold) <= width:
            return shown
    return "…"


def beside(texts: Sequence[str], width: float, row: float) -> list[str]:
    """Return the names of rows, those that are too long in two lines where rows are high enough."""
    if row >= 2 * TICK_LINE:
        broken = [wrapped(each, TICK, width, 2) for each in texts]
        if not any(line.endswith("…") for lines in broken for line in lines):
            return ["\n".join(lines) for lines in broken]
    return told_apart(texts, TICK, width)


class Below(NamedTuple):
    """Names below columns.

    Attributes
    ----------
    more
        Pixels that they are higher than one line.
    """

    texts: list[str]
    upright: bool
    more: float


def below(texts: Sequence[str], column: float) -> Below:
    """Return names below columns of a width: in one line, in two, or upright."""
    room = column - 8
    if lines_of([escaped(each, one_line=True) for each in texts], TICK) <= room:
        return Below([escaped(each, one_line=True) for each in texts], upright=False, more=0.0)
    broken = [wrapped(each, TICK, room, 2) for each in texts]
    if not any(line.endswith("…") for lines in broken for line in lines):
        return Below(["\n".join(lines) for lines in broken], upright=False, more=TICK_LINE)
    if room >= MOST_UPRIGHT:
        return Below(told_apart(texts, TICK, room), upright=False, more=0.0)
    shown = told_apart(texts, TICK, MOST_UPRIGHT)
    return Below(shown, upright=True, more=lines_of(shown, TICK) - TICK)


def wrapped(text: str, size: float, width: float, most: int, *, bold: bool = False) -> list[str]:
    """Return the lines of a text, at most so many, each of at most a width."""
    lines: list[str] = []
    line = ""
    for word in _BREAKS.split(escaped(text, one_line=True)):
        if line and measured((line + word).rstrip(), size, bold=bold) > width:
            lines.append(line.rstrip())
            line = word
        else:
            line += word
    lines.append(line.rstrip())
    if len(lines) > most:
        lines = [*lines[: most - 1], " ".join(lines[most - 1 :])]
    return [cut(each, size, width, bold=bold) for each in lines if each]


def upright(text: str, height: float) -> list[str]:
    """Return the lines of a label along an upright axis; of one too long, its first words."""
    lines = wrapped(text, LABEL, height, 3)
    return [cut(text.partition("  ")[0], LABEL, height)] if lines[-1].endswith("…") else lines


def upright_room(text: str, height: float) -> float:
    """Return how wide a label along an upright axis is, the space beside it included."""
    return len(upright(text, height)) * LABEL * 1.25 + 8 if text else 0.0


class Sheet:
    """A figure with title, subtitle and corner.

    Parameters
    ----------
    colours
        By what they are for.
    body
        Pixels between the subtitle and the corner.

    Attributes
    ----------
    top
        Pixels from the upper edge down to the body.
    """

    def __init__(self, colours: Colours, caption: Caption, body: float) -> None:
        self.colours = colours
        self._caption = caption
        room = WIDTH - 2 * PAD
        title = wrapped(caption.title, TITLE, room, 2, bold=True)
        subtitle = wrapped(caption.subtitle, SUBTITLE, room, 3)
        self.top = 16 + TITLE_LINE * len(title) + SUBTITLE_LINE * len(subtitle) + 12
        self.height = self.top + body + FOOT
        self.figure = Figure(
            figsize=(WIDTH / DPI, self.height / DPI), dpi=DPI, facecolor=colours["paper"]
        )
        y = 16.0
        for line in title:
            self.text(PAD, y + TITLE, line, "ink", size=TITLE, weight="bold")
            y += TITLE_LINE
        for line in subtitle:
            self.text(PAD, y + SUBTITLE, line, "muted", size=SUBTITLE)
            y += SUBTITLE_LINE
        corner = cut(caption.corner, SMALL, room)
        self.text(WIDTH - PAD / 2, self.height - 8, corner, "muted", size=SMALL, ha="right")

    def text(self, x: float, y: float, text: str, role: str, **properties: Any) -> None:
        """Write a text whose base line is *y* pixels below the upper edge."""
        properties = {"va": "baseline", "size": TICK, **properties}
        colour = self.colours[role]
        self.figure.text(x / WIDTH, 1 - y / self.height, text, color=colour, **properties)

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """Return axes whose upper left corner is so far from that of the sheet."""
        bottom = self.height - top - height
        place = (left / WIDTH, bottom / self.height, width / WIDTH, height / self.height)
        axes = self.figure.add_axes(place, facecolor=self.colours["paper"])
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        for side in ("left", "bottom"):
            axes.spines[side].set_color(self.colours["axis"])
        axes.tick_params(
            colors=self.colours["muted"], labelsize=TICK, length=4, color=self.colours["axis"]
        )
        axes.set_axisbelow(True)
        return axes

    def x_label(self, axes_box: tuple[float, float, float], text: str) -> None:
        """Write a label below an axis: its left end, its width, and the text's base line."""
        left, width, y = axes_box
        shown = cut(text, LABEL, WIDTH - 2 * PAD)
        half = measured(shown, LABEL) / 2
        middle = min(max(left + width / 2, PAD + half), WIDTH - PAD - half)
        self.text(middle, y, shown, "ink", size=LABEL, ha="center")

    def y_label(self, top: float, height: float, text: str) -> None:
        """Write a label along the left edge, upwards, centred on an axis."""
        middle = 1 - (top + height / 2) / self.height
        self.figure.text(
            (PAD / 2 + 2) / WIDTH,
            middle,
            "\n".join(upright(text, height)),
            color=self.colours["ink"],
            size=LABEL,
            rotation=90,
            ha="left",
            va="center",
            multialignment="center",
        )

    # -- what becomes of it ------------------------------------------------------------------

    def png(self) -> bytes:
        """Return the sheet as PNG of few colours."""
        canvas: Any = FigureCanvasAgg(self.figure)
        canvas.draw()
        pixels = np.asarray(canvas.buffer_rgba())[:, :, :3].astype(np.int64)
        named = [int(colour[1:], 16) for colour in self.colours.values()]
        few = _FewColours(pixels @ (1 << 16, 1 << 8, 1), np.array(named))
        found = b""
        for most in COLOURS:
            found = few.png(most)
            if len(found) <= MAX_BYTES:
                break
        return found

    def svg(self) -> str:
        """Return the sheet, drawn in the colours that stand for names, as SVG."""
        drawn = io.StringIO()
        canvas: Any = FigureCanvasSVG(self.figure)
        canvas.print_svg(drawn, metadata={"Date": None, "Creator": None})
        return _with_variables(drawn.getvalue(), self._caption)


class _FewColours:
    """Pixels, to be written in few colours.

    A colour that has a name stays what it is, however few pixels have it: only mixtures, at the
    edges of what is drawn, become alike.

    Parameters
    ----------
    pixels : int64 (height, width)
        Each 0xrrggbb.
    named : int64 (n,)
        Colours that have a name.
    """

    def __init__(self, pixels: NDArray[np.int64], named: NDArray[np.int64]) -> None:
        # Most pixels are like the one before: what is sorted are runs, a fiftieth of them.
        flat = pixels.ravel()
        starts = np.flatnonzero(np.diff(flat, prepend=-1))
        lengths = np.diff(starts, append=flat.size)
        self._colours, place = np.unique(flat[starts], return_inverse=True)
        counts = np.bincount(place, lengths).astype(np.int64)
        self._place = np.repeat(place, lengths).reshape(pixels.shape)
        known = np.isin(self._colours, named) & (counts >= LEAST_PIXELS)
        self._kept = self._colours[known][np.argsort(-counts[known])]
        self._mixed = np.repeat(self._colours, np.where(known, 0, counts))

    def png(self, most: int) -> bytes:
        """Return them as PNG of at most so many colours."""
        kept = self._kept[: most - LEAST_MIXTURES]
        mixtures = _few(_channels(self._mixed), most - len(kept))
        palette = np.concatenate([_channels(kept), mixtures]).astype(np.int64)
        apart = _channels(self._colours)[:, None, :].astype(np.int64) - palette[None, :, :]
        nearest = (apart**2).sum(axis=2).argmin(axis=1).astype(np.uint8)
        image = Image.fromarray(nearest[self._place], "P")
        image.putpalette(palette.astype(np.uint8).tobytes())
        written = io.BytesIO()
        image.save(written, "PNG", optimize=True)
        return written.getvalue()


def _channels(colours: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Return colours 0xrrggbb as red, green and blue: uint8 (n, 3)."""
    return np.stack([colours >> 16, colours >> 8, colours], axis=1).astype(np.uint8)


def _few(pixels: NDArray[np.uint8], most: int) -> NDArray[np.uint8]:
    """Return at most so many colours (n, 3) that stand for all those of some pixels."""
    if not len(pixels):
        return pixels
    few = Image.fromarray(pixels[None]).quantize(most, Image.Quantize.MEDIANCUT)
    return np.unique(np.asarray(few.convert("RGB"))[0], axis=0)


def _with_variables(svg: str, caption: Caption) -> str:
    """Return an SVG with variables for colours, ids of its own, and what it shows in words."""
    for name, colour in NAMES.items():
        svg = svg.replace(colour, f"var({PREFIX}{name})")
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"\s*<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = svg.replace("*{stroke", ".bilancio-picture *{stroke", 1)
    svg = svg.replace("'DejaVu Sans'", "'DejaVu Sans', Verdana, sans-serif")
    own = f"p{_checksum(svg):08x}-"
    svg = re.sub(r'( id="|xlink:href="#|url\(#)', rf"\1{own}", svg)
    said = _escaped(f"{caption.title}. {caption.subtitle}")
    head = f'<svg class="bilancio-picture" role="img" aria-label="{said}"'
    svg = svg.replace("<svg", head, 1)
    svg = re.sub(r'(width|height)="([\d.]+)pt"', r'\1="\2"', svg, count=2)
    return svg.replace("<defs>", f"<style>{css('.bilancio-picture')}</style>\n <defs>", 1)


def _checksum(text: str) -> int:
    import zlib  # of use here alone

    return zlib.crc32(text.encode())


def _escaped(text: str) -> str:
    import html  # as above

    return html.escape(escaped(text, one_line=True))


def lines_of(texts: Sequence[str], size: float) -> float:
    """Return the width of the widest line of some texts."""
    return max((measured(each, size) for text in texts for each in text.split("\n")), default=0.0)
