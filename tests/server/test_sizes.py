"""Whatever a job holds and whatever is asked, an answer fits a conversation."""

import json

import pytest
from mcp import Client, MCPError
from mcp_types import ResourceTemplateReference

from bilancio.jobs.manager import AsyncJobManager
from bilancio_mcp.outputs import findings
from bilancio_mcp.server import build_server
from bilancio_mcp.sizes import fitted, size
from tests.server.talk import SMALL, completed, created, data, refusal

MOST = 20_000  # characters, about 5,000 tokens
USUAL = 2_000
MOST_OF_A_REFUSAL = 400
LONG = "a long story. " * 700
RING = {"sweep_type": "ring", "n_agents": 3}


def said(result):
    """Return an answer as the model sees it, and check that it is not too long."""
    answer = data(result)
    assert size(answer) <= MOST
    assert json.dumps(answer, allow_nan=False)
    return answer


def nested(depth):
    value = 1
    for _ in range(depth):
        value = [value]
    return value


async def test_usual_answers_are_short():
    async with Client(build_server()) as client:
        made = data(await client.call_tool("create_job", {"description": "x", "config": SMALL}))
        job_id = await completed(client)
        for tool, asked in {
            "job_status": {"job_id": job_id},
            "job_results": {"job_id": job_id, "group_by": ["kappa"]},
            "list_jobs": {},
        }.items():
            assert size(data(await client.call_tool(tool, asked))) < USUAL
    assert size(made) < USUAL


@pytest.mark.parametrize(
    "config",
    [
        RING | {"vary": {"kappa": "0.1:5:0.1", "mu": "0.025:1:0.025"}},
        SMALL | {"kappas": None, "mus": [0, 1], "frontier": True, "kappa_range": [0.2, 20]},
    ],
    ids=["2,000 cells", "a search"],
)
async def test_results_of_any_design_are_short_without_grouping(config):
    config = {name: value for name, value in config.items() if value is not None}
    async with Client(build_server()) as client:
        job_id = await completed(client, config)
        answer = data(await client.call_tool("job_results", {"job_id": job_id}))
    assert size(answer) < USUAL


async def test_what_searches_found_leaves_out_what_is_the_same_in_all():
    config = SMALL | {"mus": [0, 1], "frontier": True, "kappa_range": [0.2, 20]}
    del config["kappas"]
    async with Client(build_server()) as client:
        job_id = await completed(client, config)
        answer = data(await client.call_tool("job_results", {"job_id": job_id}))
    columns, rows = answer["frontier"]["columns"], answer["frontier"]["rows"]
    assert columns[:3] == ["mu", "arm", "kappa_star"]
    assert [row[:2] for row in rows] == [
        [0, "passive"], [0, "active"], [1, "passive"], [1, "active"],
    ]  # fmt: skip
    assert "table" not in answer
    assert "cells" not in answer["findings"]["frontier"]


async def test_both_arms_of_a_run_as_an_agent_saw_it_fit_an_answer():
    config = {"sweep_type": "balanced", "n_agents": 20, "kappas": [0.25], "maturity_days": 12}
    async with Client(build_server()) as client:
        job_id = await completed(client, config)
        asked = {"job_id": job_id, "run": "worst", "agent": "H7", "limit": 200}
        answer = data(await client.call_tool("show_run", asked))
    assert size(answer) <= 12_000


async def test_lists_of_a_configuration_are_said_by_their_ends_and_a_count():
    config = {**RING, "seeds": list(range(20_000))}
    async with Client(build_server()) as client:
        asked = {"description": LONG[:9_000], "config": config, "tags": ["x" * 100] * 50}
        answer = said(await client.call_tool("create_job", asked))
        assert size(answer) < USUAL
        assert answer["config"]["seeds"] == "0, 1, 2 … 19999 (20,000 values)"
        for tool in ("job_status", "job_results"):
            said(await client.call_tool(tool, {"job_id": answer["job_id"]}))
        manifest = await client.read_resource(f"job://{answer['job_id']}/manifest")
    text = manifest.contents[0].text
    assert len(text) < MOST
    assert json.loads(text)["config"]["seeds"] == "0, 1, 2 … 19999 (20,000 values)"


