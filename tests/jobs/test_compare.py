"""Two jobs compared over the cells and seeds that both have."""

import re

import numpy as np
import pytest
from scipy import stats

from bilancio.errors import InvalidInput
from bilancio.jobs import JobConfig

GRID = {"sweep_type": "balanced", "n_agents": 10, "kappas": ["0.3", "1"], "mus": [0, 1]}
SIZE = re.compile(r"is (\S+) (?:higher|lower) in .* \(95 % interval (\S+) to ([^\s,)]+)[,)]")


async def finished(manager, **changes):
    asked = {name: value for name, value in (GRID | changes).items() if value is not None}
    job = await manager.create_job("a job to compare", JobConfig(**asked))
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
    turned = await manager.compare(two.job_id, one.job_id)
    for each in (seen, turned):  # lower by 2 has an interval around 2
        size, low, high = map(float, SIZE.search(each.headline).groups())
        assert low < size < high
        assert (", undecided)" in each.headline) == (low < 0)


async def test_a_comparison_has_a_row_for_each_group(manager):
    one, two = await finished(manager, n_replicates=3), await finished(manager, n_replicates=3)
    seen = await manager.compare(one.job_id, two.job_id, group_by="kappa", where="mu = 0")
    assert [row[0] for row in seen.table.rows] == [0.3, 1.0]
    for row in seen.table.rows:
        told = dict(zip(seen.table.columns, row, strict=True))
        assert (told["n_cells"], told["trading_effect"]) == (1, 0)
        assert told["verdict"] == "all 3 seeds equal"


async def test_headlines_may_be_compared_where_one_parameter_of_one_value_differs(manager):
    """What has one value in each job tells no cells apart, be it a grid's or not."""
    alone = {"mus": [0], "n_replicates": 5}
    one = await finished(manager, **alone, kappas=["0.3"])
    two = await finished(manager, **alone, kappas=["0.5"])
    seen = await manager.compare(one.job_id, two.job_id)
    mine, other = await effects(manager, one, {0.3}), await effects(manager, two, {0.5})
    told = dict(zip(seen.table.columns, seen.table.rows[0], strict=True))
    assert told["trading_effect"] == pytest.approx(
        np.mean([mine[seed] - other[seed] for seed in mine]), abs=1e-12
    )
    assert (told["n_cells"], told["n_seeds"]) == (1, 5)
    assert seen.comparability == (
        "The headlines may be compared: the same 1 cell and 5 seeds, and only kappa differs "
        "(0.3 against 0.5)."
    )
    with pytest.raises(InvalidInput, match="group_by: got 'kappa'"):
        await manager.compare(one.job_id, two.job_id, group_by="kappa")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "The headlines may be compared: the same 4 cells and 2 seeds, and the same param"),
        ({"n_agents": 12}, "and only n_agents differs (10 against 12)."),
        (
            {"n_agents": 12, "dealer_share": "0.2"},
            "may not be compared: several parameters differ (n_agents, dealer_share).",
        ),
        ({"kappas": ["1"]}, "may not be compared: the cells differ (4 and 2, 2 of them in both)."),
        ({"n_replicates": 3}, "may not be compared: the whole seeds differ (2 and 3, 2 in both)."),
    ],
)
async def test_a_sentence_says_whether_headlines_may_be_compared(manager, changes, sentence):
    one = await finished(manager, n_replicates=2)
    two = await finished(manager, **({"n_replicates": 2} | changes))
    assert sentence in (await manager.compare(one.job_id, two.job_id)).comparability


