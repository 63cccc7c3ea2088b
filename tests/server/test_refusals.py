"""Bad input gets a sentence: the field, the value got, the values allowed. Nothing changes."""

import asyncio
from pathlib import Path

import pytest
from mcp import Client, MCPError
from mcp_types import INVALID_PARAMS

from bilancio.jobs.manager import AsyncJobManager
from bilancio_mcp.server import build_server
from tests.server.talk import SMALL, completed, created, data, refusal

RING = {"sweep_type": "ring"}

BAD_CONFIGS = {
    "unknown sweep type": (
        {"sweep_type": "blanced"},
        ["sweep_type", "'blanced'", "single, ring, balanced", "Did you mean balanced?"],
    ),
    "no sweep type": ({"kappas": [1]}, ["sweep_type", "nothing", "single, ring, balanced"]),
    "misspelt field": ({**RING, "kapas": [1]}, ["kapas: unknown field; did you mean kappas?"]),
    "unknown field": ({**RING, "colour": "red"}, ["colour: unknown field"]),
    "empty list": ({**RING, "kappas": []}, ["kappas", "empty list", "at least one", "above 0"]),
    "value twice": ({**RING, "kappas": [0.5, "0.50"]}, ["kappas", "0.50 twice", "each value once"]),
    "seed twice": ({**RING, "seeds": [7, 7]}, ["seeds", "7 twice", "each value once"]),
    "negative seed": ({**RING, "seeds": [-1]}, ["seeds[0]", "-1", "from 0"]),
    "kappa zero": ({**RING, "kappas": [1, 0]}, ["kappas[1]", "got 0", "above 0"]),
    "kappa negative": ({**RING, "kappas": [-0.5]}, ["kappas[0]", "-0.5", "above 0"]),
    "NaN": ({**RING, "mus": ["NaN"]}, ["mus[0]", "NaN", "from 0 to 1"]),
    "infinity": ({**RING, "concentrations": ["inf"]}, ["concentrations[0]", "inf", "above 0"]),
    "too few agents": ({**RING, "n_agents": 2}, ["n_agents", "got 2", "from 3 to 100000"]),
    "too many agents": ({**RING, "n_agents": 10**9}, ["n_agents", "1000000000", "to 100000"]),
    "too long": ({**RING, "maturity_days": 1001}, ["maturity_days", "1001", "from 1 to 1000"]),
    "too much money": ({**RING, "q_total": 10**10}, ["q_total", "10000000000", "1000000000"]),
    "too large a grid": (
        {**RING, "kappas": [1, 2], "n_replicates": 10**7},
        ["20,000,000 runs", "at most 10,000,000 runs"],
    ),
    "seeds and replicates": (
        {**RING, "seeds": [1], "n_replicates": 2}, ["seeds", "n_replicates 2", "not both"],
    ),
    "word for a sweep": (
        {"sweep_type": "dealer"}, ["sweep_type", "'dealer'", "Did you mean balanced?"],
    ),
    "word for liquidity": (
        {**RING, "liquidity": [0.5]}, ["liquidity: unknown field; did you mean kappas?"],
    ),
    "setting": (
        {**RING, "executor": "local"},
        ["executor: unknown field; did you mean the setting BILANCIO_EXECUTOR, or cloud: true for"],
    ),
    "argument in the sweep": (
        {**RING, "description": "x"},
        ["description: unknown field; did you mean the argument description, beside config?"],
    ),
    "arms": (
        {"sweep_type": "balanced", "arms": ["passive"]},
        ["arms: unknown field; did you mean sweep_type balanced, which runs both arms?"],
    ),
    "one number of seeds": (
        {**RING, "seeds": 5}, ["seeds: got 5; allowed: a list", "Did you mean n_replicates: 5?"],
    ),
    "field among many": ({**RING, "lhs_sed": 5}, ["Known fields: lhs_seed, ", " more."]),
    "cloud": ({**RING, "cloud": True}, ["Modal needs a token", "MODAL_TOKEN_ID", "modal token"]),
    "no object": (5, ["config", "5", "the parameters of a sweep by name"]),
    "broken JSON": ("{sweep_type: ring", ["config", "{sweep_type: ring", "by name"]),
}  # fmt: skip

