"""A simulation of one's own is talked about like those that are built in."""

import pytest
from mcp import Client

from bilancio.text import UNTIMED
from bilancio_mcp.server import build_server
from tests.own_project import copy_example, name_modules, working_in, write
from tests.server.talk import completed, data, refusal

CONFIG = {
    "sweep_type": "queue",
    "vary": {"rate": "0.5:0.9:0.2"},
    "n_replicates": 5,
    "customers": 50,
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    with working_in(tmp_path / "study", monkeypatch) as folder:
        yield folder


async def test_a_sweep_of_a_function_is_created_and_answers_by_its_parameters(folder):
    copy_example("queue", folder)
    async with Client(build_server()) as client:
        [create, *_] = (await client.list_tools()).tools
        kinds = create.input_schema["properties"]["config"]["properties"]["sweep_type"]["enum"]
        job_id = await completed(client, CONFIG)
        asked = {"job_id": job_id, "group_by": ["rate"]}
        results = data(await client.call_tool("job_results", asked))
    assert kinds == ["single", "ring", "balanced", "queue"]
    assert "in one-line" in results["summary"]
    columns = results["table"]["columns"]
    rows = [dict(zip(columns, row, strict=True)) for row in results["table"]["rows"]]
    assert [row["rate"] for row in rows] == [0.5, 0.7, 0.9]
    assert all(row["wait_difference"] > 0 for row in rows)


async def test_nothing_is_claimed_of_the_time_of_an_experiment_that_was_never_timed(folder):
    copy_example("queue", folder)
    async with Client(build_server()) as client:
        plan = data(await client.call_tool("create_job", {"config": CONFIG, "dry_run": True}))
        asked = {"config": CONFIG, "description": "queues"}
        made = data(await client.call_tool("create_job", asked))
        begun = data(await client.call_tool("start_sweep", {"job_id": made["job_id"]}))
        await client.call_tool("job_status", {"job_id": made["job_id"], "wait_s": 100})
    for answer in (plan, made):
        assert answer["estimate"] == {"seconds": None, "workers": 2, "rough": False}
        assert f", on 2 cores. {UNTIMED} Nothing" in answer["summary"]
    assert begun["next"].startswith("To be woken at its end, run `bilancio jobs watch ")


async def test_the_load_at_which_a_queue_waits_too_long_is_searched_for(folder):
    copy_example("queue", folder)
    threshold = {"axis": "rate", "measure": "wait", "at_most": 2}
    config = {**CONFIG, "vary": {"rate": "0.1:0.95"}, "threshold": threshold}
    async with Client(build_server()) as client:
        job_id = await completed(client, config)
        results = data(await client.call_tool("job_results", {"job_id": job_id}))
        threshold["measure"] = "weight"
        asked = {"description": "x", "config": config}
        said = refusal(await client.call_tool("create_job", asked))
    assert results["summary"].startswith("rate from 0.1 to 0.95 where the mean wait is at most 2: ")
    assert results["frontier"]["columns"][:4] == [
        "arm",
        "rate_star",
        "rate_star_low",
        "rate_star_high",
    ]
    assert [row[0] for row in results["frontier"]["rows"]] == ["one-line", "two-lines"]
    assert "threshold.measure: got 'weight'; allowed: one of wait, longest" in said


async def test_what_is_wrong_with_parameters_of_a_function_is_said_in_sentences(folder):
    copy_example("queue", folder)
    async with Client(build_server()) as client:
        for name, value, sentence in (
            ("rate", 2, "rate: got 2; allowed: numbers above 0 and below 1."),
            ("vary", {"rat": [0.5]}, "vary.rat: unknown field; did you mean rate?"),
            ("servers", 3, "servers: got 3; allowed: whole numbers from 2, multiples of 2."),
        ):
            config = {"sweep_type": "queue", name: value}
            asked = {"description": "x", "config": config}
            assert sentence in refusal(await client.call_tool("create_job", asked))


async def test_a_server_that_runs_knows_what_was_written_since(folder):
    text = (
        "from bilancio import experiment\n@experiment('coin')\n"
        "def simulate(seed: int, bias: float = 0.5) -> dict[str, float]:\n"
        "    return {'head': float(seed % 2 < bias)}\n"
    )
    async with Client(build_server()) as client:
        asked = {"description": "x", "config": {"sweep_type": "coin"}}
        assert "got 'coin'" in refusal(await client.call_tool("create_job", asked))
        write(folder, coin=text)
        assert data(await client.call_tool("create_job", asked))["total_runs"] == 1
        (folder / "coin.py").write_text(text.replace("bias", "weight"))
        asked["config"]["weight"] = 0.7
        assert data(await client.call_tool("create_job", asked))["total_runs"] == 1
        name_modules(folder)
        assert "got 'coin'" in refusal(await client.call_tool("create_job", asked))
