"""Comparing jobs and telling of runs, as Claude sees it over stdio."""

import csv
import json

import pytest
from mcp import Client

from bilancio.jobs.manager import AsyncJobManager
from tests.own_project import working_in, write
from tests.server.talk import data, module_command, over_stdio, refusal, typo

GRID = {"sweep_type": "balanced", "n_agents": 20, "kappas": [0.25, 0.5], "mus": [0, 1]}
DEFAULT, LONGEST = 2_000, 20_000  # characters: 500 and 5,000 tokens
FAULTY = """
from bilancio import experiment

@experiment("sore")
def simulate(seed: int, load: float = 0.5) -> dict[str, float]:
    if load > 0.9:
        raise ArithmeticError("no solution")
    return {"wait": load * seed}
"""


async def finished(**changes):
    async with AsyncJobManager() as manager:
        config = {"n_replicates": 4, **GRID, **changes}
        return await manager.run_job((await manager.create_job("to look at", config)).job_id)


def written(job):
    with (job.folder / "runs.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def size(answer):
    return len(json.dumps(answer, ensure_ascii=False))


def mean_effects(job, kappa=None):
    """Return the mean effect over cells by seed, from runs.csv."""
    sums = {}
    for row in written(job):
        if kappa is None or float(row["kappa"]) == kappa:
            sign = 1 if row["arm"] == "passive" else -1
            sums.setdefault(row["seed"], []).append(sign * float(row["delta_total"]))
    return {seed: 2 * sum(each) / len(each) for seed, each in sums.items()}


async def test_jobs_are_compared_over_stdio_and_the_headlines_judged():
    jobs = [await finished(dealer_share=share) for share in ("0.1", "0.2", "0.3")]
    names = [job.job_id for job in jobs]
    async with Client(over_stdio(module_command())) as client:
        two = data(await client.call_tool("compare_jobs", {"job_ids": [typo(names[0]), names[1]]}))
        asked = {"job_ids": names, "group_by": ["kappa"]}
        three = data(await client.call_tool("compare_jobs", asked))
        alone = refusal(await client.call_tool("compare_jobs", {"job_ids": names[:1]}))
        wrong = refusal(await client.call_tool("compare_jobs", {**asked, "measures": ["trading"]}))
    mine, other = (mean_effects(job) for job in jobs[:2])
    apart = sum(mine[seed] - other[seed] for seed in mine) / len(mine)
    assert f"{abs(apart):.4g}" in two["summary"] or "the same" in two["summary"]
    assert f"Names taken to mean {names[0]}" in two["summary"]
    assert "The headlines may be compared: the same 4 cells and 4 seeds" in two["summary"]
    assert two["differs"] == {"dealer_share": ["0.1", "0.2"]}
    assert f"compare_jobs(job_ids={names[:2]}, group_by=['kappa'])" in two["next"]
    assert size(two) < DEFAULT
    columns = three["table"]["columns"]
    for row in three["table"]["rows"]:
        told = dict(zip(columns, row, strict=True))
        one, two_ = (
            mean_effects(job, told["kappa"]) for job in (jobs[0], jobs[names.index(told["job"])])
        )
        expected = sum(one[seed] - two_[seed] for seed in one) / len(one)
        assert told["trading_effect"] == pytest.approx(expected, abs=1e-6)
    assert len(three["table"]["rows"]) == 4
    assert "job_ids: got 1 name; allowed: 2 to 6 names" in alone
    assert "measures: got 'trading'" in wrong


async def test_the_run_in_which_trading_hurt_most_is_told_over_stdio():
    job = await finished()
    rows = written(job)
    effects = [
        float(passive["delta_total"]) - float(active["delta_total"])
        for passive, active in zip(rows[::2], rows[1::2], strict=True)
    ]
    worst = rows[2 * effects.index(min(effects)) + 1]
    async with Client(over_stdio(module_command())) as client:
        call = ("show_run", {"job_id": typo(job.job_id)})
        told = data(await client.call_tool(*call))
        day = data(await client.call_tool("show_run", {**call[1], "run": worst["index"], "day": 1}))
        agent = data(
            await client.call_tool("show_run", {**call[1], "run": worst["run_id"], "agent": "7"})
        )
        late = refusal(await client.call_tool("show_run", {**call[1], "run": 1, "day": 99}))
    assert told["runs"][0]["run_id"] == worst["run_id"]
    assert len(told["runs"]) == 2
    assert f"lowest trading_effect of 16 pairs, {min(effects):.4f}" in told["summary"]
    assert f"seed {worst['seed']}" in told["summary"]
    assert f"show_run(job_id='{job.job_id}', run='{worst['run_id']}', day=" in told["next"]
    assert size(told) < DEFAULT
    for answer in (day, agent):
        assert size(answer) < LONGEST
    assert [line.partition(":")[0] for line in day["runs"][0]["days"]] == ["day 1"]
    assert all("H7" in line for line in agent["runs"][0]["days"])
    assert late.startswith("day: got 99; allowed: whole numbers from 0 to ")


async def test_runs_that_fail_again_are_shown_and_not_proposed_to_start_again(
    tmp_path, monkeypatch
):
    with working_in(tmp_path / "study", monkeypatch) as folder:
        write(folder, sore=FAULTY)
        config = {"sweep_type": "sore", "vary": {"load": [0.5, 0.95]}, "n_replicates": 3}
        async with AsyncJobManager() as manager:
            job = await manager.run_job((await manager.create_job("sore", config)).job_id)
        async with Client(over_stdio(module_command(), cwd=folder)) as client:
            for tool in ("job_status", "job_results"):
                answer = data(await client.call_tool(tool, {"job_id": job.job_id}))
                assert (
                    "All runs with load 0.95 failed; another start alone will not help."
                    in answer["summary"]
                )
                assert "start_sweep" not in answer["next"]
                assert f"show_run(job_id='{job.job_id}', run='failed')" in answer["next"]
            assert [*answer["failures"].values()] == [
                f"load 0.95, seed {seed}: ArithmeticError: no solution (sore.py:7)"
                for seed in (42, 43, 44)
            ]
            asked = {"job_id": job.job_id, "run": "failed"}
            told = data(await client.call_tool("show_run", asked))
    assert "load 0.95, seed 42. It failed: ArithmeticError: no solution" in told["summary"]
