"""What this repository brings for Claude Code names only what there is."""

import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml
from mcp import Client

from bilancio.experiments import registry
from bilancio_mcp.server import build_server

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
COMMANDS = ("run", "status", "results", "compare")
PAGES = [
    *(f"commands/{name}.md" for name in COMMANDS), "skills/designing-experiments/SKILL.md",
]  # fmt: skip
READS = {"job_status", "job_results", "compare_jobs", "show_run", "list_jobs"}
TOOL = re.compile(r"mcp__(?:plugin_bilancio_)?bilancio__(\w+)")


def document(name):
    return json.loads((ROOT / name).read_text(encoding="utf-8"))


def page(name):
    """Return the frontmatter of a command or skill, and its text."""
    text = (ROOT / name).read_text(encoding="utf-8")
    _, head, body = text.split("---\n", 2)
    return yaml.safe_load(head), body


def test_the_plugin_is_this_version_and_its_server_a_script_of_the_package():
    plugin = document(".claude-plugin/plugin.json")
    assert (plugin["name"], plugin["version"]) == (PROJECT["name"], PROJECT["version"])
    server = plugin["mcpServers"]["bilancio"]
    asked = re.fullmatch(r"(\w+)\[([\w,]+)\]", server["args"][1])
    assert (server["command"], server["args"][0], asked[1]) == ("uvx", "--from", PROJECT["name"])
    assert set(asked[2].split(",")) <= PROJECT["optional-dependencies"].keys()
    assert server["args"][2] in PROJECT["scripts"]


def test_the_marketplace_offers_the_plugin_of_this_repository():
    [offered] = document(".claude-plugin/marketplace.json")["plugins"]
    assert offered["name"] == document(".claude-plugin/plugin.json")["name"]
    assert (ROOT / offered["source"] / ".claude-plugin" / "plugin.json").exists()


def test_there_is_a_command_for_each_of_the_four_main_questions():
    assert {file.stem for file in (ROOT / "commands").iterdir()} == {*COMMANDS}


@pytest.mark.parametrize("name", PAGES)
async def test_commands_and_skills_name_tools_arguments_and_fields_that_there_are(name):
    head, body = page(name)
    assert head["description"]
    if "name" in head:
        assert head["name"] == Path(name).parent.name
    async with Client(build_server()) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    known = {argument for tool in tools.values() for argument in tool.input_schema["properties"]}
    known |= {*tools, *registry.sweep_types(), "preset", "undecided", "fail"}
    for kind in registry.built_in():
        known |= registry.config_model(kind).model_fields.keys()
    named = {
        word for code in re.findall(r"`([^`]+)`", body) for word in re.findall(r"^[a-z_]+", code)
    }
    assert named <= known
    allowed = TOOL.findall(head.get("allowed-tools", ""))
    assert set(allowed) <= READS
    assert all(f"`{tool}`" in body for tool in allowed)


async def test_what_runs_without_being_asked_only_reads():
    allowed = document(".claude/settings.json")["permissions"]["allow"]
    async with Client(build_server()) as client:
        tools = (await client.list_tools()).tools
    reading = {tool.name for tool in tools if tool.annotations.read_only_hint}
    assert reading == READS
    assert {TOOL.fullmatch(rule)[1] for rule in allowed} == reading
    assert set(document(".mcp.json")["mcpServers"]) == {"bilancio"}


def test_the_page_on_clients_starts_the_same_server_everywhere():
    text = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")
    started = document(".claude-plugin/plugin.json")["mcpServers"]["bilancio"]
    blocks = re.findall(r"```(json|toml)\n(.*?)```", text, flags=re.DOTALL)
    read = [(json if kind == "json" else tomllib).loads(block) for kind, block in blocks]
    servers = [
        each[table]["bilancio"]
        for each in read
        for table in ("servers", "mcpServers", "mcp_servers")
        if table in each
    ]
    assert len(servers) == 3
    assert all({**server, **started} == server for server in servers)
    [allowed] = [each["permissions"]["allow"] for each in read if "permissions" in each]
    assert {TOOL.fullmatch(rule)[1] for rule in allowed} == READS
    assert {*re.findall(r"`/bilancio:(\w+)`", text)} == {*COMMANDS}