async def test_long_stories_are_cut_in_lists_and_a_list_that_is_too_long_is_paged():
    async with Client(build_server()) as client, AsyncJobManager() as manager:
        for number in range(40):
            await manager.create_job(
                LONG[:9_000],
                RING,
                notes=LONG,
                tags=[f"{number} {'x' * 90} {at}" for at in range(50)],
            )
        first = said(await client.call_tool("list_jobs", {"limit": 100}))
        assert 5 < len(first["jobs"]) < 40
        assert first["total"] == 40
        at = len(first["jobs"])
        assert first["next"] == f"The same call with offset={at} lists older ones."
        second = said(await client.call_tool("list_jobs", {"limit": 100, "offset": at}))
    names = [job["job_id"] for job in first["jobs"] + second["jobs"]]
    assert len(set(names)) == len(names)


async def test_table_that_is_too_long_is_cut_and_the_rest_is_found_by_its_offset():
    async with Client(build_server()) as client:
        config = {**SMALL, "n_agents": 3, "kappas": [1], "seeds": list(range(150))}
        job_id = await completed(client, config)
        asked = {"job_id": job_id, "group_by": ["seed"], "limit": 200}
        rows, offset = [], 0
        while offset is not None:
            answer = said(await client.call_tool("job_results", {**asked, "offset": offset}))
            rows += answer["table"]["rows"]
            offset = len(rows) if f"offset={len(rows)} " in answer["next"] else None
    assert [row[0] for row in rows] == list(range(150))


async def test_jobs_ended_by_hand_with_whatever_words_and_numbers_are_answered():
    metrics = {f"metric {number} {'x' * 100}": number / 7 for number in range(300)}
    async with Client(build_server()) as client, AsyncJobManager() as manager:
        for end in (
            lambda job_id: manager.complete_job(job_id, {**metrics, "deep": nested(20)}),
            lambda job_id: manager.fail_job(job_id, LONG * 10),
            manager.cancel_job,
        ):
            job_id = await created(client)
            await manager.start_job(job_id)
            await manager.record_progress(job_id, "first", metrics)
            said(await client.call_tool("job_status", {"job_id": job_id}))
            await end(job_id)
            for tool in ("job_status", "job_results"):
                said(await client.call_tool(tool, {"job_id": job_id}))
            manifest = await client.read_resource(f"job://{job_id}/manifest")
            assert len(manifest.contents[0].text) < 2 * MOST


HUGE = {
    "a name of a million letters": ("job_status", {"job_id": "x" * 10**6}),
    "a name of a million words": ("job_results", {"job_id": "tiger " * 10**6}),
    "a name to start": ("start_sweep", {"job_id": "castle-" * 10**5}),
    "a name to cancel": ("cancel_job", {"job_id": "\0" * 10**5}),
    "a tool": ("x" * 10**6, {}),
    "20,000 unknown arguments": ("list_jobs", {f"argument_{each}": each for each in range(20_000)}),
    "an unknown argument of a million letters": ("list_jobs", {"x" * 10**6: "y" * 10**6}),
    "a status": ("list_jobs", {"status": "x" * 10**6}),
    "a limit of 4,000 digits": ("list_jobs", {"limit": 10**4000}),
    "a limit as text": ("list_jobs", {"limit": "1" * 10**6}),
    "a deep limit": ("list_jobs", {"limit": nested(60)}),
    "20,000 groups": ("job_results", {"group_by": [f"p{each}" for each in range(20_000)]}),
    "20,000 measures": ("job_results", {"measures": "m," * 20_000}),
    "a list of 20,000 lists": ("job_results", {"group_by": [[each] for each in range(20_000)]}),
    "a group of a million letters": ("job_results", {"group_by": "x" * 10**6}),
    "20,000 unknown fields": (
        "create_job", {"config": {**RING, **{f"field_{each}": each for each in range(20_000)}}},
    ),
    "a field of a million letters": ("create_job", {"config": {**RING, "x" * 10**6: 1}}),
    "20,000 wrong values": ("create_job", {"config": {**RING, "kappas": [-1] * 20_000}}),
    "a million letters for a number": ("create_job", {"config": {**RING, "kappas": "x" * 10**6}}),
    "a number of 4,000 digits": ("create_job", {"config": {**RING, "n_agents": 10**4000}}),
    "a deep value": ("create_job", {"config": {**RING, "kappas": nested(60)}}),
    "a deep configuration as text": ("create_job", {"config": "[" * 10**5}),
    "a sweep type": ("create_job", {"config": {"sweep_type": "x" * 10**6}}),
    "a configuration of a million letters": ("create_job", {"config": "x" * 10**6}),
    "a description": ("create_job", {"description": "x" * 10**6, "config": RING}),
    "a number for a description": ("create_job", {"description": 10**4000, "config": RING}),
    "20,000 tags": ("create_job", {"tags": [f"tag {each}" for each in range(20_000)]}),
    "a tag": ("create_job", {"tags": ["x" * 10**6]}),
    "a name of one's own": ("create_job", {"config": RING, "job_id": "x" * 10**6}),
}  # fmt: skip


