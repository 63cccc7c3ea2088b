"""runs.parquet has what runs.csv has, typed."""

import csv
import json
import sys

import pandas as pd
import pytest
from pyarrow import parquet

from bilancio.errors import LibraryMissing
from bilancio.jobs import JobManager
from bilancio.jobs.artifacts import parquet as writing

SWEEPS = {
    "balanced": {
        "sweep_type": "balanced", "n_agents": 8, "kappas": ["0.3", "20"], "seeds": [1, 7, 3],
    },
    "frontier": {
        "sweep_type": "ring", "n_agents": 5, "n_replicates": 2, "frontier": True,
        "kappa_range": "0.5:4", "frontier_tolerance": "0.5",
    },
    "faulty": {"sweep_type": "faulty", "n": 20, "faults": {2: "raise", 11: "raise"}},
}  # fmt: skip


@pytest.fixture
def manager(plugins):
    with JobManager() as manager:
        yield manager


def exported(manager, config):
    job = manager.run_job(manager.create_job("for other programs", config).job_id)
    files = manager.export_job(job.job_id, parquet=True)
    return job, files


def text_of(value):
    return "" if value is None else repr(value) if isinstance(value, float) else str(value)


@pytest.mark.parametrize("name", SWEEPS)
def test_it_has_the_rows_and_columns_of_runs_csv(manager, name, monkeypatch):
    monkeypatch.setattr(writing, "GROUP", 5)
    job, files = exported(manager, SWEEPS[name])
    table = parquet.read_table(files["runs.parquet"])
    with (job.folder / "runs.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert table.column_names == list(rows[0])
    for number, row in enumerate(table.to_pylist()):
        assert {each: text_of(value) for each, value in row.items()} == rows[number]
    assert table.num_rows == len(rows) == job.completed_runs
    assert parquet.ParquetFile(files["runs.parquet"]).num_row_groups > 1
    told = json.loads((job.folder / "columns.json").read_text())["files"]
    assert told["runs.parquet"] == told["runs.csv"]


def test_its_columns_are_typed_and_say_what_they_are(manager):
    job, files = exported(manager, SWEEPS["balanced"])
    schema = parquet.read_schema(files["runs.parquet"])
    assert str(schema.field("delta_total").type) == "double"
    assert str(schema.field("time_to_stability").type) == "int16"
    assert schema.field("dealer_pnl").metadata[b"unit"] == b"money"
    assert schema.field("kappa").metadata[b"meaning"].startswith(b"Liquidity ratio")
    frame = pd.read_parquet(files["runs.parquet"])
    assert frame["arm"].tolist() == manager.runs_frame(job.job_id)["arm"].tolist()
    assert str(frame["end"].dtype) == "category"


def test_runs_recorded_manually_are_written_too(manager):
    job = manager.create_job("by hand", SWEEPS["faulty"])
    manager.start_job(job.job_id)
    manager.record_progress(job.job_id, "first", {"a": 1.5})
    manager.record_progress(job.job_id, "second", {"b": 2})
    files = manager.export_job(job.job_id, parquet=True)
    rows = parquet.read_table(files["runs.parquet"]).to_pylist()
    assert [(row["run_id"], row["a"], row["b"]) for row in rows] == [
        ("first", 1.5, None), ("second", None, 2.0),
    ]  # fmt: skip


def test_it_is_deleted_with_its_job_and_not_written_unless_asked_for(manager, tmp_path):
    job, _ = exported(manager, SWEEPS["balanced"])
    assert "runs.parquet" not in manager.export_job(job.job_id, tmp_path)
    assert "runs.parquet" in manager.delete_job(job.job_id).removed
    assert not job.folder.exists()


def test_without_pyarrow_nothing_is_written(manager, tmp_path, monkeypatch):
    job, _ = exported(manager, SWEEPS["balanced"])
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.delitem(sys.modules, "bilancio.frames.arrow")
    with pytest.raises(LibraryMissing, match=r"needs pyarrow.*bilancio\[frames\]"):
        manager.export_job(job.job_id, tmp_path / "there", parquet=True)
    assert not (tmp_path / "there").exists()
