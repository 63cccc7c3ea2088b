"""Pictures of plain data: what is on them, how large they are, that nothing is cut."""

import io
import re
import threading
import xml.etree.ElementTree as ET
from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image

from bilancio.report.drawing import png, svg
from bilancio.report.pictures import (
    Bars,
    Caption,
    Distribution,
    Estimates,
    HeatMap,
    Joined,
    Lines,
    Scale,
    Spread,
    Versus,
)
from bilancio.report.sheet import WIDTH, cut, drawing, measured, wrapped
from bilancio.report.style import DARK, LIGHT

CAPTION = Caption(title="What it shows", subtitle="How sure that is.", corner="my-job")
KAPPAS = Scale(
    label="κ  (initial cash / debt)",
    texts=("0.5", "1", "2"),
    places=np.array([0.5, 1, 2]),
    logarithmic=True,
)
RULES = Scale(label="rule", texts=("first", "last"))
NAN = float("nan")


def estimates(*values, name="", half=0.1):
    value = np.array(values, float)
    return Estimates(name=name, value=value, low=value - half, high=value + half)


def heat(**changes):
    values = np.array([[0.2, 0.1, -0.3], [0.05, NAN, 0.0]])
    known = {
        "caption": CAPTION,
        "x": KAPPAS,
        "y": RULES,
        "values": values,
        "uncertain": np.abs(values) < 0.09,
        "signed": True,
    }
    return HeatMap(**(known | changes))


def spread(*counts, zeros=0):
    return Spread(
        counts=np.array(counts, float), zeros=zeros, quantiles=(0, 0.1, 0.2, 0.3, 0.4), note="9 %"
    )


PICTURES = {
    "heat": heat(),
    "lines": Lines(
        caption=CAPTION,
        x=KAPPAS,
        label="default rate",
        series=(estimates(0.9, 0.5, 0.1, name="passive"), estimates(0.8, NAN, 0.1, name="active")),
    ),
    "points": Lines(
        caption=CAPTION,
        x=RULES,
        label="effect",
        series=(estimates(0.3, -0.01),),
        joined=Joined.POINTS,
        zero=True,
    ),
    "steps": Lines(
        caption=CAPTION,
        x=KAPPAS,
        label="agents",
        series=(estimates(0, 3, 7, half=0),),
        joined=Joined.STEPS,
    ),
    "distribution": Distribution(
        caption=CAPTION,
        rows=RULES,
        label="effect of one pair",
        edges=np.array([-0.2, 0, 0.2, 0.4]),
        spreads=(spread(1, 2, 3, zeros=2), spread(0, 0, 0, zeros=5)),
        heading="helps · same · hurts",
        signed=True,
    ),
    "bars": Bars(caption=CAPTION, names=("μ", "κ × μ"), label="share", shares=estimates(0.7, 0.3)),
    "versus": Versus(
        caption=CAPTION,
        rows=KAPPAS,
        label="effect",
        difference_label="first − other",
        jobs=(estimates(0.3, 0.2, 0.1, name="my-job"), estimates(0.2, 0.2, 0.1, name="other-job")),
        differences=(estimates(0.1, 0, 0, name="other-job"),),
    ),
}
every_picture = pytest.mark.parametrize("picture", PICTURES.values(), ids=PICTURES)


def texts_of(drawn):
    """Return the texts of an SVG with their places: left end, base line, anchor."""
    root = ET.fromstring(drawn)
    elements = root.iter("{http://www.w3.org/2000/svg}text")
    return [("".join(each.itertext()).strip(), each.attrib) for each in elements]


def said(drawn):
    return [text for text, _ in texts_of(drawn)]


@every_picture
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_png_is_small_and_has_the_paper_of_its_mode(picture, dark):
    drawn = png(picture, dark=dark)
    image = Image.open(io.BytesIO(drawn))
    assert len(drawn) <= 40_000
    assert image.width == WIDTH <= 1000
    assert 150 <= image.height <= 800
    assert len(image.getcolors(maxcolors=256)) <= 64
    paper = (DARK if dark else LIGHT)["paper"]
    corner = image.convert("RGB").getpixel((2, 2))
    assert max(abs(a - b) for a, b in zip(corner, bytes.fromhex(paper[1:]), strict=True)) <= 4


@every_picture
def test_an_svg_says_the_same_in_both_modes_by_variables_alone(picture):
    drawn = svg(picture)
    assert re.findall(r"(?:fill|stroke): #[0-9a-f]{6}", drawn) == []
    assert "var(--bilancio-ink)" in drawn
    assert "prefers-color-scheme: dark" in drawn
    assert {"What it shows", "How sure that is.", "my-job"} <= set(said(drawn))
    root = ET.fromstring(drawn)
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-label"] == "What it shows. How sure that is."
    assert root.attrib["width"] == str(WIDTH)


@every_picture
def test_the_same_data_give_the_same_files(picture):
    assert (svg(picture), png(picture)) == (svg(picture), png(picture))


def test_ids_of_two_svgs_in_one_page_differ():
    one, two = (set(re.findall(r'id="([^"]+)"', svg(PICTURES[name]))) for name in ("heat", "lines"))
    assert one
    assert not one & two


def test_a_heat_map_hatches_and_brackets_what_is_uncertain():
    drawn = svg(heat())
    assert {"+0.200", "−0.300", "(+0.050)", "(0.000)", "–"} <= set(said(drawn))
    assert "<pattern" in drawn
    sure = heat(uncertain=np.zeros((2, 3), bool))
    assert "<pattern" not in svg(sure)


