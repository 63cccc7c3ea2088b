"""Sweeps are planned, created and started in a researcher's words."""

import re

import pytest

from tests.conversation.archive import N_JOBS, STRESS
from tests.conversation.evidence import effects, interval, mean, near, read
from tests.conversation.talk import MOST_CHARACTERS, rows

pytestmark = pytest.mark.slow


@pytest.mark.eras
async def test_dealers_under_stressed_liquidity(talk, desk):
    words = "run a dealer comparison with stressed liquidity, κ 0.3 to 0.5"
    config = {
        "sweep_type": "balanced", "n_agents": 10, "kappas": [0.3, 0.4, 0.5], "n_replicates": 10,
    }  # fmt: skip
    async with talk(words) as chat:
        made = await chat.call("create_job", description=words, config=config)
        begun = await chat.follow(made, "start_sweep")
        status = await chat.follow(begun, "job_status", wait_s=100)
        answer = await chat.follow(status, "job_results")
    assert made["summary"].startswith(f"Created {made['job_id']}: 60 runs, ")
    assert made["config"]["kappas"] == ["0.3", "0.4", "0.5"]
    assert made["next"].startswith("Tell the user the name, the runs and the estimate.")
    assert (status["status"], status["completed_runs"]) == ("completed", 60)
    pairs = effects(read(desk, made["job_id"]))
    assert answer["findings"]["avg_trading_effect"] == near(mean(pairs, "effect"))
    assert answer["findings"]["trading_effect_ci95"] == near(interval(pairs, "effect"))


async def test_stressed_liquidity_in_one_word(talk):
    config = {"sweep_type": "balanced", "preset": "stressed", "mus": [1]}
    async with talk("what would a dealer comparison under stress take, at μ 1?") as chat:
        plan = await chat.call("create_job", config=config, dry_run=True)
    assert plan["summary"].startswith("80 runs: 2 cells × 20 seeds × 2 arms, ")
    assert (plan["config"]["kappas"], plan["config"]["mus"]) == (["0.25", "0.5"], ["1"])


async def test_from_which_liquidity_on_trading_does_not_matter(talk):
    words = "from which liquidity on is the effect of trading below 0.01?"
    config = {"sweep_type": "balanced", "n_agents": 10, "mus": [1], "n_replicates": 10}
    sought = {"measure": "trading_effect", "at_most": 0.01}
    async with talk(words) as chat:
        word = {"vary": {"kappa": "0.5:20"}, "threshold": sought | {"axis": "liquidity"}}
        said = await chat.refused("create_job", config=config | word, dry_run=True)
    assert said.endswith("Did you mean kappa?")
    async with talk(words) as chat:
        kappa = word | {"threshold": sought | {"axis": "kappa"}}
        made = await chat.call("create_job", description=words, config=config | kappa)
        begun = await chat.follow(made, "start_sweep")
        status = await chat.follow(begun, "job_status", wait_s=100)
        answer = await chat.follow(status, "job_results")
    assert "where the mean trading_effect is at most 0.01: κ* " in answer["summary"]
    [row] = rows(answer["frontier"])
    assert row["kappa_star_low"] <= row["kappa_star"] <= row["kappa_star_high"]


async def test_the_same_with_200_agents(talk):
    async with talk("the same as bright ocean swift tiger with 200 agents") as chat:
        made = await chat.call(
            "create_job",
            description="the same with 200 agents",
            like="bright ocean swift tiger",
            config={"n_agents": 200},
        )
        begun = await chat.follow(made, "start_sweep")
    assert (made["like"], made["total_runs"]) == (STRESS, 160)
    assert made["config"]["n_agents"] == 200
    assert made["config"]["kappas"] == ["0.25", "0.5", "1", "2"]
    assert begun["action"] == "started"


