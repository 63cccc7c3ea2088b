"""More seeds, and seeds until a precision is reached, as a client asks for them."""

from mcp import Client

from bilancio_mcp.server import build_server
from tests.server.talk import SMALL, completed, data, refusal, waited

GROW = {"n_replicates": 5}


async def test_a_completed_job_gets_more_seeds_and_says_what_comes_next():
    async with Client(build_server()) as client:
        job_id = await completed(client)
        asked = {"job_id": job_id, **GROW}
        answer = data(await client.call_tool("start_sweep", asked))
        assert answer["action"] == "extended"
        assert answer["summary"].startswith(f"{job_id} has more seeds now; what is missing is")
        assert (answer["completed_runs"], answer["total_runs"]) == (12, 20)
        assert (await waited(client, job_id))["completed_runs"] == 20
        results = data(await client.call_tool("job_results", {"job_id": job_id}))
        assert results["config"]["n_replicates"] == 5


async def test_a_repeated_call_grows_a_job_once():
    meta = {"claudecode/toolUseId": "toolu_grow"}
    async with Client(build_server()) as client:
        job_id = await completed(client)
        asked = {"job_id": job_id, **GROW}
        first = data(await client.call_tool("start_sweep", asked, meta=meta))
        await waited(client, job_id)
        assert data(await client.call_tool("start_sweep", asked, meta=meta)) == first
    async with Client(build_server()) as client:  # which remembers no answers
        again = data(await client.call_tool("start_sweep", asked, meta=meta))
        assert (again["action"], again["completed_runs"]) == ("extended", 20)


async def test_no_more_seeds_than_there_are_is_refused_with_the_number():
    async with Client(build_server()) as client:
        job_id = await completed(client, {**SMALL, "seeds": None, "n_replicates": 5})
        said = refusal(await client.call_tool("start_sweep", {"job_id": job_id, **GROW}))
        assert "got 5; allowed: more than 5, the number of seeds that it has" in said


async def test_a_sweep_with_a_precision_says_whether_it_was_reached():
    config = {"sweep_type": "ring", "n_agents": 10, "precision": 0.04, "max_replicates": 300}
    async with Client(build_server()) as client:
        job_id = await completed(client, config)
        results = data(await client.call_tool("job_results", {"job_id": job_id}))
        assert "Precision 0.04 reached with" in results["summary"]
        found = results["findings"]["precision"]
        assert (found["wanted"], found["reached"]) == (0.04, True)
        assert found["half_width"] <= 0.04
