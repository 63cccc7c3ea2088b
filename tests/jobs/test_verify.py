"""Recorded runs computed again and compared with what is stored."""

import sqlite3

import numpy as np
import pytest

from bilancio.errors import InvalidInput, JobStateError, ResultsMissing, StoreCorrupt
from bilancio.jobs import AsyncJobManager, JobConfig
from bilancio.jobs.maintenance.verify import _chosen, _differs
from bilancio.jobs.ranges import indices_of
from bilancio.jobs.store import packing
from tests.jobs.test_imports import FRONTIER

pytestmark = pytest.mark.usefixtures("plugins")


async def run(manager, config):
    return await manager.run_job((await manager.create_job("try", config)).job_id)


def change(isolated, edit):
    """Change stored rows behind the store's back, checksums included."""
    with sqlite3.connect(isolated / "store" / "bilancio.db") as database:
        for job_id, first, blob in database.execute(
            "SELECT job_id, first_index, metrics FROM chunks"
        ).fetchall():
            chunk = packing.Chunk(
                first_index=0, last_index=0, metrics=blob, crc32=packing.zlib.crc32(blob)
            )
            table = packing.npy.read_array(packing.io.BytesIO(chunk.metrics))
            edit(first, table)
            packed, crc32 = packing.pack(table)
            database.execute(
                "UPDATE chunks SET metrics = ?, crc32 = ? WHERE job_id = ? AND first_index = ?",
                (packed, crc32, job_id, first),
            )
    database.close()


async def test_a_job_that_is_as_it_was_verifies(manager, small):
    job = await run(manager, small)
    found = await manager.verify(job.job_id)
    assert (found.same, found.checked_runs, found.recorded_runs) == (True, 16, 16)
    assert found.differences == ()
    assert found.versions == found.stored_versions
    assert found.versions["engine"] == job.engine


async def test_a_frontier_verifies_with_the_probes_that_its_search_chose(manager):
    job = await run(manager, FRONTIER)
    assert job.completed_runs > job.config.fixed_runs
    found = await manager.verify(job.job_id, sample=None)
    assert (found.same, found.checked_runs) == (True, job.completed_runs)


async def test_a_probe_with_another_kappa_than_the_search_chose_is_found(manager, isolated):
    job = await run(manager, FRONTIER)

    def edit(first, table):
        if first + len(table) == max(job.config.fixed_runs, first + len(table)):
            table["kappa"][-1] = np.nextafter(table["kappa"][-1], 100)

    change(isolated, edit)
    found = await manager.verify(job.job_id, sample=None)
    assert not found.same
    assert "kappa" in found.differences[0].metrics


@pytest.mark.parametrize("kind", ["trivial", "faulty"])
async def test_a_plugged_in_experiment_verifies_in_threads_and_in_processes(manager, kind):
    job = await run(manager, JobConfig(sweep_type=kind, n=500))
    seen = []
    found = await manager.verify(
        job.job_id, sample=20, tell=lambda done, total: seen.append((done, total))
    )
    assert (found.same, found.checked_runs, found.recorded_runs) == (True, 20, 500)
    assert seen[-1] == (20, 20)


async def test_a_bit_that_was_turned_is_found_and_named(manager, small, isolated):
    job = await run(manager, small)
    before = (await manager.runs(job.job_id))[5]["delta_total"]

    def edit(first, table):
        if first <= 5 < first + len(table):
            table["delta_total"][5 - first] = np.nextafter(before, 2)

    change(isolated, edit)
    found = await manager.verify(job.job_id)
    assert (found.same, found.differing_runs) == (False, 1)
    (difference,) = found.differences
    assert (difference.index, difference.run_id) == (5, job.run_ids[5])
    assert difference.metrics == {"delta_total": (np.nextafter(before, 2), before)}


async def test_all_differences_are_counted_and_the_first_listed(manager, isolated):
    job = await run(manager, JobConfig(sweep_type="trivial", n=3000))
    change(isolated, lambda _, table: table["half"].__iadd__(1))
    found = await manager.verify(job.job_id, sample=None)
    assert (found.differing_runs, len(found.differences)) == (3000, 20)