async def test_several_jobs_are_each_compared_with_the_first(manager):
    one, *others = [
        await finished(manager, n_replicates=3, dealer_share=share)
        for share in ("0.1", "0.2", "0.3")
    ]
    names = [job.job_id for job in (one, *others)]
    seen = await manager.compare(names[0].replace("-", " "), *names[1:], group_by="kappa")
    assert seen.table.columns[:2] == ("kappa", "job")
    assert [row[:2] for row in seen.table.rows] == [
        (kappa, name) for kappa in (0.3, 1.0) for name in names[1:]
    ]
    place = seen.table.columns.index("trading_effect")
    for row in seen.table.rows:
        (other,) = (job for job in others if job.job_id == row[1])
        mine, its = [await effects(manager, job, {row[0]}) for job in (one, other)]
        apart = [mine[seed] - its[seed] for seed in mine]
        assert row[place] == pytest.approx(np.mean(apart), abs=1e-12)
    assert seen.differs == {"dealer_share": ["0.1", "0.2", "0.3"]}
    assert seen.comparability.endswith("and only dealer_share differs (0.1, 0.2, 0.3).")
    assert all(name in seen.headline for name in names)
    apart = await finished(manager, n_replicates=3, dealer_share="0.2", vbt_share="0.3")
    mixed = await manager.compare(names[0], names[1], apart.job_id)
    assert mixed.comparability == (
        f"The headline of {names[0]} may be compared with that of {names[1]}; not with that of "
        f"{apart.job_id}: several parameters differ (dealer_share, vbt_share)."
    )
    alone = await finished(manager, kappas=["7", "8"])
    with pytest.raises(InvalidInput, match=f"jobs .{alone.job_id}.: got a job without a cell"):
        await manager.compare(*names, alone.job_id)
    with pytest.raises(InvalidInput, match="jobs: got 1 name; allowed: 2 to 6 names"):
        await manager.compare(names[0])


async def test_a_parameter_that_one_job_varies_and_the_other_lacks_keeps_them_apart(manager):
    debts = {"vary": {"q_per_agent": [50, 100]}, "kappas": ["1"], "mus": [0]}
    one, two = await finished(manager, **debts), await finished(manager, kappas=["1"], mus=[0])
    with pytest.raises(InvalidInput, match="q_per_agent has several values in one, and is not set"):
        await manager.compare(one.job_id, two.job_id)


