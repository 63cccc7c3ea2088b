"""Sweeps that a plug-in brings are talked about like the built-in ones."""

import pytest
from mcp import Client

from bilancio.experiments import registry
from bilancio_mcp.server import build_server
from tests.server.talk import completed, created, data, refusal, sweep_fields


@pytest.fixture(autouse=True)
def plugged_in(monkeypatch):
    monkeypatch.setenv("BILANCIO_PLUGINS", "tests.plugins:RECKLESS,tests.plugins:GATED")
    registry._plugins.cache_clear()
    yield
    registry._plugins.cache_clear()


async def test_sweep_type_of_a_plugin_stands_in_the_schema_and_shares_what_is_the_same():
    async with Client(build_server()) as client:
        [create, *_] = (await client.list_tools()).tools
    config, fields = create.input_schema["properties"]["config"], sweep_fields(create.input_schema)
    kinds = ["single", "ring", "balanced", "reckless", "gated"]
    assert config["properties"]["sweep_type"]["enum"] == kinds
    assert "reckless, gated: n" in config["description"]
    assert str(create.input_schema).count("Number of runs.") == 1
    assert fields["faults"]["additionalProperties"] == {"type": "string"}


async def test_job_whose_runs_failed_says_which_and_what_to_do():
    config = {"sweep_type": "reckless", "n": 10, "faults": {"3": "raise"}}
    async with Client(build_server()) as client:
        job_id = await completed(client, config)
        status = data(await client.call_tool("job_status", {"job_id": job_id}))
        results = data(await client.call_tool("job_results", {"job_id": job_id}))
    assert (status["status"], status["failed_runs"]) == ("failed", 1)
    assert "1 of 10 runs failed; the first, " in status["summary"]
    assert "). The same parameters and seed raise ArithmeticError again;" in status["summary"]
    [(run_id, error)] = results["failures"].items()
    assert run_id.endswith("0000003")
    assert "run 3 has no solution" in error
    shown = f"show_run(job_id='{job_id}', run='failed') shows the first failed run"
    assert results["next"].startswith(shown)  # which would fail again: a calculation has


async def test_wrong_field_of_a_plugin_is_refused_like_any_other():
    async with Client(build_server()) as client:
        job_id = await created(client, {"sweep_type": "gated"})
        assert job_id
        asked = {"description": "x", "config": {"sweep_type": "gated", "n": 0}}
        sentence = refusal(await client.call_tool("create_job", asked))
    assert sentence == "n: got 0; allowed: whole numbers from 1 to 10000000."
