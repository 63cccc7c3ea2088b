"""Pictures of jobs: each kind from real runs, what it says, and what it refuses."""

import io
import pickle
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import stats

from bilancio.errors import InvalidInput, NothingToDraw, ResultsMissing
from bilancio.experiments import registry
from bilancio.jobs import AsyncJobManager, JobConfig, JobManager
from bilancio.jobs.artifacts.ownership import refuse_foreign
from tests.night import nightly
from tests.own_project import name_modules, working_in, write

GRID = {
    "sweep_type": "balanced",
    "n_agents": 12,
    "kappas": ["0.3", "0.6", "1.2"],
    "mus": [0, 1],
    "n_replicates": 6,
}
KINDS = ["effect", "default_rate", "measure", "distribution", "days", "main_effects", "precision"]
OWN = """
from bilancio import experiment

@experiment("two-queues", arms=("one-line", "two-lines"), primary="wait")
def two(seed: int, arm: str, *, rate: float = 0.5, servers: int = 2, lazy: bool = False):
    noise = (seed * 7919 % 13) / 100
    shorter = noise * rate if arm == "two-lines" else 0
    return {"wait": rate * servers + noise - shorter, "served": 10.0 * servers}

@experiment("one-queue", primary="wait")
def one(seed: int, *, rate: float = 0.5):
    if seed == 3:
        raise ArithmeticError("no solution")
    return {"wait": rate + (seed * 7919 % 13) / 100}

@experiment("policies", arms=tuple(f"policy-{n}" for n in range(14)), primary="cost")
def policies(seed: int, arm: str, *, rate: float = 0.5):
    return {"cost": 1e9 * (int(arm[7:]) * rate + (seed * 7919 % 13) / 10)}
"""


@pytest.fixture
async def job(manager):
    return await finished(manager, **GRID)


async def finished(manager, job_id=None, **config):
    made = await manager.create_job("to be drawn", JobConfig(**config), job_id=job_id)
    return await manager.run_job(made.job_id)


def texts(plot):
    root = ET.fromstring(plot.svg)
    found = root.iter("{http://www.w3.org/2000/svg}text")
    return ["".join(each.itertext()).strip() for each in found]


def subtitle(plot):
    return ET.fromstring(plot.svg).attrib["aria-label"]


# -- each kind ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
async def test_every_kind_is_drawn_and_kept(manager, job, kind):
    plot = await manager.plot(job.job_id, kind)
    assert plot.kind == kind
    assert job.job_id in texts(plot)
    assert plot.sentence.endswith(".")
    assert "nan" not in plot.sentence
    assert {name: Path(path).suffix for name, path in plot.files.items()} == {
        "png": ".png",
        "svg": ".svg",
    }
    folder = job.folder / "figures"
    assert all(Path(path).parent == folder for path in plot.files.values())
    assert Path(plot.files["png"]).read_bytes() == plot.png
    assert Path(plot.files["svg"]).read_text().endswith(plot.svg)
    image = Image.open(io.BytesIO(plot.png))
    assert (image.format, image.width <= 1000, len(plot.png) <= 40_000) == ("PNG", True, True)
    again = await manager.plot(job.job_id, kind)
    assert again.files == plot.files


async def test_an_effect_over_two_parameters_shows_the_averages_of_the_table(manager, job):
    plot = await manager.plot(job.job_id, "effect", x="kappa", y="mu")
    results = await manager.results(job.job_id, group_by=["kappa", "mu"])
    shown = texts(plot)
    for row in results.table.to_pandas().to_dict("records"):
        number = f"{row['trading_effect']:+.3f}".replace("-", "−").replace("+0.000", "0.000")
        unsure = row["trading_effect_low"] <= 0 <= row["trading_effect_high"]
        assert (f"({number})" if unsure else number) in shown
    assert "Trading effect over κ and μ" in shown
    assert "κ  (liquidity ratio: cash / debt of the ring)" in shown
    assert "Default rate, passive less active" in subtitle(plot)
    assert "delta_" not in plot.svg
    assert "6 seeds" in subtitle(plot)


async def test_an_effect_by_one_parameter_names_what_is_averaged_over(manager, job):
    plot = await manager.plot(job.job_id, "effect", x="kappa")
    assert "Trading effect by κ" in texts(plot)
    assert "mean over μ" in subtitle(plot)
    assert "95 % intervals over 6 seeds" in subtitle(plot)


