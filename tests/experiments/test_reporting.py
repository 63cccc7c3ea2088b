"""No fault in what an experiment says of its runs loses them, or reaches a caller as it is."""

import sys

import numpy as np
import pytest

from bilancio.analysis.observations import Observations
from bilancio.errors import ExperimentFailed
from bilancio.experiments.reporting import MISSING, headline_of, observations_of, summary_of
from tests.plugins import Counting, CountingExperiment

CONFIG = Counting(sweep_type="counting", n=2)
INDICES = np.arange(2)
METRICS = np.zeros(2, [("value", float)])


def experiment(**methods):
    return type("Experiment", (CountingExperiment,), methods)()


def raising(*_):
    message = "no such thing"
    raise KeyError(message)


def leaving(*_):
    raise SystemExit


def test_numbers_that_json_does_not_know_are_null_in_a_summary():
    found = {"rate": np.float64("nan"), "list": np.array([1.0, np.inf]), "deep": [{"x": -np.inf}]}
    summary = summary_of(experiment(summarise=lambda *_: found), CONFIG, INDICES, METRICS)
    assert summary == {"rate": None, "list": [1.0, None], "deep": [{"x": None}]}


@pytest.mark.parametrize(
    ("summarise", "reason"),
    [
        (raising, "KeyError"),
        (leaving, "SystemExit"),
        (lambda *_: None, "it returned None, not values by name"),
        (lambda *_: {"when": object()}, "TypeError"),
    ],
)
def test_a_summary_that_cannot_be_made_says_why(summarise, reason):
    summary = summary_of(experiment(summarise=summarise), CONFIG, INDICES, METRICS)
    assert list(summary) == [MISSING]
    assert reason in summary[MISSING]
    headline = headline_of(experiment(), CONFIG, summary)
    assert headline == f"The experiment could not summarise its runs: {summary[MISSING]}."


def test_a_headline_that_cannot_be_made_says_why():
    said = headline_of(experiment(), CONFIG, {"other": 1})
    assert said == "The experiment could not put its summary into words: KeyError: 'sum'."


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"measures": ("missing",)}, "there are no columns missing"),
        ({"columns": {"seed": INDICES, "value": np.zeros(3)}}, "its columns differ in length"),
        ({"columns": {"seed": INDICES, "value": np.array(["a", "b"])}}, "value are not numbers"),
    ],
)
def test_observations_that_no_table_can_be_made_of_are_refused(changes, reason):
    good = {
        "columns": {"seed": INDICES, "value": np.zeros(2)},
        "parameters": (),
        "measures": ("value",),
        "primary": "value",
    }
    seen = Observations(**(good | changes))
    with pytest.raises(ExperimentFailed, match=reason):
        observations_of(experiment(observations=lambda *_: seen), CONFIG, INDICES, METRICS)


def test_what_an_experiment_prints_does_not_reach_stdout(capsys):
    def printing(*_):
        sys.stdout.write("look at me\n")
        return {}

    assert summary_of(experiment(summarise=printing), CONFIG, INDICES, METRICS) == {}
    assert capsys.readouterr() == ("", "look at me\n")