async def test_a_run_that_fails_now_differs_and_says_why(manager, monkeypatch, tmp_path):
    config = JobConfig(
        sweep_type="faulty", n=5, faults={2: "raise"}, mended=str(tmp_path / "mended")
    )
    (tmp_path / "mended").touch()
    job = await run(manager, config)
    (tmp_path / "mended").unlink()
    found = await manager.verify(job.job_id)
    assert [each.index for each in found.differences] == [2]
    assert found.differences[0].error.startswith("ArithmeticError: run 2 has no solution (")


async def test_runs_that_failed_are_left_out(manager):
    job = await run(manager, JobConfig(sweep_type="faulty", n=9, faults={0: "raise", 4: "raise"}))
    found = await manager.verify(job.job_id)
    assert (found.same, found.checked_runs) == (True, 7)


async def test_both_engines_are_named_where_they_differ(manager, monkeypatch):
    job = await run(manager, JobConfig(sweep_type="trivial", n=5))
    monkeypatch.setattr("tests.plugins.CountingExperiment.version", "counting-2")
    found = await manager.verify(job.job_id)
    assert found.same
    assert (found.stored_versions["engine"], found.versions["engine"]) == (
        "counting-1", "counting-2",
    )  # fmt: skip


async def test_what_was_imported_without_some_metrics_is_compared_in_the_others(
    manager, small, tmp_path
):
    job = await run(manager, small)
    await manager.export_job(job.job_id, tmp_path / "export")
    (tmp_path / "export" / job.job_id / "runs.csv").unlink()
    async with AsyncJobManager(str(tmp_path / "other.db"), out_dir=tmp_path / "none") as other:
        await other.import_job(tmp_path / "export" / job.job_id)
        assert (await other.verify(job.job_id)).same


async def test_a_damaged_chunk_is_not_taken_for_a_difference(manager, small, isolated):
    job = await run(manager, small)
    with sqlite3.connect(isolated / "store" / "bilancio.db") as database:
        database.execute("UPDATE chunks SET crc32 = crc32 + 1")
    database.close()
    with pytest.raises(StoreCorrupt, match="checksum"):
        await manager.verify(job.job_id)


async def test_what_cannot_be_verified_is_refused_with_a_reason(manager, small):
    job = await manager.create_job("try", small)
    with pytest.raises(ResultsMissing, match="no run is recorded"):
        await manager.verify(job.job_id)
    with pytest.raises(InvalidInput, match="sample: got 0; allowed: whole numbers from 1"):
        await manager.verify(job.job_id, sample=0)
    await manager.start_job(job.job_id)
    with pytest.raises(JobStateError, match="recorded by its owner's program"):
        await manager.verify(job.job_id)


@pytest.mark.parametrize("seed", [None, 1, 2])
@pytest.mark.parametrize("sample", [1, 2, 3, 10, 59, 60, 100, None])
def test_a_sample_has_first_and_last_and_no_run_twice(sample, seed):
    recorded = [(5, 24), (30, 49), (100, 119)]
    known = [*range(5, 25), *range(30, 50), *range(100, 120)]
    chosen = indices_of(_chosen(recorded, sample, seed)).tolist()
    assert set(chosen) <= set(known)
    assert len(chosen) == len(set(chosen)) == min(sample or 60, 60)
    assert chosen[-1] == 119 if seed is not None or sample != 1 else True
    assert chosen[0] == 5 if sample != 1 else True


def test_samples_of_two_seeds_differ_and_of_one_are_the_same():
    first, second, again = (_chosen([(0, 9999)], 50, seed) for seed in (1, 2, 1))
    assert first == again != second


def test_columns_differ_in_bits_and_not_where_both_are_no_number():
    nan = float("nan")
    stored = np.array([nan, 0.0, 1.0, nan, 1.0])
    computed = np.array([nan, -0.0, 1.0, 1.0, np.nextafter(1, 2)])
    assert _differs(stored, computed).tolist() == [False, True, False, True, True]


async def test_a_job_that_came_with_a_clone_is_verified_by_its_measures(manager, small, tmp_path):
    """cells.csv holds the measures of every run, which are compared; nothing else is known."""
    job = await manager.run_job((await manager.create_job("try", small)).job_id)
    (job.folder / "runs.csv").unlink()
    async with AsyncJobManager(str(tmp_path / "clone.db"), out_dir=job.out_dir) as clone:
        found = await clone.verify(job.job_id, sample=None)
        assert (found.same, found.checked_runs, found.recorded_runs) == (True, 16, 16)
