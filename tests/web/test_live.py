"""What changes while one looks: streams that say the latest, to however many."""

import contextlib
import json
import math
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from bilancio.jobs import AsyncJobManager
from bilancio.web.live import Live
from tests.web.conftest import PATIENCE_S, serving_app

pytestmark = pytest.mark.slow

NAME = "quiet-meadow-golden-hawk"
OTHER = "castle-river-mountain-forest"
RING = {"sweep_type": "ring", "n_agents": 10, "kappas": ["0.5"], "n_replicates": 40}
BATCHES = 30


def by_hand(manager, job_id, number):
    """Record one run of a job that is carried out by this test."""
    manager.record_progress(job_id, f"run-{number}", {"delta_total": number / 100})


@pytest.fixture
def running(manager):
    """The name of a job that this test carries out by hand."""
    manager.create_job("By hand.", RING, job_id=NAME)
    manager.start_job(NAME)
    return NAME


def done_of(events):
    return [int(each["data"]["texts"]["recorded"].split()[0]) for each in events]


def test_a_reader_sees_progress_and_the_end_of_a_job_that_a_worker_carries_out(site, manager):
    config = RING | {"n_agents": 200, "n_replicates": 150_000}
    manager.create_job("Really.", config, job_id=NAME)
    with site.stream(NAME) as stream:
        site.post(f"/jobs/{NAME}/start")
        events = stream.until("completed")
    counted = [
        int(each["data"]["texts"]["recorded"].split()[0].replace(",", "")) for each in events
    ]
    assert counted == sorted(counted)
    assert counted[-1] == 150_000
    assert events[0]["data"]["state"] in {"pending", "running"}
    assert "running" in {each["data"]["state"] for each in events}
    marks = [each["data"]["mark"] for each in events]
    assert len(marks) == len(set(marks))


def test_a_connection_that_is_made_again_goes_on_where_it_was_lost(site, manager, running):
    by_hand(manager, NAME, 0)
    with site.stream(NAME) as stream:
        seen = next(iter(stream))
        assert done_of([seen]) == [1]
    with site.stream(NAME, seen=seen["id"]) as stream:  # nothing has changed
        by_hand(manager, NAME, 1)
        assert done_of([next(iter(stream))]) == [2]
    by_hand(manager, NAME, 2)  # while nobody looks
    with site.stream(NAME, seen=seen["id"]) as stream:
        assert done_of([next(iter(stream))]) == [3]
        manager.complete_job(NAME, {})
        assert [each["data"]["state"] for each in stream.until("completed")][-1] == "completed"


def test_one_stream_tells_of_many_jobs_and_remembers_each(site, manager, running):
    manager.create_job("Wait.", RING, job_id=OTHER)
    with site.stream(NAME, OTHER, "no-such-job-here") as stream:
        lines = iter(stream)
        first = [next(lines), next(lines)]
        assert {each["data"]["job"] for each in first} == {NAME, OTHER}
    by_hand(manager, NAME, 0)
    with site.stream(NAME, OTHER, seen=first[-1]["id"]) as stream:
        event = next(iter(stream))
        assert (event["data"]["job"], done_of([event])) == (NAME, [1])
        assert set(json.loads(event["id"])) == {NAME, OTHER}


def test_a_job_that_is_deleted_and_made_again_is_told_again(site, manager):
    manager.create_job("Wait.", RING, job_id=NAME)
    with site.stream(NAME) as stream:
        lines = iter(stream)
        assert next(lines)["data"]["state"] == "pending"
        manager.delete_job(NAME)
        manager.create_job("Again.", RING, job_id=NAME)
        manager.cancel_job(NAME)
        assert next(lines)["data"]["state"] == "cancelled"


class Counting(AsyncJobManager):
    """A manager that counts how often jobs are watched, and their contents read."""

    def __init__(self):
        super().__init__()
        self.watches = self.readings = 0

    def watch(self, name, timeout_s=math.inf):
        self.watches += 1
        return super().watch(name, timeout_s)

    async def contents(self, name):
        self.readings += 1
        return await super().contents(name)


def test_a_hundred_readers_cost_what_one_does(manager, running):
    counting = Counting()
    with serving_app(counting) as site, contextlib.ExitStack() as stack:
        lines = [iter(stack.enter_context(site.stream(NAME))) for _ in range(100)]
        for each in lines:
            next(each)
        for number in range(5):
            by_hand(manager, NAME, number)
            assert {done_of([next(each)])[0] for each in lines} == {number + 1}
        assert counting.watches == 1
        with ThreadPoolExecutor(20) as threads:
            parts = list(threads.map(site.get, [f"/jobs/{NAME}?part=findings"] * 60))
        assert {each.status for each in parts} == {200}
        assert counting.readings <= 6  # of a job that runs one every few seconds


def test_a_reader_that_does_not_read_slows_nobody(site, manager, running):
    request = (
        f"GET /live?job={NAME} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Authorization: Bearer {site.token}\r\n\r\n"
    ).encode()
    with contextlib.ExitStack() as stack:
        for _ in range(20):  # with little room for what they do not read
            stuck = stack.enter_context(socket.socket())
            stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
            stuck.connect(("127.0.0.1", site.port))
            stuck.sendall(request)
        for _ in range(20):  # vanished, as a laptop that is closed
            gone = socket.create_connection(("127.0.0.1", site.port), PATIENCE_S)
            gone.sendall(request)
            gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            gone.close()
        stream = stack.enter_context(site.stream(NAME))
        lines = iter(stream)
        next(lines)
        for number in range(BATCHES):
            by_hand(manager, NAME, number)
            assert done_of([next(lines)]) == [number + 1]
        assert site.get(f"/jobs/{NAME}/events").status == 200
        manager.complete_job(NAME, {})
        assert stream.until("completed")


async def test_a_watch_begins_with_the_first_reader_and_ends_with_the_last(isolated):
    async with Counting() as manager:
        await manager.create_job("By hand.", RING, job_id=NAME)
        await manager.start_job(NAME)
        live = Live(manager)
        for number in range(2):
            one, other = (live.states([NAME], {}) for _ in range(2))
            assert (await anext(one)).texts["state"] == "running"
            assert await anext(other)
            await one.aclose()
            await manager.record_progress(NAME, f"run-{number}", {"delta_total": 1.0})
            assert (await anext(other)).texts["recorded"].startswith(f"{number + 1} of")
            await other.aclose()
            assert manager.watches == number + 1


class Stumbling(AsyncJobManager):
    """A manager whose first watch fails in a way that nobody expected."""

    stumbled = False

    def watch(self, name, timeout_s=math.inf):
        if not self.stumbled:
            self.stumbled = True
            raise RuntimeError("nobody expected this")
        return super().watch(name, timeout_s)


async def test_a_watch_that_fails_unexpectedly_is_taken_up_again_and_said_in_the_log(
    isolated, caplog
):
    async with Stumbling() as manager:
        await manager.create_job("By hand.", RING, job_id=NAME)
        live = Live(manager)
        states = live.states([NAME], {})
        assert (await anext(states)).texts["state"] == "pending"
        await states.aclose()
    assert "nobody expected this" in caplog.text
