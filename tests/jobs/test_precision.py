"""Sweeps that ask for a precision: whole seeds are added until the interval is narrow enough."""

import itertools
import shutil

import pytest

from bilancio import text
from bilancio.errors import InvalidInput
from bilancio.experiments import registry
from bilancio.jobs import AsyncJobManager, JobConfig
from bilancio.jobs.store import FinishedBatch
from tests.faults.kit import NAME, assert_sound

RING = {"sweep_type": "ring", "n_agents": 10}
WANTED = 0.03
BY_KAPPA = {**RING, "kappas": ["0.3", "1", "4"], "precision": WANTED, "precision_by": ["kappa"]}


async def ended(manager, config, name=NAME):
    await manager.create_job("try", config, job_id=name)
    return await manager.run_job(name)


async def test_seeds_are_added_until_the_half_width_is_reached(manager):
    job = await ended(manager, {**RING, "precision": WANTED})
    results = await manager.results(NAME)
    said = results.summary["precision"]
    low, high = results.summary["delta_ci95"]
    assert said["wanted"] == WANTED
    assert said["reached"]
    assert said["half_width"] == pytest.approx((high - low) / 2)
    assert said["half_width"] <= WANTED
    assert 20 < said["n_seeds"] == job.completed_runs == job.total_runs < 1000
    assert f"Precision 0.03 reached with {said['n_seeds']} seeds" in results.headline
    assert "So far" not in results.headline
    assert not (await manager.verify(NAME, sample=None)).differing_runs
    await assert_sound(manager)


async def test_what_it_found_is_what_a_sweep_of_so_many_seeds_finds(manager):
    job = await ended(manager, {**BY_KAPPA, "precision_by": None})
    n_seeds = job.summary["precision"]["n_seeds"]
    fixed = await ended(
        manager, {**RING, "kappas": BY_KAPPA["kappas"], "n_replicates": n_seeds}, "a-b"
    )
    told = {key: value for key, value in job.summary.items() if key != "precision"}
    assert told == fixed.summary
    metrics = [[run["delta_total"] for run in await manager.runs(name)] for name in (NAME, "a-b")]
    assert metrics[0] == metrics[1]


async def test_each_group_reaches_the_precision_that_is_asked_for_in_each(manager):
    await ended(manager, BY_KAPPA)
    results = await manager.results(NAME, group_by=["kappa"])
    columns = results.table.columns
    low, high = columns.index("delta_total_low"), columns.index("delta_total_high")
    widths = [(row[high] - row[low]) / 2 for row in results.table.rows if row[high] is not None]
    said = results.summary["precision"]
    assert len(results.table.rows) == 3
    assert max(widths) == pytest.approx(said["half_width"])
    assert max(widths) <= WANTED
    assert said["by"] == ["kappa"]
    assert "reached in each group by kappa" in results.headline


async def test_a_precision_that_is_not_reached_ends_the_job_completed_and_is_said(manager):
    job = await ended(manager, {**RING, "precision": "0.0001", "max_replicates": 30})
    assert (job.state, job.completed_runs) == ("completed", 30)
    said = job.summary["precision"]
    assert (said["reached"], said["n_seeds"]) == (False, 30)
    results = await manager.results(NAME)
    assert "Precision 0.0001 not reached with 30 seeds, the most allowed" in results.headline


async def test_seeds_that_are_all_equal_need_no_more_than_the_first_lot(manager):
    job = await ended(manager, {**RING, "kappas": [1000], "precision": "0.001"})
    assert job.completed_runs == 20
    assert job.summary["precision"]["reached"]
    *_, before_the_end, _ = await manager.events(NAME)
    assert text.aside(before_the_end.details) == "writing the results"


async def test_until_it_has_ended_the_number_of_runs_is_a_bound(manager):
    job = await manager.create_job("try", {**RING, "precision": WANTED})
    assert job.total_is_bound
    assert job.total_runs == 1000
    assert (await manager.estimate(job)).runs == 1000


async def test_a_running_job_says_that_the_precision_is_not_reached_yet(manager):
    await manager.create_job(
        "try", {**RING, "precision": "0.0001", "max_replicates": 30}, job_id=NAME
    )
    other = await ended(manager, {**RING, "n_replicates": 25}, "a-b")
    store = await manager.store()
    lease, _ = await store.claim(NAME, "a-worker", lease_s=3600, executor="local")
    batch = FinishedBatch(chunks=await store.chunks(other.job_id), compute_s=1)
    await store.record(lease, [batch], lease_s=60)
    results = await manager.results(NAME)
    assert "not reached yet" in results.headline
    assert "So far 25 of 30 seeds" in results.headline
    assert not results.summary["precision"]["reached"]


async def test_an_imported_job_has_all_its_seeds_and_says_the_same(manager, tmp_path):
    job = await ended(manager, BY_KAPPA)
    runs = list(await manager.runs(NAME, limit=1000))
    for kept in ("runs.csv", "cells.csv"):
        folder = tmp_path / kept / NAME
        shutil.copytree(job.folder, folder)
        for other in {"runs.csv", "cells.csv", "summary.json"} - {kept}:
            (folder / other).unlink(missing_ok=True)
        async with AsyncJobManager(str(tmp_path / kept / "s.db")) as elsewhere:
            imported = await elsewhere.import_job(folder)
            assert imported.completed_runs == imported.total_runs == job.completed_runs
            found = await elsewhere.results(NAME, group_by=["kappa"])
            assert found.summary["precision"] == job.summary["precision"]
            if kept == "runs.csv":
                assert list(await elsewhere.runs(NAME, limit=1000)) == runs


