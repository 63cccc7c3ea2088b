"""The public interface, name by name, as DESIGN promises it."""

import asyncio
import importlib
import json

import pytest

from bilancio.errors import InvalidInput
from bilancio.jobs import AsyncJobManager, JobConfig, JobManager, JobStatus, create_job
from tests.jobs.store.kit import record, rows

RING = JobConfig(sweep_type="ring", n_agents=10, kappas=["0.5", "1"], seeds=[1, 2])


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("bilancio.jobs", "create_job"),
        ("bilancio.jobs", "AsyncJobManager"),
        ("bilancio.jobs.manager", "AsyncJobManager"),
        ("bilancio.jobs.manager", "JobManager"),
        ("bilancio.jobs.models", "JobConfig"),
        ("bilancio.jobs.runners", "RingSweepRunner"),
        ("bilancio.jobs.runners", "BalancedComparisonRunner"),
        ("bilancio.experiments.ring", "RingSweepRunner"),
        ("bilancio.experiments.balanced_comparison", "BalancedComparisonRunner"),
    ],
)
def test_a_promised_name_is_where_it_is_promised(module, name):
    found = getattr(importlib.import_module(module), name)
    assert found.__name__ == name


def test_a_name_that_an_experiment_does_not_have_is_an_error():
    with pytest.raises(ImportError, match="RingRunner"):
        from bilancio.experiments.ring import RingRunner  # noqa: F401 - the test's point


def test_a_job_is_created_in_one_call_on_the_default_store():
    job = create_job("in one call", RING, tags=["x"])
    with JobManager() as manager:
        assert manager.get_job(job.job_id) == job
        assert manager.get_job(job.job_id).status is JobStatus.PENDING


def test_run_ids_of_a_job_that_has_not_begun_are_those_planned():
    job = create_job("try", RING)
    told = json.loads(job.model_dump_json())
    assert told["run_ids"] == list(job.run_ids)
    assert len(told["run_ids"]) == 4
    assert job.model_dump()["run_ids"] == list(job.run_ids)
    assert "planned" in type(job).model_fields["run_ids"].description


def test_many_run_ids_are_told_by_their_ends():
    job = create_job("try", JobConfig(sweep_type="ring", n_replicates=10_000))
    assert job.model_dump(mode="json")["run_ids"] == {
        "count": 10_000,
        "first": job.run_ids[0],
        "last": job.run_ids[-1],
    }


@pytest.mark.parametrize(("runs", "told"), [(100, list), (101, dict)])
def test_run_ids_are_told_one_by_one_up_to_a_hundred(runs, told):
    job = create_job("try", JobConfig(sweep_type="ring", n_replicates=runs))
    assert type(job.model_dump(mode="json")["run_ids"]) is told


def test_run_ids_are_a_sequence_that_ends_on_both_sides():
    ids = create_job("try", RING).run_ids
    assert ids[-4] == ids[0]
    assert ids[1:3] == [ids[1], ids[2]]
    for outside in (4, -5):
        with pytest.raises(IndexError, match=f"run {outside} of 4"):
            ids[outside]
    assert ids.find(f"{ids[3][:-1]}4") is None


@pytest.mark.parametrize(("runs", "listed"), [(1000, 1000), (1001, 0)])
def test_a_manifest_lists_the_runs_of_a_job_of_up_to_a_thousand(runs, listed):
    job = create_job("try", JobConfig(sweep_type="ring", n_replicates=runs))
    manifest = json.loads((job.folder / "job_manifest.json").read_text())
    assert len(manifest["runs"]) == listed
    assert manifest["run_counts"] == {
        "total": runs, "completed": 0, "failed": 0, "pending": runs,
    }  # fmt: skip


def test_a_list_of_jobs_leaves_run_ids_out():
    create_job("try", RING)
    with JobManager() as manager:
        (job,) = json.loads(manager.list_jobs().model_dump_json())["jobs"]
    assert job["config"] == RING.as_dict()
    assert "run_ids" not in job


async def asked_for_all(job_id):
    async with AsyncJobManager() as manager:
        return await manager.runs(job_id)


def test_all_runs_are_a_sequence_that_is_read_when_it_is_asked_for():
    config = JobConfig(sweep_type="ring", n_agents=4, n_replicates=2345)
    with JobManager() as manager:
        job = manager.create_job("try", config)
        assert len(manager.runs(job.job_id, status="completed")) == 0
        manager.run_job(job.job_id)
        runs = manager.runs(job.job_id)
        assert len(runs) == 2345
        assert [run["index"] for run in runs] == list(range(2345))
        every_run = asyncio.run(asked_for_all(job.job_id))
        assert (every_run, every_run.total) == (list(runs), 2345)
        assert runs[-1]["run_id"] == job.run_ids[-1]
        assert [run["index"] for run in runs[998:1003]] == [998, 999, 1000, 1001, 1002]
        assert [run["index"] for run in runs[::-1000]] == [2344, 1344, 344]
        assert list(manager.runs(job.job_id, status="failed")) == []
        assert list(manager.runs(job.job_id, status="pending")) == []
        with pytest.raises(IndexError, match="item 2345 of 2345"):
            runs[2345]
        with pytest.raises(IndexError, match="item -2346 of 2345"):
            runs[-2346]
        assert runs[-2345]["index"] == 0
        with pytest.raises(InvalidInput, match="status: got 'done'; allowed: completed, failed"):
            manager.runs(job.job_id, status="done")


