"""People are told that a job has ended: at least once, whatever their receivers do meanwhile."""

import asyncio
import json
import os
import signal
import subprocess
import sys

import pytest

from bilancio.errors import InvalidInput
from bilancio.jobs import AsyncJobManager, JobConfig
from bilancio.jobs.models import EventType
from bilancio.jobs.notices.delivery import ATTEMPTS, CLAIM_S, deliver, retry_s
from bilancio.jobs.store import open_store
from tests.notify.receivers import SECRET, TOKEN, target

SMALL = JobConfig(sweep_type="ring", n_agents=5, kappas=["0.5", "1"], n_replicates=2)


@pytest.fixture
def web(monkeypatch):
    with target(monkeypatch) as receiver:
        yield receiver


@pytest.fixture
async def ended(web, manager, monkeypatch):
    """A job that has ended, its notice waiting: whoever ended it knows no targets."""
    job = await manager.create_job("a look", SMALL, job_id="calm-ring-one", notify=["lab"])
    monkeypatch.delenv("BILANCIO_NOTIFY")
    async with AsyncJobManager(clock=manager._session.clock) as other:
        await other.run_job(job.job_id)
    return job.job_id


async def types(manager, job_id):
    return [event.event_type for event in await manager.events(job_id)]


async def tried(manager):
    """Have what is due delivered now."""
    return await deliver(await manager.store(), manager.settings, patience_s=0)


def bodies(web):
    return [json.loads(each.body) for each in web.received]


@pytest.mark.databases
async def test_a_job_tells_its_end(web, manager):
    job = await manager.create_job("a look", SMALL, notify=["lab"])
    await manager.run_job(job.job_id)
    (told,) = bodies(web)
    first, headline, about = told["data"]["text"].splitlines()
    assert first.startswith(f"{job.job_id} completed: 4 of 4 runs in ")
    assert headline == told["data"]["headline"]
    assert headline in (await manager.results(job.job_id)).headline
    assert about == "a look"
    assert (told["type"], told["data"]["status"]) == ("job.completed", "completed")
    assert told["data"]["completed_runs"] == 4
    last = (await manager.events(job.job_id))[-1]
    assert last.event_type is EventType.NOTIFIED
    assert last.details == {"target": "lab", "attempts": 1, "answer": "204 No Content"}
    assert await manager.notices() == []
    assert (await manager.doctor()).healthy


async def test_a_worker_of_its_own_tells_the_end_and_no_file_has_the_address(web, manager):
    job = await manager.create_job("a look", SMALL, notify=["lab"])
    await manager.start_sweep(job.job_id)
    ended = await manager.wait(job.job_id)
    message_id = await asyncio.to_thread(web.next_id)
    assert message_id.startswith(f"{job.job_id}_")
    assert web.received[0].path == f"/{TOKEN}"
    diagnosis = (await manager.doctor()).model_dump_json()
    texts = [file.read_text() for file in ended.folder.iterdir()]
    texts += [diagnosis, str(await manager.events(job.job_id)), ended.model_dump_json()]
    for text in texts:
        assert TOKEN not in text
        assert SECRET not in text


async def test_a_failed_job_says_why_and_a_resumed_one_is_told_of_again(web, manager):
    job = await manager.create_job("by hand", SMALL, notify=["lab"])
    await manager.start_job(job.job_id)
    await manager.fail_job(job.job_id, "the disk\x1b is full")
    first = await asyncio.to_thread(web.next_id)
    await manager.start_job(job.job_id)
    await manager.complete_job(job.job_id)
    second = await asyncio.to_thread(web.next_id)
    assert first != second
    failed, completed = bodies(web)
    assert (failed["type"], completed["type"]) == ("job.failed", "job.completed")
    assert failed["data"]["text"].splitlines()[1] == r"the disk\x1b is full"


async def test_cancelling_is_told_if_the_job_ran(web, manager):
    names = []
    for _ in range(2):
        job = await manager.create_job("by hand", SMALL, notify=["lab"])
        names.append(job.job_id)
    await manager.cancel_job(names[0])
    assert await manager.notices() == []
    await manager.start_job(names[1])
    await manager.cancel_job(names[1])
    await asyncio.to_thread(web.next_id)
    (told,) = bodies(web)
    assert told["data"]["text"].startswith(f"{names[1]} cancelled: 0 of 4 runs in ")


async def test_a_receiver_that_does_not_answer_delays_no_end(web, manager, monkeypatch):
    monkeypatch.setattr("bilancio.jobs.notices.courier.AT_END_S", 0.2)
    web.answers = [None]
    job = await manager.create_job("a look", SMALL, notify=["lab"])
    ended = await manager.run_job(job.job_id)
    assert ended.status == "completed"
    assert (ended.folder / "job_manifest.json").exists()
    (pending,) = await manager.notices()
    assert (pending.state, pending.attempts) == ("waiting", 1)


@pytest.mark.databases
async def test_a_receiver_that_is_down_is_tried_again_later_and_later(ended, web, manager, clock):
    web.answers = [500, 503]
    assert await tried(manager)
    assert await tried(manager)
    assert len(web.received) == 1
    clock.forward(retry_s(1))
    assert await tried(manager)
    clock.forward(retry_s(1))
    assert await tried(manager)
    assert len(web.received) == 2
    (pending,) = await manager.notices()
    assert (pending.attempts, pending.error) == (2, "it answered 503 Service Unavailable")
    clock.forward(retry_s(2))
    assert not await tried(manager)
    assert len({each.headers["webhook-id"] for each in web.received}) == 1
    assert (await manager.events(ended))[-1].details["attempts"] == 3


