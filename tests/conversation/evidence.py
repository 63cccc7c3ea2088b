"""What the files of a job say, computed in plain Python; t's quantiles are scipy's."""

import csv
from collections import defaultdict
from statistics import fmean, stdev

import pytest
from scipy.stats import t

DIGITS = 1e-5  # answers have six


def near(value):
    return pytest.approx(value, rel=DIGITS, abs=1e-9)


def read(desk, job_id, table="runs.csv"):
    """Return the rows of a job's table, numbers as numbers."""
    with (desk / "out" / job_id / table).open(newline="") as file:
        return [{name: _value(text) for name, text in row.items()} for row in csv.DictReader(file)]


def _value(text):
    try:
        return float(text)
    except ValueError:
        return text


def effects(runs):
    """Return, for each pair of runs, its passive run with the default rates of both arms."""
    places = defaultdict(dict)
    for run in runs:
        places[run["cell"], run["seed"]][run["arm"]] = run
    return [
        pair["passive"]
        | {
            "passive": pair["passive"]["delta_total"],
            "active": pair["active"]["delta_total"],
            "effect": pair["passive"]["delta_total"] - pair["active"]["delta_total"],
            "dealer_pnl": pair["active"]["dealer_pnl"],
        }
        for pair in places.values()
    ]


def mean(rows, name):
    return fmean(row[name] for row in rows)


def interval(rows, name):
    """Return the 95 % interval of a mean over seeds."""
    by_seed = defaultdict(list)
    for row in rows:
        by_seed[row["seed"]].append(row[name])
    means = [fmean(values) for values in by_seed.values()]
    half = t.ppf(0.975, len(means) - 1) * stdev(means) / len(means) ** 0.5
    return [fmean(means) - half, fmean(means) + half]


def grouped(rows, *names):
    """Return the rows by the values of parameters, in their order."""
    groups = defaultdict(list)
    for row in rows:
        groups[tuple(row[name] for name in names)].append(row)
    return dict(sorted(groups.items()))
