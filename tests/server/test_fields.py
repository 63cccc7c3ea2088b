"""Refusals name the arguments of the tool that was called, not those of what lies behind it."""

import re

import pytest
from mcp import Client

from bilancio.jobs.manager import AsyncJobManager
from bilancio_mcp.server import build_server
from tests.server.talk import completed, created, refusal

OTHER = {"sweep_type": "ring", "n_agents": 3, "kappas": [4], "seeds": [77]}
CALLS = {
    "one job": ("compare_jobs", {"job_ids": ["{job}"]}),
    "a job twice": ("compare_jobs", {"job_ids": ["{job}", "{job}"]}),
    "jobs that share nothing": ("compare_jobs", {"job_ids": ["{job}", "{other}"]}),
    "several of which one shares nothing": (
        "compare_jobs", {"job_ids": ["{job}", "{twin}", "{other}"]},
    ),
    "a job without results": ("compare_jobs", {"job_ids": ["{job}", "{pending}"]}),
    "a job of runs recorded by hand": ("compare_jobs", {"job_ids": ["{job}", "{manual}"]}),
    "a measure that is none": ("compare_jobs", {"job_ids": ["{job}", "{twin}"], "measures": ["x"]}),
    "a picture of no other job": ("plot_results", {"job_id": "{job}", "kind": "compare"}),
    "a picture of a job beside itself": ("plot_results", {"job_id": "{job}", "job_ids": ["{job}"]}),
    "a picture of nothing in common": ("plot_results", {"job_id": "{job}", "job_ids": ["{other}"]}),
    "a picture of jobs of another kind": (
        "plot_results", {"job_id": "{job}", "kind": "days", "job_ids": ["{twin}"]},
    ),
    "a picture of runs recorded by hand": ("plot_results", {"job_id": "{manual}"}),
    "an edit of nothing": ("edit_job", {"job_id": "{job}"}),
}  # fmt: skip


@pytest.mark.parametrize("case", CALLS)
async def test_refusal_names_an_argument_that_the_tool_has(case):
    tool, asked = CALLS[case]
    async with Client(build_server()) as client, AsyncJobManager() as manager:
        names = {
            "job": await completed(client),
            "twin": await completed(client),
            "other": await completed(client, OTHER),
            "pending": await created(client),
            "manual": await created(client),
        }
        await manager.start_job(names["manual"])
        await manager.record_progress(names["manual"], "first", {"delta": 0.5})
        said = refusal(await client.call_tool(tool, _filled(asked, names)))
        schemas = {each.name: each.input_schema for each in (await client.list_tools()).tools}
    field = re.match(r"\w+", said)[0]
    assert field in schemas[tool]["properties"], said


def _filled(given, names):
    if isinstance(given, dict):
        return {name: _filled(value, names) for name, value in given.items()}
    if isinstance(given, list):
        return [_filled(value, names) for value in given]
    return given.format(**names)
