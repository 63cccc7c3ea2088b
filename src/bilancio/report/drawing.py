"""From a picture to PNG and SVG."""

from bilancio.report import heat, lines, rows
from bilancio.report.pictures import Bars, Distribution, HeatMap, Lines, Picture, Versus
from bilancio.report.sheet import Sheet, drawing
from bilancio.report.style import DARK, LIGHT, NAMES, Colours


def png(picture: Picture, *, dark: bool = False) -> bytes:
    """Return a picture as PNG of at most 64 colours, 40 KB and 1,000 pixels of width."""
    with drawing():
        return _drawn(picture, DARK if dark else LIGHT).png()


def svg(picture: Picture) -> str:
    """Return a picture as SVG that follows its reader's mode, light or dark."""
    with drawing():
        return _drawn(picture, NAMES).svg()


def _drawn(picture: Picture, colours: Colours) -> Sheet:
    match picture:
        case HeatMap():
            return heat.drawn(picture, colours)
        case Lines():
            return lines.drawn(picture, colours)
        case Distribution():
            return rows.distribution(picture, colours)
        case Bars():
            return rows.bars(picture, colours)
        case Versus():
            return rows.versus(picture, colours)
