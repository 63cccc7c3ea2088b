"""Jobs are compared, and single runs told."""

import pytest

from tests.conversation.archive import FRAGILE, FULL_PRICE, LOW_PRICE, QUEUE, STRESS
from tests.conversation.evidence import effects, interval, mean, near, read
from tests.conversation.talk import rows

pytestmark = pytest.mark.slow


async def test_yesterdays_two_jobs_compared(talk, desk):
    one, two = (effects(read(desk, name)) for name in (FULL_PRICE, LOW_PRICE))
    shared = {0.5, 1}
    by_place = {(pair["kappa"], pair["seed"]): pair for pair in two}
    differences = [
        {
            "kappa": pair["kappa"],
            "seed": pair["seed"],
            "effect": pair["effect"] - by_place[pair["kappa"], pair["seed"]]["effect"],
        }
        for pair in one
        if pair["kappa"] in shared
    ]
    async with talk("compare yesterday's two jobs") as chat:
        listed = await chat.call("list_jobs", since="yesterday", until="yesterday")
        names = [job["job_id"] for job in reversed(listed["jobs"])]
        answer = await chat.call("compare_jobs", job_ids=names)
        by_kappa = await chat.follow(answer, "compare_jobs")
    assert names == [FULL_PRICE, LOW_PRICE]
    assert answer["differs"]["outside_mid_ratios"] == [["1"], ["0.75"]]
    low, high = interval(differences, "effect")
    assert answer["summary"].startswith(
        f"trading_effect is {mean(differences, 'effect'):.4g} higher in {FULL_PRICE} than in "
        f"{LOW_PRICE} (95 % interval {low:.4g} to {high:.4g}), over 2 cells and 10 seeds"
    )
    assert "The headlines may not be compared" in answer["summary"]
    for row in rows(by_kappa["table"]):
        alike = [each for each in differences if each["kappa"] == row["kappa"]]
        assert row["trading_effect"] == near(mean(alike, "effect"))
        ends = [row["trading_effect_low"], row["trading_effect_high"]]
        assert ends == near(interval(alike, "effect"))
    assert {row["kappa"] for row in rows(by_kappa["table"])} == shared


async def test_jobs_that_cannot_be_compared(talk):
    async with talk("compare the tiger job with my queue") as chat:
        said = await chat.refused("compare_jobs", job_ids=[STRESS, QUEUE])
    assert "without a cell in common" in said


async def test_where_trading_hurt_most(talk, desk):
    worst = min(effects(read(desk, STRESS)), key=lambda pair: pair["effect"])
    async with talk("what happened in the run where trading hurt most?") as chat:
        answer = await chat.call("show_run", job_id="bright ocean swift tiger", run="worst")
        await chat.follow(answer, "show_run")
    runs = {run["run_id"]: run for run in read(desk, STRESS)}
    told = {runs[run["run_id"]]["arm"]: run for run in answer["runs"]}
    assert told.keys() == {"passive", "active"}
    for arm, run in told.items():
        assert runs[run["run_id"]]["seed"] == worst["seed"]
        assert runs[run["run_id"]]["cell"] == worst["cell"]
        assert f"{arm}: delta_total {worst[arm]:.4g}" in answer["summary"]
        assert any("default" in day for day in run["days"])
    assert f"lowest trading_effect of 80 pairs, {worst['effect']:.4g}" in answer["summary"]
    assert f"kappa {worst['kappa']:g}, mu {worst['mu']:g}" in answer["summary"]


async def test_why_runs_failed(talk, desk):
    failed = read(desk, FRAGILE, "failed_runs.csv")
    async with talk("why did three runs of the velvet badger one fail?") as chat:
        answer = await chat.call("job_results", job_id="velvet badger marble island")
        story = await chat.call("show_run", job_id=FRAGILE, run="failed")
    assert "3 of 30 runs failed" in answer["summary"]
    assert "no bid above the reserve" in answer["summary"]
    assert answer["findings"]["failed_runs"] == len(failed) == 3
    assert answer["findings"]["seeds_with_failed_runs"] == 3
    assert "The same parameters and seed raise ZeroDivisionError again" in answer["summary"]
    assert "start_sweep" not in answer["next"]
    assert f"show_run(job_id='{FRAGILE}', run='failed')" in answer["next"]
    assert list(answer["failures"].values()) == [
        f"bidders 4, seed {seed}: {run['error']}"
        for run, seed in zip(failed, (2, 5, 7), strict=True)
    ]
    assert "bidders 4, seed 2" in story["summary"]


@pytest.mark.parametrize("words", ["the worst one", "lowest", "Worst run"])
async def test_the_worst_run_in_other_words(talk, words):
    async with talk("show me the worst one") as chat:
        story = await chat.call("show_run", job_id=STRESS, run=words)
        same = await chat.call("show_run", job_id=STRESS, run="worst")
    assert story == same
