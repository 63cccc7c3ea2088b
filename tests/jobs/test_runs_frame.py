"""All runs of a job as a pandas frame, held to the runs one by one."""

import copy
import json
import pickle
import sys
import tracemalloc

import pandas as pd
import pytest

from bilancio.errors import InvalidInput, LibraryMissing, ResultsMissing
from bilancio.jobs import Job, JobManager, run_columns

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
def test_a_frame_has_what_the_runs_have(blocking, done, name, monkeypatch):
    job = done(SWEEPS[name])
    frame = blocking.runs_frame(job.job_id)
    assert records(frame) == plain(blocking.runs(job.job_id))
    monkeypatch.setattr(run_columns, "BLOCK", 5)
    pd.testing.assert_frame_equal(blocking.runs(job.job_id).to_pandas(), frame)


def test_its_columns_have_the_types_of_what_they_hold(blocking, done):
    frame = blocking.runs_frame(done(SWEEPS["balanced"]).job_id)
    kinds = {name: str(kind) for name, kind in frame.dtypes.items()}
    assert kinds["kappa"] == kinds["delta_total"] == "float64"
    assert (kinds["seed"], kinds["n_defaults"]) == ("int64", "int32")
    assert kinds["time_to_stability"] == "Int16"  # of some runs there is none
    assert list(frame["arm"].cat.categories) == ["passive", "active"]
    assert list(frame["end"].cat.categories) == ["stable", "max-days", "default", "all-defaulted"]
    assert frame.index.name == "index"
    assert frame.attrs["units"]["delta_total"] == "1"
    assert frame.attrs["meanings"]["kappa"] == "Liquidity ratio κ: cash / debt of the ring."


def test_runs_without_results_are_missing_values(blocking):
    job = blocking.create_job("begun", SWEEPS["balanced"])
    pending = blocking.runs_frame(job.job_id)
    assert list(pending["status"].unique()) == ["pending"]
    assert "delta_total" not in pending
    assert len(blocking.runs_frame(job.job_id, status="completed")) == 0
    with pytest.raises(InvalidInput, match="status: got 'done'; allowed: completed, failed, pend"):
        blocking.runs_frame(job.job_id, status="done")
    with pytest.raises(ResultsMissing, match="No run has been recorded yet"):
        blocking.results(job.job_id).to_pandas()


def test_failed_runs_say_why(blocking, plugins):
    job = blocking.create_job(
        "with faults", {"sweep_type": "faulty", "n": 12, "faults": {3: "raise", 5: "raise"}}
    )
    blocking.run_job(job.job_id)
    frame = blocking.runs_frame(job.job_id)
    nothing = {"error": None, "value": None}
    assert records(frame) == [nothing | run for run in plain(blocking.runs(job.job_id))]


def test_runs_recorded_manually_have_their_ids_and_what_was_recorded(blocking):
    job = blocking.create_job("by hand", SWEEPS["single"])
    blocking.start_job(job.job_id)
    blocking.record_progress(job.job_id, "first", {"a": 1.5})
    blocking.record_progress(job.job_id, "second", {"b": 2})
    frame = blocking.runs_frame(job.job_id)
    assert list(frame["run_id"]) == ["first", "second"]
    assert frame["a"].isna().tolist() == [False, True]
    assert frame["b"].tolist()[1] == 2
    assert len(blocking.runs_frame(job.job_id, status="failed")) == 0


@pytest.mark.slow
def test_a_frame_takes_little_more_memory_than_it_holds(blocking, done, plugins):
    job = done({"sweep_type": "gated", "n": 1_000_000})
    blocking.runs_frame(job.job_id, status="failed")  # loads what is loaded once
    tracemalloc.start()
    frame = blocking.runs_frame(job.job_id)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(frame) == 1_000_000
    assert peak < frame.memory_usage().sum() + 25e6


def test_without_pandas_a_sentence_says_how_it_is_installed(blocking, done, monkeypatch):
    job = done(SWEEPS["single"])
    monkeypatch.setitem(sys.modules, "pandas", None)
    monkeypatch.delitem(sys.modules, "bilancio.frames.tables", raising=False)
    for ask in (
        lambda: blocking.runs_frame(job.job_id),
        lambda: blocking.results(job.job_id).to_pandas(),
        lambda: blocking.runs(job.job_id).to_pandas(),
    ):
        with pytest.raises(LibraryMissing, match=r"needs pandas.*Install it with .*pandas"):
            ask()
    assert blocking.results(job.job_id).table.to_markdown()


def test_a_job_returns_its_own_runs_wherever_it_was_handed_out(blocking, done):
    ended = done(SWEEPS["balanced"])
    frame = blocking.runs_frame(ended.job_id)
    found = [
        ended,
        blocking.get_job(ended.job_id),
        blocking.list_jobs().jobs[0],
        blocking.results(ended.job_id).job,
        blocking.progress(ended.job_id).job,
        copy.deepcopy(ended),
        ended.model_copy(update={"notes": "another"}),
    ]
    for job in found:
        pd.testing.assert_frame_equal(job.runs_frame(), frame)
    assert len(ended.runs_frame(status="failed")) == 0


def test_a_job_reads_the_store_that_it_came_from_after_its_manager_was_closed(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    with JobManager("of-its-own.db") as manager:
        job = manager.create_job("elsewhere", SWEEPS["single"])
        manager.run_job(job.job_id)
    monkeypatch.chdir("/")
    assert list(job.runs_frame()["status"]) == ["completed"]


async def test_a_job_returns_its_runs_where_a_loop_runs(manager):
    job = await manager.create_job("awaited", SWEEPS["single"])
    assert list(job.runs_frame()["status"]) == ["pending"]


def test_where_a_job_came_from_is_no_part_of_it(blocking, done):
    job = done(SWEEPS["single"])
    sent = pickle.loads(pickle.dumps(job))
    assert sent == job
    assert b"bilancio.db" not in pickle.dumps(job)
    assert set(json.loads(job.model_dump_json())) == set(Job.model_fields) - {"holder", "in_flight"}
    with pytest.raises(
        ResultsMissing, match=rf"process. Ask one: manager.runs_frame\('{job.job_id}"
    ):
        sent.runs_frame()