async def test_rates_are_drawn_in_both_arms_each_named_at_its_line(manager, job):
    plot = await manager.plot(job.job_id, "default_rate", x="kappa")
    assert {"passive", "active", "Default rate by κ in both arms"} <= set(texts(plot))
    one = await manager.plot(job.job_id, "default_rate", x="kappa", by="mu")
    assert {"passive, μ 0", "active, μ 1"} <= set(texts(one))


async def test_any_measure_can_be_drawn(manager, job):
    plot = await manager.plot(job.job_id, "measure", y="n_trades", x="mu")
    assert "Number of trades by μ" in texts(plot)
    assert "number of trades  (tickets)" in texts(plot)
    with pytest.raises(InvalidInput, match=r"y: got 'n_tradse'.*Did you mean n_trades\?"):
        await manager.plot(job.job_id, "measure", y="n_tradse")


async def test_a_picture_is_asked_for_in_words(manager, job):
    plot = await manager.plot(job.job_id, x="liquidity", y="default rate", where="μ = 0")
    exact = await manager.plot(job.job_id, "measure", x="kappa", y="delta_total", where="mu = 0")
    assert plot.sentence == exact.sentence
    assert (await manager.plot(job.job_id, "histogram")).kind == "distribution"
    assert plot.read == {"liquidity": "kappa", "default rate": "delta_total", "μ": "mu"}


async def test_a_distribution_counts_every_pair(manager, job):
    plot = await manager.plot(job.job_id, "distribution")
    runs = await manager.runs(job.job_id, limit=1000)
    effects = np.array(
        [
            passive["delta_total"] - active["delta_total"]
            for passive, active in zip(runs[::2], runs[1::2], strict=True)
        ]
    )
    assert plot.sentence.startswith("Of 36 pairs")
    above, below = int((effects > 1e-12).sum()), int((effects < -1e-12).sum())
    assert f"{above} above 0, {36 - above - below} at 0, {below} below" in plot.sentence
    assert "helps · same · hurts" in texts(plot)


async def test_the_interval_by_number_of_seeds_ends_with_that_of_all(manager, job):
    plot = await manager.plot(job.job_id, "precision")
    summary = (await manager.results(job.job_id)).summary
    low, high = summary["trading_effect_ci95"]
    assert f"± {(high - low) / 2:.3g} with 6 seeds" in plot.sentence


async def test_defaults_by_day_end_with_the_defaults_recorded(manager, job):
    plot = await manager.plot(job.job_id, "days")
    runs = await manager.runs(job.job_id, limit=1000)
    mean = {
        arm: np.mean([run["n_defaults"] for run in runs if run["arm"] == arm])
        for arm in ("passive", "active")
    }
    assert f"passive {mean['passive']:.3g}" in texts(plot)
    assert f"{mean['active']:.3g} (active)" in plot.sentence
    assert "mean of all 36 pairs" in plot.sentence
    one = await manager.plot(job.job_id, "days", where="kappa = 0.3 and mu = 0")
    assert "mean of all 6 pairs" in one.sentence
    assert "where kappa = 0.3 and mu = 0" in subtitle(one)


async def test_defaults_are_drawn_on_the_day_on_which_they_happen(manager):
    ring = {"sweep_type": "ring", "n_agents": 12, "kappas": ["0.3"], "n_replicates": 4}
    all_due_on_day_1 = await finished(manager, **ring, mus=[0])
    plot = await manager.plot(all_due_on_day_1.job_id, "days")
    assert "no default after day 1)" in plot.sentence


async def test_main_effects_are_the_shares_of_the_table(manager, job):
    plot = await manager.plot(job.job_id, "main_effects")
    effects = (await manager.results(job.job_id, effects=True)).effects
    first = max(effects.rows, key=lambda row: row[1] or 0)
    assert f"{100 * first[1]:.0f} %" in plot.sentence
    assert {"κ", "μ", "κ × μ"} <= set(texts(plot))


async def test_jobs_are_compared_over_what_they_share(manager, job):
    other = await finished(manager, **GRID | {"n_agents": 20, "n_replicates": 4})
    plot = await manager.plot(job.job_id, jobs=[other.job_id], x="kappa")
    assert plot.kind == "compare"
    assert {job.job_id, other.job_id} <= set(texts(plot))
    assert "6 shared cells, 4 seeds in common" in subtitle(plot)
    assert "values over all seeds of each job" in subtitle(plot)
    assert "n_agents 12 and 20" in subtitle(plot)
    seen = await manager.compare(job.job_id, other.job_id, group_by="kappa")
    place = seen.table.columns.index("trading_effect")
    lowest = min(row[place] for row in seen.table.rows)
    assert f"{lowest:+.3g}"[:5].replace("-", "−") in plot.sentence
    third = await finished(manager, **GRID | {"n_agents": 8, "n_replicates": 4})
    three = await manager.plot(job.job_id, "compare", jobs=[other.job_id, third.job_id])
    assert "Trading effect of three jobs by κ" in texts(three)