BAD_CALLS = {
    "misspelt argument": (
        "create_job", {"descripton": "x", "config": RING},
        ["descripton: unknown field; did you mean description?"],
    ),
    "argument of the sweep": (
        "create_job", {"description": "x", "config": RING, "kappas": [1]},
        ["kappas: unknown field; did you mean config.kappas?"],
    ),
    "setting": (
        "create_job", {"description": "x", "config": RING, "workers": 2},
        ["workers: unknown field; did you mean the setting BILANCIO_WORKERS?"],
    ),
    "nothing said": ("create_job", {"config": RING}, ["description", "nothing", "text"]),
    "blank description": (
        "create_job", {"description": " ", "config": RING}, ["description", "a few words"],
    ),
    "malformed name": (
        "create_job", {"description": "x", "config": RING, "job_id": "One Word!"},
        ["job_id", "'One Word!'", "2 to 8 words", "Did you mean 'one-word'?"],
    ),
    "unknown tool": ("jobs_status", {}, ["jobs_status", "list_jobs", "Did you mean job_status?"]),
    "waiting too long": (
        "job_status", {"job_id": "a-b", "wait_s": 101}, ["wait_s", "101", "from 0 to 100"],
    ),
    "no name": ("job_results", {}, ["job_id", "nothing", "text"]),
    "unknown state": (
        "list_jobs", {"status": "compleated"},
        ["status", "'compleated'", "pending, running", "Did you mean completed?"],
    ),
    "page before the first": ("list_jobs", {"offset": -1}, ["offset", "-1", "from 0"]),
    "page too long": ("list_jobs", {"limit": 1000}, ["limit", "1000", "from 1 to 100"]),
    "malformed name asked for": ("job_status", {"job_id": "???"}, ["'???'", "list_jobs"]),
    "empty name asked for": ("job_status", {"job_id": ""}, ["''", "list_jobs"]),
    "unknown name": ("start_sweep", {"job_id": "no-such-job"}, ["'no-such-job'", "list_jobs"]),
}  # fmt: skip


async def nothing_happened(client: Client, tmp_path: Path) -> None:
    assert data(await client.call_tool("list_jobs", {}))["total"] == 0
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("case", BAD_CONFIGS)
async def test_wrong_config_is_refused_in_a_sentence_and_nothing_stored(case, tmp_path):
    config, expected = BAD_CONFIGS[case]
    async with Client(build_server()) as client:
        sentence = refusal(
            await client.call_tool("create_job", {"description": "x", "config": config})
        )
        assert [part for part in expected if part not in sentence] == [], sentence
        assert len(sentence) <= 400
        await nothing_happened(client, tmp_path)


@pytest.mark.parametrize("case", BAD_CALLS)
async def test_wrong_call_is_refused_in_a_sentence_and_nothing_stored(case, tmp_path):
    tool, arguments, expected = BAD_CALLS[case]
    async with Client(build_server()) as client:
        sentence = refusal(await client.call_tool(tool, arguments))
        assert [part for part in expected if part not in sentence] == [], sentence
        assert len(sentence) <= 400
        await nothing_happened(client, tmp_path)


async def test_several_problems_are_told_by_the_first_few_and_a_count():
    config = {**RING, "kappas": [-1] * 6, "mus": ["x" * 300, 2], "colour": 1, "n_agents": 1}
    async with Client(build_server()) as client:
        asked = {"description": "x", "config": config}
        sentence = refusal(await client.call_tool("create_job", asked))
    assert len(sentence) <= 400
    *lines, rest = sentence.splitlines()
    assert len(lines) > 1
    assert rest == f"… and {10 - len(lines)} more problems."


