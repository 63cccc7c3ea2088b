"""The ring of a day: told by dashes and marks, legible and small however many agents there are."""

import random
import xml.etree.ElementTree as ET

import pytest

from bilancio.report.ring import Flow, RingDay, ring_svg, samples
from bilancio.report.style import PREFIX

DESKS = ("VBT short", "dealer short", "VBT mid", "dealer mid", "VBT long", "dealer long")


def day(n, **given):
    return RingDay(said="Day 3: <b>", n_agents=n, **given)


def busy(n):
    """A day on which everybody pays a neighbour and a desk, and a tenth fails."""
    draw = random.Random(7)
    flows = [Flow("settled", i, (i + 1) % n) for i in range(n)]
    flows += [Flow("settled", i, n + draw.randrange(6)) for i in range(n)]
    flows += [Flow("sold", i, n + draw.randrange(6)) for i in range(0, n, 3)]
    flows += [Flow("defaulted", i, (i + 1) % n) for i in range(0, n, 10)]
    return day(n, desks=DESKS, flows=flows, failing={*range(0, n, 10)}, failed={*range(5, n, 10)})


def drawn(svg):
    return ET.fromstring(svg)


def texts(svg):
    return [each.text for each in drawn(svg).iter("{http://www.w3.org/2000/svg}text")]


def styles(svg):
    return [each.get("style") or "" for each in drawn(svg).iter()]


def test_kinds_of_lines_differ_by_their_dashes_and_agents_by_their_marks():
    found = samples(30)
    dashes = {
        found[kind].partition("dasharray:")[2].partition('"')[0]
        for kind in ("settled", "defaulted", "sold")
    }
    assert len(dashes) == 3
    for n in (30, 1000):
        paths = {
            samples(n)[mark].partition('d="')[2].partition('"')[0]
            for mark in ("sound", "failing", "failed")
        }
        assert len(paths) == 3


def test_what_happens_often_between_two_is_drawn_once():
    once = day(8, flows=[Flow("settled", 0, 1)])
    assert ring_svg(day(8, flows=[Flow("settled", 0, 1)] * 9)) == ring_svg(once)


def test_desks_stand_in_the_middle_with_their_notes_and_text_is_escaped():
    svg = ring_svg(day(4, desks=DESKS, notes=["buys 3"]))
    assert {*DESKS, "buys 3", "H1", "H4"} <= {*texts(svg)}
    assert drawn(svg).get("aria-label") == "Day 3: <b>"


@pytest.mark.parametrize("n", [3, 30, 100, 1000, 10_000, 100_000])
def test_names_stay_few_and_colours_are_those_of_the_palette(n):
    svg = ring_svg(day(n))
    assert 3 <= len(texts(svg)) <= 30
    assert all("#" not in style for style in styles(svg))
    assert all(f"var({PREFIX}" in style or "transparent" in style for style in styles(svg) if style)


@pytest.mark.parametrize("n", [1000, 3000])
def test_a_busy_day_of_thousands_of_agents_takes_less_than_300_kb(n):
    assert len(ring_svg(busy(n))) < 250_000
