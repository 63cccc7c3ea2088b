"""What a client sees before it calls anything, and what that costs."""

import asyncio
import json
import re
import subprocess
import sys

import pytest
from mcp import Client

from bilancio.experiments import registry
from bilancio.experiments.sweep_config import UNOFFERED_FIELDS
from bilancio_mcp.schemas import compact
from bilancio_mcp.server import INSTRUCTIONS, build_server
from tests.server.talk import TOOLS, completed, sweep_fields

MAX_BYTES = 24_500  # of all, answers and what hosts with apps are told included
MAX_CREATE = 5_500  # … of the fields of create_job
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


DESCRIBE = """
import json
from bilancio_mcp.tools import tools

made = tools()
fields = [(each.name, name, field) for each in made for name, field in
          each.parameters["properties"].items()]
print(json.dumps({
    "manuals": [each.description for each in made],
    "undescribed": [f"{tool}.{name}" for tool, name, field in fields if "description" not in field],
}))
"""


def text_of(schema):
    return json.dumps(schema, ensure_ascii=False, separators=(",", ":"))


async def listed():
    async with Client(build_server()) as client:
        return (await client.list_tools()).tools


async def test_there_are_exactly_these_tools_and_all_but_the_picture_return_structure():
    tools = await listed()
    assert [tool.name for tool in tools] == TOOLS
    schemas = {tool.name: tool.output_schema for tool in tools}
    assert schemas.pop("plot_results") is None
    assert all({"summary", "next"} <= each["properties"].keys() for each in schemas.values())


async def test_hints_say_which_tools_only_read():
    hints = {tool.name: tool.annotations for tool in await listed()}
    reading = [name for name, hint in hints.items() if hint.read_only_hint]
    assert reading == ["job_status", "job_results", "compare_jobs", "show_run", "list_jobs"]
    assert [name for name, hint in hints.items() if hint.destructive_hint] == ["delete_job"]
    repeatable = [name for name, hint in hints.items() if hint.idempotent_hint]
    assert repeatable == ["start_sweep", "plot_results", "edit_job", "cancel_job"]


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
    assert len(text_of(read)) < MAX_READ
    assert len(INSTRUCTIONS) <= 2000


@pytest.mark.parametrize(
    ("name", "most"), [("list_jobs", 1_200), ("edit_job", 450), ("delete_job", 450)]
)
async def test_a_tool_that_is_rarely_called_costs_little(name, most):
    (tool,) = [each for each in await listed() if each.name == name]
    read = (tool.name, tool.description, tool.input_schema)
    assert len(json.dumps(read, ensure_ascii=False, separators=(",", ":"))) <= most


async def test_config_is_one_flat_object_with_every_field_once():
    create = next(tool for tool in await listed() if tool.name == "create_job").input_schema
    config = create["properties"]["config"]
    kinds = config["properties"]["sweep_type"]["enum"]
    assert kinds == ["single", "ring", "balanced"]
    every = {name for kind in kinds for name in registry.config_model(kind).model_fields}
    assert config["properties"].keys() == every - {*UNOFFERED_FIELDS} | {"preset"}
    assert not {"oneOf", "allOf", "anyOf", "$ref"} & config.keys()
    assert "$defs" not in create
    assert len(text_of(create)) < MAX_CREATE


async def test_fields_say_in_which_direction_they_work_and_rare_ones_are_pointed_to():
    create = next(tool for tool in await listed() if tool.name == "create_job").input_schema
    fields = sweep_fields(create)
    for name, said in {
        "concentrations": "larger is more equal debts",
        "outside_mid_ratios": "larger pays sellers of claims more",
        "mus": "larger, more pay before being paid",
        "monotonicities": "1 falling, -1 rising",
    }.items():
        assert said in fields[name]["description"]
    assert fields["spread_short"] == {"type": "number"}
    assert fields["outside_depth"] == {"enum": ["balance-sheet", "unlimited"]}
    assert "dry_run='fields'" in create["properties"]["config"]["description"]


async def test_schema_says_which_sweep_types_have_which_fields():
    create = next(tool for tool in await listed() if tool.name == "create_job").input_schema
    config = create["properties"]["config"]
    places = list(sweep_fields(create))
    groups = re.findall(r"([\w ,]+): (\w+) to (\w+)", config["description"].partition("order, ")[2])
    told = {
        who.strip(): places[places.index(first) : places.index(last) + 1]
        for who, first, last in groups
    }
    models = {kind: registry.config_model(kind).model_fields for kind in ("single", "balanced")}
    assert all(name in fields for name in told["all types"] for fields in models.values())
    assert not any(name in models["single"] for name in told["not single"] + told["balanced"])
    assert not any(name in registry.config_model("ring").model_fields for name in told["balanced"])
    assert sum(map(len, told.values())) == len(places)


async def test_tools_that_answer_questions_are_loaded_from_the_start():
    meta = {tool.name: tool.meta for tool in await listed()}
    always = [name for name, said in meta.items() if (said or {}).get("anthropic/alwaysLoad")]
    assert always == ["create_job", "job_status", "job_results", "list_jobs"]


async def test_titles_and_manuals_hold_the_words_that_people_search_by():
    words = " ".join(f"{tool.title} {tool.description}" for tool in await listed()).lower()
    assert [word for word in ("simulation", "sweep", "results") if word not in words] == []


async def test_lists_say_how_long_they_may_be_kept():
    async with Client(build_server()) as client:
        assert (await client.list_tools()).ttl_ms == 300_000


def test_manuals_and_descriptions_survive_an_optimised_interpreter():
    said = subprocess.run(
        [sys.executable, "-OO", "-c", DESCRIBE], capture_output=True, text=True, check=True
    )
    told = json.loads(said.stdout)
    assert all("Call it " in manual for manual in told["manuals"])
    assert told["undescribed"] == []


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