@pytest.mark.parametrize(
    ("changes", "asked", "sentence"),
    [
        ({"kappas": ["5", "6"]}, {}, "jobs: got a job without a cell in common (kappa is "),
        ({"seeds": [7]}, {}, "jobs: got a job without a seed in common ("),
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
    with pytest.raises(InvalidInput, match=r"jobs: got .* allowed: another job"):
        await manager.compare(one.job_id, one.job_id)
    pending = await manager.create_job("not begun", JobConfig(**GRID))
    with pytest.raises(InvalidInput, match=f"jobs: got {pending.job_id}, without runs to compare"):
        await manager.compare(one.job_id, pending.job_id)


RANGES = {
    "sweep_type": "balanced", "n_agents": 8, "lhs": 7, "kappa_range": "0.25:2",
    "mu_range": "0:1", "n_replicates": 5, "kappas": None, "mus": None,
}  # fmt: skip


def two_way(values):
    """Return mean and 95 % interval of (cells, seeds), both random, by sums written out."""
    n_cells, n_seeds = values.shape
    mean = values.mean()
    squares = {"cells": 0.0, "seeds": 0.0, "rest": 0.0}
    for cell in range(n_cells):
        squares["cells"] += n_seeds * (values[cell].mean() - mean) ** 2 / (n_cells - 1)
    for seed in range(n_seeds):
        squares["seeds"] += n_cells * (values[:, seed].mean() - mean) ** 2 / (n_seeds - 1)
    df = {"cells": n_cells - 1, "seeds": n_seeds - 1, "rest": (n_cells - 1) * (n_seeds - 1)}
    for cell in range(n_cells):
        for seed in range(n_seeds):
            apart = values[cell, seed] - values[cell].mean() - values[:, seed].mean() + mean
            squares["rest"] += apart**2 / df["rest"]
    total = squares["cells"] + squares["seeds"] - squares["rest"]
    largest = max(squares, key=squares.__getitem__)
    if total > squares[largest]:
        freedom = total**2 / sum(squares[name] ** 2 / df[name] for name in df)
        freedom = max(freedom, min(df["cells"], df["seeds"]))
    else:
        total, freedom = squares[largest], df[largest]
    half = stats.t.ppf(0.975, freedom) * np.sqrt(total / values.size)
    return mean, mean - half, mean + half


async def runs_by_cell(manager, job, value):
    """Return *value* of both arms' runs, by κ, μ and seed, in plain Python."""
    runs = await manager.runs(job.job_id, limit=1000)
    return {
        (passive["kappa"], passive["mu"], passive["seed"]): value(passive, active)
        for passive, active in zip(runs[::2], runs[1::2], strict=True)
    }


def effect(passive, active):
    return passive["delta_total"] - active["delta_total"]


def square(found):
    """Return values by cell and seed as an array."""
    cells = sorted({key[:2] for key in found})
    seeds = sorted({key[2] for key in found})
    return np.array([[found[*cell, seed] for seed in seeds] for cell in cells])


async def test_two_hypercubes_of_the_same_points_are_compared_over_the_ranges(manager):
    one = await finished(manager, **RANGES)
    changes = {"n_replicates": 4, "dealer_share": "0.3"}
    two = await finished(manager, **(RANGES | changes))
    seen = await manager.compare(one.job_id, two.job_id)
    told = dict(zip(seen.table.columns, seen.table.rows[0], strict=True))
    mine, other = [await runs_by_cell(manager, job, effect) for job in (one, two)]
    apart = square({key: mine[key] - other[key] for key in mine.keys() & other.keys()})
    assert apart.shape == (7, 4)
    assert (told["n_cells"], told["n_seeds"]) == apart.shape
    expected = two_way(apart)
    found = [told[f"trading_effect{end}"] for end in ("", "_low", "_high")]
    assert found == pytest.approx(expected, rel=1e-9)
    assert "95 % interval of the mean over the ranges, " in seen.headline
    assert seen.table.title == "intervals are of the mean over the ranges"


async def test_a_ratio_is_compared_over_the_ranges_by_its_linear_part(manager):
    one = await finished(manager, **RANGES)
    two = await finished(manager, **(RANGES | {"dealer_share": "0.3"}))
    seen = await manager.compare(one.job_id, two.job_id, measures="trading_relief_ratio")
    told = dict(zip(seen.table.columns, seen.table.rows[0], strict=True))
    parts, ratios = [], []
    for job in (one, two):
        top = square(await runs_by_cell(manager, job, effect))
        bottom = square(await runs_by_cell(manager, job, lambda passive, _: passive["delta_total"]))
        ratios.append(top.mean() / bottom.mean())
        parts.append((top - ratios[-1] * bottom) / bottom.mean())
    _, low, high = two_way(parts[0] - parts[1])
    difference = ratios[0] - ratios[1]
    found = [told[f"trading_relief_ratio{end}"] for end in ("", "_low", "_high")]
    assert found == pytest.approx([difference, difference + low, difference + high], rel=1e-7)


async def test_listed_points_beside_a_hypercube_are_compared_over_seeds(manager):
    listed = {"points": [{"kappa": 1, "mu": 0}, {"kappa": 2, "mu": 0}]}
    one = await finished(manager, **RANGES, **listed)
    two = await finished(manager, **RANGES, **listed, dealer_share="0.3")
    seen = await manager.compare(one.job_id, two.job_id, where="mu = 0")
    assert seen.table.title == ""
    assert "95 % interval 0" in seen.headline or "95 % interval -" in seen.headline


async def test_sobol_designs_are_compared_over_their_sample(manager):
    """The points that differ in one parameter are no sample of the ranges."""
    sobol = {"sweep_type": "ring", "n_agents": 5, "sobol": 8, "kappa_range": "0.25:2"}
    sobol |= {"mu_range": "0:1", "n_replicates": 3, "kappas": None, "mus": None}
    one = await finished(manager, **sobol)
    two = await finished(manager, **sobol, rollover=False)
    seen = await manager.compare(one.job_id, two.job_id)
    told = dict(zip(seen.table.columns, seen.table.rows[0], strict=True))
    assert told["n_cells"] == 16
    results = [await manager.results(job.job_id) for job in (one, two)]
    mean = [each.table.rows[-1][each.table.columns.index("delta_total")] for each in results]
    assert told["delta_total"] == pytest.approx(mean[0] - mean[1], abs=1e-12)


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        (
            RANGES,
            RANGES | {"lhs": 8},
            "points that were drawn from ranges are the same in sweeps of the same ranges, number",
        ),
        (GRID, GRID | {"kappas": [5]}, "kappa is 0.3, 1 in the one, 5 in the other"),
        (
            GRID,
            GRID | {"sweep_type": "ring"},
            "the other, a ring sweep, measures delta_total, phi_total",
        ),
        (GRID | {"seeds": [1, 2]}, GRID | {"seeds": [7]}, "1, 2 in the one, 7 in the other"),
    ],
)
async def test_why_nothing_is_shared_is_explained(manager, first, second, why):
    one, two = [await finished(manager, **each) for each in (first, second)]
    with pytest.raises(InvalidInput) as error:
        await manager.compare(one.job_id, two.job_id)
    assert why in str(error.value)
