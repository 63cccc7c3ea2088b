"""runs.parquet has what runs.csv has, typed."""

import csv
import json
import sys

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from bilancio.errors import LibraryMissing, OutputError
from bilancio.jobs import JobManager, JobStatus
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
    with pytest.raises(LibraryMissing, match=r"needs pyarrow.*(o\[|--extra )frames"):
        manager.export_job(job.job_id, tmp_path / "there", parquet=True)
    assert not (tmp_path / "there").exists()


@pytest.fixture
def as_parquet(monkeypatch):
    monkeypatch.setenv("BILANCIO_RUNS_FORMAT", "parquet")


def tables_in(folder):
    return {path.name for path in folder.glob("runs.*")}


@pytest.mark.parametrize("name", SWEEPS)
def test_a_job_whose_runs_are_written_as_parquet_is_imported_from_them(
    as_parquet, manager, name, tmp_path
):
    job = manager.run_job(manager.create_job("for other programs", SWEEPS[name]).job_id)
    assert tables_in(job.folder) == {"runs.parquet"}
    told = json.loads((job.folder / "columns.json").read_text())["files"]["runs.parquet"]
    names = parquet.read_schema(job.folder / "runs.parquet").names
    assert [each["name"] for each in told] == names
    assert all(each["type"] for each in told)
    with JobManager(tmp_path / "another.db") as other:
        found = other.import_job(job.folder / "job_manifest.json")
        pd.testing.assert_frame_equal(found.runs_frame(), job.runs_frame())
        assert other.results(job.job_id).headline == manager.results(job.job_id).headline
        if job.status is JobStatus.COMPLETED:
            assert other.verify(job.job_id).differing_runs == 0


def test_a_table_of_another_format_than_is_written_now_is_removed(manager, monkeypatch):
    job = manager.run_job(manager.create_job("to grow", SWEEPS["frontier"]).job_id)
    manager.export_job(job.job_id, parquet=True)
    assert tables_in(job.folder) == {"runs.csv", "runs.parquet"}
    assert set(manager.export_job(job.job_id)) >= {"runs.csv", "runs.parquet"}
    (job.folder / "job_manifest.json").unlink()
    manager.results(job.job_id)
    assert tables_in(job.folder) == {"runs.csv"}
    monkeypatch.setenv("BILANCIO_RUNS_FORMAT", "parquet")
    with JobManager() as again:
        (job.folder / "job_manifest.json").unlink()
        again.results(job.job_id)
        assert tables_in(job.folder) == {"runs.parquet"}
        assert set(again.export_job(job.job_id)) >= {"runs.csv", "runs.parquet"}


def test_runs_recorded_manually_are_in_runs_csv_whatever_the_format(as_parquet, manager):
    job = manager.create_job("by hand", SWEEPS["faulty"])
    manager.start_job(job.job_id)
    manager.record_progress(job.job_id, "first", {"a": float("nan")})
    job = manager.complete_job(job.job_id)
    assert tables_in(job.folder) == {"runs.csv"}


def test_without_pyarrow_no_job_is_created_or_started_whose_runs_it_would_write(
    as_parquet, manager, monkeypatch
):
    job = manager.create_job("not yet", SWEEPS["balanced"])
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    for start in (manager.run_job, manager.start_sweep):
        with pytest.raises(LibraryMissing, match=r"^BILANCIO_RUNS_FORMAT=parquet needs pyarrow"):
            start(job.job_id)
    with pytest.raises(LibraryMissing, match=r"^BILANCIO_RUNS_FORMAT=parquet needs pyarrow"):
        manager.create_job("not at all", SWEEPS["balanced"])
    assert [*manager.list_jobs().jobs] == [job]
    found = " ".join(each.message for each in manager.doctor().findings)
    assert "No job can be started: BILANCIO_RUNS_FORMAT=parquet needs pyarrow" in found


def test_a_job_ends_as_csv_where_pyarrow_cannot_be_imported_after_all(
    as_parquet, manager, monkeypatch
):
    job = manager.run_job(manager.create_job("ended", SWEEPS["balanced"]).job_id)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.delitem(sys.modules, "bilancio.frames.arrow")
    (job.folder / "job_manifest.json").unlink()
    assert "runs.csv" in manager.results(job.job_id).files
    assert tables_in(job.folder) == {"runs.csv"}


def test_without_pyarrow_an_import_takes_the_measures_and_says_so(
    as_parquet, manager, monkeypatch, tmp_path
):
    job = manager.run_job(manager.create_job("ended", SWEEPS["balanced"]).job_id)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.delitem(sys.modules, "bilancio.frames.arrow")
    with JobManager(tmp_path / "another.db") as other:
        imported = other.import_jobs([job.folder])
        ((path, why),) = imported.left_out.items()
        assert path.endswith("runs.parquet")
        assert "needs pyarrow" in why
        assert other.results(job.job_id).table is not None


@pytest.mark.parametrize("damage", ["cut", "text", "other job", "other run", "nested", "long"])
def test_a_damaged_table_is_left_out(as_parquet, manager, tmp_path, damage):
    job = manager.run_job(manager.create_job("ended", SWEEPS["balanced"]).job_id)
    path = job.folder / "runs.parquet"
    table = parquet.read_table(path)
    match damage:
        case "cut":
            path.write_bytes(path.read_bytes()[:-100])
        case "text":
            path.write_text("job_id,run_id\n")
        case "other job":
            parquet.write_table(table.set_column(1, "run_id", pa.array(["x"] * len(table))), path)
        case "other run":
            parquet.write_table(table.take([1, 0, *range(2, len(table))]), path)
        case "nested":
            at = table.column_names.index("delta_total")
            parquet.write_table(
                table.set_column(at, "delta_total", pa.array([[1.0]] * len(table))), path
            )
        case "long":
            parquet.write_table(pa.concat_tables([table, table]), path)
    with JobManager(tmp_path / "another.db") as other:
        imported = other.import_jobs([job.folder])
        assert [name.endswith("runs.parquet") for name in imported.left_out] == [True]
        assert other.results(job.job_id).table is not None


def test_a_table_beside_no_manifest_says_whose_it_is(as_parquet, manager):
    job = manager.run_job(manager.create_job("ended", SWEEPS["balanced"]).job_id)
    for path in job.folder.iterdir():
        if path.name != "runs.parquet":
            path.unlink()
    assert "runs.parquet" in manager.results(job.job_id).files
    assert (job.folder / "job_manifest.json").is_file()
    other = manager.create_job("another", SWEEPS["balanced"])
    other.folder.mkdir(exist_ok=True)
    for path in other.folder.iterdir():
        path.unlink()
    (other.folder / "runs.parquet").write_bytes((job.folder / "runs.parquet").read_bytes())
    with pytest.raises(OutputError, match="holds no manifest of this job"):
        manager.run_job(other.job_id)