async def test_how_long_a_large_sweep_would_take(talk):
    config = {"sweep_type": "balanced", "kappas": "0.1:10:0.1", "mus": "0:0.99:0.01"}
    async with talk("how long would 100 × 100 cells with 50 seeds take?") as chat:
        plan = await chat.call("create_job", config=config | {"n_replicates": 50}, dry_run=True)
        listed = await chat.call("list_jobs")
    planned = r"1,000,000 runs: 10,000 cells × 50 seeds × 2 arms, (roughly|about) .*"
    assert re.fullmatch(rf"{planned} Nothing was stored\.", plan["summary"])
    assert plan["estimate"]["seconds"] > 10
    assert (plan["cells"], plan["seeds"], plan["total_runs"]) == (10_000, 50, 1_000_000)
    assert listed["total"] == N_JOBS


async def test_a_hypercube(talk):
    config = {
        "sweep_type": "ring", "n_agents": 10, "lhs": 20, "kappa_range": [0.2, 5],
        "concentration_range": [0.5, 2], "n_replicates": 3,
    }  # fmt: skip
    words = "sample 20 points of κ 0.2–5 and concentration 0.5–2 by a Latin hypercube"
    async with talk(words) as chat:
        made = await chat.call("create_job", description=words, config=config)
        begun = await chat.follow(made, "start_sweep")
        await chat.follow(begun, "job_status", wait_s=100)
        answer = await chat.call("job_results", job_id=made["job_id"], group_by=["kappa"], bins=4)
    assert made["total_runs"] == 60
    table = rows(answer["table"])
    assert sum(row["n"] for row in table) == 60
    rates = [row["delta_total"] for row in table]
    assert rates == sorted(rates, reverse=True)  # more liquidity, fewer defaults


async def test_which_parameters_there_are(talk):
    async with talk("which parameters does the dealer model have? what is the spread?") as chat:
        fields = await chat.call("create_job", config={"sweep_type": "balanced"}, dry_run="fields")
        spreads = await chat.call("create_job", config={"sweep_type": "balanced"}, dry_run="spread")
    assert fields["fields"]["n_agents"].startswith("default 100; whole numbers from 3 to ")
    assert spreads["fields"].keys() == {"spread_short", "spread_mid", "spread_long"}
    assert chat.characters < MOST_CHARACTERS


async def test_more_seeds_until_the_interval_is_narrow_enough(talk, desk):
    async with talk("add seeds to bright ocean swift tiger until ± 0.01") as chat:
        planned = await chat.call("job_results", job_id=STRESS, precision=0.01)
        begun = await chat.follow(planned, "start_sweep")
        await chat.follow(begun, "job_status", wait_s=100)
    assert planned["plan"] == (
        "The interval of trading_effect is ± 0.0232 now; ± 0.01 takes about 43 seeds in all."
    )
    assert (begun["action"], begun["total_runs"]) == ("extended", 688)
    low, high = interval(effects(read(desk, STRESS)), "effect")
    assert (high - low) / 2 < 0.015


async def test_a_precision_instead_of_a_number_of_seeds(talk, desk):
    config = {
        "sweep_type": "balanced", "n_agents": 10, "kappas": [0.5], "mus": [0.5],
        "precision": 0.04, "max_replicates": 400,
    }  # fmt: skip
    words = "the effect at κ 0.5 and μ 0.5, exact to ± 0.04, however many seeds it takes"
    async with talk(words) as chat:
        made = await chat.call("create_job", description=words, config=config)
        begun = await chat.follow(made, "start_sweep")
        status = await chat.follow(begun, "job_status", wait_s=100)
        answer = await chat.follow(status, "job_results")
    pairs = effects(read(desk, made["job_id"]))
    low, high = interval(pairs, "effect")
    assert (high - low) / 2 <= 0.04
    assert answer["findings"]["trading_effect_ci95"] == near([low, high])
    assert answer["findings"]["n_seeds"] == len(pairs)


async def test_fields_are_explained_before_there_is_a_sweep(talk):
    async with talk("is there something like a bid-ask spread that I can set?") as chat:
        answer = await chat.call("create_job", dry_run="spread")
    assert set(answer["fields"]) == {"spread_short", "spread_mid", "spread_long"}
