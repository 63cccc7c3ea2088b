"""Two jobs compared over the cells and seeds that both have."""

import numpy as np
import pytest
from scipy import stats

from bilancio.errors import InvalidInput
from bilancio.jobs import JobConfig

GRID = {"sweep_type": "balanced", "n_agents": 10, "kappas": ["0.3", "1"], "mus": [0, 1]}


async def finished(manager, **changes):
    job = await manager.create_job("a job to compare", JobConfig(**(GRID | changes)))
    return await manager.run_job(job.job_id)


async def effects(manager, job, kappas):
    """Return the mean effect over the cells of these κ's, by seed, in plain Python."""
    runs = await manager.runs(job.job_id, limit=1000)
    found = {}
    for passive, active in zip(runs[::2], runs[1::2], strict=True):
        if passive["kappa"] in kappas:
            found.setdefault(passive["seed"], []).append(
                passive["delta_total"] - active["delta_total"]
            )
    return {seed: np.mean(each) for seed, each in found.items()}


async def test_what_two_jobs_share_is_compared_seed_by_seed(manager):
    one = await finished(manager, n_replicates=8)
    two = await finished(
        manager, n_replicates=6, base_seed=44, kappas=["1", "2"], dealer_share="0.2"
    )
    seen = await manager.compare(one.job_id, two.job_id)
    (row,) = seen.table.rows
    told = dict(zip(seen.table.columns, row, strict=True))
    mine, other = await effects(manager, one, {1.0}), await effects(manager, two, {1.0})
    common = sorted(mine.keys() & other.keys())
    apart = [mine[seed] - other[seed] for seed in common]
    assert (told["n_cells"], told["n_seeds"]) == (2, 6)
    assert told["trading_effect"] == pytest.approx(np.mean(apart), abs=1e-12)
    low, high = stats.ttest_1samp(apart, 0).confidence_interval()
    assert told["trading_effect_low"] == pytest.approx(low)
    assert told["trading_effect_high"] == pytest.approx(high)
    assert seen.differs["dealer_share"] == ["0.125", "0.2"]
    assert f"in {one.job_id} than in {two.job_id}" in seen.headline
    assert "2 cells and 6 seeds that both have" in seen.headline


async def test_a_comparison_has_a_row_for_each_group(manager):
    one, two = await finished(manager, n_replicates=3), await finished(manager, n_replicates=3)
    seen = await manager.compare(one.job_id, two.job_id, group_by="kappa", where="mu = 0")
    assert [row[0] for row in seen.table.rows] == [0.3, 1.0]
    for row in seen.table.rows:
        told = dict(zip(seen.table.columns, row, strict=True))
        assert (told["n_cells"], told["trading_effect"]) == (1, 0)
        assert told["verdict"] == "all 3 seeds equal"


@pytest.mark.parametrize(
    ("changes", "asked", "sentence"),
    [
        ({"kappas": ["5"]}, {}, "allowed: a job that shares a cell"),
        ({"seeds": [7]}, {}, "allowed: a job that shares a seed"),
        ({}, {"group_by": "kapa"}, "Did you mean kappa?"),
        ({}, {"measures": "trading"}, "measures: got 'trading'"),
        ({}, {"where": "kappa > 7"}, "allowed: a condition that some cell meets"),
    ],
)
async def test_jobs_without_anything_in_common_are_not_compared(manager, changes, asked, sentence):
    one, two = await finished(manager), await finished(manager, **changes)
    with pytest.raises(InvalidInput) as error:
        await manager.compare(one.job_id, two.job_id, **asked)
    assert sentence in str(error.value)


async def test_measures_are_not_chosen_where_there_is_none_in_common(manager):
    one = await finished(manager)
    two = await finished(manager, sweep_type="ring")
    for measures in ("", "trading_effect"):
        with pytest.raises(InvalidInput, match="allowed: a job that shares a measure"):
            await manager.compare(one.job_id, two.job_id, measures=measures)


async def test_a_job_is_not_compared_with_itself_or_with_one_without_runs(manager):
    one = await finished(manager)
    with pytest.raises(InvalidInput, match="allowed: another job"):
        await manager.compare(one.job_id, one.job_id)
    pending = await manager.create_job("not begun", JobConfig(**GRID))
    with pytest.raises(InvalidInput, match=f"{pending.job_id}, without runs to compare"):
        await manager.compare(one.job_id, pending.job_id)
