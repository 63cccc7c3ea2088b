"""What is declared once: a new parameter or metric has to be drawn at random and judged, too."""

import ast
import dataclasses
import re
from pathlib import Path

import pytest
from hypothesis import given, settings

from bilancio.model import METRICS, BalancedParameters, Run, kernels
from bilancio.model.parameters import scale_of
from bilancio.model.tables import METRIC_ROW, PARAMETER_ROW
from tests import oracle
from tests.model.agreement import EXACT, MONEY
from tests.model.strategies import runs
from tests.oracle.scenario import Parameters

NAMES = [metric.name for metric in METRICS]
NO_COLUMN = {"liquidity_vector"}  # is handed over beside the rows


def test_every_parameter_is_drawn_at_random():
    drawn = set()

    @settings(max_examples=200, derandomize=True, deadline=None)
    @given(runs())
    def draw(fields):
        drawn.update(fields)

    draw()
    assert drawn == set(BalancedParameters.model_fields)


def test_every_parameter_is_one_of_the_oracle():
    known = {field.name for field in dataclasses.fields(Parameters)}
    assert known >= set(BalancedParameters.model_fields)


def test_every_parameter_has_a_column_of_the_rows_that_kernels_read():
    columns = set(PARAMETER_ROW.names)
    assert columns - {"liquidity_start"} == set(BalancedParameters.model_fields) - NO_COLUMN


def test_every_parameter_and_metric_is_described():
    assert all(field.description for field in BalancedParameters.model_fields.values())
    assert all(metric.meaning for metric in METRICS)
    assert all(metric.unit for metric in METRICS if metric.codes is None)


def test_every_parameter_that_measures_something_says_its_unit_and_direction():
    said = {name for name, field in BalancedParameters.model_fields.items() if scale_of(field)}
    numbers = {name for name in PARAMETER_ROW.names if PARAMETER_ROW[name].itemsize > 1}
    assert numbers - {"liquidity_start"} - said == {"seed", "liquidity_agent"}  # which name one


def test_every_metric_is_compared_with_the_oracle():
    assert sorted(NAMES) == sorted([*EXACT, *MONEY])
    assert {field.name for field in dataclasses.fields(oracle.Outcome)} >= set(NAMES)


def test_every_metric_is_a_column_and_an_attribute_of_a_run():
    assert sorted(METRIC_ROW.names) == sorted(NAMES)
    assert {field.name for field in dataclasses.fields(Run)} >= set(NAMES)


KERNELS = sorted(Path(kernels.__file__).parent.glob("*.py"))


@pytest.mark.parametrize("path", KERNELS, ids=lambda path: path.stem)
def test_every_kernel_says_what_its_arguments_are(path):
    """By name, or by the module that describes them."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            words = ast.get_docstring(node) or ""
            names = [argument.arg for argument in node.args.args]
            unnamed = [name for name in names if not re.search(rf"\b{name}\b", words)]
            assert not unnamed or "`books`" in words or "``books``" in words, (node.name, unnamed)
