"""Pictures of plain data: what is on them, how large they are, that nothing is cut."""

import io
import itertools
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
    assert "not known to differ from 0" in said(drawn)
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
    assert "+3.20e+07" in said(drawn)


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


def boxes_of(drawn):
    """Return each text with its left, upper, right and lower edge, as its font has it."""
    found = []
    for text, attributes in texts_of(drawn):
        style = attributes["style"]
        size = float(re.search(r"(\d+(?:\.\d+)?)px", style)[1])
        width = measured(text, size, bold="bold" in style or "700" in style)
        moved = attributes.get("transform", "")
        place = re.search(r"translate\(([-\d.]+) ([-\d.]+)\)", moved)
        x, y = map(float, place.groups() if place else (attributes["x"], attributes["y"]))
        before = {"middle": width / 2, "end": width}.get(anchor(style), 0)
        up, down = 0.72 * size, 0.12 * size
        if "rotate(-90" in moved:
            box = (x - up, y + before - width, x + down, y + before)
        else:
            box = (x - before, y - up, x - before + width, y + down)
        found.append((text, box))
    return found


def inside(drawn):
    """Check that each text lies within its picture, and that no two run into each other."""
    height = float(ET.fromstring(drawn).attrib["height"])
    boxes = [each for each in boxes_of(drawn) if each[0]]
    for text, (left, top, right, bottom) in boxes:
        assert (left >= -1, right <= WIDTH + 1) == (True, True), text
        assert (top >= -1, bottom <= height + 1) == (True, True), text
    for (one, a), (other, b) in itertools.combinations(boxes, 2):
        assert not (a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]), (one, other)


def anchor(style):
    found = re.search(r"text-anchor: (\w+)", style)
    return found[1] if found else "start"


# -- inputs that break pictures ------------------------------------------------------------------


def numbers(n, low=0.1, high=4.0, *, logarithmic=False):
    places = np.geomspace(low, high, n) if logarithmic else np.linspace(low, high, n)
    texts = tuple(f"{each:.3g}" for each in places)
    return Scale(label="κ  (cash / debt)", texts=texts, places=places, logarithmic=logarithmic)


def words(n):
    return Scale(label="rule", texts=tuple(f"default-handling-{each}" for each in range(n)))


def lines(*rows, x=None, joined=Joined.LINE, half=0.05, **more):
    series = tuple(
        estimates(*each, name=f"arm-number-{place}", half=half) for place, each in enumerate(rows)
    )
    scale = x or numbers(len(rows[0]))
    return Lines(caption=CAPTION, x=scale, label="default rate", series=series, joined=joined)


def noise(*shape):
    return np.random.default_rng(7).normal(0.05, 0.3, shape)


def grid(n_rows, n_columns, *, size=1.0, hatched=0.05, x=None):
    values = noise(n_rows, n_columns) * size
    x = x or numbers(n_columns)
    y = numbers(n_rows, 0, 1)
    return heat(x=x, y=y, values=values, uncertain=np.abs(values) < hatched * size)


def jobs(n_rows, n_jobs, *, size=1.0, label="κ"):
    values = noise(n_jobs, n_rows) * size
    made = [
        estimates(*each, name=f"bright-ocean-swift-tiger-{place}", half=0.1 * size)
        for place, each in enumerate(values)
    ]
    rows = replace(numbers(n_rows), label=label)
    differences = [replace(each, value=values[0] - each.value) for each in made[1:]]
    return replace(PICTURES["versus"], rows=rows, jobs=tuple(made), differences=tuple(differences))


AWKWARD = {
    "20 x 20 cells": grid(20, 20),
    "all cells hatched": grid(12, 10, hatched=9),
    "many cells, all hatched": grid(20, 20, hatched=9),
    "tiny cells": grid(4, 5, size=1e-9),
    "huge cells": grid(4, 5, size=1e12),
    "one row of 200 cells": grid(1, 200),
    "columns of long words": grid(3, 12, x=words(12)),
    "200 values": lines(noise(200), noise(200), x=numbers(200)),
    "200 values on a log scale": lines(noise(200), x=numbers(200, 1e-3, 1e3, logarithmic=True)),
    "ten arms": lines(*noise(10, 6)),
    "twelve lines": lines(*noise(12, 6)),
    "points of nine arms": lines(*noise(9, 6), joined=Joined.POINTS),
    "20 long words": lines(noise(20), x=words(20), joined=Joined.POINTS),
    "tiny values": lines(noise(4) * 1e-9, half=1e-10, x=numbers(4, 1e-9, 1e-6, logarithmic=True)),
    "huge values": lines(noise(4) * 1e12, half=1e11, x=numbers(4, 1e6, 1e12, logarithmic=True)),
    "values far from 0": lines([1_000_001, 1_000_002, 1_000_001.5], half=0.5),
    "negative values": lines([-5, -3, -9], half=1),
    "one value": lines([0.4], [0.35]),
    "unknown values": lines([0.9, NAN, 0.5, NAN], [NAN] * 4),
    "all values 0": lines([0, 0, 0], [0, 0, 0], half=0),
    "six jobs and 16 rows": jobs(16, 6),
    "tiny jobs": jobs(3, 3, size=1e-9),
    "huge jobs": jobs(3, 3, size=1e12),
    "jobs without a difference": jobs(3, 2, size=0),
    "12 rows": replace(
        PICTURES["distribution"], rows=numbers(12), spreads=(spread(1, 2, 3, zeros=4),) * 12
    ),
    "a long heading": replace(
        PICTURES["distribution"], heading="prevents much more than before · same · " * 9
    ),
    "long names of shares": Bars(
        caption=CAPTION,
        names=tuple(f"parameter_number_{n} × parameter_number_{n + 1}" for n in range(14)),
        label="share",
        shares=estimates(*np.linspace(0.7, 0, 14)),
    ),
}