async def test_without_a_kind_what_varies_decides(manager):
    grid = await finished(manager, **GRID)
    line = await finished(manager, **GRID | {"mus": [0]})
    cell = await finished(manager, **GRID | {"mus": [0], "kappas": ["0.5"]})
    ring = await finished(manager, sweep_type="ring", n_agents=10, kappas=["0.5", "1"])
    run = await finished(manager, sweep_type="single", n_agents=10)
    frontier = await finished(
        manager, sweep_type="ring", n_agents=10, frontier=True, kappa_range=["0.1", "8"]
    )
    jobs = (grid, line, cell, ring, run, frontier)
    kinds = [(await manager.plot(each.job_id)).kind for each in jobs]
    assert kinds == ["effect", "effect", "distribution", "measure", "days", "frontier"]
    found = await manager.plot(frontier.job_id)
    assert "Where the mean δ is at most 0.05; " in subtitle(found)
    assert found.sentence.startswith("κ*, where the mean δ is at most 0.05, is ")


async def test_shares_over_ranges_are_told_with_their_interval(manager):
    ranges = {"kappa_range": ["0.25", "4"], "mu_range": [0, 1]}
    job = await finished(
        manager, sweep_type="balanced", n_agents=10, sobol=8, n_replicates=4, **ranges
    )
    plot = await manager.plot(job.job_id, "main_effects")
    said = r"[κμ] alone accounts for \d+ % \(95 % interval -?\d+ % to -?\d+ %\) of what differs in "
    assert re.match(said + r"trading effect over the ranges\.", plot.sentence)
    assert "first order: share of the variance over the ranges" in texts(plot)


# -- inputs that break pictures ------------------------------------------------------------------


async def test_shares_are_rounded_to_nothing_and_all_only_where_they_are_that(manager):
    one = {"mus": [1], "kappas": ["0.5"], "n_agents": 20, "n_replicates": 200}
    job = await finished(manager, **GRID | one)
    plot = await manager.plot(job.job_id, "distribution")
    assert "199 above 0, 1 at 0, 0 below" in plot.sentence
    assert ">99 % · <1 % · 0 %" in texts(plot)


async def test_one_seed_shows_values_and_says_that_there_are_no_intervals(manager):
    job = await finished(manager, **GRID | {"n_replicates": 1})
    effect = await manager.plot(job.job_id)
    assert "no interval with one seed" in subtitle(effect)
    rate = await manager.plot(job.job_id, "default_rate")
    assert "one seed shows no spread, so there are no intervals" in subtitle(rate)
    for kind in ("precision", "main_effects"):
        with pytest.raises(NothingToDraw, match=r"There is nothing to draw of job .*one|1 whole"):
            await manager.plot(job.job_id, kind)


async def test_a_job_in_which_nothing_happens_is_drawn_as_that(manager):
    job = await finished(manager, **GRID | {"kappas": [500, 1000]})
    assert (await manager.plot(job.job_id)).sentence.endswith("0 everywhere.")
    assert "20 at 0" in (await manager.plot(job.job_id, "distribution")).sentence.replace(
        "24", "20"
    )
    assert "no default on any day" in (await manager.plot(job.job_id, "days")).sentence
    assert "all 6 seeds agree" in (await manager.plot(job.job_id, "precision")).sentence
    assert "all 6 seeds agree" in subtitle(await manager.plot(job.job_id, "default_rate", x="mu"))
    await manager.plot(job.job_id, "default_rate")
    with pytest.raises(NothingToDraw, match="no more than seeds do"):
        await manager.plot(job.job_id, "main_effects")


async def test_one_cell_has_nothing_along_an_axis_and_a_sentence_says_so(manager):
    job = await finished(manager, **GRID | {"mus": [0], "kappas": ["0.5"]})
    for kind in ("effect", "default_rate", "main_effects"):
        with pytest.raises(InvalidInput, match=r"no parameter has two values.*distribution"):
            await manager.plot(job.job_id, kind)
    with pytest.raises(InvalidInput, match=r"x: got kappa, which has one value here \(0.5\)"):
        await manager.plot(job.job_id, "default_rate", x="kappa")
    run = await finished(manager, sweep_type="single", n_agents=10)
    with pytest.raises(NothingToDraw, match="one value is no distribution"):
        await manager.plot(run.job_id, "distribution")


