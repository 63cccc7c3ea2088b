"""Single runs and pairs, held to plain Python over the same rows."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bilancio.errors import InvalidInput
from bilancio.experiments import registry
from bilancio.experiments.questions import question
from bilancio.experiments.reduction import Cells
from bilancio.experiments.single_runs import SingleRuns
from bilancio.experiments.standard import split, subject_of
from bilancio.jobs import JobConfig
from tests.experiments.test_answers import invented, recorded_sweeps, rows_of

UNHURRIED = settings(deadline=None, max_examples=60)


def listed(config, indices, metrics, page=slice(None), **asked):
    """Return the table, how many runs there are, and what is said."""
    experiment = registry.experiment(config.sweep_type)
    recorded, columns = split(experiment, config, np.array(indices, np.int64), metrics)
    cells = Cells(experiment, config, recorded)
    declared = {each.name: each for each in experiment.metrics}
    runs = SingleRuns(
        subject_of(experiment, config, recorded, cells),
        [declared[name] for name in recorded.names],
        cells.there,
        question(of="runs", **asked),
    )
    for name in runs.wanted:
        runs.take(name, cells.cube(name, columns[name]))
    chosen = runs.chosen(page)
    values = {
        name: cells.cube(name, columns[name])[chosen.seed, chosen.cell] for name in runs.shown
    }
    numbers = cells.runs(chosen.seed, chosen.cell)[np.arange(len(chosen.arm)), chosen.arm]
    table = runs.table(chosen, values, numbers)
    return table, chosen.total, runs.said(table, chosen.total)


def plain(config, indices, metrics):
    """Return a row for each run, by its number."""
    experiment = registry.experiment(config.sweep_type)
    columns = experiment.parameters(config, np.array(indices, np.int64))
    return {
        index: {name: column[at].item() for name, column in columns.items()}
        | {name: metrics[name][at].item() for name in metrics.dtype.names}
        for at, index in enumerate(indices)
    }


@given(recorded_sweeps(), st.sampled_from(["-trading_effect", "trading_effect", "delta_active"]))
@UNHURRIED
def test_pairs_are_those_with_both_arms_in_the_order_of_a_measure(sweep, order):
    config, indices = sweep
    metrics = invented(len(indices))
    runs = plain(config, indices, metrics)
    expected = []
    for index, run in runs.items():
        if index % 2 == 0 and index + 1 in runs:
            passive, active = run["delta_total"], runs[index + 1]["delta_total"]
            expected.append({"run": index + 1, "effect": passive - active, "active": active})
    table, total, _ = listed(config, indices, metrics, order_by=order)
    found = rows_of(table)
    assert total == len(found) == len(expected)
    key = "active" if "active" in order else "effect"
    values = sorted((each[key] for each in expected), reverse=order.startswith("-"))
    column = order.removeprefix("-")
    assert [row[column] for row in found] == pytest.approx(values)
    by_run = {each["run"]: each for each in expected}
    for row in found:
        assert row["trading_effect"] == pytest.approx(by_run[row["run"]]["effect"])
        for name in ("kappa", "mu"):
            if name in row:
                assert row[name] == runs[row["run"]][name]
        assert row["seed"] == runs[row["run"]]["seed"]


@given(recorded_sweeps(), st.integers(0, 7), st.integers(1, 5))
@UNHURRIED
def test_a_page_of_single_runs_is_a_cut_of_all_of_them(sweep, offset, limit):
    config, indices = sweep
    metrics = invented(len(indices))
    asked = {"order_by": "-delta_total", "where": "arm = active and delta_total > 0.2"}
    everything, total, _ = listed(config, indices, metrics, **asked)
    page, same, said = listed(config, indices, metrics, slice(offset, offset + limit), **asked)
    runs = plain(config, indices, metrics).values()
    meeting = [run for run in runs if run["arm"] == "active" and run["delta_total"] > 0.2]
    assert total == same == len(meeting)
    assert page.rows == everything.rows[offset : offset + limit]
    assert said.startswith(f"Showing {len(page.rows)} of {total:,} run" if total else "No run ")


CONFIG = JobConfig(sweep_type="balanced", kappas=["0.5", "1"], n_replicates=3)


def rows(**columns):
    table = np.zeros(12, [("delta_total", "f8"), ("n_defaults", "i4"), ("end", "i1")])
    for name, values in columns.items():
        table[name] = values
    return table


def test_a_word_for_a_metric_of_single_runs_makes_the_rows_runs_and_an_effect_makes_them_pairs():
    metrics = rows(n_defaults=range(12))
    table, total, said = listed(CONFIG, range(12), metrics, order_by="-defaults")
    assert total == 12
    assert rows_of(table)[0] == {
        "run": 11, "kappa": 1.0, "seed": 44, "arm": "active", "n_defaults": 11, "delta_total": 0.0,
    }  # fmt: skip
    assert said == (
        "Showing 12 of 12 runs, highest n_defaults first: 11 at kappa 1, seed 44, arm active."
    )
    table, total, _ = listed(CONFIG, range(12), metrics, order_by="-effect")
    assert (total, table.columns[:4]) == (6, ("run", "kappa", "seed", "trading_effect"))


def test_missing_values_stand_last_whatever_the_order():
    metrics = rows(delta_total=[math.nan, 1, 3, 2, *[0] * 8])
    for order in ("delta_total", "-delta_total"):
        table, _, _ = listed(CONFIG, range(12), metrics, order_by=order)
        assert rows_of(table)[-1]["delta_total"] is None
        first, _, _ = listed(CONFIG, range(12), metrics, slice(0, 2), order_by=order)
        assert first.rows == table.rows[:2]


def test_words_that_metrics_stand_for_are_shown_and_compared():
    metrics = rows(end=[0, 1, 2] * 4)
    table, total, _ = listed(CONFIG, range(12), metrics, where="end = max-days", measures="end")
    assert total == 4
    assert {row["end"] for row in rows_of(table)} == {"max-days"}


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"group_by": "kappa"}, "group_by: got kappa; allowed: nothing beside of: runs"),
        ({"effects": True}, "effects: got True; allowed: nothing beside of: runs"),
        ({"contrast": "kappa"}, "contrast: got kappa; allowed: nothing beside of: runs"),
        ({"order_by": "-happiness"}, "order_by: got 'happiness'; allowed: "),
        ({"measures": "trading_efect"}, "Did you mean trading_effect?"),
        ({"where": "happiness > 1"}, "where: got 'happiness'; allowed: "),
        ({"order_by": "arm,trading_effect"}, "order_by: got 'arm'; allowed: "),
    ],
)
def test_what_single_runs_do_not_have_is_refused(asked, sentence):
    with pytest.raises(InvalidInput) as error:
        listed(CONFIG, range(12), rows(), **asked)
    assert sentence in str(error.value)


@pytest.mark.parametrize("word", ["cell", "Cells", "runs", "pairs", "pair", "run", None, ""])
def test_words_for_what_the_rows_are_of_are_read(word):
    expected = "cells" if word in {"cell", "Cells", None, ""} else "runs"
    assert question(of=word).of == expected


@pytest.mark.parametrize("word", ["rns", 5, "seeds"])
def test_rows_of_something_else_are_refused(word):
    with pytest.raises(InvalidInput, match=r"of: got .*; allowed: cells or runs"):
        question(of=word)
