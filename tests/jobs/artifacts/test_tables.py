"""Tables are read by other programs: words for codes, nothing for what is missing."""

import csv
import json
import logging

import numpy as np
import pytest

from bilancio.jobs import AsyncJobManager, JobConfig
from bilancio.jobs.artifacts import tables
from bilancio.jobs.artifacts.manifest import write_job_manifest
from bilancio.jobs.artifacts.tables import write_files
from bilancio.jobs.store import packing

MANY = JobConfig(sweep_type="balanced", n_agents=4, kappas=["0.5", "2"], n_replicates=300)
TABLES = ("runs.csv", "cells.csv", "comparison.csv")
ONLY_THE_FIRST = "The tables hold the first 1,000 of 1,200 runs; exporting the job writes all."


def read(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


async def test_a_run_without_impact_has_no_time_to_stability(manager):
    """A run in which no debt was ever settled has no last day with a settlement."""
    sweep = JobConfig(
        sweep_type="ring", n_agents=3, kappas=["0.001"], concentrations=["0.2"], n_replicates=40
    )
    job = await manager.run_job((await manager.create_job("try", sweep)).job_id)
    lines = read(job.folder / "runs.csv")
    stored = await (await manager.store()).chunks(job.job_id)
    days = packing.join(stored, job.job_id)[1]["time_to_stability"]
    assert (days == -1).any()
    assert (days >= 0).any()
    assert [line["time_to_stability"] for line in lines] == [
        "" if day < 0 else str(day) for day in days.tolist()
    ]
    assert {line["end"] for line in lines} <= {"stable", "max-days", "default", "all-defaulted"}


async def test_an_arm_that_failed_leaves_its_fields_of_cells_empty(manager, plugins, tmp_path):
    sweep = JobConfig(sweep_type="faulty", n=6, faults={2: "raise"})
    job = await manager.run_job((await manager.create_job("try", sweep)).job_id)
    lines = read(job.folder / "cells.csv")
    assert [line["index"] for line in lines] == ["0", "1", "3", "4", "5"]
    assert np.allclose([float(line["value"]) for line in lines], [0, 2, 6, 8, 10])


@pytest.fixture
async def cut(manager):
    """Run a job, and write its tables with fewer runs than it has: no start is cut through."""
    job = await manager.run_job((await manager.create_job("many", MANY)).job_id)
    await write_files(await manager.store(), job, formats=("csv",), most=1001)
    return job


async def test_tables_of_very_many_runs_hold_the_first_ones(manager, cut):
    lines = {name: read(cut.folder / name) for name in TABLES}
    assert [line["index"] for line in lines["runs.csv"]] == [str(each) for each in range(1000)]
    assert [line["index"] for line in lines["cells.csv"]] == [str(2 * each) for each in range(500)]
    await manager.export_job(cut.job_id)
    for name in TABLES:
        whole = read(cut.folder / name)
        assert whole[: len(lines[name])] == lines[name]
        assert len(whole) == len(lines[name]) * 1200 // 1000


async def test_tables_written_in_many_pieces_are_those_written_in_one(manager, cut, monkeypatch):
    await manager.export_job(cut.job_id)
    whole = {name: (cut.folder / name).read_bytes() for name in TABLES}
    monkeypatch.setattr(tables, "_BLOCK", 3)
    monkeypatch.setattr(tables, "_STRETCH", 5)
    await manager.export_job(cut.job_id)
    assert {name: (cut.folder / name).read_bytes() for name in TABLES} == whole


async def test_log_results_and_manifest_say_that_tables_hold_the_first_runs_only(
    manager, cut, caplog
):
    with caplog.at_level(logging.INFO):
        await write_files(await manager.store(), cut, formats=("csv",), most=1000)
    assert ONLY_THE_FIRST in caplog.messages
    found = await manager.results(cut.job_id)
    assert (ONLY_THE_FIRST in found.warnings, found.runs_in_tables) == (True, 1000)
    assert manifest(cut)["runs_in_tables"] == 1000


async def test_a_manifest_that_is_written_again_still_says_which_runs_the_tables_hold(manager, cut):
    await write_job_manifest(await manager.store(), cut)
    assert manifest(cut)["runs_in_tables"] == 1000


async def test_exported_tables_hold_all_runs_and_nothing_says_otherwise(manager, cut):
    await manager.export_job(cut.job_id)
    found = await manager.results(cut.job_id)
    assert (found.runs_in_tables, ONLY_THE_FIRST in found.warnings) == (None, False)
    assert "runs_in_tables" not in manifest(cut)


async def test_tables_with_the_first_runs_are_not_imported_as_if_they_were_whole(cut, tmp_path):
    async with AsyncJobManager(str(tmp_path / "empty.db"), out_dir=tmp_path) as elsewhere:
        job = await elsewhere.import_job(cut.folder)
        found = await elsewhere.results(job.job_id)
        assert (job.completed_runs, found.table) == (1200, None)
        assert "they can be recomputed" in found.headline


async def test_exported_tables_are_imported_whole(manager, cut, tmp_path):
    await manager.export_job(cut.job_id, tmp_path / "exported")
    async with AsyncJobManager(str(tmp_path / "empty.db"), out_dir=tmp_path) as elsewhere:
        job = await elsewhere.import_job(tmp_path / "exported")
        there = await elsewhere.results(job.job_id, group_by=["kappa"])
    here = await manager.results(cut.job_id, group_by=["kappa"])
    assert there.table == here.table


def manifest(job):
    return json.loads((job.folder / "job_manifest.json").read_text())