async def test_two_hundred_values_and_words_and_booleans_are_drawn(manager):
    many = await finished(
        manager, sweep_type="ring", n_agents=5, vary={"kappa": "0.01:2:0.01"}, n_replicates=2
    )
    plot = await manager.plot(many.job_id)
    assert len(texts(plot)) < 40
    rows = await manager.plot(many.job_id, "distribution")
    assert "12 of 200 values of κ shown" in subtitle(rows)
    vary = {"default_handling": ["fail-fast", "expel-agent"], "rollover": [True, False]}
    words = await finished(manager, **GRID | {"kappas": ["0.5"], "mus": [0], "vary": vary})
    assert {"true", "false", "fail-fast"} <= set(texts(await manager.plot(words.job_id)))


async def test_samples_of_ranges_stand_in_bins(manager):
    ranges = {"lhs": 40, "vary": {"kappa": "0.25:4", "mu": "0:1"}, "n_replicates": 3}
    job = await finished(manager, sweep_type="balanced", n_agents=10, **ranges)
    plot = await manager.plot(job.job_id)
    # three bins by three, so that some four samples are in each
    assert len([text for text in texts(plot) if re.fullmatch(r"[\d.]+–[\d.]+", text)]) == 6
    assert any(re.fullmatch(r"0\.25–[\d.]+", text) for text in texts(plot))
    assert "40 samples; 3 seeds" in subtitle(plot)
    rate = await manager.plot(job.job_id, "default_rate", x="kappa")
    assert "κ in 10 bins" in subtitle(rate)
    assert {"0.5", "1", "2"} <= set(texts(rate))  # where κ is, between the middles of bins
    await manager.plot(job.job_id, "distribution")
    for kind, why in {
        "precision": "sampled from ranges",
        "main_effects": "no crossed grid",
    }.items():
        with pytest.raises(InvalidInput, match=why):
            await manager.plot(job.job_id, kind)


async def test_rows_of_a_map_over_two_ranges_stand_in_the_order_of_the_range(manager):
    ranges = {"lhs": 36, "vary": {"kappa": "0.25:4", "n_agents": "10:60"}, "n_replicates": 3}
    job = await finished(manager, sweep_type="balanced", **ranges)
    drawn = texts(await manager.plot(job.job_id, "effect", x="kappa", y="n_agents"))
    bins = [
        float(text.partition("–")[0])
        for text in drawn
        if re.fullmatch(r"[1-6]\d[\d.]*–[\d.]+", text)
    ]
    assert len(bins) > 2
    assert bins in (sorted(bins), sorted(bins, reverse=True))


async def test_what_a_search_has_found_is_drawn_with_its_range(manager):
    job = await finished(
        manager,
        sweep_type="ring",
        n_agents=10,
        frontier=True,
        kappa_range=["0.1", "8"],
        concentrations=["0.5", "1"],
        n_replicates=4,
    )
    plot = await manager.plot(job.job_id)
    assert "κ* by c" in texts(plot)
    assert "2 of 2 searches" in plot.sentence
    with pytest.raises(NothingToDraw, match="probes of searches"):
        await manager.plot(job.job_id, "days")
    grid = await finished(manager, **GRID)
    with pytest.raises(InvalidInput, match="a sweep without searches"):
        await manager.plot(grid.job_id, "frontier")


async def test_before_the_first_run_and_of_manual_runs_there_is_nothing_to_draw(manager, small):
    job = await manager.create_job("not started", small)
    with pytest.raises(NothingToDraw, match="no run has been recorded yet"):
        await manager.plot(job.job_id)
    manual = await manager.create_job("by hand", small)
    await manager.start_job(manual.job_id)
    await manager.record_progress(manual.job_id, "one", {"wait": 1.0})
    with pytest.raises(InvalidInput, match="recorded manually"):
        await manager.plot(manual.job_id)


