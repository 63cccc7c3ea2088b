"""Arguments in the forms that models write them in: text for lists, JSON text, single values."""

import json

import pytest
from mcp import Client

from bilancio.jobs.manager import AsyncJobManager
from bilancio_mcp.server import build_server
from tests.server.talk import SMALL, completed, created, data, refusal, sweep_fields

RING = {"sweep_type": "ring", "n_agents": 5}

KAPPAS = {
    "text with commas": "0.3,0.5",
    "text with commas and spaces": " 0.3, 0.5 ",
    "a range": "0.3:0.5:0.2",
    "JSON text": "[0.3, 0.5]",
    "JSON text of text": '["0.3", "0.5"]',
    "texts": ["0.3", "0.5"],
}


@pytest.mark.parametrize("form", KAPPAS)
async def test_list_of_numbers_is_read_in_every_form(form):
    async with Client(build_server()) as client, AsyncJobManager() as manager:
        job = await manager.exact(await created(client, {**RING, "kappas": KAPPAS[form]}))
    assert job.config.as_dict()["kappas"] == ["0.3", "0.5"]


async def test_single_number_stands_for_a_list_of_one():
    config = {**RING, "kappas": 0.3, "seeds": "7", "mus": "1"}
    async with Client(build_server()) as client, AsyncJobManager() as manager:
        job = await manager.exact(await created(client, config))
    written = job.config.as_dict()
    assert (written["kappas"], written["seeds"], written["mus"]) == (["0.3"], [7], ["1"])


@pytest.mark.parametrize(
    "config",
    [json.dumps(SMALL), json.dumps({**SMALL, "kappas": "0.25,0.5", "seeds": "[1, 2, 3]"})],
    ids=["JSON", "JSON in JSON"],
)
async def test_configuration_is_read_as_text(config):
    async with Client(build_server()) as client, AsyncJobManager() as manager:
        job = await manager.exact(await created(client, config))
    assert job.total_runs == 12


@pytest.mark.parametrize(
    "given", ["kappa,seed", " kappa , seed ", '["kappa", "seed"]', ["kappa", "seed"]]
)
async def test_groups_are_read_in_every_form(given):
    async with Client(build_server()) as client:
        asked = {"job_id": await completed(client), "group_by": given, "limit": "2"}
        table = data(await client.call_tool("job_results", asked))["table"]
    assert table["columns"][:3] == ["kappa", "seed", "n"]
    assert len(table["rows"]) == 2


@pytest.mark.parametrize("given", ["paper, draft", '["paper", "draft"]', ["paper", "draft"]])
async def test_tags_are_read_in_every_form(given):
    async with Client(build_server()) as client, AsyncJobManager() as manager:
        job = await manager.exact(await created(client, tags=given))
    assert job.tags == ("paper", "draft")


async def test_single_tag_or_group_needs_no_list():
    async with Client(build_server()) as client, AsyncJobManager() as manager:
        job_id = await completed(client, tags="paper")
        assert (await manager.exact(job_id)).tags == ("paper",)
        asked = {"job_id": job_id, "group_by": "kappa", "measures": "trading_effect"}
        table = data(await client.call_tool("job_results", asked))["table"]
    assert table["columns"][:4] == ["kappa", "n", "n_seeds", "verdict"]
    assert table["columns"][4] == "trading_effect"


async def test_schemas_tell_the_plain_types_all_the_same():
    async with Client(build_server()) as client:
        tools = {tool.name: tool.input_schema for tool in (await client.list_tools()).tools}
    for tool, name in (
        ("job_results", "group_by"), ("job_results", "measures"), ("create_job", "tags"),
    ):  # fmt: skip
        field = tools[tool]["properties"][name]
        assert (field["type"], field["items"]) == ("array", {"type": "string"})
    create = tools["create_job"]
    assert sweep_fields(create)["kappas"]["items"]["type"] == "number"
    assert create["properties"]["config"]["type"] == "object"


BAD = {
    "broken JSON": '{"sweep_type": "ring", "kappas": [1}',
    "NaN": '{"sweep_type": "ring", "kappas": [NaN]}',
    "infinity": '{"sweep_type": "ring", "kappas": [1e999]}',
    "5,000 digits": '{"sweep_type": "ring", "n_agents": ' + "1" * 5000 + "}",
    "900 brackets": '{"sweep_type": "ring", "kappas": ' + "[" * 900 + "]" * 900 + "}",
    "a surrogate": '{"sweep_type": "ring", "kappas": "\\ud800"}',
    "a list": "[1]",
    "a word": "ring",
    "a number": "5",
    "null": "null",
    "nothing": "",
}


@pytest.mark.parametrize("case", BAD)
async def test_text_that_is_no_configuration_is_refused_in_a_sentence(case):
    async with Client(build_server()) as client:
        asked = {"description": "x", "config": BAD[case]}
        sentence = refusal(await client.call_tool("create_job", asked))
        assert "unexpected error" not in sentence
        assert len(sentence) < 600
        assert data(await client.call_tool("list_jobs", {}))["total"] == 0
