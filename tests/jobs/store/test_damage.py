"""A damaged row costs its own job only, and is named."""

import sqlite3
from contextlib import closing

import pytest

from bilancio.errors import JobDamaged, JobNotFound, StoreCorrupt
from bilancio.jobs import AsyncJobManager
from tests.jobs.store.kit import CONFIG

OF_JOBS = {
    "a tag list that is not JSON": "tags = '[\"a'",
    "tags that are not a list": "tags = '{}'",
    "a tag that is not text": "tags = '[1]'",
    "a config that is not JSON": "config = '{\"sweep'",
    "a config of brackets": f"config = '{'[' * 100_000}'",
    "a config without a type": "config = '{}'",
    "a config of an unknown shape": "config = '{\"sweep_type\": 3}'",
    "an unknown status": "status = 'sleeping'",
    "an impossible time": "created_at = '2026-13-45T99:00:00Z'",
    "a time that is not one": "created_at = 'yesterday'",
    "a time without a zone": "created_at = '2026-01-01T00:00:00'",
    "a time at the edge": "created_at = '0001-01-01T00:00:00+14:00'",
    "a count below zero": "completed_runs = -1",
    "an infinite number": "compute_s = 9e999",
    "a summary with NaN": "summary = '{\"x\": NaN}'",
    "a summary with infinity": "summary = '{\"x\": 1e999}'",
    "a summary that is a list": "summary = '[]'",
    "a provenance that is text": "provenance = 'x'",
    "bytes that are not text": "description = CAST(x'ff41' AS TEXT)",
    "notes that are not text": "notes = CAST(x'80' AS TEXT)",
    "batches in flight that are none": "in_flight = '[[1, \"x\", 3]]'",
    "batches of the wrong length": "in_flight = '[[1]]'",
    "a lease without an end": "worker_id = 'w', lease_expires_at = 'soon'",
}
OF_EVENTS = {
    "details that are not JSON": "details = '{'",
    "details that are a list": "details = '[1]'",
    "details with bytes that are not text": "details = CAST(x'7b22ff' AS TEXT)",
    "an unknown type": "event_type = 'dreamed'",
    "a time that is not one": "timestamp = '?'",
}


def change(path, statement):
    with closing(sqlite3.connect(path)) as raw, raw:
        raw.execute("PRAGMA ignore_check_constraints = ON")
        raw.execute(statement)


@pytest.fixture
async def two(isolated):
    """A store with two jobs of the same tag."""
    path = isolated / "store.db"
    async with AsyncJobManager(str(path)) as manager:
        for name in ("whole-job", "hurt-job"):
            await manager.create_job("some words", CONFIG, job_id=name, tags=["t"])
    return path


@pytest.mark.parametrize("harm", OF_JOBS.values(), ids=OF_JOBS)
async def test_a_damaged_job_is_skipped_by_lists_and_named_by_the_doctor(two, harm):
    change(two, f"UPDATE jobs SET {harm} WHERE job_id = 'hurt-job'")
    async with AsyncJobManager(str(two)) as manager:
        page = await manager.list_jobs()
        assert [job.job_id for job in page.jobs] == ["whole-job"]
        assert (page.damaged, page.total) == (("hurt-job",), 2)
        for asked in ({"tag": "t"}, {"text": "words"}, {"status": "pending"}):
            jobs = (await manager.list_jobs(**asked)).jobs
            assert [job.job_id for job in jobs] == ["whole-job"]
        assert (await manager.exact("whole-job")).job_id == "whole-job"
        for ask in (manager.exact, manager.get_job, manager.progress, manager.results):
            with pytest.raises(StoreCorrupt, match=r"^Job hurt-job is damaged in the store: its "):
                await ask("hurt-job")
        found = [each for each in (await manager.doctor()).findings if each.job_id == "hurt-job"]
        assert any("Job hurt-job is damaged in the store: its " in each.message for each in found)
        assert not [f for f in (await manager.doctor()).findings if f.job_id == "whole-job"]


@pytest.mark.parametrize("harm", OF_EVENTS.values(), ids=OF_EVENTS)
async def test_a_damaged_event_is_skipped_and_named_by_the_doctor(two, harm):
    change(two, f"UPDATE events SET {harm} WHERE job_id = 'hurt-job' AND seq = 1")
    async with AsyncJobManager(str(two)) as manager:
        assert (await manager.exact("hurt-job")).job_id == "hurt-job"
        assert await manager.events("hurt-job") == []
        assert (await manager.progress("hurt-job")).done_runs == 0
        assert (await manager.list_jobs()).damaged == ()
        messages = [each.message for each in (await manager.doctor()).findings]
        assert any("damaged in the store: event 1: its" in each for each in messages)


async def test_a_job_whose_name_is_damaged_hides_no_other(two):
    change(two, "PRAGMA foreign_keys = OFF")
    change(two, "UPDATE jobs SET job_id = CAST(x'ff41' AS TEXT) WHERE job_id = 'hurt-job'")
    async with AsyncJobManager(str(two)) as manager:
        assert [job.job_id for job in (await manager.list_jobs()).jobs] == ["whole-job"]
        assert (await manager.get_job("Whole Job")).job_id == "whole-job"
        with pytest.raises(JobNotFound):
            await manager.exact("hurt-jobs")
        assert all(each.message.isprintable() for each in (await manager.doctor()).findings)


async def test_the_error_of_a_damaged_job_survives_pickling():
    import pickle

    error = JobDamaged("my-job", "its tags cannot be read")
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.job_id) == (str(error), "my-job")