async def test_a_part_of_a_job_and_failed_runs_are_said(manager, monkeypatch):
    monkeypatch.setenv("BILANCIO_PLUGINS", "tests.plugins.rings:FRAGILE")
    registry._plugins.cache_clear()
    config = {"sweep_type": "fragile", "n_agents": 5, "kappas": ["0.5", "1"]}
    job = await manager.create_job("fails", config | {"seeds": [1, 2, 3, 4], "failing": [3]})
    await manager.run_job(job.job_id)
    plot = await manager.plot(job.job_id)
    assert "2 runs failed, and their seeds are left out" in subtitle(plot)
    assert "3 seeds" in subtitle(plot)


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [500, *nightly(5000)])
async def test_very_many_runs_are_drawn_in_moments(manager, seeds):
    job = await finished(
        manager, sweep_type="ring", n_agents=3, n_replicates=seeds, vary={"kappa": "0.01:2:0.01"}
    )
    assert job.completed_runs == 200 * seeds
    assert (await manager.plot(job.job_id)).kind == "measure"
    for kind in ("distribution", "precision", "days", "main_effects"):
        await manager.plot(job.job_id, kind)


# -- own experiments -----------------------------------------------------------------------------


@pytest.fixture
async def own(tmp_path, monkeypatch):
    with working_in(tmp_path / "project", monkeypatch) as folder:
        write(folder, my_queue=OWN)
        name_modules(folder, "my_queue")
        async with AsyncJobManager() as manager:
            yield manager


async def test_an_own_experiment_is_drawn_from_its_measures(own):
    vary = {"rate": [0.2, 0.4, 0.8], "servers": [1, 2]}
    job = await finished(own, sweep_type="two-queues", vary=vary, n_replicates=5)
    assert "Wait difference over rate and servers" in texts(await own.plot(job.job_id))
    arms = await own.plot(job.job_id, "measure")
    assert {"Wait by rate in both arms", "one-line", "two-lines"} <= set(texts(arms))
    assert "higher · same · lower" in texts(await own.plot(job.job_id, "distribution"))
    for kind in ("precision", "main_effects"):
        await own.plot(job.job_id, kind)
    lazy = {"lazy": [True, False]}
    words = await finished(own, sweep_type="two-queues", vary=lazy, n_replicates=3)
    await own.plot(words.job_id, "measure")


async def test_a_kind_that_an_own_experiment_has_no_measure_for_names_those_it_has(own):
    job = await finished(own, sweep_type="two-queues", vary={"rate": [0.2, 0.4]})
    with pytest.raises(InvalidInput, match=r"default_rate, which.*measure \(of wait, served"):
        await own.plot(job.job_id, "default_rate")
    with pytest.raises(InvalidInput, match=r"days, of two-queues.*effect, measure"):
        await own.plot(job.job_id, "days")


async def test_failed_runs_of_an_own_experiment_leave_their_seeds_out(own):
    seeds = {"seeds": [1, 2, 3, 4], "vary": {"rate": [0.2, 0.4]}}
    made = await own.create_job("fails", {"sweep_type": "one-queue"} | seeds)
    await own.run_job(made.job_id)
    plot = await own.plot(made.job_id)
    assert "2 runs failed" in subtitle(plot)
    assert "over 3 seeds" in subtitle(plot)
    values = [rate + (seed * 7919 % 13) / 100 for rate in (0.2,) for seed in (1, 2, 4)]
    assert f"{np.mean(values):.3f}" in plot.sentence
    assert stats.sem(values) > 0


async def test_arms_whose_names_begin_alike_are_drawn_under_the_name_of_their_measure(own):
    vary = {"rate": [0.2, 0.4, 0.8]}
    job = await finished(own, sweep_type="policies", vary=vary, n_replicates=4)
    measure = await own.plot(job.job_id, "measure")
    assert "Cost by rate in each arm" in texts(measure)
    assert {f"policy-{each}" for each in range(12)} <= set(texts(measure))
    assert "the first 12 of 14 arms" in subtitle(measure)
    rows = await own.plot(job.job_id, "distribution")
    assert "beyond the axis" not in subtitle(rows)  # where rounding alone is
    assert "those that are 0" not in subtitle(rows)
    effect = await own.plot(job.job_id, "effect")
    assert "all 4 seeds agree" in subtitle(effect).lower()
    assert "interval" not in subtitle(effect)


@pytest.mark.parametrize("kind", [None, "distribution", "effect", "days", "precision"])
async def test_one_cell_and_one_seed_of_an_own_experiment_leave_nothing_to_draw(own, kind):
    job = await finished(own, sweep_type="one-queue")
    with pytest.raises((InvalidInput, NothingToDraw)) as refused:
        await own.plot(job.job_id, kind)
    said = str(refused.value)
    assert "days," not in said.partition("allowed")[2]
    assert len(said) < 400


