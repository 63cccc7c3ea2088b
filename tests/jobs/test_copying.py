"""Whole stores are copied between databases, and nothing in the other one is lost."""

import asyncio

import pytest

from bilancio.errors import InvalidInput, JobStateError, StoreError
from bilancio.jobs import AsyncJobManager
from bilancio.jobs.store import integrity, packing
from tests.postgres import PASSWORD

pytestmark = pytest.mark.databases


@pytest.fixture
async def full(manager, plugins, small):
    """A store with jobs of every kind that has ended or not begun."""
    await manager.create_job("first", small, job_id="done-job", tags=["t"], notes="n")
    await manager.run_job("done-job")
    await manager.edit_job("done-job", description="edited")
    await manager.create_job("never begun", small, job_id="new-job", request_key="k")
    await manager.create_job("stopped", small, job_id="stopped-job")
    await manager.cancel_job("stopped-job", "enough")
    faulty = {"sweep_type": "faulty", "n": 10, "faults": {3: "raise"}}
    await manager.create_job("fails", faulty, job_id="failed-job")
    await manager.run_job("failed-job")
    await manager.create_job("by hand", small, job_id="hand-made-job")
    await manager.start_job("hand-made-job")
    await manager.record_progress("hand-made-job", "r1", {"delta_total": 0.5})
    await manager.complete_job("hand-made-job", {"x": 1})
    return manager


async def told(manager):
    """Return all that a store tells of its jobs."""
    store = await manager.store()
    found = {}
    for job_id in sorted(await store.job_ids()):
        job = await manager.exact(job_id)
        chunks = await store.chunks(job_id)
        metrics = [packing.unpack(each, job_id).tolist() for each in chunks]
        events = [each.model_dump() for each in await store.events(job_id)]
        found[job_id] = (job, metrics, await store.failed_runs(job_id), events)
    return found


async def integrity_of(manager):
    """Return what contradicts itself in a store."""
    return await integrity.contradictions(await manager.store())


@pytest.fixture
def elsewhere(database, isolated, request):
    """The address of a store on the other database."""
    if database.startswith("postgresql"):
        return str(isolated / "elsewhere.db")
    return request.getfixturevalue("postgres_url")


async def test_a_store_is_copied_whole_to_the_other_database_and_back(full, elsewhere, isolated):
    before = await told(full)
    copied = await full.copy_jobs(elsewhere)
    assert sorted(copied.copied) == sorted(before)
    assert PASSWORD not in copied.model_dump_json()
    async with AsyncJobManager(elsewhere) as other:
        assert await told(other) == before
        assert (await other.results("done-job")).headline == (
            await full.results("done-job")
        ).headline
        assert await integrity_of(other) == []
        await other.copy_jobs(str(isolated / "back.db"))
    async with AsyncJobManager(str(isolated / "back.db")) as back:
        assert await told(back) == before


async def test_a_copy_can_be_repeated_and_brings_what_is_new(full, elsewhere, small):
    first = await full.copy_jobs(elsewhere)
    await full.create_job("later", small, job_id="later-job")
    again = await full.copy_jobs(elsewhere)
    assert again.copied == ("later-job",)
    assert sorted(again.already_there) == sorted(first.copied)


async def test_other_jobs_of_these_names_are_named_and_nothing_is_copied(
    full, elsewhere, small, isolated
):
    async with AsyncJobManager(elsewhere, out_dir=isolated / "other") as other:
        await other.create_job("another", small, job_id="new-job")
        with pytest.raises(InvalidInput, match="has other jobs named new-job; allowed: ") as error:
            await full.copy_jobs(elsewhere)
        assert PASSWORD not in str(error.value)
        assert (await other.list_jobs()).total == 1


async def test_a_store_in_which_a_job_runs_is_not_copied(full, elsewhere):
    await full.create_job("runs", {"sweep_type": "trivial", "n": 10}, job_id="running-job")
    await full.start_job("running-job")
    with pytest.raises(InvalidInput, match="running-job has not ended"):
        await full.copy_jobs(elsewhere)


@pytest.mark.parametrize("url", ["mysql://x/y", "postgresql://a@b@c/d", 7, "here"])
async def test_an_address_of_no_other_store_is_refused(full, database, url):
    with pytest.raises((InvalidInput, StoreError), match=r"got|cannot be used"):
        await full.copy_jobs(database if url == "here" else url)


async def test_a_job_that_changes_while_it_is_copied_is_not_copied(full, elsewhere, monkeypatch):
    source, at = await full.store(), []
    read = source.database.read

    async def meanwhile(name, **params):
        if name == "copied_events" and params["job_id"] == "new-job" and not at:
            at.append(name)
            await full.cancel_job("new-job")
        return await read(name, **params)

    monkeypatch.setattr(source.database, "read", meanwhile)
    with pytest.raises(JobStateError, match="changed meanwhile"):
        await full.copy_jobs(elsewhere)
    async with AsyncJobManager(elsewhere) as other:
        assert "new-job" not in await (await other.store()).job_ids()
    assert "new-job" in (await full.copy_jobs(elsewhere)).copied


async def test_a_copy_that_is_cancelled_leaves_jobs_whole_or_absent(full, elsewhere):
    expected = await told(full)
    for steps in (3, 30, 100, 200):
        copying = asyncio.ensure_future(full.copy_jobs(elsewhere))
        for _ in range(steps):
            await asyncio.sleep(0)
        copying.cancel()
        await asyncio.wait({copying})
        async with AsyncJobManager(elsewhere) as other:
            found = await told(other)
            assert {name: expected[name] for name in found} == found
