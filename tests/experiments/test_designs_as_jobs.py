"""Designs carried out as jobs: broken off, resumed, listed, written and read back."""

import asyncio
import csv
import json
import threading

import numpy as np
import pytest

from bilancio.errors import LeaseLost
from bilancio.experiments.ring import RingExperiment
from bilancio.jobs import AsyncJobManager, JobConfig, JobStatus
from bilancio.jobs.store import packing

FRONTIER = {
    "sweep_type": "ring",
    "n_agents": 6,
    "maturity_days": 3,
    "frontier": True,
    "kappa_range": "0.2:4",
    "concentrations": [1, 5],
    "n_replicates": 4,
}
TOGETHER = {
    "sweep_type": "balanced",
    "n_agents": 6,
    "maturity_days": 3,
    "kappas": ["0.3", 1],
    "lhs": 5,
    "kappa_range": "0.3:3",
    "mu_range": "0:1",
    "points": [{"kappa": "0.7", "mu": "0.5"}],
    "frontier": True,
    "frontier_delta": "0.3",
    "frontier_arm": "active",
    "n_replicates": 2,
}
NOT_REACHED = {**FRONTIER, "kappa_range": "0.2:0.4", "frontier_delta": "0.001"}


@pytest.fixture
async def manager(monkeypatch):
    monkeypatch.setenv("BILANCIO_WORKERS", "1")
    async with AsyncJobManager() as manager:
        yield manager


async def finished(manager, config):
    job = await manager.create_job("designs", JobConfig(**config))
    return await manager.run_job(job.job_id)


async def stored(manager, job):
    chunks = await (await manager.store()).chunks(job.job_id)
    indices, metrics = packing.join(chunks, job.job_id)
    return indices.tolist(), metrics.tobytes()


class Gate:
    """Lets some batches pass, then holds the next one until it is released."""

    def __init__(self, monkeypatch, passing):
        self.reached, self.released = threading.Event(), threading.Event()
        compute, left = RingExperiment.compute, [passing]

        def gated(experiment, config, indices):
            left[0] -= 1
            if left[0] == -1:
                self.reached.set()
                assert self.released.wait(60)
            return compute(experiment, config, indices)

        monkeypatch.setattr(RingExperiment, "compute", gated)


@pytest.mark.parametrize("passing", [0, 1, 2, 5])
async def test_a_search_that_was_broken_off_ends_as_an_unbroken_one(manager, monkeypatch, passing):
    unbroken = await finished(manager, FRONTIER)
    job = await manager.create_job("broken off", JobConfig(**FRONTIER))
    gate = Gate(monkeypatch, passing)
    running = asyncio.ensure_future(manager.run_job(job.job_id))
    assert await asyncio.to_thread(gate.reached.wait, 60)
    job = await manager.cancel_job(job.job_id)
    gate.released.set()
    with pytest.raises(LeaseLost):
        await running
    assert job.completed_runs < unbroken.completed_runs
    assert job.total_is_bound
    job = await manager.run_job(job.job_id)
    assert job.status is JobStatus.COMPLETED
    assert await stored(manager, job) == await stored(manager, unbroken)
    assert job.summary == unbroken.summary


async def test_a_failed_run_leaves_its_search_open_until_it_is_tried_again(manager, monkeypatch):
    unbroken = await finished(manager, FRONTIER)
    compute = RingExperiment.compute

    def failing(experiment, config, indices):
        if 3 in indices:
            raise ZeroDivisionError
        return compute(experiment, config, indices)

    with monkeypatch.context() as patch:
        patch.setattr(RingExperiment, "compute", failing)
        job = await finished(manager, FRONTIER)
    assert job.status is JobStatus.FAILED
    assert "(The searches that these runs belong to are not finished.)" in job.error
    results = await manager.results(job.job_id)
    statuses = [row[results.frontier.columns.index("status")] for row in results.frontier.rows]
    assert statuses == ["not finished", "found"]
    job = await manager.run_job(job.job_id)
    assert await stored(manager, job) == await stored(manager, unbroken)


