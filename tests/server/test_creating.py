"""A sweep before it is stored, and one that is like another job's."""

import pytest
from mcp import Client

from bilancio.experiments import registry
from bilancio.jobs.manager import AsyncJobManager
from bilancio_mcp.server import build_server
from bilancio_mcp.sizes import size
from tests.server.talk import SMALL, created, data, refusal, typo

FIVE_HUNDRED_TOKENS, FIVE_THOUSAND_TOKENS = 2_000, 20_000
LARGE = {**SMALL, "kappas": "0.01:1:0.01", "concentrations": "0.01:1:0.01", "seeds": "1:50:1"}


async def planned(client, **asked):
    return data(await client.call_tool("create_job", {"dry_run": True, **asked}))


async def nothing_is_stored(client):
    return data(await client.call_tool("list_jobs", {}))["total"] == 0


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_dry_run_says_cells_runs_and_estimate_and_stores_nothing(mode, tmp_path):
    async with Client(build_server(), mode=mode) as client:
        answer = await planned(client, config=SMALL)
        assert await nothing_is_stored(client)
    assert not (tmp_path / "out").exists()
    assert (answer["cells"], answer["seeds"], answer["total_runs"]) == (2, 3, 12)
    assert answer["summary"].startswith("12 runs: 2 cells × 3 seeds × 2 arms, ")
    assert answer["estimate"].keys() == {"seconds", "workers", "rough"}
    assert answer["config"]["kappas"] == ["0.25", "0.5"]
    assert answer["defaults"]["concentrations"] == ["1"]
    assert not {"job_id", "folder", "warnings", "notes", "fields"} & answer.keys()
    assert size(answer) < FIVE_HUNDRED_TOKENS


async def test_every_field_is_told_once_as_set_default_or_without_a_value():
    async with Client(build_server()) as client:
        answer = await planned(client, config={**SMALL, "vary": {"maturity_days": [5, 9]}})
    told = [*answer["config"], *answer["defaults"], *answer["unset"]]
    fields = registry.config_model("balanced").model_fields.keys() - {"run_order"}
    assert sorted(told) == sorted({*fields} - {"maturity_days"})


async def test_an_estimate_of_a_large_sweep_is_asked_for_in_one_call():
    async with Client(build_server()) as client:
        answer = await planned(client, config=LARGE)
    assert (answer["cells"], answer["total_runs"]) == (10_000, 1_000_000)
    assert answer["estimate"]["seconds"] > 10
    assert size(answer) < FIVE_HUNDRED_TOKENS


async def test_fields_are_explained_with_default_bounds_and_meaning():
    async with Client(build_server()) as client:
        answer = await planned(client, config=SMALL, dry_run="fields")
        few = await planned(client, config=SMALL, dry_run="spread, n_agents")
        meant = await planned(client, config=SMALL, dry_run="rho, liquidity")
        sentence = refusal(
            await client.call_tool("create_job", {"config": SMALL, "dry_run": "spred"})
        )
    fields = registry.config_model("balanced").model_fields.keys() - {"run_order", "sweep_type"}
    assert answer["fields"].keys() == fields
    assert answer["fields"]["vbt_share"].startswith("default 0.25; numbers from 0 to 1; Share of")
    assert list(few["fields"]) == ["n_agents", "spread_short", "spread_mid", "spread_long"]
    assert {"outside_mid_ratios", "kappas", "liquidity_mode"} <= meant["fields"].keys()
    assert "did you mean spread_" in sentence
    assert size(answer) < FIVE_THOUSAND_TOKENS


async def test_dry_run_refuses_what_would_be_refused():
    async with Client(build_server()) as client:
        for config, said in (
            ({**SMALL, "kapas": [1]}, "did you mean kappas?"),
            (None, "config: got nothing"),
        ):
            asked = {"dry_run": True, "config": config}
            assert said in refusal(await client.call_tool("create_job", asked))


async def test_a_job_like_another_takes_its_config_changed_by_a_few_fields():
    async with Client(build_server()) as client, AsyncJobManager() as manager:
        first = await created(client, {**SMALL, "vary": {"face_value": [10, 20]}})
        asked = {
            "description": "the same with 200 agents",
            "like": typo(first),
            "config": {"n_agents": 200, "kappas": [2], "vary": None, "n_replicates": 4},
        }
        answer = data(await client.call_tool("create_job", asked))
        job = await manager.exact(answer["job_id"])
    assert answer["summary"].startswith(f"Taken to mean {first} (read ")
    assert answer["like"] == first
    assert job.config.asked() == {
        "n_agents": 200,
        "kappas": ["2"],
        "n_replicates": 4,
    }


async def test_what_another_sweep_type_cannot_take_over_is_said():
    async with Client(build_server()) as client:
        first = await created(client, {**SMALL, "outside_mid_ratios": [0.5, 1]})
        answer = await planned(client, like=first, config={"sweep_type": "ring"})
    [warning] = answer["warnings"]
    assert warning == f"ring sweeps have no outside_mid_ratios, which {first} has."
    assert answer["total_runs"] == 6


async def test_nothing_is_like_a_job_that_is_not_there():
    async with Client(build_server()) as client:
        asked = {"description": "x", "like": "no-such-job", "config": {"n_agents": 5}}
        assert "list_jobs()" in refusal(await client.call_tool("create_job", asked))
        assert await nothing_is_stored(client)


async def test_several_values_of_one_parameter_are_read_as_an_axis():
    async with Client(build_server()) as client:
        answer = await planned(client, config={**SMALL, "n_agents": [20, 40]})
    assert answer["config"]["vary"] == {"n_agents": [20, 40]}
    assert answer["cells"] == 4


async def test_warnings_notes_and_tags_stand_in_answers_where_there_are_some():
    few_debts = {"sweep_type": "ring", "n_agents": 1000, "q_total": 1000, "seeds": [1]}
    async with Client(build_server()) as client:
        asked = {"description": "x", "config": few_debts, "notes": "for Ada", "tags": ["paper"]}
        answer = data(await client.call_tool("create_job", asked))
        status = data(await client.call_tool("job_status", {"job_id": answer["job_id"]}))
        plain = data(await client.call_tool("job_status", {"job_id": await created(client)}))
    assert "give q_per_agent" in answer["warnings"][0]
    assert answer["warnings"][1] == "One seed gives no interval; n_replicates 10 does."
    assert "q_per_agent" not in answer["summary"]
    for told in (answer, status):
        assert (told["notes"], told["tags"]) == ("for Ada", ["paper"])
    assert not {"notes", "tags"} & plain.keys()
