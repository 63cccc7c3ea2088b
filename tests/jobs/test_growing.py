"""A job that has ended takes more seeds, and is then as if started with so many."""

import asyncio

import pytest

from bilancio.errors import BilancioError, JobStateError
from bilancio.experiments import registry
from bilancio.jobs import AsyncJobManager
from tests.faults.kit import NAME, assert_sound, outcome, undisturbed

pytestmark = pytest.mark.databases

GRID = {"sweep_type": "balanced", "n_agents": 10, "kappas": ["0.3", "1"], "mus": [0, 1]}
SWEEPS = {
    "grid": GRID,
    "ring with its own first seed": {"sweep_type": "ring", "n_agents": 10, "base_seed": 7},
    "hypercube": {"sweep_type": "ring", "n_agents": 10, "lhs": 3, "kappa_range": ["0.2", "5"]},
    "grid and points": {
        **GRID, "grid": True, "mus": [1], "points": [{"kappa": 2, "concentration": 1}],
    },
}  # fmt: skip


async def ended(manager, config):
    await manager.create_job("try", config, job_id=NAME)
    return await manager.run_job(NAME)


async def record(manager, name=NAME):
    """Return all that the store tells of a job."""
    return await manager.exact(name), list(await manager.events(name))


@pytest.mark.parametrize("sweep", SWEEPS)
async def test_a_grown_job_is_the_same_as_one_started_at_that_size(sweep, manager, tmp_path):
    expected = await undisturbed({**SWEEPS[sweep], "n_replicates": 5}, tmp_path / "large")
    small = await ended(manager, {**SWEEPS[sweep], "n_replicates": 2})
    grown = await manager.run_job(NAME, n_replicates=5)
    assert grown.state == "completed"
    assert grown.run_ids[: small.total_runs] == list(small.run_ids)
    assert await outcome(manager) == expected
    await assert_sound(manager)
    assert not (await manager.verify(NAME)).differing_runs


@pytest.mark.parametrize("seeds", [None, [42], [42, 43]])
async def test_consecutive_seeds_that_were_listed_are_continued(seeds, manager, tmp_path):
    expected = await undisturbed({**GRID, "n_replicates": 4}, tmp_path / "large")
    await ended(manager, {**GRID, "seeds": seeds})
    await manager.run_job(NAME, n_replicates=4)
    assert await outcome(manager) == expected


async def test_only_the_new_seeds_are_computed_and_an_event_says_from_and_to(manager):
    small = await ended(manager, {**GRID, "n_replicates": 2})
    before = await manager.events(NAME)
    expected = await manager.estimate(small, n_replicates=5)
    assert expected.runs == small.total_runs // 2 * 3
    started = await manager.start_sweep(NAME, n_replicates=5)
    assert started.action == "extended"
    assert (await manager.wait(NAME)).completed_runs == small.total_runs // 2 * 5
    extended, *batches, _ = await manager.events(NAME, after=len(before))
    assert extended.event_type == "extended"
    assert (extended.details["from"], extended.details["to"]) == (2, 5)
    assert sum(each.details["completed"] for each in batches) == expected.runs


async def test_what_was_missing_of_a_cancelled_job_is_computed_with_the_new_seeds(
    manager, tmp_path
):
    expected = await undisturbed({**GRID, "n_replicates": 5}, tmp_path / "large")
    await manager.create_job("try", {**GRID, "n_replicates": 2}, job_id=NAME)
    await manager.cancel_job(NAME)
    await manager.run_job(NAME, n_replicates=5)
    assert await outcome(manager) == expected


async def test_a_grown_job_that_is_cancelled_grows_again_and_is_resumed(manager):
    await ended(manager, {**GRID, "n_replicates": 2})
    store = await manager.store()
    await manager.start_sweep(NAME, n_replicates=3)
    await manager.wait(NAME)
    job = await manager.run_job(NAME, n_replicates=6)
    assert (job.state, job.completed_runs) == ("completed", 6 * 8)
    assert await store.integrity_errors() == []


async def test_a_repeated_request_grows_the_job_once(manager):
    await ended(manager, {**GRID, "n_replicates": 2})
    for _ in range(2):
        started = await manager.start_sweep(NAME, n_replicates=3, request_key="a call")
        assert started.action == "extended"
        await manager.wait(NAME)
    kinds = [event.event_type for event in await manager.events(NAME)]
    assert kinds.count("extended") == 1


