"""Measures without a value under some seeds, and what is said of them."""

import math
import statistics

import numpy as np
import pytest
from scipy import stats

from bilancio import experiment
from bilancio.experiments.answering import Answering
from bilancio.experiments.declared import declaration_of
from bilancio.experiments.decorated import experiment_of
from bilancio.experiments.questions import question
from bilancio.experiments.reduction import Cells
from bilancio.experiments.standard import split, subject_of
from bilancio.text import number

NAN = math.nan


@experiment("waits", primary="wait")
def waits(seed: int, rate: int = 1) -> dict[str, float]:
    return {"wait": NAN, "served": 1.0}


@experiment("lines", arms=("one", "two", "three"), primary="wait")
def lines(seed: int, arm: str, rate: int = 1) -> dict[str, float]:
    return {"wait": NAN}


def sweep(function, **config):
    found = experiment_of(declaration_of(function))
    return found, found.config_model(**config)


def rows_of(**columns):
    n = len(next(iter(columns.values())))
    rows = np.zeros(n, [(name, float) for name in columns])
    for name, values in columns.items():
        rows[name] = values
    return rows


def said(found, config, rows):
    return found.headline(found.summarise(config, np.arange(len(rows)), rows))


def answered(found, config, rows, **asked):
    recorded, columns = split(found, config, np.arange(len(rows)), rows)
    cells = Cells(found, config, recorded)
    answering = Answering(subject_of(found, config, recorded, cells), question(**asked))
    for name in answering.wanted:
        answering.take(name, cells.cube(name, columns[name]))
    return answering.answer()


def test_a_headline_counts_the_seeds_behind_its_interval():
    found, config = sweep(waits, n_replicates=6)
    known = [1.0, 2.0, 4.0, 7.0]
    rows = rows_of(wait=[1.0, NAN, 2.0, 4.0, NAN, 7.0], served=range(6))
    low, high = stats.t.interval(0.95, 3, loc=statistics.mean(known), scale=stats.sem(known))
    assert said(found, config, rows) == (
        f"The average wait is 3.500 (95 % interval {number(low)} to {number(high)}, 4 of 6 seeds)."
    )


def test_it_is_told_where_a_measure_is_of_fewer_seeds_than_its_row():
    found, config = sweep(waits, n_replicates=6, vary={"rate": [1, 2]})
    rows = rows_of(
        wait=[1.0, 5.0, NAN, NAN, 2.0, 3.0, 4.0, NAN, 3.0, 2.0, 7.0, 8.0], served=range(12)
    )
    warnings = answered(found, config, rows, group_by="rate").warnings
    assert (
        "wait has no value under some of the seeds: averages and intervals are of the others, "
        "4 of 6 in the row with fewest." in warnings
    )
    shown = answered(found, config, rows, group_by="rate", measures="served").warnings
    assert not [each for each in shown if "no value" in each]


def test_a_plan_counts_seeds_without_a_value_too():
    found, config = sweep(waits, n_replicates=12)
    values = [float(each) for each in (1, 3, 2, 5, 4, 2)]
    rows = rows_of(wait=[each for value in values for each in (value, NAN)], served=range(12))
    alone, few = sweep(waits, n_replicates=6)
    plain = answered(alone, few, rows_of(wait=values, served=range(6)), precision=0.5)
    plan = answered(found, config, rows, precision=0.5).plan
    assert plan["n_seeds"] == 2 * plain.plan["n_seeds"]


def test_a_measure_without_any_value_is_said_to_be_unknown():
    found, config = sweep(waits, n_replicates=3)
    rows = rows_of(wait=[NAN] * 3, served=range(3))
    assert said(found, config, rows) == "The average wait is not known: nothing was observed."


def test_an_arm_without_a_value_leaves_the_others_in_the_headline():
    found, config = sweep(lines, n_replicates=2)
    without_third = rows_of(wait=[1.0, 2.0, NAN, 2.0, 4.0, NAN])
    headline = said(found, config, without_third)
    assert headline.startswith("The average wait is 1.500 in one, 3 in two: 1.500 higher (95 %")
    assert headline.endswith("; not known in three: nothing was observed.")
    without_second = rows_of(wait=[1.0, NAN, 3.0, 2.0, NAN, 4.0])
    assert said(found, config, without_second) == (
        "The average wait is 1.500 in one, not known in two: nothing was observed; "
        "3.500 in three: 2 higher (no interval: all 2 seeds equal)."
    )


def test_a_lower_average_has_the_interval_of_how_much_lower_it_is():
    found, config = sweep(lines, n_replicates=3)
    rows = rows_of(wait=[5.0, 3.0, 6.0, 6.0, 5.0, 8.0, 7.0, 4.0, 9.0])
    mean, error = 2.0, stats.sem([2.0, 1.0, 3.0])
    low, high = stats.t.interval(0.95, 2, loc=mean, scale=error)
    assert f"2 lower (95 % interval {number(low)} to {number(high)}, 3 seeds, undecided)" in said(
        found, config, rows
    )


@pytest.mark.parametrize("at_most", [20, 50])
def test_a_precision_that_no_seeds_reach_is_not_said_to_lack_seeds(at_most):
    found, config = sweep(waits, precision=0.1, max_replicates=at_most)
    rows = rows_of(wait=[NAN] * 20, served=range(20))
    headline = said(found, config, rows)
    assert ("the most allowed" in headline) == (at_most == 20)
    if at_most > 20:
        assert headline.endswith(
            "Precision 0.1 not reached with 20 seeds: an interval is missing, and more seeds "
            "would not give one."
        )
