"""A sweep above a limit starts once somebody has agreed."""

import pytest
from mcp import Client
from mcp_types import ElicitResult

from bilancio_mcp.server import build_server
from tests.server.talk import created, data, module_command, over_stdio, refusal

TEN_RUNS = {"sweep_type": "ring", "n_agents": 5, "n_replicates": 10}
MODES = ["auto", "legacy"]


@pytest.fixture(autouse=True)
def _limit(monkeypatch):
    monkeypatch.setenv("BILANCIO_CONFIRM_RUNS", "9")


def user(asked, action, **content):
    """Return a user who is shown a question and answers it."""

    async def answer(_, question):
        asked.append(question.message)
        return ElicitResult(action=action, content=content or None)

    return answer


async def status_of(client, job_id):
    return data(await client.call_tool("job_status", {"job_id": job_id}))["status"]


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
async def test_client_asks_the_user_and_the_sweep_starts(mode):
    asked = []
    server = over_stdio(module_command())
    agreeing = user(asked, "accept", start=True)
    async with Client(server, mode=mode, elicitation_callback=agreeing) as client:
        job_id = await created(client, TEN_RUNS)
        begun = data(await client.call_tool("start_sweep", {"job_id": job_id}))
        await client.call_tool("cancel_job", {"job_id": job_id})
    assert begun["action"] == "started"
    [question] = asked
    assert question.startswith(f"Starting {job_id} computes 10 runs, ")
    assert question.endswith(" The limit is 9 runs (BILANCIO_CONFIRM_RUNS). Start it?")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("action", "content", "said"),
    [
        ("accept", {"start": False}, "does not agree"),
        ("decline", {}, "does not agree"),
        ("cancel", {}, "has not answered"),
    ],
)
async def test_nothing_starts_unless_the_user_agrees(mode, action, content, said):
    answering = user([], action, **content)
    async with Client(build_server(), mode=mode, elicitation_callback=answering) as client:
        job_id = await created(client, TEN_RUNS)
        sentence = refusal(await client.call_tool("start_sweep", {"job_id": job_id}))
        assert await status_of(client, job_id) == "pending"
    assert said in sentence
    assert "Nothing was started" in sentence


@pytest.mark.parametrize("mode", MODES)
async def test_where_no_client_asks_the_refusal_names_what_the_user_has_to_confirm(mode):
    async with Client(build_server(), mode=mode) as client:
        job_id = await created(client, TEN_RUNS)
        sentence = refusal(await client.call_tool("start_sweep", {"job_id": job_id}))
        wrong = refusal(await client.call_tool("start_sweep", {"job_id": job_id, "confirm": "yes"}))
        assert await status_of(client, job_id) == "pending"
    assert f"start_sweep(job_id='{job_id}', confirm='{job_id}')" in sentence
    assert wrong == f"confirm: got 'yes'; allowed: {job_id}, once the user has agreed."
    assert len(sentence) <= 400


@pytest.mark.slow
async def test_confirmed_sweep_starts_and_is_not_asked_about_again():
    async with Client(build_server()) as client:
        job_id = await created(client, TEN_RUNS)
        asked = {"job_id": job_id.replace("-", " ").title(), "confirm": job_id}
        assert data(await client.call_tool("start_sweep", asked))["action"] == "started"
        again = data(await client.call_tool("start_sweep", {"job_id": job_id}))
        assert again["action"] in {"already running", "started"}
        await client.call_tool("cancel_job", {"job_id": job_id})


async def test_time_is_a_limit_too_and_zero_is_none(monkeypatch):
    monkeypatch.setenv("BILANCIO_CONFIRM_RUNS", "0")
    monkeypatch.setenv("BILANCIO_CONFIRM_SECONDS", "0.001")
    async with Client(build_server()) as client:
        job_id = await created(client, TEN_RUNS)
        sentence = refusal(await client.call_tool("start_sweep", {"job_id": job_id}))
    assert "BILANCIO_CONFIRM_SECONDS" in sentence
