"""One palette for both modes, in which every text can be read."""

import pytest

from bilancio.report.style import DARK, GROUNDS, LIGHT, SERIES, contrast, css

MODES = {"light": LIGHT, "dark": DARK}
each_mode = pytest.mark.parametrize("mode", MODES.values(), ids=MODES)


def test_contrast_is_that_of_the_guidelines():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#ffffff", "#777777") == pytest.approx(4.48, abs=0.01)
    assert contrast("#123456", "#123456") == 1


@each_mode
def test_every_text_has_enough_contrast_to_what_it_stands_on(mode):
    weak = {
        text: round(contrast(mode[text], mode[ground]), 2)
        for text, ground in GROUNDS.items()
        if contrast(mode[text], mode[ground]) < 4.5
    }
    assert weak == {}
    assert contrast(mode["ink"], mode["blank"]) >= 4.5  # numbers in brackets


@each_mode
def test_lines_and_the_marks_of_axes_stand_out(mode):
    for name in (*(f"line{number}" for number in range(SERIES)), "axis"):
        assert contrast(mode[name], mode["paper"]) >= 3
    assert len({mode[f"line{number}"] for number in range(SERIES)}) == SERIES


def test_both_modes_have_the_same_names_and_a_page_can_choose_one():
    assert LIGHT.keys() == DARK.keys()
    said = css(".here")
    assert said.startswith(f".here{{--bilancio-paper:{LIGHT['paper']};")
    assert f"@media (prefers-color-scheme: dark){{.here{{--bilancio-paper:{DARK['paper']};" in said
    assert f'[data-theme="dark"] .here{{--bilancio-paper:{DARK["paper"]};' in said
