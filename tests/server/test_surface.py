"""What a client sees before it calls anything, and what that costs."""

import asyncio
import json
import subprocess
import sys

from mcp import Client

from bilancio.experiments import registry
from bilancio.experiments.sweep_config import UNOFFERED_FIELDS
from bilancio_mcp.schemas import compact
from bilancio_mcp.server import INSTRUCTIONS, build_server
from tests.server.talk import TOOLS, completed, sweep_fields

MAX_BYTES = 24_000  # of all, answers included
MAX_READ = 14_500  # characters that the model reads: names, manuals, what is taken
HEAVY = ("numpy", "numba", "scipy", "matplotlib", "rapidfuzz")

LIST_AND_LOOK = f"""
import asyncio, json, sys
from mcp import Client
from bilancio_mcp.server import build_server

async def main():
    async with Client(build_server()) as client:
        names = [tool.name for tool in (await client.list_tools()).tools]
    print(json.dumps([names, [name for name in {HEAVY!r} if name in sys.modules]]))

asyncio.run(main())
"""

ASK_HOW_IT_IS = f"""
import asyncio, sys
from mcp import Client
from bilancio_mcp.server import build_server

async def main():
    async with Client(build_server()) as client:
        answer = await client.call_tool("job_status", {{"job_id": sys.argv[1]}})
    print(answer.structured_content["status"], *[name for name in {HEAVY!r} if name in sys.modules])

asyncio.run(main())
"""


async def listed():
    async with Client(build_server()) as client:
        return (await client.list_tools()).tools


async def test_there_are_exactly_these_tools_and_all_return_structure():
    tools = await listed()
    assert [tool.name for tool in tools] == TOOLS
    assert all({"summary", "next"} <= tool.output_schema["properties"].keys() for tool in tools)


async def test_hints_say_which_tools_only_read():
    hints = {tool.name: tool.annotations for tool in await listed()}
    reading = [name for name, hint in hints.items() if hint.read_only_hint]
    assert reading == ["job_status", "job_results", "list_jobs"]
    assert not any(hint.destructive_hint for hint in hints.values())
    repeatable = [name for name, hint in hints.items() if hint.idempotent_hint]
    assert repeatable == ["start_sweep", "cancel_job"]


async def test_every_manual_says_when_to_call_the_tool_and_every_argument_is_described():
    for tool in await listed():
        assert "Call it " in tool.description
        fields = tool.input_schema["properties"]
        assert [name for name, field in fields.items() if "description" not in field] == []


async def test_list_of_tools_costs_few_tokens():
    async with Client(build_server()) as client:
        tools = await client.list_tools()
    text = tools.model_dump_json(by_alias=True, exclude_unset=True, exclude_none=True)
    assert len(text) < MAX_BYTES
    read = [(tool.name, tool.description, tool.input_schema) for tool in tools.tools]
    assert len(json.dumps(read, ensure_ascii=False, separators=(",", ":"))) < MAX_READ
    assert len(INSTRUCTIONS) <= 2000


async def test_each_sweep_type_has_its_fields_with_bounds_and_descriptions():
    create = next(tool for tool in await listed() if tool.name == "create_job").input_schema
    config = create["properties"]["config"]
    kinds = sweep_fields(create)
    assert (
        list(kinds) == config["properties"]["sweep_type"]["enum"] == ["single", "ring", "balanced"]
    )
    assert config["properties"]["n_agents"]["minimum"] == 3
    assert "outside_mid_ratios" not in kinds["ring"]
    kappas = kinds["balanced"]["kappas"]
    assert kappas["items"] == {"type": "number", "exclusiveMinimum": 0, "maximum": 1000}
    for fields in kinds.values():
        for name, field in fields.items():
            assert name == "sweep_type" or field["description"]


async def test_fields_that_several_sweep_types_have_are_written_once():
    create = next(tool for tool in await listed() if tool.name == "create_job").input_schema
    assert json.dumps(create).count("Liquidity ratio") == 2  # a list, and one value of a single run


async def test_schema_takes_what_the_models_take_and_no_more():
    create = next(tool for tool in await listed() if tool.name == "create_job").input_schema
    config = create["properties"]["config"]
    for kind, fields in sweep_fields(create).items():
        model = registry.config_model(kind)
        assert fields.keys() == model.model_fields.keys() - UNOFFERED_FIELDS
    assert config["unevaluatedProperties"] is False


def test_field_called_title_keeps_its_place_in_a_compact_schema():
    schema = {"title": "Book", "properties": {"title": {"title": "Title", "type": "string"}}}
    assert compact(schema) == {"properties": {"title": {"type": "string"}}}


def test_server_lists_its_tools_without_loading_heavy_libraries():
    done = subprocess.run(
        [sys.executable, "-c", LIST_AND_LOOK], capture_output=True, text=True, check=True
    )
    names, heavy = json.loads(done.stdout)
    assert names == TOOLS
    assert heavy == []


def test_the_status_of_a_completed_job_is_answered_without_heavy_libraries():
    async def make():
        async with Client(build_server()) as client:
            return await completed(client)

    script = [sys.executable, "-c", ASK_HOW_IT_IS, asyncio.run(make())]
    done = subprocess.run(script, check=True, capture_output=True, text=True)
    assert done.stdout == "completed\n"
