"""Metrics say how they are read: in answers, in tables, and back from tables."""

import numpy as np
import pytest

from bilancio.model import METRICS, End, Metric

END = next(metric for metric in METRICS if metric.name == "end")
STABILITY = next(metric for metric in METRICS if metric.name == "time_to_stability")


@pytest.mark.parametrize(
    ("metric", "value", "readable", "text"),
    [
        (END, 3, "all-defaulted", "all-defaulted"),
        (STABILITY, -1, None, ""),
        (STABILITY, 7, 7, 7),
        (Metric("rate"), float("nan"), None, ""),
        (Metric("rate"), float("inf"), None, float("inf")),
        (Metric("rate"), 0.1, 0.1, 0.1),
        (Metric("count", "i8"), -1, -1, -1),
        (Metric("happened", "?"), True, True, True),
    ],
)
def test_a_value_is_read_as_it_is_declared(metric, value, readable, text):
    column = np.array([value], metric.dtype)
    (cell,) = metric.to_text(column).tolist()
    assert metric.readable(column[0].item()) == readable
    assert cell == text
    back = np.array([metric.from_text(str(cell))], metric.dtype)
    assert back.tobytes() == column.tobytes()


def test_every_reason_why_a_run_ends_has_its_word():
    column = np.arange(len(End), dtype=END.dtype)
    assert END.to_text(column).tolist() == [end.value for end in End]


@pytest.mark.parametrize("text", ["", "7", "Stable"])
def test_a_word_that_is_not_a_code_is_refused(text):
    with pytest.raises(ValueError, match="not in"):
        END.from_text(text)
