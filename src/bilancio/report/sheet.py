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
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

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
    "cut",
    "drawing",
    "lines_of",
    "measured",
    "upright_room",
    "wrapped",
]

WIDTH = 930
PAD = 20
TITLE, SUBTITLE, LABEL, TICK, SMALL = 19.0, 14.0, 14.5, 14.0, 12.0  # sizes of text in pixels
TITLE_LINE, SUBTITLE_LINE = 25, 19
FOOT = 28
DPI = 72  # a point is a pixel
MAX_BYTES = 40_000
COLOURS = (64, 48, 32, 16)
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
_BREAKS = re.compile(r"(?<=[\s_-])")


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
    lines = wrapped(text, LABEL, height, 2)
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
        whole = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
        found = b""
        for colours in COLOURS:
            few = whole.quantize(colours, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
            written = io.BytesIO()
            few.save(written, "PNG", optimize=True)
            found = written.getvalue()
            if len(found) <= MAX_BYTES:
                break
        return found

    def svg(self) -> str:
        """Return the sheet, drawn in the colours that stand for names, as SVG."""
        drawn = io.StringIO()
        canvas: Any = FigureCanvasSVG(self.figure)
        canvas.print_svg(drawn, metadata={"Date": None, "Creator": None})
        return _with_variables(drawn.getvalue(), self._caption)


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
    """Return the width of the widest of some texts."""
    return max((measured(each, size) for each in texts), default=0.0)