@pytest.mark.parametrize("case", HUGE)
async def test_refusal_is_short_however_much_was_given(case):
    tool, asked = HUGE[case]
    async with Client(build_server()) as client:
        if tool == "create_job":
            asked = {"description": "x", "config": RING, **asked}
        if tool == "job_results" and "job_id" not in asked:
            asked = {"job_id": await completed(client), **asked}
        sentence = refusal(await client.call_tool(tool, asked))
    assert len(sentence) <= MOST_OF_A_REFUSAL
    assert "unexpected error" not in sentence


async def test_resources_and_completions_take_any_name():
    ref = ResourceTemplateReference(uri="job://{job_id}/manifest")
    async with Client(build_server()) as client:
        job_id = await created(client)
        for name in ("x" * 10**6, "%00", "ü%20x", "..%2F.."):
            with pytest.raises(MCPError) as error:
                await client.read_resource(f"job://{name}/manifest")
            assert len(str(error.value)) < 1_500
        for typed in ("x" * 10**6, "\ud800", "\0", "%", "_" * 100_000, "ü", "'\"", "[" * 1000):
            argument = {"name": "job_id", "value": typed}
            assert (await client.complete(ref, argument)).completion.values == []
        offered = await client.complete(ref, {"name": "job_id", "value": ""})
    assert offered.completion.values == [job_id]


@pytest.mark.parametrize(
    "value",
    [
        {"a" * 1000: "b" * 1000, "c": ["d" * 1000] * 1000},
        {str(number): number for number in range(100_000)},
        [[number] * 100 for number in range(1000)],
        nested(900),
        "\x01" * 100_000,
        [{"a": {"b": {"c": {"d": {"e": {"f": list(range(10_000))}}}}}}],
    ],
    ids=["texts", "names", "lists", "depth", "controls", "mixed"],
)
def test_anything_is_cut_to_its_budget(value):
    for budget in (40_000, 4_000, 400):
        assert size(fitted(value, budget)) <= budget


def test_verdicts_are_counted_where_rows_are_many():
    many, few = {"helps": 9, "undecided": 3}, {"helps": 2}
    assert findings({"n_seeds": 5}, many) == {"n_seeds": 5, "verdicts": many}
    assert findings({"n_seeds": 5}, few) == {"n_seeds": 5}


async def test_effects_come_with_their_intervals_and_a_pivot_with_few_averages():
    config = {"sweep_type": "balanced", "n_agents": 10, "kappas": [0.5, 1], "mus": [0, 0.5]}
    async with Client(build_server()) as client:
        job_id = await completed(client, {**config, "n_replicates": 10})
        asked = {"job_id": job_id, "effects": True, "group_by": ["kappa"], "pivot": "mu"}
        results = data(await client.call_tool("job_results", asked))
    assert results["effects"]["columns"][1:] == ["share", "share_low", "share_high", "variance"]
    averages = [name for name in results["findings"] if name.startswith("avg_")]
    assert len(averages) == 4


async def test_a_list_of_jobs_is_short_unless_more_are_asked_for():
    async with Client(build_server()) as client:
        for number in range(12):
            await created(client, description=f"stressed liquidity, variant {number}")
        page = data(await client.call_tool("list_jobs", {}))
    assert (len(page["jobs"]), page["total"]) == (8, 12)
    assert "tags" not in page["jobs"][0]
    assert size(page) < 2_000
