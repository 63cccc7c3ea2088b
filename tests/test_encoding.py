"""JSON at every door: strict, finite, bounded."""

import json

import numpy as np
import pytest

from bilancio.encoding import finite, from_json, to_json


def test_what_is_not_finite_becomes_null_however_deep():
    value = {"a": [1.5, float("nan"), {"b": (float("inf"), np.float64("-inf"), np.int64(3))}]}
    assert json.loads(to_json(value)) == {"a": [1.5, None, {"b": [None, None, 3]}]}


def test_numbers_of_numpy_become_numbers():
    assert finite(np.float32(0.5)) == 0.5
    assert finite(np.bool_(True)) is True


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[" * 100_000, "nested deeper than 64"),
        ('{"a": NaN}', "NaN"),
        ('{"a": -Infinity}', "-Infinity"),
        ('{"a": 1e999}', "larger than a number can be"),
        ('{"a": "\\ud800"}', "surrogate"),
        (b'{"a": "\xff"}', "UTF-8"),
        ('{"a": ', "not JSON"),
        ("1" * 5000, "digits"),
        (b"x" * (17 << 20), "larger than 16 MiB"),
    ],
)
def test_text_that_is_no_json_for_us_is_refused_saying_why(text, reason):
    with pytest.raises(ValueError, match=reason):
        from_json(text)


def test_brackets_within_text_are_no_nesting():
    text = json.dumps({"a": "[" * 1000 + '\\"' + "{" * 1000})
    assert from_json(text) == json.loads(text)


def test_pairs_of_surrogates_are_characters():
    assert from_json('"\\ud83d\\ude00"') == "😀"


def test_integer_of_too_many_digits_is_refused_in_a_sentence():
    with pytest.raises(ValueError, match="it holds a number of 5,000 digits"):
        from_json("[" + "1" * 5000 + "]")


def test_arrays_become_lists():
    value = {"quantiles": np.array([[0.5, np.nan]]), "n": np.arange(2), "one": np.array(3)}
    assert finite(value) == {"quantiles": [[0.5, None]], "n": [0, 1], "one": 3}
