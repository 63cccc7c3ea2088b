"""Words about a job change in any state, whole or not at all; nothing else does."""

import json

import pytest

from bilancio.errors import InvalidInput, JobNotFound
from bilancio.jobs import JobConfig
from bilancio.jobs.models import EventType
from bilancio.jobs.store import integrity

pytestmark = pytest.mark.databases

RING = JobConfig(sweep_type="ring", n_agents=5, kappas=["0.5", 1])


@pytest.fixture
async def job(manager):
    return await manager.create_job("old words", RING, job_id="my-job", notes="n", tags=["a", "b"])


async def test_what_is_not_given_stays_and_an_empty_text_clears_notes(manager, job):
    edited = await manager.edit_job("My Job", description="new words")
    assert (edited.description, edited.notes, edited.tags) == ("new words", "n", ("a", "b"))
    edited = await manager.edit_job("my-job", notes="", tags=["c", "c"])
    assert (edited.description, edited.notes, edited.tags) == ("new words", "", ("c",))
    assert (await manager.edit_job("my-job", tags=[])).tags == ()


async def test_tags_come_and_go_one_by_one(manager, job):
    edited = await manager.edit_job("my-job", add_tags=["c"], remove_tags=["a"])
    assert edited.tags == ("b", "c")
    with pytest.raises(InvalidInput, match="remove_tags: got 'a'; allowed: b, c"):
        await manager.edit_job("my-job", remove_tags=["a"])


async def test_events_tell_what_was_and_the_manifest_what_is(manager, job):
    await manager.edit_job("my-job", description="new words", notes="n")
    event = (await manager.events("my-job"))[-1]
    assert event.event_type is EventType.EDITED
    assert event.details == {"description": {"from": "old words", "to": "new words"}}
    manifest = json.loads((job.folder / "job_manifest.json").read_text())
    assert manifest["description"] == "new words"


async def test_an_edit_that_changes_nothing_is_not_noted(manager, job):
    await manager.edit_job("my-job", description="old words")
    assert [event.event_type for event in await manager.events("my-job")] == ["created"]


async def test_a_job_is_found_by_its_new_words_only(manager, job):
    await manager.edit_job("my-job", description="Zebra", tags=["Löwe"])
    assert (await manager.list_jobs(text="zebra LÖWE", tag="Löwe")).total == 1
    assert (await manager.list_jobs(text="old")).total == 0


async def test_a_job_is_edited_in_any_state_and_keeps_its_results_and_its_pace(manager, job):
    await manager.start_job("my-job")
    await manager.record_progress("my-job", "one", {"delta": 0.5})
    running = await manager.edit_job("my-job", notes="under way")
    assert (running.status, running.completed_runs) == ("running", 1)
    assert (await manager.progress("my-job")).means == {"delta": 0.5}
    await manager.complete_job("my-job", {"delta": 0.5})
    done = await manager.edit_job("my-job", notes="done")
    assert (done.status, done.summary["delta"]) == ("completed", 0.5)
    assert await integrity.contradictions(await manager.store()) == []
    assert await integrity.damage(await manager.store()) == {}


async def test_an_edited_job_is_carried_out_and_counts_right(manager, job):
    await manager.edit_job("my-job", notes="before")
    assert (await manager.run_job("my-job")).status == "completed"
    await manager.edit_job("my-job", notes="after")
    assert await integrity.contradictions(await manager.store()) == []
    manifest = json.loads((job.folder / "job_manifest.json").read_text())
    assert (manifest["notes"], manifest["status"]) == ("after", "completed")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "edit: got nothing to change"),
        ({"description": "  "}, "description: got '  '; allowed: a few words"),
        ({"description": "x" * 10_001}, "description: got .*10,001 characters"),
        ({"notes": "a\0b"}, "notes: got"),
        ({"notes": 7}, "notes: got 7"),
        ({"tags": "a"}, "tags: got 'a'"),
        ({"tags": [""]}, "tags: got ''"),
        ({"add_tags": [str(n) for n in range(49)]}, "tags: got 51 tags"),
    ],
)
async def test_what_cannot_be_stored_is_refused_and_nothing_changes(manager, job, given, told):
    with pytest.raises(InvalidInput, match=told):
        await manager.edit_job("my-job", **given)
    assert await manager.exact("my-job") == job


async def test_only_the_exact_name_will_do(manager, job):
    await manager.create_job("x", RING, job_id="bright-ocean-swift-tiger")
    with pytest.raises(JobNotFound, match="Did you mean bright-ocean-swift-tiger"):
        await manager.edit_job("bright ocean", notes="x")
