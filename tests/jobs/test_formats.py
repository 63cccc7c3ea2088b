"""Every answer in every format, held to its rows."""

import csv
import io

import numpy as np
import pandas as pd
import pytest

from bilancio.jobs.views import Table
from tests.own_project import name_modules, working_in

PAIRS = {
    "sweep_type": "balanced", "n_agents": 6, "kappas": ["0.3", "1"], "mus": [0, 1],
    "n_replicates": 3,
}  # fmt: skip
FRONTIER = {
    "sweep_type": "ring", "n_agents": 5, "mus": [0, 1], "n_replicates": 2, "frontier": True,
    "kappa_range": "0.5:8", "frontier_tolerance": "0.5",
}  # fmt: skip
SOBOL = {
    "sweep_type": "ring", "n_agents": 5, "sobol": 4, "kappa_range": "0.5:8", "mu_range": "0:1",
    "n_replicates": 3,
}  # fmt: skip
SWITCHES = {"default_handling": ["expel-agent", "fail-fast"], "rollover": [True, False]}
QUESTIONS = {
    "grid": (
        PAIRS,
        {},
        {"group_by": ["kappa", "seed"]},
        {"contrast": "mu", "group_by": "kappa", "effects": True},
        {"pivot": "mu", "group_by": "kappa"},
        {"measures": "trading_relief_ratio", "offset": 90},
    ),
    "one seed": (
        PAIRS | {"n_replicates": 1},
        {"group_by": "kappa"},
        {"contrast": "mu", "effects": True},
        {"pivot": "mu"},
    ),
    "words": (
        {"sweep_type": "ring", "n_agents": 5, "vary": SWITCHES, "n_replicates": 2},
        {"group_by": list(SWITCHES)},
        {"contrast": "rollover"},
        {"pivot": "default_handling", "group_by": "rollover"},
    ),
    "frontier": (FRONTIER, {}, {"group_by": "mu"}),
    "hypercube": (
        SOBOL | {"sobol": None, "lhs": 4},
        {"group_by": "kappa", "bins": 2},
    ),
    "sobol": (SOBOL, {}),
    "failed runs": ({"sweep_type": "faulty", "n": 6, "faults": {3: "raise"}}, {}),
}


def assert_formats_hold(table):
    """Compare each format with the rows: all of them, in order, none without its columns."""
    frame = table.to_pandas()
    assert list(frame.columns) == list(table.columns)
    for row, framed in zip(table.rows, frame.astype(object).itertuples(index=False), strict=True):
        assert [None if pd.isna(each) else each for each in framed] == list(row)
    heading, *lines = csv.reader(io.StringIO(table.to_csv()))
    assert heading == list(table.columns)
    assert lines == [["" if each is None else str(each) for each in row] for row in table.rows]
    assert len(table.to_markdown().splitlines()) == len(table.rows) + 2
    assert table.to_latex().count(r"\\") == len(table.rows) + 1
    assert table._repr_html_().count("<table>") == 1


def tables_of(results):
    found = (results.table, results.contrasts, results.effects, results.frontier)
    return [each for each in found if each is not None]


@pytest.mark.parametrize("name", QUESTIONS)
def test_each_table_of_each_answer_has_its_rows_in_every_format(blocking, done, plugins, name):
    config, *questions = QUESTIONS[name]
    job = done({key: value for key, value in config.items() if value is not None})
    for question in questions:
        results = blocking.results(job.job_id, **question)
        for table in tables_of(results):
            assert isinstance(table, Table)
            assert_formats_hold(table)
        shown = results._repr_html_()
        assert shown.count("<table>") == sum(bool(each.rows) for each in tables_of(results))
        assert results.to_csv() in {each.to_csv() for each in tables_of(results)}


def test_results_are_what_a_frontier_has_found_where_the_table_has_no_rows(blocking, done):
    results = blocking.results(done(FRONTIER).job_id)
    assert not results.table.rows
    assert results.to_pandas()["kappa_star"].notna().all()
    assert results.to_csv() == results.frontier.to_csv()
    assert results.to_markdown() == results.frontier.to_markdown()
    assert results.to_latex() == results.frontier.to_latex()


def test_results_and_comparisons_have_the_formats_of_their_tables(blocking, done, tmp_path):
    one, two = done(PAIRS), done(PAIRS | {"dealer_share": "0.3"})
    results = blocking.results(one.job_id, group_by="kappa")
    seen = blocking.compare(one.job_id, two.job_id, group_by="kappa")
    for answer in (results, seen):
        assert_formats_hold(answer.table)
        assert answer.to_markdown(measures=["trading_effect"]) == answer.table.to_markdown(
            measures=["trading_effect"]
        )
        assert answer.to_latex() == answer.table.to_latex()
        pd.testing.assert_frame_equal(answer.to_pandas(), answer.table.to_pandas())
        answer.to_csv(tmp_path / "table.csv")
        assert (tmp_path / "table.csv").read_text() == answer.table.to_csv()
    assert one.to_xarray().identical(blocking.to_xarray(one.job_id))
    assert results.to_xarray().identical(one.to_xarray())


def test_answers_about_a_function_of_ones_own_have_every_format(blocking, tmp_path, monkeypatch):
    """One seed of one cell fails in one arm: it is left out of what is averaged, not of arrays."""
    with working_in(tmp_path / "project", monkeypatch) as folder:
        (folder / "gappy.py").write_text(GAPPY)
        name_modules(folder, "gappy")
        for sweep_type, arms in {"gappy": 3, "gappy-alone": 1}.items():
            config = {"sweep_type": sweep_type, "vary": {"rate": [0.5, 0.9]}, "seeds": [1, 2, 3]}
            job = blocking.run_job(blocking.create_job("with a gap", config).job_id)
            assert job.failed_runs == 1
            results = blocking.results(job.job_id, group_by="rate", contrast="rate", effects=True)
            for table in tables_of(results):
                assert_formats_hold(table)
            arrays = results.to_xarray()
            sizes = {"seed": 3} | ({"arm": 3} if arms > 1 else {}) | {"rate": 2}
            assert dict(arrays.sizes) == sizes
            assert int(np.isnan(arrays.wait).sum()) == 1
            assert arrays.wait.attrs == {"units": "minutes", "long_name": "Mean wait."}
            assert arrays.rate.attrs == {"long_name": "Load."}


GAPPY = """
from typing import Annotated

from pydantic import Field

from bilancio import experiment

Rate = Annotated[float, Field(gt=0, description="Load.")]
WAIT = {"wait": ("minutes", "Mean wait.")}


@experiment("gappy", arms=("one", "two", "three"), primary="wait", metrics=WAIT)
def gappy(seed: int, arm: str, rate: Rate = 0.5) -> dict[str, float]:
    if (seed, arm, rate) == (2, "two", 0.9):
        raise ValueError("a gap")
    return {"wait": rate * seed + len(arm)}


@experiment("gappy-alone", metrics=WAIT)
def alone(seed: int, rate: Rate = 0.5) -> dict[str, float]:
    if (seed, rate) == (2, 0.9):
        raise ValueError("a gap")
    return {"wait": rate * seed}
"""