async def test_a_notice_is_given_up_in_sight_of_the_doctor_who_has_it_tried_again(
    ended, web, manager, clock
):
    web.answers = [500] * ATTEMPTS
    for attempt in range(ATTEMPTS):
        await tried(manager)
        clock.forward(retry_s(attempt + 1))
    assert len(web.received) == ATTEMPTS
    last = (await manager.events(ended))[-1]
    assert last.event_type is EventType.UNDELIVERED
    assert last.details["error"] == "it answered 500 Internal Server Error"
    assert (await manager.notices())[0].state == "undelivered"
    (finding,) = [each for each in (await manager.doctor()).findings if each.job_id == ended]
    assert f"{ended} to lab was given up after 20 attempts" in finding.message
    assert "bilancio notify test lab" in finding.repair
    assert (await manager.doctor(repair=True)).repaired == (finding.message,)
    assert not await tried(manager)
    assert (await types(manager, ended))[-1] is EventType.NOTIFIED


async def test_a_receiver_that_is_gone_is_not_tried_again(ended, web, manager):
    web.answers = [410]
    assert not await tried(manager)
    assert (await types(manager, ended))[-1] is EventType.UNDELIVERED


async def test_a_notice_waits_for_a_process_that_knows_its_target(ended, web):
    async with AsyncJobManager() as manager:
        assert not await tried(manager)
        (finding,) = [each for each in (await manager.doctor()).findings if each.job_id == ended]
    assert finding.message == f"A notice of job {ended} to lab waits."
    assert finding.repair == "Name the address of lab in BILANCIO_NOTIFY."
    assert web.received == []


@pytest.mark.databases
async def test_two_couriers_at_once_send_each_notice_once(web, manager, database, monkeypatch):
    monkeypatch.delenv("BILANCIO_NOTIFY")
    async with AsyncJobManager() as silent:  # so that nothing is sent before
        for _ in range(12):
            job = await manager.create_job("by hand", SMALL, notify=["lab"])
            await silent.start_job(job.job_id)
            await silent.complete_job(job.job_id)
    stores = [await open_store(database) for _ in range(3)]
    try:
        await asyncio.gather(*(deliver(store, manager.settings, patience_s=0) for store in stores))
    finally:
        for store in stores:
            await store.close()
    ids = [each.headers["webhook-id"] for each in web.received]
    assert (len(ids), len({*ids})) == (12, 12)
    assert await manager.notices() == []


@pytest.mark.faults
async def test_a_courier_that_dies_between_sending_and_noting_sends_the_same_again(
    ended, web, manager, clock
):
    code = "from bilancio.jobs.notices.__main__ import main; main()"
    settings = manager.settings.as_environment()
    dies = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", code],
        env=os.environ | settings | {"BILANCIO_CRASH_AT": "after-notice"},
        check=False,
    )
    assert dies.returncode == -signal.SIGKILL
    assert len(web.received) == 1
    assert len(await manager.notices()) == 1
    store = await open_store(manager.settings.database_url)
    try:
        clock.now = store.clock()
    finally:
        await store.close()
    clock.forward(CLAIM_S)
    assert not await tried(manager)
    ids = [each.headers["webhook-id"] for each in web.received]
    assert len(ids) == 2
    assert len({*ids}) == 1
    assert (await types(manager, ended)).count(EventType.NOTIFIED) == 1


@pytest.mark.parametrize("names", [["mail"], ["https://evil.example/x"], "lab", [3], None])
async def test_an_unknown_target_is_refused_before_anything_is_stored(names, web, manager):
    with pytest.raises(InvalidInput, match=r"^notify: got .*; allowed: ") as caught:
        await manager.create_job("a look", SMALL, notify=names)
    assert "evil" not in str(caught.value)
    assert (await manager.list_jobs()).total == 0


async def test_targets_are_kept_with_the_job_and_no_part_of_its_sweep(web, manager):
    job = await manager.create_job("a look", SMALL, notify=["lab"])
    other = await manager.create_job("a look", like=job.job_id)
    assert ((await manager.get_job(job.job_id)).notify, other.notify) == (("lab",), ())
    assert job.config_hash == other.config_hash
    assert "lab" not in (job.folder / "job_manifest.json").read_text()


@pytest.mark.databases
async def test_news_are_what_has_ended_since_the_last_time(manager, clock, isolated):
    names = []
    for _ in range(3):
        job = await manager.create_job("by hand", SMALL)
        await manager.start_job(job.job_id)
        names.append(job.job_id)
    await manager.complete_job(names[0])
    assert await manager.news(isolated) == {}
    await manager.complete_job(names[1])
    await manager.fail_job(names[2], "no more")
    assert await manager.news(isolated) == {names[1]: "completed", names[2]: "failed"}
    assert await manager.news(isolated) == {}
    clock.forward(86_400)
    assert await manager.news(isolated) == {}
    assert await manager.news(isolated / "another folder") == {}


async def test_a_deleted_job_has_no_notice(ended, web, manager):
    await manager.delete_job(ended)
    assert await manager.notices() == []
    assert not await tried(manager)
    assert web.received == []