def test_a_heat_map_of_many_cells_has_a_key_in_place_of_numbers():
    rng = np.random.default_rng(1)
    values = np.sort(rng.random((80, 90)), axis=1)
    scale = Scale(label="x", texts=tuple(map(str, range(90))), places=np.arange(90.0))
    rows = Scale(label="y", texts=tuple(map(str, range(80))), places=np.arange(80.0))
    many = heat(x=scale, y=rows, values=values, uncertain=values < 0.1)
    drawn = svg(many)
    assert "the interval contains 0" in said(drawn)
    assert len(drawn) < 400_000
    assert len(png(many)) <= 40_000


def test_arms_differ_by_colour_marker_and_dash_and_are_named():
    drawn = svg(PICTURES["lines"])
    assert {"passive", "active"} <= set(said(drawn))
    assert "stroke-dasharray" in drawn
    for role in ("line0", "line1"):
        assert f"var(--bilancio-{role})" in drawn


def test_a_number_is_written_without_a_power_of_ten_where_it_can_be():
    drawn = svg(heat(values=np.full((2, 3), 3.2e7), uncertain=np.zeros((2, 3), bool)))
    assert "+3.2e+07" in said(drawn)


LONG = "a name so long that nobody would write it but somebody has, and it goes on and on " * 4
NASTY = "$\\frac{a}{$ <b>&amp; \x1b[31m 日本"


@every_picture
def test_long_and_odd_texts_stay_inside_the_picture(picture):
    caption = Caption(title=LONG, subtitle=f"{NASTY} {LONG * 3}", corner=LONG)
    drawn = svg(replace(picture, caption=caption))
    inside(drawn)
    assert len(png(replace(picture, caption=caption))) <= 40_000


@pytest.mark.parametrize("joined", list(Joined))
def test_long_values_and_names_of_series_stay_inside_the_picture(joined):
    scale = Scale(label=LONG, texts=(LONG, NASTY, "c"))
    series = tuple(estimates(0.1 * n, 0.2, 0.3, name=f"{n} {LONG}") for n in range(8))
    lines = Lines(caption=CAPTION, x=scale, label=LONG, series=series, joined=joined)
    inside(svg(lines))
    inside(svg(heat(x=scale, y=Scale(label=LONG, texts=(LONG, "b")))))
    versus = replace(PICTURES["versus"], rows=scale, jobs=series[:6], differences=series[1:6])
    inside(svg(replace(versus, label=LONG, difference_label=LONG)))
    inside(svg(replace(PICTURES["bars"], names=(LONG, NASTY), label=LONG)))
    rows = replace(PICTURES["distribution"], rows=Scale(label=LONG, texts=(LONG, "b")), label=LONG)
    inside(svg(rows))


def inside(drawn):
    """Check that each text lies within the width of its picture, as its font has it."""
    for text, attributes in texts_of(drawn):
        style = attributes["style"]
        size = float(re.search(r"(\d+(?:\.\d+)?)px", style)[1])
        width = measured(text, size, bold="bold" in style or "700" in style)
        moved = attributes.get("transform", "")
        if "rotate(-90" in moved:
            continue
        x = float(attributes.get("x") or re.search(r"translate\(([-\d.]+)", moved)[1])
        start = {"middle": x - width / 2, "end": x - width}.get(anchor(style), x)
        assert start >= -1, text
        assert start + width <= WIDTH + 1, text


def anchor(style):
    found = re.search(r"text-anchor: (\w+)", style)
    return found[1] if found else "start"


@pytest.mark.parametrize("value", [0.0, 1.0, -2.5, 1e-9, 3e12])
def test_values_that_are_all_alike_can_be_drawn(value):
    same = estimates(value, value, value, half=0)
    for joined in Joined:
        svg(Lines(caption=CAPTION, x=KAPPAS, label="y", series=(same,), joined=joined))
    svg(heat(values=np.full((2, 3), value), uncertain=np.zeros((2, 3), bool)))
    svg(replace(PICTURES["versus"], jobs=(same, same), differences=(same,)))


def test_values_that_are_all_unknown_can_be_drawn():
    nothing = estimates(NAN, NAN, NAN)
    for joined in Joined:
        svg(Lines(caption=CAPTION, x=KAPPAS, label="y", series=(nothing,), joined=joined))
    svg(heat(values=np.full((2, 3), NAN), uncertain=np.zeros((2, 3), bool)))


def test_the_settings_of_the_user_neither_matter_nor_change():
    before = svg(PICTURES["lines"])
    with mpl.rc_context({"font.size": 40, "axes.grid": True, "text.usetex": True}):
        assert svg(PICTURES["lines"]) == before
        assert mpl.rcParams["font.size"] == 40


def test_pictures_drawn_at_once_do_not_disturb_each_other():
    alone = {name: svg(picture) for name, picture in PICTURES.items()}
    found = {}

    def draw(name):
        found[name] = svg(PICTURES[name])

    threads = [threading.Thread(target=draw, args=[name]) for name in PICTURES]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert found == alone


def test_a_text_is_cut_to_its_room_and_wrapped_at_words():
    with drawing():
        assert cut("short", 14, 200) == "short"
        assert cut("a long text that has no room", 14, 80).endswith("…")
        assert measured(cut("a long text that has no room", 14, 80), 14) <= 80
        lines = wrapped("one two-three four five six", 14, 90, 2)
        assert len(lines) == 2
        assert all(measured(line, 14) <= 90 for line in lines)
