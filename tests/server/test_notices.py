"""A conversation can ask that people are told of a job's end, by the names of targets only."""

import asyncio

import pytest
from mcp import Client

from bilancio.jobs import JobManager
from bilancio_mcp.server import build_server
from tests.notify.receivers import target
from tests.server.talk import SMALL, data, refusal


@pytest.fixture
def web(monkeypatch):
    with target(monkeypatch) as receiver:
        yield receiver


async def test_an_address_in_place_of_a_target_is_refused(web):
    async with Client(build_server()) as client:
        asked = {"description": "x", "config": SMALL, "notify": [web.url("/evil")]}
        said = refusal(await client.call_tool("create_job", asked))
        assert said == "notify: got what is not a target's name; allowed: lab."
        assert data(await client.call_tool("list_jobs", {}))["total"] == 0


async def test_a_server_delivers_what_waits_in_its_store(web, monkeypatch):
    async with Client(build_server()) as client:
        asked = {"description": "x", "config": SMALL, "notify": "lab"}
        job_id = data(await client.call_tool("create_job", asked))["job_id"]
        with monkeypatch.context() as without:
            without.delenv("BILANCIO_NOTIFY")
            with JobManager() as other:
                other.start_job(job_id)
                other.complete_job(job_id)
        await client.call_tool("job_status", {"job_id": job_id})
        assert (await asyncio.to_thread(web.next_id)).startswith(f"{job_id}_")