# -- doors and files -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"kind": "efect"}, r"kind: got 'efect'.*Did you mean effect\?"),
        ({"x": "kapa"}, r"x: got 'kapa'.*Did you mean kappa\?"),
        ({"kind": "default_rate", "by": "kappa", "x": "kappa"}, "by: got kappa, which is along"),
        ({"where": "kappa > 99"}, "where: got 'kappa > 99'"),
        ({"where": 3}, "where: got 3"),
        ({"kind": "days", "x": "kappa"}, "nothing beside kind days"),
        ({"kind": "compare"}, "jobs: got nothing"),
        ({"kind": "effect", "jobs": "a-b-c-d"}, "jobs: got beside kind effect"),
        ({"jobs": [f"job-{n}-of-many" for n in range(6)]}, "at most 5 other jobs"),
    ],
)
async def test_what_cannot_be_drawn_is_refused_in_a_sentence(manager, job, asked, said):
    with pytest.raises(InvalidInput, match=said):
        await manager.plot(job.job_id, **asked)
    assert not (job.folder / "figures").exists()


async def test_a_job_is_not_compared_with_itself(manager, job):
    with pytest.raises(InvalidInput, match="other jobs, each once"):
        await manager.plot(job.job_id, jobs=[job.job_id])


async def test_other_questions_are_kept_under_other_names(manager, job):
    one = await manager.plot(job.job_id, "effect", x="kappa")
    two = await manager.plot(job.job_id, "effect", x="kappa", where="mu = 0")
    dark = await manager.plot(job.job_id, "effect", x="kappa", dark=True)
    assert len({each.files["png"] for each in (one, two, dark)}) == 3
    assert one.files["svg"] == dark.files["svg"] != two.files["svg"]
    assert one.png != dark.png
    assert one.svg == dark.svg


async def test_pictures_are_named_among_the_files_and_deleted_with_the_job(manager, job):
    await manager.plot(job.job_id)
    await manager.plot(job.job_id, "distribution")
    assert (await manager.results(job.job_id)).files["figures"] == str(job.folder / "figures")
    (job.folder / "figures" / "my notes.txt").write_text("mine")
    done = await manager.delete_job(job.job_id)
    assert {"figures/effect.svg", "figures/distribution.png"} <= set(done.removed)
    assert done.left == ("figures",)
    assert [each.name for each in (job.folder / "figures").iterdir()] == ["my notes.txt"]


async def test_nothing_is_left_of_a_deleted_job_with_pictures(manager, job):
    await manager.plot(job.job_id)
    await manager.delete_job(job.job_id)
    assert not job.folder.exists()


async def test_a_folder_with_pictures_of_the_job_is_the_jobs_without_its_manifest(manager, job):
    await manager.plot(job.job_id)
    (job.folder / "job_manifest.json").unlink()
    refuse_foreign(job)
    drawn = job.folder / "figures" / "effect.svg"
    drawn.write_text(drawn.read_text().replace(job.job_id, "other-job-of-somebody"))
    with pytest.raises(Exception, match="holds no manifest of this job"):
        refuse_foreign(job)


async def test_pictures_are_not_written_through_a_link_nor_where_the_folder_is_gone(
    manager, job, tmp_path
):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (job.folder / "figures").symlink_to(elsewhere)
    plot = await manager.plot(job.job_id)
    assert plot.files == {}
    assert plot.png.startswith(b"\x89PNG")
    assert list(elsewhere.iterdir()) == []


def test_results_draw_themselves():
    with JobManager() as manager:
        job = manager.create_job("to be drawn", JobConfig(**GRID))
        manager.run_job(job.job_id)
        results = manager.results(job.job_id)
        plot = results.plot("effect", x="kappa")
        assert plot.kind == "effect"
        assert plot._repr_png_() == plot.png
        assert plot._repr_svg_() == plot.svg
        again = pickle.loads(pickle.dumps(results))
        with pytest.raises(ResultsMissing, match=r"Ask one: manager\.plot"):
            again.plot()


WITHOUT = """
import sys
sys.modules["matplotlib"] = None
from bilancio.errors import LibraryMissing
from bilancio.jobs import JobManager
with JobManager() as manager:
    try:
        manager.plot(sys.argv[1])
    except LibraryMissing as error:
        print(error)
"""


def said_without_matplotlib(job):
    script = [sys.executable, "-c", WITHOUT, job.job_id]
    return subprocess.run(script, capture_output=True, text=True, check=True).stdout


async def test_without_matplotlib_a_sentence_says_how_it_is_installed(job):
    said = said_without_matplotlib(job)
    assert "This needs matplotlib" in said
    assert "Install it with " in said
