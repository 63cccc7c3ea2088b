"""All runs of a job as a pandas frame, held to the runs one by one."""

import sys
import tracemalloc

import pandas as pd
import pytest

from bilancio.errors import InvalidInput, LibraryMissing, ResultsMissing
from bilancio.jobs import JobManager, run_columns

SWEEPS = {
    "balanced": {"sweep_type": "balanced", "n_agents": 9, "kappas": ["0.3", "20"], "seeds": [1, 7]},
    "hypercube": {
        "sweep_type": "ring", "n_agents": 5, "lhs": 3, "kappa_range": "0.2:5",
        "points": [{"mu": 1}],
    },
    "single": {"sweep_type": "single", "n_agents": 3},
    "frontier": {
        "sweep_type": "ring", "n_agents": 10, "mus": [0, 1], "n_replicates": 2, "frontier": True,
        "kappa_range": "0.5:4", "frontier_tolerance": "0.5", "grid": True, "kappas": ["1"],
    },
}  # fmt: skip


@pytest.fixture
def manager():
    with JobManager() as manager:
        yield manager


def done(manager, config):
    return manager.run_job(manager.create_job("to be framed", config).job_id)


def records(frame):
    """Return the rows of a frame as `runs` writes them: None where a value is missing."""
    return [
        {name: None if pd.isna(value) else value for name, value in row.items()}
        for row in frame.reset_index().astype(object).to_dict("records")
    ]


def plain(runs):
    return [
        {name: value for name, value in run.items() if name not in {"job_id", "run_id"}}
        for run in runs
    ]


@pytest.mark.parametrize("name", SWEEPS)
def test_a_frame_has_what_the_runs_have(manager, name, monkeypatch):
    job = done(manager, SWEEPS[name])
    frame = manager.runs_frame(job.job_id)
    assert records(frame) == plain(manager.runs(job.job_id))
    monkeypatch.setattr(run_columns, "BLOCK", 5)
    pd.testing.assert_frame_equal(manager.runs(job.job_id).to_pandas(), frame)


def test_its_columns_have_the_types_of_what_they_hold(manager):
    frame = manager.runs_frame(done(manager, SWEEPS["balanced"]).job_id)
    kinds = {name: str(kind) for name, kind in frame.dtypes.items()}
    assert kinds["kappa"] == kinds["delta_total"] == "float64"
    assert (kinds["seed"], kinds["n_defaults"]) == ("int64", "int32")
    assert kinds["time_to_stability"] == "Int16"  # of some runs there is none
    assert list(frame["arm"].cat.categories) == ["passive", "active"]
    assert list(frame["end"].cat.categories) == ["stable", "max-days", "default", "all-defaulted"]
    assert frame.index.name == "index"
    assert frame.attrs["units"]["delta_total"] == "1"
    assert frame.attrs["meanings"]["kappa"] == "Liquidity ratio κ: initial cash / debt."


def test_runs_without_results_are_missing_values(manager):
    job = manager.create_job("begun", SWEEPS["balanced"])
    pending = manager.runs_frame(job.job_id)
    assert list(pending["status"].unique()) == ["pending"]
    assert "delta_total" not in pending
    assert len(manager.runs_frame(job.job_id, status="completed")) == 0
    with pytest.raises(InvalidInput, match="status: got 'done'; allowed: completed, failed, pend"):
        manager.runs_frame(job.job_id, status="done")
    with pytest.raises(ResultsMissing, match="No run has been recorded yet"):
        manager.results(job.job_id).to_pandas()


def test_failed_runs_say_why(manager, plugins):
    job = manager.create_job(
        "with faults", {"sweep_type": "faulty", "n": 12, "faults": {3: "raise", 5: "raise"}}
    )
    manager.run_job(job.job_id)
    frame = manager.runs_frame(job.job_id)
    nothing = {"error": None, "value": None}
    assert records(frame) == [nothing | run for run in plain(manager.runs(job.job_id))]


def test_runs_recorded_manually_have_their_ids_and_what_was_recorded(manager):
    job = manager.create_job("by hand", SWEEPS["single"])
    manager.start_job(job.job_id)
    manager.record_progress(job.job_id, "first", {"a": 1.5})
    manager.record_progress(job.job_id, "second", {"b": 2})
    frame = manager.runs_frame(job.job_id)
    assert list(frame["run_id"]) == ["first", "second"]
    assert frame["a"].isna().tolist() == [False, True]
    assert frame["b"].tolist()[1] == 2
    assert len(manager.runs_frame(job.job_id, status="failed")) == 0


@pytest.mark.slow
def test_a_frame_takes_little_more_memory_than_it_holds(manager, plugins):
    job = done(manager, {"sweep_type": "gated", "n": 1_000_000})
    manager.runs_frame(job.job_id, status="failed")  # loads what is loaded once
    tracemalloc.start()
    frame = manager.runs_frame(job.job_id)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(frame) == 1_000_000
    assert peak < frame.memory_usage().sum() + 25e6


def test_without_pandas_a_sentence_says_how_it_is_installed(manager, monkeypatch):
    job = done(manager, SWEEPS["single"])
    monkeypatch.setitem(sys.modules, "pandas", None)
    monkeypatch.delitem(sys.modules, "bilancio.frames.tables", raising=False)
    for ask in (
        lambda: manager.runs_frame(job.job_id),
        lambda: manager.results(job.job_id).to_pandas(),
        lambda: manager.runs(job.job_id).to_pandas(),
    ):
        with pytest.raises(LibraryMissing, match=r"needs pandas.*pip install 'bilancio\[frames\]'"):
            ask()
    assert manager.results(job.job_id).table.to_markdown()
