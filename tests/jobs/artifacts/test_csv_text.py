"""Fields of tables are, byte for byte, those that the csv module writes."""

import csv
import io
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from bilancio.jobs.artifacts.csv_text import fields, table_text

EDGES = [1e-4, 1e-5, 1e15, 1e16, 5e-324, 0.0, math.inf]
FLOATS = (
    some.floats()
    | some.floats(-1e3, 1e3)
    | some.sampled_from(
        [
            number * sign
            for edge in EDGES
            for sign in (1, -1)
            for number in (edge, math.nextafter(edge, 0), math.nextafter(edge, math.inf))
        ]
        + [math.nan]
    )
)
INTEGERS = some.integers(-(2**63), 2**63 - 1) | some.integers(0, 3)
WORDS = some.text(some.sampled_from('ab ,"\r\n;é'), max_size=4)
COLUMNS = {
    "f8": FLOATS,
    "f4": some.floats(width=32),
    "i8": INTEGERS,
    "u1": some.integers(0, 255),
    "?": some.booleans(),
    "U": WORDS,
    "O": FLOATS | INTEGERS | WORDS | some.booleans() | some.none(),
}


def as_csv(column):
    file = io.StringIO()
    rows = zip(column.tolist(), range(len(column)), strict=True)
    csv.writer(file, lineterminator="\n").writerows(rows)
    return file.getvalue()


@pytest.mark.parametrize("kind", COLUMNS)
@given(data=some.data())
def test_any_column_is_written_as_the_csv_module_writes_it(kind, data):
    column = np.array(data.draw(some.lists(COLUMNS[kind], max_size=30)), kind)
    assert table_text([fields(column), fields(np.arange(len(column)))]) == as_csv(column)


def test_doubles_of_every_size_are_written_as_the_csv_module_writes_them():
    """A hundred thousand with random bits, and as many as rates and amounts have."""
    rng = np.random.default_rng(7)
    bits = rng.integers(-(2**63), 2**63 - 1, 100_000).view(np.float64)
    usual = rng.integers(0, 10**6, 100_000) / rng.integers(1, 10**4, 100_000)
    for column in (bits, usual, rng.random(100_000), rng.integers(0, 10**7, 100_000) / 1e6):
        assert table_text([fields(column), fields(np.arange(len(column)))]) == as_csv(column)