async def test_name_that_is_taken_is_refused_naming_whose_it_is():
    async with Client(build_server()) as client:
        await created(client, job_id="my-own-name")
        asked = {"description": "another", "config": SMALL, "job_id": "my-own-name"}
        sentence = refusal(await client.call_tool("create_job", asked))
        assert "'my-own-name' names a job already ('stressed liquidity')" in sentence
        assert data(await client.call_tool("list_jobs", {}))["total"] == 1


async def test_name_that_only_a_manifest_has_is_refused_to_a_client_that_repeats_calls(
    tmp_path, monkeypatch
):
    async with Client(build_server()) as client:
        await completed(client, job_id="my-own-name")
    monkeypatch.setenv("BILANCIO_DATABASE_URL", str(tmp_path / "another.db"))
    async with Client(build_server()) as client:
        sentence = refusal(
            await client.call_tool(
                "create_job",
                {"description": "another", "config": SMALL, "job_id": "my-own-name"},
                meta={"claudecode/toolUseId": "toolu_03"},
            )
        )
    assert "names a job already" in sentence


async def test_start_insists_on_the_exact_name_and_offers_the_candidate():
    async with Client(build_server()) as client:
        job_id = await created(client)
        sentence = refusal(await client.call_tool("start_sweep", {"job_id": job_id[:-1]}))
        assert f"Did you mean {job_id}?" in sentence
        status = data(await client.call_tool("job_status", {"job_id": job_id}))
        assert status["status"] == "pending"


async def test_name_that_could_be_several_jobs_offers_them():
    async with Client(build_server()) as client:
        for last in ("first", "second"):
            await created(client, job_id=f"golden-meadow-{last}")
        sentence = refusal(await client.call_tool("job_status", {"job_id": "golden meadow"}))
    assert "golden-meadow-first" in sentence
    assert "golden-meadow-second" in sentence


async def test_completed_job_is_not_started_again():
    async with Client(build_server()) as client:
        job_id = await completed(client)
        sentence = refusal(await client.call_tool("start_sweep", {"job_id": job_id}))
    assert f"{job_id} is completed" in sentence
    assert "job_results" in sentence


async def test_completed_job_is_not_cancelled_and_a_cancel_insists_on_the_whole_name():
    async with Client(build_server()) as client:
        job_id = await completed(client)
        sentence = refusal(await client.call_tool("cancel_job", {"job_id": job_id}))
        assert f"{job_id} is completed and cannot be cancelled" in sentence
        sentence = refusal(await client.call_tool("cancel_job", {"job_id": job_id[:-1]}))
        assert f"Did you mean {job_id}?" in sentence


async def test_grouping_by_what_is_no_parameter_names_those_that_are():
    async with Client(build_server()) as client:
        job_id = await completed(client)
        asked = {"job_id": job_id, "group_by": ["kapa"], "measures": ["effect"]}
        sentence = refusal(await client.call_tool("job_results", asked))
    assert "group_by: got 'kapa'" in sentence
    assert "Did you mean kappa?" in sentence


