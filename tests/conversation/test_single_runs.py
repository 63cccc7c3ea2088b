"""Single runs and pairs are asked for in words, and each number is that of the files."""

import pytest

from tests.conversation.archive import CANCELLED, FRAGILE, LARGE_RING, QUEUE, STRESS
from tests.conversation.evidence import effects, mean, near, read
from tests.conversation.talk import rows

pytestmark = pytest.mark.slow
SHORT = 2_000  # characters


async def test_the_ten_pairs_where_trading_helped_most(talk, desk):
    pairs = sorted(effects(read(desk, STRESS)), key=lambda pair: -pair["effect"])
    async with talk("show me the ten pairs where trading helped most") as chat:
        answer = await chat.call(
            "job_results",
            job_id="bright ocean swift tiger",
            of="pairs",
            order_by="-effect",
            limit=10,
        )
        story = await chat.follow(answer, "show_run")
    assert [row["trading_effect"] for row in rows(answer["table"])] == near(
        [pair["effect"] for pair in pairs[:10]]
    )
    first, best = rows(answer["table"])[0], pairs[0]
    assert (first["kappa"], first["mu"], first["seed"]) == (
        best["kappa"], best["mu"], best["seed"],
    )  # fmt: skip
    assert "Read effect as trading_effect. Showing 10 of 80 pairs" in answer["summary"]
    assert f"active: delta_total {best['active']:.4f}" in story["summary"]


async def test_the_runs_with_the_most_defaults(talk, desk):
    runs = read(desk, STRESS)
    async with talk("which runs had the most defaults?") as chat:
        answer = await chat.call(
            "job_results", job_id=STRESS, of="runs", order_by="-defaults", limit=5
        )
    expected = sorted((run["n_defaults"] for run in runs), reverse=True)[:5]
    assert [row["n_defaults"] for row in rows(answer["table"])] == expected
    by_index = {run["index"]: run for run in runs}
    for row in rows(answer["table"]):
        assert {name: by_index[row["run"]][name] for name in row if name != "run"} == near_all(row)


def near_all(row):
    return {
        name: near(value) if isinstance(value, float) else value
        for name, value in row.items()
        if name != "run"
    }


async def test_single_runs_are_a_short_answer(talk):
    async with talk("list its runs") as chat:
        answer = await chat.call("job_results", job_id=STRESS, of="runs")
    assert "Showing 20 of 80 pairs." in answer["summary"]
    assert (len(answer["table"]["rows"]), answer["table"]["total_rows"]) == (20, 80)
    assert chat.characters <= SHORT


async def test_where_trading_did_harm_although_liquidity_was_ample(talk, desk):
    pairs = [
        pair for pair in effects(read(desk, STRESS)) if pair["effect"] < 0 and pair["kappa"] >= 1
    ]
    async with talk("in which pairs did trading do harm at κ of 1 or more?") as chat:
        answer = await chat.call(
            "job_results",
            job_id=STRESS,
            of="runs",
            where="effect < 0 and κ >= 1",
            order_by="effect",
        )
    assert answer["table"]["total_rows"] == len(pairs)
    assert [row["trading_effect"] for row in rows(answer["table"])] == near(
        sorted(pair["effect"] for pair in pairs)
    )


async def test_what_happened_under_one_seed(talk, desk):
    pairs = [pair for pair in effects(read(desk, STRESS)) if pair["seed"] == 7]
    async with talk("what came out under seed 7?") as chat:
        answer = await chat.call(
            "job_results", job_id=STRESS, of="runs", where={"seed": 7}, measures="dealer profit"
        )
    found = {(row["kappa"], row["mu"]): row for row in rows(answer["table"])}
    assert found.keys() == {(pair["kappa"], pair["mu"]) for pair in pairs}
    for pair in pairs:
        row = found[pair["kappa"], pair["mu"]]
        assert row["dealer_pnl_active"] == near(pair["dealer_pnl"])
        gain = row["dealer_pnl_active"] - row["dealer_pnl_passive"]
        assert row["dealer_pnl"] == pytest.approx(gain, abs=0.02)  # six digits each


async def test_only_low_liquidity(talk, desk):
    pairs = [pair for pair in effects(read(desk, STRESS)) if pair["kappa"] <= 0.5]
    async with talk("what about only low liquidity?") as chat:
        answer = await chat.call("job_results", job_id=STRESS, where="liquidity <= 0.5")
    [row] = rows(answer["table"])
    assert row["trading_effect"] == near(mean(pairs, "effect"))
    assert f"Over these 4 cells trading_effect is {mean(pairs, 'effect'):.4g}" in answer["summary"]


async def test_the_worst_runs_of_a_ring(talk, desk):
    runs = read(desk, LARGE_RING)
    async with talk("the five worst runs of the silver otter ring?") as chat:
        answer = await chat.call(
            "job_results", job_id="silver otter", of="runs", order_by="-default rate", limit=5
        )
    expected = sorted((run["delta_total"] for run in runs), reverse=True)[:5]
    assert [row["delta_total"] for row in rows(answer["table"])] == near(expected)


async def test_the_longest_waits_in_a_simulation_of_her_own(talk, desk):
    runs = read(desk, QUEUE)
    async with talk("when did somebody wait longest in my queue?") as chat:
        answer = await chat.call(
            "job_results", job_id=QUEUE, of="runs", order_by="-longest", limit=3
        )
    expected = sorted((run["longest"] for run in runs), reverse=True)[:3]
    assert [row["longest"] for row in rows(answer["table"])] == near(expected)
    assert rows(answer["table"])[0]["arm"] == max(runs, key=lambda run: run["longest"])["arm"]


async def test_runs_of_jobs_that_failed_or_were_given_up(talk):
    async with talk(
        "what did bidders pay at most, and what is there of the one I gave up?"
    ) as chat:
        dear = await chat.call("job_results", job_id=FRAGILE, of="runs", order_by="-price", limit=2)
        left = await chat.call("job_results", job_id=CANCELLED, of="runs")
    assert [row["price"] for row in rows(dear["table"])] == [5, 4.9]
    assert len(dear["failures"]) == 3
    assert "show_run(job_id='velvet-badger-marble-island', run='failed')" in dear["next"]
    assert left["table"]["total_rows"] == 8


async def test_averages_beside_single_runs_are_refused(talk):
    async with talk("the best runs by κ") as chat:
        said = await chat.refused("job_results", job_id=STRESS, of="runs", group_by="kappa")
    assert said.startswith("group_by: got kappa; allowed: nothing beside of: runs")