def test_defaults_that_are_written_out_change_no_hash():
    asked = JobConfig(**RING, precision="0.01")
    same = JobConfig(**RING, precision="0.010", n_replicates=20, max_replicates=1000, base_seed=42)
    assert asked.digest() == same.digest()
    assert asked == same
    assert asked.digest() != JobConfig(**RING, precision="0.01", max_replicates=999).digest()
    assert asked.digest() != JobConfig(**RING, n_replicates=20).digest()


def test_the_most_seeds_leave_a_job_within_its_bound():
    wide = JobConfig(**RING, kappas="0.001:2:0.001", mus="0:1:0.1", precision="0.01")
    assert wide.max_replicates == 10**7 // (2000 * 11)


REFUSED = {
    "precision: got 0; allowed:": {"precision": 0},
    "precision: got '-0.1'; allowed: numbers above 0": {"precision": "-0.1"},
    "n_replicates: got 5; allowed: 20 or more with precision": {"precision": 1, "n_replicates": 5},
    "max_replicates: got 10; allowed: 20 or more, the first lot": {
        "precision": 1, "max_replicates": 10,
    },
    "max_replicates: got 30; allowed: 40 or more, the first lot": {
        "precision": 1, "max_replicates": 30, "n_replicates": 40,
    },
    "precision: got 1 with seeds; allowed: n_replicates": {"precision": 1, "seeds": [1, 2]},
    "precision: got 1 with lhs; allowed: nothing: seeds alone do not narrow": {
        "precision": 1, "lhs": 5, "kappa_range": "0.2:5",
    },
    "precision: got 1 with frontier; allowed: nothing": {
        "precision": 1, "frontier": True, "kappa_range": "0.2:5",
    },
    "precision_by: got 'kapa'; allowed: parameters that vary here: kappa. Did you mean kappa?": {
        "precision": 1, "kappas": [1, 2], "precision_by": ["kapa"],
    },
    "precision_by: got 'mu'; allowed: parameters that vary here: none does": {
        "precision": 1, "precision_by": "mu",
    },
    "precision_by: got kappa; allowed: nothing, unless precision": {"precision_by": ["kappa"]},
    "max_replicates: got 30; allowed: nothing, unless precision": {"max_replicates": 30},
    "precision: unknown field": {"sweep_type": "single", "precision": 1},
}  # fmt: skip


@pytest.mark.parametrize("reason", REFUSED)
async def test_a_precision_that_cannot_be_is_refused_with_the_reason(reason, manager):
    with pytest.raises(InvalidInput) as refused:
        await manager.create_job("try", {**RING, **REFUSED[reason]})
    assert reason in str(refused.value)
    assert (await manager.list_jobs()).total == 0


async def test_a_job_with_a_precision_does_not_grow(manager):
    await ended(manager, {**RING, "precision": WANTED})
    with pytest.raises(InvalidInput, match="follows from its precision"):
        await manager.start_sweep(NAME, n_replicates=2000)


# -- failing runs ---------------------------------------------------------------------------------


@pytest.fixture
def fragile(monkeypatch, tmp_path):
    monkeypatch.setenv("BILANCIO_PLUGINS", "tests.plugins.rings:FRAGILE")
    registry._plugins.cache_clear()
    yield {
        **RING, "sweep_type": "fragile", "kappas": [1, 2], "precision": WANTED,
        "failing": [44, 70], "mended": str(tmp_path / "mended"),
    }  # fmt: skip
    registry._plugins.cache_clear()


async def test_seeds_whose_runs_fail_are_left_out_and_not_tried_again(manager, fragile):
    job = await ended(manager, fragile)
    assert job.state == "failed"
    assert "seed 44 has no solution" in job.error
    assert f"of {job.completed_runs + job.failed_runs} runs failed" in job.error
    results = await manager.results(NAME)
    said = results.summary["precision"]
    assert said["reached"]
    assert said["n_seeds"] == (job.completed_runs + job.failed_runs) / 2 - job.failed_runs / 2
    events = await manager.events(NAME)
    assert sum(event.details.get("failed", 0) for event in events) == job.failed_runs


async def test_resuming_retries_what_failed_and_ends_completed(manager, fragile, tmp_path):
    await ended(manager, fragile)
    (tmp_path / "mended").touch()
    job = await manager.run_job(NAME)
    assert (job.state, job.failed_runs) == ("completed", 0)
    assert job.summary["precision"]["reached"]
    indices = [run["index"] for run in await manager.runs(NAME, limit=1000)]
    assert indices == list(itertools.islice(itertools.count(), len(indices)))
    await assert_sound(manager)


async def test_a_job_all_of_whose_runs_fail_ends(manager, fragile):
    job = await ended(manager, {**fragile, "failing": list(range(42, 1042))})
    assert (job.state, job.completed_runs) == ("failed", 0)
    assert job.failed_runs == 40