async def test_a_page_of_runs_says_how_many_there_are(manager, small):
    job = await manager.create_job("try", small)
    await manager.run_job(job.job_id)
    page = await manager.runs(job.job_id, limit=3, offset=14)
    assert ([run["index"] for run in page], page.total) == ([14, 15], 16)
    assert list(await manager.runs(job.job_id, offset=2**60)) == []
    assert [run["index"] for run in await manager.runs(job.job_id, offset=14)] == [14, 15]
    events = await manager.events(job.job_id, limit=1)
    assert (len(events), events.total) == (1, len(await manager.events(job.job_id)))


@pytest.fixture
async def begun(manager):
    """A job of eight runs: 0, 1 and 4 have results, 2 failed."""
    job = await manager.create_job("try", JobConfig(sweep_type="ring", n_agents=4, n_replicates=8))
    store = await manager.store()
    lease, _ = await store.claim(job.job_id, "w", lease_s=60, executor="local")
    chunks = [*rows(0, 1, 0.25), *rows(4, 4, 0.5)]
    await record(store, lease, chunks, {2: "no"})
    return job.job_id


async def test_runs_of_a_job_under_way_are_told_apart_by_their_status(manager, begun):
    async def indices(status, **page):
        found = await manager.runs(begun, status=status, **page)
        assert {run["status"] for run in found} <= {status}
        return [run["index"] for run in found], found.total

    assert await indices("completed") == ([0, 1, 4], 3)
    assert await indices("failed") == ([2], 1)
    assert await indices("pending") == ([3, 5, 6, 7], 4)
    assert await indices("pending", limit=2, offset=1) == ([5, 6], 4)
    statuses = [run["status"] for run in await manager.runs(begun)]
    assert statuses == ["completed"] * 2 + ["failed", "pending", "completed"] + ["pending"] * 3


async def test_a_table_of_results_is_cut_as_asked(manager, begun):
    whole = (await manager.results(begun, group_by=["seed"])).table
    assert (len(whole.rows), whole.total_rows) == (3, 3)
    cut = (await manager.results(begun, group_by=["seed"], limit=1, offset=1)).table
    assert (cut.rows, cut.total_rows) == (whole.rows[1:2], 3)


async def test_a_table_of_results_has_all_rows_unless_it_is_cut(manager):
    config = JobConfig(sweep_type="ring", n_agents=3, n_replicates=1200)
    job = await manager.run_job((await manager.create_job("many", config)).job_id)
    for limit in ({}, {"limit": None}, {"limit": 1100}):
        table = (await manager.results(job.job_id, group_by=["seed"], **limit)).table
        assert (len(table.rows), table.total_rows) == (limit.get("limit") or 1200, 1200)
    for page in ({"limit": 0}, {"limit": "5"}, {"offset": -1}):
        with pytest.raises(InvalidInput, match=rf"{next(iter(page))}: got .*; allowed: whole"):
            await manager.results(job.job_id, **page)


async def test_manually_recorded_runs_have_all_one_status(manager, small):
    job = await manager.create_job("by hand", small)
    await manager.start_job(job.job_id)
    await manager.record_progress(job.job_id, "r1", {"delta": 0.5})
    assert [run["run_id"] for run in await manager.runs(job.job_id, status="completed")] == ["r1"]
    assert list(await manager.runs(job.job_id, status="failed")) == []
    assert list(await manager.runs(job.job_id, status="pending")) == []


@pytest.mark.parametrize("page", [{"limit": 0}, {"limit": "5"}, {"offset": -1}, {"offset": 2**70}])
async def test_a_page_that_cannot_be_is_refused(manager, small, page):
    job = await manager.create_job("try", small)
    for ask in (manager.list_jobs, lambda **page: manager.runs(job.job_id, **page)):
        with pytest.raises(InvalidInput, match=rf"{next(iter(page))}: got .*; allowed: whole"):
            await ask(**page)


def test_a_single_run_takes_lists_of_one():
    lists = {"kappas": ["0.5"], "mus": [0], "concentrations": [1], "seeds": [7], "n_agents": 20}
    config = JobConfig(sweep_type="single", **lists)
    job = create_job("one run", config)
    assert len(job.run_ids) == job.total_runs == 1
    assert config == JobConfig(sweep_type="single", kappa="0.5", seed=7, n_agents=20)
    with pytest.raises(InvalidInput, match=r"kappas: got \[0.5, 1\]; allowed: one value"):
        create_job("two runs", {"sweep_type": "single", "kappas": [0.5, 1]})