async def test_of_two_that_grow_a_job_at_once_one_does_and_the_other_is_told_so(manager):
    await ended(manager, {**GRID, "n_replicates": 2})
    async with AsyncJobManager() as other:
        done = await asyncio.gather(
            manager.start_sweep(NAME, n_replicates=3),
            other.start_sweep(NAME, n_replicates=4),
            return_exceptions=True,
        )
    refused = [each for each in done if isinstance(each, JobStateError)]
    assert len(refused) == 1, done
    job = await manager.wait(NAME)
    assert job.completed_runs == job.total_runs in {24, 32}
    await assert_sound(manager)


async def pending(manager):
    await manager.create_job("try", GRID, job_id=NAME)


async def running(manager):
    await pending(manager)
    store = await manager.store()
    await store.claim(NAME, "a-worker", lease_s=3600, executor="local")


async def stalled(manager):
    await pending(manager)
    store = await manager.store()
    await store.claim(NAME, "a-worker", lease_s=-1, executor="local")


async def manual(manager):
    await pending(manager)
    await manager.start_job(NAME)
    await manager.record_progress(NAME, "first", {"delta": 0.5})
    await manager.complete_job(NAME, {})


def of(config):
    async def make(manager):
        await ended(manager, config)

    return make


REFUSED = {
    "is pending and cannot be extended": (pending, 5),
    "is running and cannot be extended by more seeds. 0 of 8 runs are recorded. Wait": (running, 5),
    "is stalled and cannot be extended by more seeds. Resume it first": (stalled, 5),
    "It was started manually": (manual, 5),
    "a frontier search decide": (
        of({"sweep_type": "ring", "n_agents": 5, "frontier": True, "kappa_range": [1, 2]}), 5,
    ),
    "numbered cell by cell, as in version 0.1": (of({**GRID, "run_order": "cells"}), 5),
    "a single sweep has no n_replicates": (of({"sweep_type": "single", "n_agents": 5}), 5),
    "a trivial sweep has no n_replicates": (of({"sweep_type": "trivial", "n": 3}), 5),
    "a list that is not consecutive": (of({**GRID, "seeds": [1, 3]}), 5),
    "got 2; allowed: more than 2, the number of seeds that it has": (
        of({**GRID, "n_replicates": 2}), 2,
    ),
    "got 1; allowed: more than 2": (of({**GRID, "n_replicates": 2}), 1),
    "got 0; allowed: whole numbers from 1": (of(GRID), 0),
    "got 2.5; allowed: whole numbers": (of(GRID), 2.5),
    "at most 10,000,000 runs in one job": (of(GRID), 10**7),
}  # fmt: skip


@pytest.mark.usefixtures("plugins")
@pytest.mark.parametrize("reason", REFUSED)
async def test_a_job_that_cannot_grow_says_why_and_stays_as_it_is(reason, manager):
    make, n_replicates = REFUSED[reason]
    await make(manager)
    before = await record(manager)
    with pytest.raises(BilancioError) as refused:
        await manager.start_sweep(NAME, n_replicates=n_replicates)
    assert reason in str(refused.value)
    assert await record(manager) == before


async def test_a_job_of_another_engine_does_not_grow(manager, monkeypatch):
    await ended(manager, GRID)
    before = await record(manager)
    monkeypatch.setattr(registry, "ENGINE_VERSION", "another-1")
    with pytest.raises(JobStateError, match="whose numbers may differ"):
        await manager.start_sweep(NAME, n_replicates=5)
    assert await record(manager) == before


@pytest.mark.parametrize("sweep_type", ["single", "ring", "balanced"])
def test_the_version_that_is_known_without_loading_an_experiment_is_its_own(sweep_type):
    assert registry.version(sweep_type) == registry.experiment(sweep_type).version


async def test_an_imported_job_without_its_runs_is_recomputed_with_more_seeds_or_not_at_all(
    manager, tmp_path
):
    expected = await undisturbed({**GRID, "n_replicates": 5}, tmp_path / "large")
    job = await ended(manager, {**GRID, "n_replicates": 2})
    for table in ("runs.csv", "cells.csv", "comparison.csv"):
        (job.folder / table).unlink()
    async with AsyncJobManager(str(tmp_path / "empty.db")) as other:
        await other.runs(NAME)  # looks for the tables
        before = await record(other)
        with pytest.raises(JobStateError, match="not here: they can be recomputed first"):
            await other.start_sweep(NAME, n_replicates=5)
        assert await record(other) == before
        await other.run_job(NAME, n_replicates=5, recompute=True)
        assert await outcome(other) == expected
        assert (await other.doctor()).healthy