@pytest.mark.parametrize("picture", AWKWARD.values(), ids=AWKWARD)
def test_no_text_runs_into_another_one_and_the_png_stays_small(picture):
    inside(svg(picture))
    drawn = png(picture)
    image = Image.open(io.BytesIO(drawn))
    assert len(drawn) <= 40_000
    assert max(image.size) <= 1000
    assert len(image.getcolors(maxcolors=256)) <= 64


def colours_of(picture, *, dark):
    image = Image.open(io.BytesIO(png(picture, dark=dark))).convert("RGB")
    return {f"#{r:02x}{g:02x}{b:02x}" for _, (r, g, b) in image.getcolors(maxcolors=256)}


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_few_colours_are_those_that_mean_something(dark):
    mode = DARK if dark else LIGHT
    six = {mode[f"line{each}"] for each in range(6)}
    assert six <= colours_of(AWKWARD["ten arms"], dark=dark)
    values = np.zeros((10, 12))
    values[0, 0], values[9, 11] = 1, -1
    rare = heat(
        x=numbers(12), y=numbers(10), values=values + noise(10, 12) / 4, uncertain=values > 2
    )
    assert {mode["plus8"], mode["minus8"]} <= colours_of(rare, dark=dark)


def test_arms_beyond_the_colours_are_told_apart_by_a_piece_of_their_line():
    drawn = svg(AWKWARD["ten arms"])
    assert drawn.count("stroke-dasharray") >= 2 * 7  # a line, and its piece, of all but solid ones
    alone = svg(lines([0.1, 0.2, 0.3]))
    assert len(re.findall(r'id="[^"]*axes_\d+"', alone)) == 1


def test_names_that_begin_alike_can_be_told_apart():
    names = [f"{'a' * 200}-{each}" for each in (1, 2)]
    series = tuple(estimates(0.1, 0.2, 0.3, name=each) for each in names)
    drawn = [
        svg(replace(PICTURES["lines"], series=series)),
        svg(replace(PICTURES["versus"], jobs=series, differences=series[1:])),
        svg(heat(y=Scale(label="rule", texts=tuple(names)))),
        svg(replace(PICTURES["bars"], names=tuple(names))),
    ]
    for each in drawn:
        ends = {text[-2:] for text in said(each) if "…" in text}
        assert {"-1", "-2"} <= ends
    upright = svg(AWKWARD["columns of long words"])
    assert {f"default-handling-{each}" for each in range(12)} <= set(said(upright))


def test_a_parameter_is_labelled_alike_along_both_axes_even_of_two_rows():
    label = "κ  (liquidity ratio: cash / debt of the ring)"
    kappas = Scale(label=label, texts=("0.5", "1"))
    drawn = svg(heat(y=kappas))
    assert " ".join(label.split()) in " ".join(" ".join(said(drawn)).split())
    inside(drawn)


def test_a_value_without_neighbours_shows_its_interval():
    one = svg(lines([0.4], [0.35]))
    assert one.count("LineCollection") == 2
    gaps = lines([0.9, NAN, 0.5, NAN])
    assert "LineCollection" in svg(gaps)


def test_a_series_of_which_nothing_is_known_says_so():
    drawn = said(svg(AWKWARD["unknown values"]))
    assert {"arm-number-0", "arm-number-1: not known"} <= set(drawn)


def test_points_beside_each_other_stay_between_the_ends_of_the_axis():
    drawn = svg(AWKWARD["points of nine arms"])
    names = min(box[0] for text, box in boxes_of(drawn) if text.startswith("arm"))
    marks = [float(x) for x in re.findall(r'<use[^>]* x="([\d.]+)"', drawn)]
    assert max(box[2] for text, box in boxes_of(drawn) if text == "0.0") < min(marks)
    assert sorted(marks)[-10] < names - 30  # ten markers stand beside the names


def test_an_effect_of_0_has_neither_colour():
    values = np.array([[0.2, 0.0], [-0.3, 0.1]])
    two = Scale(label="x", texts=("a", "b"))
    drawn = svg(heat(x=two, y=two, values=values, uncertain=np.zeros((2, 2), bool)))
    assert "0.000" in said(drawn)
    assert "var(--bilancio-plus0)" not in drawn
    assert "var(--bilancio-blank)" in drawn


def test_a_map_on_which_nothing_is_certain_has_no_key_of_colours():
    drawn = svg(AWKWARD["many cells, all hatched"])
    assert "not known to differ from 0" in said(drawn)
    assert "var(--bilancio-plus8)" not in drawn.partition("</style>")[2]


def test_cells_reach_below_their_neighbours_so_that_no_paper_shines_through():
    drawn = svg(heat(uncertain=np.zeros((2, 3), bool)))
    cells = re.findall(r'd="M ([\d.]+) [\d.]+ \nL ([\d.]+) [\d.]+', drawn)
    ends = sorted({(float(a), float(b)) for a, b in cells if 200 < float(b) - float(a) < 400})
    assert len(ends) == 3
    assert all(one[1] > other[0] for one, other in itertools.pairwise(ends))


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