async def test_output_folder_that_cannot_be_written_is_refused(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.chdir(tmp_path)
    asked = {"description": "x", "config": SMALL, "out_dir": "file/below"}
    async with Client(build_server()) as client:
        sentence = refusal(await client.call_tool("create_job", asked))
        assert sentence.startswith(f"out_dir: {tmp_path / 'file' / 'below'} cannot be written")
        await nothing_happened(client, tmp_path)


@pytest.mark.parametrize("tool", ["create_job", "list_jobs"])
async def test_database_file_that_is_none_is_refused_and_left_alone(tool, tmp_path, monkeypatch):
    other = tmp_path / "thesis.txt"
    other.write_text("Chapter one. " * 100)
    monkeypatch.setenv("BILANCIO_DATABASE_URL", f"sqlite:///{other}")
    asked = {"description": "x", "config": SMALL} if tool == "create_job" else {}
    async with Client(build_server()) as client:
        sentence = refusal(await client.call_tool(tool, asked))
    assert str(other) in sentence
    assert "not a SQLite database" in sentence
    assert other.read_text() == "Chapter one. " * 100


async def test_wrong_setting_is_said_by_the_call_and_the_server_still_starts(monkeypatch):
    monkeypatch.setenv("BILANCIO_WORKERS", "many")
    async with Client(build_server()) as client:
        assert (await client.list_tools()).tools
        sentence = refusal(await client.call_tool("list_jobs", {}))
    assert "workers" in sentence
    assert "'many'" in sentence


async def test_plugin_that_does_not_load_leaves_the_built_in_sweeps(monkeypatch):
    from bilancio.experiments import registry

    monkeypatch.setenv("BILANCIO_PLUGINS", "no.such.module:thing")
    registry._plugins.cache_clear()
    async with Client(build_server()) as client:
        assert await created(client)
    registry._plugins.cache_clear()


async def test_unexpected_error_is_one_honest_sentence_and_a_traceback_in_the_log(
    monkeypatch, caplog
):
    async def broken(*_, **__):
        message = "password 1234"
        raise RuntimeError(message)

    monkeypatch.setattr(AsyncJobManager, "results", broken)
    async with Client(build_server()) as client:
        sentence = refusal(await client.call_tool("job_results", {"job_id": "a-b"}))
    assert sentence == (
        "job_results failed with an unexpected error (RuntimeError). This is a bug in bilancio, "
        "not in your call; details are in the server log."
    )
    assert "1234" not in sentence
    assert "RuntimeError: password 1234" in caplog.text


async def test_cancelled_wait_leaves_the_server_answering():
    async with Client(build_server(), mode="legacy") as client, AsyncJobManager() as manager:
        job_id = await created(client)
        await manager.start_job(job_id)
        heard = asyncio.Event()

        async def listen(*_):
            heard.set()

        waiting = asyncio.ensure_future(
            client.call_tool(
                "job_status", {"job_id": job_id, "wait_s": 100}, progress_callback=listen
            )
        )
        await heard.wait()
        waiting.cancel()
        await asyncio.wait({waiting})
        status = data(await client.call_tool("job_status", {"job_id": job_id}))
    assert status["status"] == "running"
    assert "started manually" in status["summary"]


BAD_PROMPTS = {
    "misspelt prompt": (
        "run_swep", {"request": "x"},
        ["prompt: got 'run_swep'; allowed: run_sweep, explain", "Did you mean run_sweep?"],
    ),
    "misspelt argument": (
        "compare", {"job_id": "x", "ohter": "y"},
        ["ohter: unknown field; did you mean other?", "other: got nothing; allowed: a text."],
    ),
    "no arguments": ("run_sweep", None, ["request: got nothing; allowed: a text."]),
}  # fmt: skip


@pytest.mark.parametrize("mode", ["legacy", "auto"])
@pytest.mark.parametrize(("name", "arguments", "parts"), BAD_PROMPTS.values(), ids=BAD_PROMPTS)
async def test_a_prompt_that_cannot_be_filled_in_is_refused_in_a_sentence(
    mode, name, arguments, parts
):
    async with Client(build_server(), mode=mode) as client:
        with pytest.raises(MCPError) as refused:
            await client.get_prompt(name, arguments)
    assert refused.value.error.code == INVALID_PARAMS
    assert [part for part in parts if part not in refused.value.error.message] == []


async def test_a_long_name_of_a_prompt_is_not_repeated():
    async with Client(build_server()) as client:
        with pytest.raises(MCPError) as refused:
            await client.get_prompt("x" * 100_000, {"y" * 100_000: "z"})
    assert len(refused.value.error.message) <= 400