async def test_the_total_of_a_search_is_a_bound_until_it_has_completed(manager):
    job = await manager.create_job("bound", JobConfig(**NOT_REACHED))
    assert job.total_is_bound
    reserved = job.total_runs
    assert "Not started." in (await manager.results(job.job_id)).headline
    job = await manager.run_job(job.job_id)
    assert not job.total_is_bound
    assert job.total_runs == job.completed_runs == 2 * 2 * 4 < reserved
    assert job.summary["total_runs"] == 16
    assert (await manager.progress(job.job_id)).done_runs == job.total_runs
    runs = await manager.runs(job.job_id, limit=1000)
    assert [run["status"] for run in runs] == ["completed"] * 16
    assert await manager.runs(job.job_id, status="pending") == []
    manifest = json.loads((job.folder / "job_manifest.json").read_text())
    assert manifest["run_counts"] == {"total": 16, "completed": 16, "failed": 0, "pending": 0}
    assert [run["run_id"] for run in manifest["runs"]] == [run["run_id"] for run in runs]


async def test_a_search_without_solution_completes_its_job(manager):
    job = await finished(manager, NOT_REACHED)
    results = await manager.results(job.job_id)
    assert job.status is JobStatus.COMPLETED
    rows = [dict(zip(results.frontier.columns, row, strict=True)) for row in results.frontier.rows]
    assert [row["kappa_star"] for row in rows] == [None, None]
    assert all(row["status"].startswith("above bracket: δ = ") for row in rows)


