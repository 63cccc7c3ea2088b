"""MCP over HTTP, beside the page: the tools of a machine elsewhere, by its token."""

import contextlib

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from tests.night import nightly
from tests.server.talk import TOOLS, completed, data

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

READING = {"job_status", "job_results", "compare_jobs", "show_run", "list_jobs"}  # no files


@contextlib.asynccontextmanager
async def client_of(command, token=None, **options):
    headers = {"Authorization": f"Bearer {token or command.client.token}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60) as http,
        Client(
            streamable_http_client(f"{command.client.origin}/mcp", http_client=http), **options
        ) as client,
    ):
        yield client


@pytest.mark.parametrize("mode", ["auto", *nightly("legacy")])
async def test_a_client_elsewhere_has_the_tools_and_answers_of_one_here(command, mode):
    served = command("--mcp")
    async with client_of(served, mode=mode) as client:
        assert [each.name for each in (await client.list_tools()).tools] == TOOLS
        job_id = await completed(client)
        found = data(await client.call_tool("job_results", {"job_id": job_id}))
        assert found["summary"].startswith("Trading")
    assert job_id in served.client.get("/").text


async def test_a_server_that_only_reads_offers_only_tools_that_read(command):
    async with client_of(command("--mcp", "--read-only")) as client:
        assert {each.name for each in (await client.list_tools()).tools} == READING


@pytest.mark.parametrize("sent", [{}, {"authorization": "Bearer of-somebody-else-1234"}])
def test_without_the_token_there_is_no_answer(command, sent):
    served = command("--mcp")
    for origin in ({"origin": served.client.origin}, {}):  # programs send none
        refused = served.client.ask("POST", "/mcp", "{}", **origin, **sent)
        assert refused.status == 401
        assert refused.headers["www-authenticate"] == 'Bearer realm="bilancio"'


def test_a_cookie_of_the_page_is_no_token_for_tools(command):
    served = command("--mcp")
    cookie = served.client.logged_in()
    refused = served.client.ask("POST", "/mcp", "{}", cookie=cookie, origin=served.client.origin)
    assert refused.status == 401


def test_unless_asked_for_there_are_no_tools(command):
    served = command()
    assert (
        served.client.ask(
            "POST", "/mcp", "{}", authorization=f"Bearer {served.client.token}"
        ).status
        == 404
    )