async def test_designs_together_are_told_apart_in_every_result(manager):
    job = await finished(manager, TOGETHER)
    results = await manager.results(job.job_id)
    assert [row[0] for row in results.table.rows] == ["grid", "lhs", "points"]
    by_design = await manager.results(job.job_id, group_by=["design", "kappa"], limit=1000)
    (search,) = results.frontier.rows
    n_probes = search[results.frontier.columns.index("probes")]
    assert len(by_design.table.rows) == 8 + n_probes
    by_cell = await manager.results(job.job_id, group_by=["cell", "kappa"], limit=1000)
    assert len(by_cell.table.rows) == 8 + n_probes  # cells of all designs are asked for
    by_kappa = await manager.results(job.job_id, group_by=["kappa"], limit=1000)
    assert len(by_kappa.table.rows) == 8  # what a search tried is not among them
    assert job.total_runs == 8 * 2 * 2 + n_probes * 2  # in the arm that is searched only
    runs = await manager.runs(job.job_id, limit=1000)
    assert [run["cell"] for run in runs[:16:2]] == list(range(8))
    probes = [run for run in runs if run["design"] == "frontier-active"]
    assert {run["arm"] for run in probes} == {"active"}
    assert all(run["run_id"].startswith("balanced_active_") for run in probes)
    assert all(0.3 <= run["kappa"] <= 3 for run in runs)
    with (job.folder / "runs.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert [float(line["kappa"]) for line in lines] == [run["kappa"] for run in runs]
    assert [line["design"] for line in lines] == [run["design"] for run in runs]
    with (job.folder / "frontier.csv").open(newline="") as file:
        (found,) = csv.DictReader(file)
    column = results.frontier.columns.index("kappa_star")
    assert float(found["kappa_star"]) == results.frontier.rows[0][column]
    assert found["arm"] == "active"
    summary = json.loads((job.folder / "summary.json").read_text())
    assert summary["n_pairs"] == (2 + 5 + 1) * 2
    assert summary["frontier"]["cells"][0]["kappa_star"] == float(found["kappa_star"])


LAID_OUT = {
    "samples": {"sweep_type": "ring", "n_agents": 6, "lhs": 5, "kappa_range": "0.3:3"},
    "points": {"sweep_type": "ring", "n_agents": 6, "points": [{"kappa": 2}, {"mu": 1}]},
    "frontier": FRONTIER,
    "not reached": NOT_REACHED,
    "together": TOGETHER,
    "threshold of both arms": {
        "sweep_type": "balanced", "n_agents": 6, "maturity_days": 3, "mus": [1], "n_replicates": 3,
        "threshold": {"axis": "kappa", "measure": "trading_effect", "at_least": "0.02"},
        "kappa_range": "0.2:4", "frontier_tolerance": "0.2",
    },
    "threshold of agents": {
        "sweep_type": "ring", "maturity_days": 3, "kappas": ["0.5"], "n_replicates": 3,
        "vary": {"n_agents": "5:20"},
        "threshold": {"axis": "n_agents", "measure": "n_defaults", "at_most": 3},
    },
}  # fmt: skip


@pytest.mark.parametrize("config", LAID_OUT.values(), ids=LAID_OUT)
async def test_a_job_is_read_back_from_its_files(manager, isolated, config):
    job = await finished(manager, config)
    results = await manager.results(job.job_id)
    async with AsyncJobManager(f"sqlite:///{isolated / 'other' / 'bilancio.db'}") as other:
        again = await other.import_job(job.folder)
        assert (again.total_runs, again.completed_runs) == (job.total_runs, job.total_runs)
        assert await stored(other, again) == await stored(manager, job)
        read = await other.results(again.job_id)
    assert (read.headline, read.table, read.frontier) == (
        results.headline,
        results.table,
        results.frontier,
    )


async def test_a_comparison_alone_brings_the_rates_and_the_frontier_back(manager, isolated):
    job = await finished(manager, TOGETHER)
    results = await manager.results(job.job_id)
    (job.folder / "runs.csv").unlink()
    async with AsyncJobManager(f"sqlite:///{isolated / 'other' / 'bilancio.db'}") as other:
        read = await other.results((await other.import_job(job.folder)).job_id)
    assert read.frontier == results.frontier
    effect = read.table.columns.index("trading_effect")
    before = results.table.columns.index("trading_effect")
    assert [row[effect] for row in read.table.rows] == [row[before] for row in results.table.rows]


async def test_the_kappas_of_a_search_stand_among_the_metrics_of_its_runs(manager):
    job = await finished(manager, FRONTIER)
    chunks = await (await manager.store()).chunks(job.job_id)
    _, metrics = packing.join(chunks, job.job_id)
    assert metrics["kappa"].min() == 0.2
    assert metrics["kappa"].max() == 4
    assert np.isfinite(metrics["kappa"]).all()


VARIED = {
    "sweep_type": "ring",
    "maturity_days": 3,
    "vary": {"n_agents": [5, 9], "default_handling": ["fail-fast", "expel-agent"]},
    "n_replicates": 3,
}


async def test_results_are_grouped_by_whatever_varies(manager):
    job = await finished(manager, {**VARIED, "vary": {**VARIED["vary"], "early_stop": "yes,no"}})
    by = ["default_handling", "n_agents", "early_stop"]
    table = (await manager.results(job.job_id, group_by=by)).table
    assert [row[:3] for row in table.rows[:3]] == [
        ("expel-agent", 5, False),
        ("expel-agent", 5, True),
        ("expel-agent", 9, False),
    ]
    assert len(table.rows) == 8
    with (job.folder / "runs.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["default_handling"] for row in rows} == {"fail-fast", "expel-agent"}
    assert {row["n_agents"] for row in rows} == {"5", "9"}
    assert {row["early_stop"] for row in rows} == {"True", "False"}
    assert json.loads((job.folder / "job_manifest.json").read_text())["config"]["vary"] == {
        "n_agents": [5, 9],
        "default_handling": ["fail-fast", "expel-agent"],
        "early_stop": [True, False],
    }


async def test_a_frontier_is_searched_for_each_value_that_varies(manager):
    sweep = {**FRONTIER, "n_agents": None, "concentrations": [1], "vary": {"n_agents": [5, 9]}}
    job = await finished(manager, sweep | {"frontier_delta": "0.2"})
    found = (await manager.results(job.job_id)).frontier
    assert [row[found.columns.index("n_agents")] for row in found.rows] == [5, 9]
    assert {row[found.columns.index("status")] for row in found.rows} == {"found"}


async def test_the_base_samples_of_a_sobol_design_are_told_apart_from_the_others(manager):
    sweep = {**VARIED, "vary": {"n_agents": "5:9"}, "kappa_range": "0.3:3", "sobol": 4}
    job = await finished(manager, sweep)
    assert job.status is JobStatus.COMPLETED
    table = (await manager.results(job.job_id, group_by=["design"])).table
    assert [row[:2] for row in table.rows] == [("sobol", 8 * 3), ("sobol-ab", 8 * 3)]
